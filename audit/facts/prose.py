"""Markdown and reStructuredText: headings, links, code spans, fences, directives."""

import re
from functools import cache
from textwrap import dedent

from markdown_it import MarkdownIt
from markdown_it.token import Token

from audit.facts.data import decode
from audit.facts.model import Directive, Fence, Heading, Link, ProseFacts, Span

MAX_FENCE = 4_000
MAX_BRACKETS = 2_000
"""Inline parsing is quadratic in unmatched brackets: 50,000 of them take seconds."""

_HTML_LINK = re.compile(r"""<(a|img)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
# ``[[autodoc]] Name`` (doc-builder), ``::: package.name`` (mkdocstrings); ``::: note`` is neither.
_AUTODOC = re.compile(
    r"^(?:\[\[autodoc\]\]\s+(\S+)|(?:#{1,6} *)?::: ?([A-Za-z_]\w*(?:\.\w+)+)[ \t]*$)", re.MULTILINE
)

_UNDERLINE = re.compile(r"^([=\-~^\"'#*+`.:_])\1{2,}\s*$")
_DIRECTIVE = re.compile(r"^\s*\.\. ([\w:-]+)::\s*(.*)$")
_RST_SPAN = re.compile(r"``(.+?)``")
_RST_ROLE = re.compile(
    r":(?:[\w:]+:)?(class|func|meth|mod|attr|obj|doc|ref):`~?([^`<]+?)(?:\s*<([^>]+)>)?`"
)
_RST_LINK = re.compile(r"`[^`<]*<([^>`]+)>`_")


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable("inline")


def markdown(content: bytes) -> ProseFacts:
    """Return what a Markdown page says (CommonMark and tables).

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    words = decode(content)
    headings: list[Heading] = []
    links: list[Link] = []
    fences: list[Fence] = []
    spans: list[Span] = []
    directives: list[Directive] = []
    tokens = _parser().parse(words)
    for place, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else 1
        match token.type:
            case "fence" | "code_block":
                fences.append(Fence(line, token.info.strip(), token.content[:MAX_FENCE]))
            case "html_block":
                _html(token.content, line, headings, links)
            case "inline":
                children = _children(token.content)
                if tokens[place - 1].type == "heading_open":
                    title = "".join(one.content for one in children)
                    headings.append(Heading(line, int(tokens[place - 1].tag[1]), title[:200]))
                _inline(children, line, links, spans)
                directives += [
                    Directive(
                        line + token.content.count("\n", 0, found.start()),
                        "autodoc",
                        found[1] or found[2],
                    )
                    for found in _AUTODOC.finditer(token.content)
                ]
    return ProseFacts(
        tuple(headings),
        tuple(links),
        tuple(fences),
        tuple(spans),
        tuple(directives),
        len(words.split()),
    )


def _children(words: str) -> list[Token]:
    """Return the inline tokens of a paragraph; too many brackets are left as they are."""
    found: list[Token] = []
    if not any(one in words for one in "[`<") or words.count("[") > MAX_BRACKETS:
        return [Token("text", "", 0, content=words)]
    _parser().inline.parse(words, _parser(), {}, found)
    return found


def _inline(children: list[Token], line: int, links: list[Link], spans: list[Span]) -> None:
    for child in children:
        match child.type:
            case "softbreak" | "hardbreak":
                line += 1
            case "code_inline":
                spans.append(Span(line, child.content[:300]))
            case "link_open":
                links.append(Link(line, str(child.attrs.get("href", ""))))
            case "image":
                links.append(Link(line, str(child.attrs.get("src", "")), image=True))
            case "html_inline":
                links.extend(
                    Link(line, found[2], image=found[1].lower() == "img")
                    for found in _HTML_LINK.finditer(child.content)
                )


def _html(words: str, line: int, headings: list[Heading], links: list[Link]) -> None:
    for found in _HTML_LINK.finditer(words):
        at = line + words.count("\n", 0, found.start())
        links.append(Link(at, found[2], image=found[1].lower() == "img"))
    for found in _HTML_HEADING.finditer(words):
        at = line + words.count("\n", 0, found.start())
        headings.append(Heading(at, int(found[1]), " ".join(_TAG.sub("", found[2]).split())[:200]))


def restructured(content: bytes) -> ProseFacts:
    """Return what a reStructuredText page says, read line by line.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    rows = decode(content).splitlines()
    headings: list[Heading] = []
    links: list[Link] = []
    fences: list[Fence] = []
    spans: list[Span] = []
    directives: list[Directive] = []
    levels: list[str] = []
    for number, row in enumerate(rows, 1):
        if found := _DIRECTIVE.match(row):
            name, argument = found[1], found[2].strip()
            directives.append(Directive(number, name, argument))
            if name in ("image", "figure"):
                links.append(Link(number, argument, image=True))
            elif name in ("code-block", "code", "sourcecode", "prompt", "console"):
                fences.append(Fence(number, argument, _indented(rows, number)))
        elif row.rstrip().endswith("::") and not row.lstrip().startswith(".."):
            fences.append(Fence(number, "", _indented(rows, number)))
        elif number > 1 and _UNDERLINE.match(row) and rows[number - 2].strip():
            title = rows[number - 2].strip()
            if len(row.rstrip()) >= len(title) and not _UNDERLINE.match(title):
                if row[0] not in levels:
                    levels.append(row[0])
                headings.append(Heading(number - 1, levels.index(row[0]) + 1, title[:200]))
        spans += [Span(number, one[:300]) for one in _RST_SPAN.findall(row)]
        for kind, label, target in _RST_ROLE.findall(row):
            spans.append(Span(number, (target or label)[:300]))
            directives.append(Directive(number, kind, (target or label).strip()))
        links += [Link(number, target) for target in _RST_LINK.findall(row)]
    return ProseFacts(
        tuple(headings), tuple(links), tuple(fences), tuple(spans), tuple(directives),
        sum(len(row.split()) for row in rows),
    )  # fmt: skip


def _indented(rows: list[str], after: int) -> str:
    """Return the indented block that follows a line, dedented, options dropped."""
    block: list[str] = []
    for row in rows[after:]:
        if row.strip() and not row[0].isspace():
            break
        if not (row.lstrip().startswith(":") and not any(block)):
            block.append(row.rstrip())
    return dedent("\n".join(block)).strip("\n")[:MAX_FENCE]
