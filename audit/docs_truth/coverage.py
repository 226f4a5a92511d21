"""Coverage: what exists and is documented nowhere, where the like of it is documented.

That a page means to be complete is known only where it names half of what there is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from audit.code.modules import Module
from audit.docs_truth import environment, exit_codes, keys, shell
from audit.docs_truth.cli.model import Option, Program
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Wrong
from audit.docs_truth.pages import SHELLS, Page, language
from audit.docs_truth.references import directives
from audit.docs_truth.world import World

_GENERATOR = re.compile(
    r"(mkdocs-\w+|click|typer|argparse|program-output|command-output|mkdocs-click|typer-cli)\b"
)
_SET = Unknown("a variable that the program sets for itself")
_PARTLY = Unknown("one of a group that the documentation does not list")


def _judged(
    claims: Iterable[tuple[Claim, bool]], noun: str, *, listed: bool = True
) -> Iterator[Judged]:
    """Judge a group: where at least half of it is documented, all of it must be."""
    rows = list(claims)
    complete = listed and sum(said for _, said in rows) * 2 >= len(rows)
    for claim, said in rows:
        yield claim, HOLDS if said else Wrong(f"no page names this {noun}") if complete else _PARTLY


@kind("undocumented-option")
def options(world: World) -> Iterator[Judged]:
    """An option of a command is documented nowhere."""
    said = set(_flags(world.prose))
    pages = list(_told(world))
    seen: set[tuple[str, int]] = set()
    for program in world.programs:
        if not _is_offered(world, program):
            continue
        for _, command in program.every:
            fresh = [
                one
                for one in command.options
                if not one.hidden and (one.path, one.line) not in seen
            ]
            seen |= {(one.path, one.line) for one in fresh}
            rows = [
                (
                    Claim(one.path, one.line, max(one.names, key=len)),
                    _is_in(world, said, one.names),
                )
                for one in fresh
            ]
            yield from _judged(rows, "option", listed=_is_listed(program, fresh, pages))


def _plain(flag: str) -> str:
    return flag.replace("_", "-")


def _flags(text: str) -> Iterator[str]:
    yield from map(_plain, re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))


def _told(world: World) -> Iterator[tuple[Page, str, Counter[str]]]:
    """Yield each page with its text and the flags that it writes outside of commands."""
    for page in world.present:
        text = world.text_of[page.path]
        shown = "\n".join(_shown(page))
        yield page, text, Counter(_flags(text)) - Counter(_flags(shown))


def _shown(page: Page) -> Iterator[str]:
    """Yield the commands of a page; rows that start with a flag are a list, unless rows go on."""
    for fence in page.facts.fences:
        if re.search(r"\\[ \t]*$", fence.text, re.MULTILINE):
            yield fence.text
        elif language(fence) in SHELLS or language(fence) in shell.UNNAMED:
            rows = (one.text for one in shell.lines(fence))
            yield from (row for row in rows if not row.lstrip().startswith("-"))


def _is_listed(
    program: Program, options: Iterable[Option], pages: Iterable[tuple[Page, str, Counter[str]]]
) -> bool:
    """Tell whether the pages that name a program describe half of its options, and do not send
    to its ``--help`` for the rest: commands that serve as examples list nothing."""
    name = rf"(?<![\w.-]){re.escape(program.names[0])}(?![\w-])"
    told = [(page, flags) for page, text, flags in pages if re.search(name, text)]
    if any(
        re.search(rf"{name}(\.py)? (-h|--help)$", span.text)
        for page, _ in told
        for span in page.facts.spans
    ):
        return False
    rows = [
        any(_plain(name) in flags for _, flags in told for name in one.names) for one in options
    ]
    return sum(rows) * 2 >= len(rows)


def _is_in(world: World, said: set[str], names: Iterable[str]) -> bool:
    """Tell whether a page names an option, or writes its name of several words without dashes."""
    bare = (one.lstrip("-").replace("-", "_") for one in names)
    return any(_plain(one) in said for one in names) or any(
        "_" in one and one in world.prose_words for one in bare
    )


def _is_offered(world: World, program: Program) -> bool:
    """Tell whether a program is the project's own and some page names it."""
    home = world.repo.files.get(program.command.path)
    if program.style == "unknown" or home is None or home.role != "product":
        return False
    if any(_GENERATOR.match(one) for page in world.present for one in _generators(page)):
        return False
    name = program.names[0]
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", world.prose) is not None


