"""Anchors: what the headings of a page are called, in every flavour of slug."""

import re
import unicodedata
from typing import Final

from audit.docs_truth.pages import Page

_TAG: Final = re.compile(r"<[^>]+>")
_ATTRIBUTES: Final = re.compile(r"\s*(\{[^{}]*\}|\[\[[^\]]*\]\])\s*$")
_MARKUP: Final = re.compile(r"(\*\*|__|`+|\*)")


def anchors(page: Page) -> frozenset[str]:
    """Return the names that ``#name`` may have on a page."""
    found = {one.name for one in page.facts.anchors}
    seen: dict[str, int] = {}
    for heading in page.facts.headings:
        attributes = _ATTRIBUTES.search(heading.text)
        if attributes and attributes[1].startswith("[["):
            found.add(attributes[1][2:-2])
        title = _TAG.sub("", _ATTRIBUTES.sub("", heading.text))
        slugs = flavours(title)
        if heading.text.endswith(">") and title.endswith(" "):
            slugs += (f"{_github(title)}-",)  # GitHub keeps the blank before a tag
        if heading.text.startswith("<") and title.startswith(" "):
            slugs += (f"-{_github(title)}",)  # and after one
        if not title.isascii():  # joiners inside words: GitHub drops them, others do not
            slugs += (_github(title, "LNMC"),)
        if page.style == "doc-builder":
            slugs += (re.sub(r"[^a-z0-9-]", "", title.strip().lower().replace(" ", "-")),)
        for slug in dict.fromkeys(slugs):
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            found |= {f"{slug}-{count}", f"{slug}_{count}"} if count else {slug}
    return frozenset(found) | {"", "top"}


def flavours(title: str) -> tuple[str, ...]:
    """Return the slugs of a heading: Python-Markdown, GitHub, docutils."""
    return _markdown(title), _markdown(_MARKUP.sub("", title)), _github(title), _docutils(title)


def _markdown(title: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_).strip().lower())


def _github(title: str, kinds: str = "LNM") -> str:
    kept = (
        one
        for one in title.strip().lower()
        if one == "_" or one in "- " or unicodedata.category(one)[0] in kinds
    )
    return "".join(kept).replace(" ", "-")


def _docutils(title: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")
