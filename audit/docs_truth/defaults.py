"""Default values: what tables and sentences say, held against what the code gives."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from audit.docs_truth.cli.model import Option
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World
from audit.facts.model import Row

_FLAG: Final = re.compile(r"`(--[a-z][\w-]*)[^`]*`|^(--[a-z][\w-]*)$", re.IGNORECASE)
_FIELD: Final = re.compile(r"^`([a-z][\w-]*)`$")
_SAID: Final = re.compile(
    r"(?:\bdefaults? to|\bdefault(?: value)?(?: is| of|:| =|=)|\(default)\s*"
    r"(?:`([^`\n-][^`\n]*)`|(\d[\w.]*)(?=[).,;]))",
    re.IGNORECASE,
)
_NOTHING: Final = frozenset(
    {"", "-", "–", "—", "none", "null", "n/a", "unset", "required", "not set"}
)
_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})
_COMPUTED: Final = Unknown("a default that is computed")
_OTHER: Final = Unknown("a table of options that no command line of the project has")
_IN_WORDS: Final = Unknown("a default in words")
_WORDS: Final = re.compile(r"^[^`\"']*\S\s+\S|`.*`.*`|\(")


@kind("default")
def defaults(world: World) -> Iterator[Judged]:
    """A page gives a default value that the code does not."""
    for page in world.present:
        yield from _tables(world, page)
        yield from _sentences(world, page)


def _tables(world: World, page: Page) -> Iterator[Judged]:
    for row in page.facts.rows:
        header = page.table(row)[0]
        titles = [re.sub(r"[*`]", "", one).strip().lower() for one in header.cells]
        if row is header or len(row.cells) != len(titles):
            continue
        place = next((at for at, one in enumerate(titles) if one.startswith("default")), 0)
        if not place:
            continue
        said, first = row.cells[place].strip(), row.cells[0].strip()
        if flag := _flag(row):
            claim = Claim(page.path, row.line, f"{flag[1] or flag[2]} {said}")
            flags = [one[1] or one[2] for one in map(_flag, page.table(row)[1:]) if one]
            strange = sum(one not in world.options for one in flags) * 2 > len(flags)
            yield claim, _OTHER if strange else _option(world, flag[1] or flag[2], said)
        elif field := _FIELD.match(first):
            siblings = frozenset(
                found[1]
                for one in page.table(row)[1:]
                if (found := _FIELD.match(one.cells[0].strip()))
            )
            yield (
                Claim(page.path, row.line, f"{field[1]} {said}"),
                _field(world, field[1], said, siblings),
            )


def _flag(row: Row) -> re.Match[str] | None:
    return _FLAG.search(row.cells[0].strip())


def _sentences(world: World, page: Page) -> Iterator[Judged]:
    """Read "`--jobs` (default: `4`)" where a sentence is about one flag alone."""
    for paragraph in page.facts.paragraphs:
        for found in _SAID.finditer(paragraph.text):
            line = paragraph.line + paragraph.text.count("\n", 0, found.start())
            if page.row(line) is not None:
                continue
            sentence = page.sentence(line, found[0])
            flags = {one[0] for one in re.findall(r"`(--[a-z][\w-]*)([ =][^`]*)?`", sentence)}
            if len(flags) == 1:
                flag, said = flags.pop(), found[1] or found[2]
                yield Claim(page.path, line, f"{flag} {said}"), _option(world, flag, said)


def _option(world: World, flag: str, said: str) -> Verdict:
    options = {
        one
        for program in world.programs
        for _, command in program.every
        for one in command.options
        if flag in one.names
    }
    if not options:
        return Unknown("a flag that no command line of the project has")
    values = [_literal(one) for one in sorted(options, key=lambda one: (one.path, one.line))]
    known = [one for one in values if one is not None]
    if any(_same(said, one) for one in known):
        return HOLDS
    if _WORDS.search(said):
        return _IN_WORDS
    if len(known) < len(values) or "None" in known:
        return _COMPUTED  # what is None to the parser, the program may choose
    if flag.startswith("--no-") and said.strip("`").lower() in _TRUE | _FALSE:
        return _COMPUTED  # of the flag, or of what it turns off
    return Wrong(f"the default is {' or '.join(dict.fromkeys(known))}", known[0])


def _literal(option: Option) -> str | None:
    """Return the default as it is written, None where it is computed or not given."""
    if option.default is None:
        return "False" if option.values == 0 else None
    return _constant(option.default)


def _constant(text: str) -> str | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return str(value) if isinstance(value, str | int | float | None) else None


def _same(said: str, value: str) -> bool:
    plain = re.sub(r"[`*\"']", "", said).strip()
    low, real = plain.lower(), value.lower()
    if low == real or (low in _NOTHING and real in ("none", "false", "")):
        return True
    if (low in _TRUE and real in ("true", "1")) or (low in _FALSE and real in ("false", "0")):
        return True
    try:
        return float(plain.replace("_", "")) == float(value)
    except ValueError:
        return False


def _field(world: World, name: str, said: str, siblings: frozenset[str]) -> Verdict:
    """Look a field up in the one class that has all the fields of the table."""
    forms = [one for one in world.forms if one.name and siblings <= one.keys]
    if len(forms) != 1 or len(siblings) < 2:
        return Unknown("a table that is about no one class")
    value = _constant(dict(forms[0].defaults).get(name, ""))
    if value is None or said.lower() in _NOTHING:
        return _COMPUTED
    if _same(said, value):
        return HOLDS
    if value == "None":
        return _COMPUTED
    if _WORDS.search(said):
        return _IN_WORDS
    return Wrong(f"{forms[0].name}.{name} defaults to {value}", value)
