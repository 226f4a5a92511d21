"""Docstrings: the parameters that they describe (Google, NumPy and Sphinx style)."""

import ast
import re
from typing import Final

_SPHINX: Final = re.compile(
    r"^\s*:param[ \t]+(?:[^:\s-][^:\s]*[ \t]+)*?\*{0,2}(\w+)\s*:", re.MULTILINE
)
"""A type may stand before the name; a dash starts the words about it."""
_SECTION: Final = re.compile(
    r"^([ \t]*)(Args|Arguments|Parameters|Params):[ \t]*$",
    re.MULTILINE,
)
_NUMPY: Final = re.compile(
    r"^([ \t]*)(?:Parameters|Other Parameters)[ \t]*\n[ \t]*-{3,}[ \t]*$", re.MULTILINE
)
_UNDERLINE: Final = re.compile(r"\s*-{3,}\s*$")
_GOOGLE_ITEM: Final = re.compile(
    r"^(?:\*{0,2}(\w+))\s*(?:\([^)\n]*(?:\([^)]*\)[^)\n]*)*\))?\s*:(?!\w+:`)"
)
_WORDS: Final = frozenset(
    {"Returns", "Return", "Raises", "Yields", "Note", "Notes", "Example", "Examples"}
)
"""Heads of other sections, which some docstrings indent like a parameter."""
_ANNOUNCED: Final = re.compile(r"\b(?:keys|fields|entries)\b[^.:]*:$")
"""Ends an item whose keys follow, indented like it."""
_NUMPY_ITEM: Final = re.compile(r"^(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::|$)")


def parameters(body: list[ast.stmt]) -> tuple[tuple[str, int], ...]:
    """Return each parameter that the docstring of a body describes, with its line."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str(text), lineno=line)), *_] if (
            ":param" in text or "Arg" in text or "Param" in text
        ):
            return tuple((name, line + row) for name, row in _described(text))
    return ()


def _described(text: str) -> list[tuple[str, int]]:
    found = [(one[1], text.count("\n", 0, one.start(1))) for one in _SPHINX.finditer(text)]
    rows = text.split("\n")
    depths = [len(row) - len(row.lstrip()) for row in rows[1:] if row.strip()]
    heads = list(_SECTION.finditer(text))
    for head in heads:
        if len(head[1]) > min(depths, default=0) or head[2] != heads[0][2]:
            continue  # it is about something inside, such as a method or a configuration
        found += _items(
            rows, text.count("\n", 0, head.start(1)) + 1, len(head[1]) + 1, _GOOGLE_ITEM
        )
    for head in _NUMPY.finditer(text):
        found += _items(rows, text.count("\n", 0, head.start(1)) + 2, len(head[1]), _NUMPY_ITEM)
    return found


def _items(rows: list[str], first: int, least: int, item: re.Pattern[str]) -> list[tuple[str, int]]:
    """Return the items of a section: lines of its first indentation, until it ends."""
    found: list[tuple[str, int]] = []
    indent = -1
    for place in range(first, len(rows)):
        row = rows[place].expandtabs()
        depth = len(row) - len(row.lstrip())
        if not row.strip():
            continue
        if depth < least or (place + 1 < len(rows) and _UNDERLINE.match(rows[place + 1])):
            break
        if indent < 0:
            indent = depth
        if depth < indent:
            break
        if depth == indent and (one := item.match(row.strip())):
            names = [name.strip(" *") for name in one[1].split(",")]
            found += [(name, place) for name in names if name not in _WORDS]
            if row.strip().rstrip(":") in _WORDS or _ANNOUNCED.search(row.strip()):
                break
    return found