def _generators(page: Page) -> Iterator[str]:
    yield from (one.name for one in page.facts.directives)
    yield from (one.argument for one in page.facts.directives if one.name == "autodoc")
    yield from (fence.info.lstrip("{") for fence in page.facts.fences)
    yield from ("command-output" for fence in page.facts.fences if 'exec="' in fence.info)


@kind("undocumented-environment")
def variables(world: World) -> Iterator[Judged]:
    """An environment variable that code reads is documented nowhere."""
    rows = []
    for name, (path, line) in sorted(environment.read(world).items()):
        claim, said = Claim(path, line, name), name in world.prose_words
        if not said and re.search(rf"\[[\"']{name}[\"']\] *= *[^=\s]", world.code):
            yield claim, _SET
        else:
            rows.append((claim, said))
    yield from _judged(rows, "environment variable")


@kind("undocumented-config-key")
def config_keys(world: World) -> Iterator[Judged]:
    """A configuration key that is accepted is documented nowhere."""
    form = keys.accepted(world)
    if form is not None:
        said = world.prose_words
        rows = (
            (Claim(form.path, _field_line(world, form.path, form.name, name), name), name in said)
            for name in sorted(form.keys)
        )
        yield from _judged(rows, "configuration key")


def _field_line(world: World, path: str, owner: str, name: str) -> int:
    for module in world.repo.product:
        if module.path == path:
            for one in module.facts.assigns:
                if one.target == name and module.facts.definitions[one.scope].name == owner:
                    return one.line
    return 1


@kind("undocumented-exit-code")
def codes(world: World) -> Iterator[Judged]:
    """An exit code is documented nowhere."""
    numbers = {value for page in world.present for _, value, _ in exit_codes.said(page)}
    yield from _judged(
        (
            (Claim(one.path, one.line, f"{one.value} {one.name}"), _is_said(world, one, numbers))
            for one in exit_codes.codes(world)
        ),
        "exit code",
    )


def _is_said(world: World, one: exit_codes.Code, numbers: set[str]) -> bool:
    return one.value in numbers or (one.name in world.prose_words and len(one.name) > 3)


@kind("undocumented-symbol")
def symbols(world: World) -> Iterator[Judged]:
    """A public object (of ``__all__``) is documented nowhere."""
    generated = {
        one.argument
        for page in world.present
        for one in directives(page)
        if one.name in ("autodoc", "automodule")
    }
    space = world.namespace
    inside = _members(world, {one.rpartition(".")[2] for one in generated})
    for top in sorted(space.tops):
        module = space.modules[top]
        rows = []
        for name in module.facts.exports:
            if not name.startswith("_"):
                node = space.resolve(f"{top}.{name}")
                if isinstance(node, Module):
                    continue  # a page may name it as a common word: data, config
                home = world.repo.program.owner[node].dotted if isinstance(node, int) else top
                shown = name in world.prose_words or name in inside
                shown = shown or home in generated or top in generated
                rows.append((Claim(module.path, _line(module.facts.imports, name), name), shown))
        yield from _judged(rows, "public object")


def _members(world: World, names: set[str]) -> set[str]:
    """Return what the classes define that pages document whole."""
    return {
        one.name.rpartition(".")[2]
        for module in world.repo.product
        for one in module.facts.definitions
        if one.name.partition(".")[0] in names
    }


def _line(imports: Iterable[object], name: str) -> int:
    return next((one.line for one in imports if getattr(one, "name", "") == name), 1)  # type: ignore[attr-defined]
