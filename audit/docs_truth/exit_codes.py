"""Exit codes: what pages say that a status means, held against the project's enumeration."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from audit.docs_truth.commands import ELSEWHERE
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World
from audit.facts.model import Row

_SAID: Final = re.compile(
    r"\bexit(?:s|ed|ing)?(?: with)?(?: the)?(?: code| status)?s?:? `?(\d{1,3})`?(?![\w.%])",
    re.IGNORECASE,
)
_EXIT: Final = re.compile(r"\bexit", re.IGNORECASE)


class Code(msgspec.Struct, frozen=True):
    """A member of an enumeration of exit codes."""

    name: str
    value: str
    path: str
    line: int


def codes(world: World) -> tuple[Code, ...]:
    """Return the members of the enumerations that say how the project's commands end."""
    found: list[Code] = []
    for module in world.repo.product:
        facts = module.facts
        for one in facts.assigns:
            home = facts.definitions[one.scope]
            named = home.kind == "class" and _EXIT.search(home.name)
            if named and one.value.isdigit() and any("Enum" in base for base in home.bases):
                found.append(Code(one.target, one.value, module.path, one.line))
    return tuple(found)


@kind("exit-code")
def exit_codes(world: World) -> Iterator[Judged]:
    """A page names an exit code that does not exist or means something else."""
    known = codes(world)
    for page in world.present:
        for line, value, name in said(page):
            text = f"{value} {name}".strip()
            yield Claim(page.path, line, text), _judge(known, value, name)


def said(page: Page) -> Iterator[tuple[int, str, str]]:
    """Yield line, number and name of the exit codes that a page names."""
    yield from _rows(page)
    yield from _prose(page)


def _judge(known: tuple[Code, ...], value: str, name: str) -> Verdict:
    if not known:
        return Unknown("the project has no enumeration of exit codes")
    named = {one.value for one in known if one.name == name}
    meant = sorted({one.name for one in known if one.value == value})
    if name and named:
        return (
            HOLDS
            if value in named
            else Wrong(f"{name} is {' or '.join(sorted(named))}", *meant[:1])
        )
    if name and meant and name.isupper():
        return Wrong(f"{value} is {' or '.join(meant)}, and {name} is no exit code", meant[0])
    values = sorted({one.value for one in known}, key=int)
    return HOLDS if meant else Wrong(f"no exit code {value}: they are {', '.join(values)}")


def _rows(page: Page) -> Iterator[tuple[int, str, str]]:
    """Yield line, number and name from the tables of exit codes."""
    for row in page.facts.rows:
        if row.line != row.head and _is_about_exits(page, row):
            plain = [re.sub(r"[`*]", "", cell).strip() for cell in row.cells]
            value = next((cell for cell in plain if re.fullmatch(r"\d{1,3}", cell)), "")
            name = next((cell for cell in plain if re.fullmatch(r"[A-Z][A-Z_]+", cell)), "")
            if value:
                yield row.line, value, name


def _is_about_exits(page: Page, row: Row) -> bool:
    header = page.table(row)[0]
    head = " ".join(header.cells)
    if _EXIT.search(head) or re.search(r"\bstatus\b", head, re.IGNORECASE):
        return bool(_EXIT.search(head))
    first = header.cells[0].strip().lower() if header.cells else ""
    heading = page.heading(row.line).rpartition(" / ")[2]
    return first in ("code", "status", "value") and bool(_EXIT.search(heading))


def _prose(page: Page) -> Iterator[tuple[int, str, str]]:
    for one in page.facts.paragraphs:
        for found in _SAID.finditer(one.text):
            line = one.line + one.text.count("\n", 0, found.start())
            if page.row(line) is None and not ELSEWHERE.search(page.sentence(line, found[0])):
                yield line, found[1], ""
