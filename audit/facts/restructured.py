"""reStructuredText, read line by line: headings, links, code spans, blocks, directives."""

import re
from textwrap import dedent

from audit.facts.collected import MAX_FENCE, Collected
from audit.facts.model import (
    Anchor,
    Directive,
    Example,
    Fence,
    Heading,
    Link,
    Paragraph,
    ProseFacts,
    Row,
    Span,
)
from audit.facts.text import decode

_UNDERLINE = re.compile(r"^([=\-~^\"'#*+`.:_])\1{2,}\s*$")
_DIRECTIVE = re.compile(r"^\s*\.\. ([\w:-]+)::\s*(.*)$")
_RST_SPAN = re.compile(r"``(.+?)``")
_RST_ROLE = re.compile(
    r":(?:[\w:]+:)?(class|func|meth|mod|attr|obj|exc|data|doc|ref|option|envvar|download):"
    r"`[~!]?([^`<]+?)(?:\s*<([^>]+)>)?`"
)
_RST_LINK = re.compile(r"`[^`<]*<([^>`]*[^>`_])>`_")  # ``<name_>`` names another target
_TARGET = re.compile(r"^\s*\.\. _([^:`]+|`[^`]+`):")
_INLINE_TARGET = re.compile(r"_`([^`]+)`")
_ORPHAN = re.compile(r"^:orphan:\s*$")
_CLAIM = re.compile(r"^\s*\.\. claim: example\s*$")
_LINE_OF_TABLE = re.compile(r"^\s*[+|].*[+|]\s*$")
_BLOCKS = frozenset(
    {"code-block", "code", "sourcecode", "prompt", "console", "toctree", "doctest", "testcode"}
)


class _Page(Collected):
    """A page whose lines are read one by one."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines
        self.levels: list[str] = []

    def line(self, number: int, row: str) -> None:
        """Read what a line is as a whole."""
        if found := _DIRECTIVE.match(row):
            self.directive(number, found[1], found[2].strip())
        elif _ORPHAN.match(row):
            self.directives.append(Directive(number, "orphan", ""))
        elif _CLAIM.match(row):
            self.examples.append(Example(number, number, _end_of_block(self.lines, number)))
        elif found := _TARGET.match(row):
            self.anchors.append(Anchor(number, found[1].strip("`").lower()))
        elif row.rstrip().endswith("::") and not row.lstrip().startswith(".."):
            self.fences.append(Fence(number, "", _indented(self.lines, number)))
        elif number > 1 and _UNDERLINE.match(row) and self.lines[number - 2].strip():
            self.heading(number, row)

    def directive(self, number: int, name: str, argument: str) -> None:
        """Note a directive, and the image or the block that it is."""
        self.directives.append(Directive(number, name, argument))
        if name in ("image", "figure"):
            self.links.append(Link(number, argument, image=True))
        elif name in _BLOCKS:
            info = "{toctree}" if name == "toctree" else argument
            self.fences.append(Fence(number, info, _indented(self.lines, number)))

    def heading(self, number: int, row: str) -> None:
        """Note the title above an underline."""
        title = self.lines[number - 2].strip()
        if len(row.rstrip()) >= len(title) and not _UNDERLINE.match(title):
            if row[0] not in self.levels:
                self.levels.append(row[0])
            level = self.levels.index(row[0]) + 1
            self.headings.append(Heading(number - 1, level, title[:200]))

    def inline(self, number: int, row: str) -> None:
        """Read what stands inside a line."""
        self.spans += [Span(number, one[:300]) for one in _RST_SPAN.findall(row)]
        self.anchors += [Anchor(number, one.lower()) for one in _INLINE_TARGET.findall(row)]
        if _LINE_OF_TABLE.match(row) and "|" in row:
            self.rows.append(Row(number, _head(self.rows, number), _cells(row)))
        for kind, label, target in _RST_ROLE.findall(row):
            if kind not in ("doc", "ref", "download"):
                self.spans.append(Span(number, (target or label)[:300]))
            self.directives.append(Directive(number, kind, (target or label).strip()))
        self.links += [Link(number, target) for target in _RST_LINK.findall(row)]


def restructured(content: bytes) -> ProseFacts:
    """Return what a reStructuredText page says, read line by line.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    rows = decode(content).splitlines()
    page = _Page(rows)
    for number, row in enumerate(rows, 1):
        page.line(number, row)
        page.inline(number, row)
    page.paragraphs += _paragraphs(rows)
    return page.facts(sum(len(row.split()) for row in rows))


def _indented(rows: list[str], after: int) -> str:
    """Return the indented block that follows a line, dedented, options dropped."""
    block: list[str] = []
    for row in rows[after:]:
        if row.strip() and not row[0].isspace():
            break
        if not (row.lstrip().startswith(":") and not any(block)):
            block.append(row.rstrip())
    return dedent("\n".join(block)).strip("\n")[:MAX_FENCE]


def _end_of_block(rows: list[str], after: int) -> int:
    """Return the last line of the block that follows a line."""
    place = after
    while place < len(rows) and not rows[place].strip():
        place += 1
    if place >= len(rows):
        return len(rows)
    indent = len(rows[place]) - len(rows[place].lstrip())
    last = place
    for at in range(place + 1, len(rows)):
        depth = len(rows[at]) - len(rows[at].lstrip())
        if rows[at].strip() and depth <= indent and not rows[at - 1].strip():
            break
        last = at
    return last + 1


def _cells(row: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in row.strip().strip("|").split("|"))


def _head(table: list[Row], number: int) -> int:
    """Return the line of the header of the table that a row belongs to."""
    return table[-1].head if table and number - table[-1].line <= 2 else number


def _paragraphs(rows: list[str]) -> list[Paragraph]:
    """Return the paragraphs that hold a literal or a role."""
    found: list[Paragraph] = []
    first = 0
    for number in range(len(rows) + 1):
        if number == len(rows) or not rows[number].strip():
            block = "\n".join(rows[first:number])
            if "`" in block:
                found.append(Paragraph(first + 1, block))
            first = number + 1
    return found
