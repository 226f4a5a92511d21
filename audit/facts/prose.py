"""Markdown: headings, links, code spans, fences, tables, directives, references."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

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

MAX_BRACKETS = 2_000
"""Inline parsing is quadratic in unmatched brackets: 50,000 of them take seconds."""

_HTML_LINK = re.compile(r"""<(a|img)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.IGNORECASE | re.DOTALL)
_HTML_ID = re.compile(
    r"""<[a-z][^>]*?\b(?:id|name)\s*=\s*(?:["']([^"']+)["']|([^"'\s>]+))""", re.IGNORECASE
)
_TAG = re.compile(r"<[^>]+>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CLAIM = re.compile(r"<!--\s*claim: example\s*-->")
# ``[[autodoc]] Name`` (doc-builder), ``::: package.name`` (mkdocstrings); ``::: note`` is neither.
_AUTODOC = re.compile(
    r"^(?:\[\[autodoc\]\]\s+(\S+)|(?:#{1,6} *)?::: ?([A-Za-z_]\w*(?:\.\w+)+|mkdocs-\w+)[ \t]*$)",
    re.MULTILINE,
)
_SNIPPET = re.compile(
    r"""^[ \t]*(?:-{1,}8<-{1,}[ \t]+["'](?P<one>[^"'\n]+)["']"""
    r"""|\{%-?[ \t]*include(?:-markdown)?[ \t]+["'](?P<two>[^"'\n]+)["'][^\n]*%\})""",
    re.MULTILINE,
)
_INNER_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\{[^{}]*?(?:#|\bid=[\"'])([\w.:-]+)[^{}]*\}")
_LABEL = re.compile(r"^\(([^()\s]+)\)=\s*$", re.MULTILINE)
_ROLE = re.compile(
    r"\{(?:py:)?(class|func|meth|mod|attr|obj|exc|data|doc|ref)\}`[~!]?([^`<]+?)(?:\s*<([^>]+)>)?`"
)
_AUTOREF = re.compile(r"\[(?P<label>(?:`[^`\n]*`|[^\[\]`])+)\]\[(?P<name>[^\[\]\s]*)\]")
_DOCREF = re.compile(r"\[`(?P<name>[~\w.]+)`\](?![\[(:])")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
_INDENTED_BODY = re.compile(r"^([ \t]*)(?:!!!|\?\?\?\+?|===\+?!?)[ \t]+\S")
_STRUCTURE = re.compile(r"[`<]|\bexit", re.IGNORECASE)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable("inline")


def markdown(content: bytes) -> ProseFacts:
    """Return what a Markdown page says (CommonMark, tables, the bodies of admonitions and tabs).

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    words = decode(content)
    page = Collected()
    references: dict[str, Any] = {}
    text = _outdented(words)
    tokens = _parser().parse(text, references)
    _tokens(page, tokens, frozenset(references.get("references", ())))
    for found in _SNIPPET.finditer(text):
        at = text.count("\n", 0, found.start()) + 1
        page.directives.append(Directive(at, "snippet", found["one"] or found["two"]))
    return page.facts(len(words.split()))


def _outdented(words: str) -> str:
    """Take the bodies of admonitions and tabs to the left, where CommonMark reads them."""
    if not re.search(r"^[ \t]*(!!!|\?\?\?|===)", words, re.MULTILINE):
        return words
    rows: list[str] = []
    depths: list[int] = []
    for row in words.split("\n"):
        indent = len(row) - len(row.lstrip())
        while depths and row.strip() and indent < depths[-1]:
            depths.pop()
        rows.append(row[4 * len(depths) :] if row.strip() else row)
        if _INDENTED_BODY.match(row):
            depths.append(indent + 4)
    return "\n".join(rows)


def _tokens(page: Collected, tokens: list[Token], references: frozenset[str]) -> None:
    head = 0
    pending: list[int] = []
    for place, token in enumerate(tokens):
        first, last = (token.map[0] + 1, token.map[1]) if token.map else (1, 1)
        if pending and token.map and token.nesting >= 0 and token.type != "inline":
            page.examples += [Example(line, line, last) for line in pending]
            pending = []
        match token.type:
            case "fence":
                page.fences.append(Fence(first, token.info.strip(), token.content[:MAX_FENCE]))
            case "code_block":
                page.fences.append(Fence(first - 1, "", token.content[:MAX_FENCE]))
            case "html_block":
                if _CLAIM.search(token.content):
                    pending.append(first)
                _html(token.content, first, page)
            case "thead_open":
                head = first
            case "tr_open":
                page.rows.append(Row(first, head, tuple(_cells(tokens, place))))
            case "inline":
                heading = tokens[place - 1] if tokens[place - 1].type == "heading_open" else None
                _block(page, token, first, heading, references)


def _cells(tokens: list[Token], place: int) -> Iterator[str]:
    for token in tokens[place + 1 :]:
        if token.type == "tr_close":
            return
        if token.type == "inline":
            yield token.content


def _block(
    page: Collected, token: Token, line: int, heading: Token | None, references: frozenset[str]
) -> None:
    """Read the inline content of a paragraph, list item, table cell or heading."""
    words = token.content
    children = _children(words)
    if heading is not None:
        title = "".join(one.content for one in children)
        page.headings.append(Heading(line, int(heading.tag[1]), title[:200]))
    if _CLAIM.search(words):
        page.examples += [
            Example(line + words.count("\n", 0, one.start()), at, at)
            for one in _CLAIM.finditer(words)
            for at in (line + words.count("\n", 0, one.start()),)
        ]
    _inline(children, line, page)
    _references(page, words, line, references)
    page.anchors += [Anchor(line, name) for name in _ATTRIBUTES.findall(words)]
    page.anchors += [Anchor(line, name.lower()) for name in _LABEL.findall(words)]
    if _STRUCTURE.search(words):
        page.paragraphs.append(Paragraph(line, words))


def _references(page: Collected, words: str, line: int, known: frozenset[str]) -> None:
    """Note identifiers that the page documents or refers to."""

    def note(name: str, argument: str, at: int) -> None:
        page.directives.append(Directive(line + words.count("\n", 0, at), name, argument))

    for found in _AUTODOC.finditer(words):
        note("autodoc", found[1] or found[2], found.start())
    for found in _ROLE.finditer(words):
        note(found[1], (found[3] or found[2]).strip(), found.start())
    if "[" not in words:
        return
    code = [one.span() for one in _CODE.finditer(words)]
    for found in _AUTOREF.finditer(words):
        name = found["name"] or found["label"].strip("`")
        if _normal(name) not in known and not _within(found.start(), code):
            note("autoref", name, found.start())
    for found in _DOCREF.finditer(words):
        if _normal(f"`{found['name']}`") not in known and not _within(found.start(), code):
            note("docref", found["name"], found.start())


def _normal(label: str) -> str:
    return " ".join(label.split()).upper()


def _within(place: int, regions: list[tuple[int, int]]) -> bool:
    return any(start < place < end for start, end in regions)


def _children(words: str) -> list[Token]:
    """Return the inline tokens of a paragraph; too many brackets are left as they are."""
    found: list[Token] = []
    if not any(one in words for one in "[`<") or words.count("[") > MAX_BRACKETS:
        return [Token("text", "", 0, content=words)]
    _parser().inline.parse(words, _parser(), {}, found)
    return found


def _inline(children: list[Token], line: int, page: Collected) -> None:
    for child in children:
        match child.type:
            case "softbreak" | "hardbreak":
                line += 1
            case "code_inline":
                page.spans.append(Span(line, child.content[:300]))
            case "link_open":
                page.links.append(Link(line, str(child.attrs.get("href", ""))))
            case "image":
                page.links.append(Link(line, str(child.attrs.get("src", "")), image=True))
            case "html_inline":
                _html(child.content, line, page)


def _html(words: str, line: int, page: Collected) -> None:
    words = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), words)

    def at(found: re.Match[str]) -> int:
        return line + words.count("\n", 0, found.start())

    for found in _HTML_LINK.finditer(words):
        page.links.append(Link(at(found), found[2], image=found[1].lower() == "img"))
    for found in _HTML_ID.finditer(words):
        page.anchors.append(Anchor(at(found), found[1] or found[2]))
    for found in _INNER_HEADING.finditer(words):  # MDX reads Markdown below a tag
        page.headings.append(Heading(at(found), len(found[1]), found[2].strip()[:200]))
    for found in _HTML_HEADING.finditer(words):
        title = " ".join(_TAG.sub("", found[2]).split())[:200]
        page.headings.append(Heading(at(found), int(found[1]), title))
