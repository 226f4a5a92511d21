"""Say where a ``pyproject.toml`` is no TOML, and how to mend it."""

import re
from typing import Final

from audit.pyproject import scan
from audit.pyproject.problem import Problem, name

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HEX: Final = r"write \u and four, or \U and eight, hexadecimal digits of a character"
_TAKEN: Final = "the name is taken by a value above: rename one of them, or add to that value"
# How the parser's message begins, what stands at its place, the cure: the first that fits.
_CURES: Final = tuple(
    (start, re.compile(there), cure)
    for start, there, cure in (
        ("", r"(?m)^(?:<{7}|={7}|>{7})", "resolve the merge conflict"),
        ("Expected newline", r",", "remove the comma"),
        ("Expected newline", r"[\])}]", "remove the bracket"),
        ("Expected newline", r"\r", "end each line with LF or CRLF"),
        ("Expected newline", r"(?<=[\w.+-])[\w.:+-]", "put text in quotes, or correct the number"),
        ("Expected newline", r"", "put each key on a line of its own"),
        ("Unclosed array", r"\s*\Z", "close it with ]"),
        ("Unclosed array", r"", "put a comma between the elements, or close it with ]"),
        ("Unclosed inline table", r"[\r\n#]", "close it with } on the line that it begins on"),
        ("Unclosed inline table", r"", "put a comma between the keys, or close it with }"),
        ("Expected '=' after a key", r"", "write key = value"),
        ("Expected ']", r"", "close the table's name with a bracket"),
        ("Invalid value", r"(?i)(?:true|false|nan|inf)\b", "write it in lower case"),
        ("Invalid value", r"(?i)(?:null|none|nil)\b", "TOML has no null: leave the key out"),
        ("Invalid value", r"[“”„‘’]", "use straight quotes"),
        ("Invalid value", r",", "remove the comma, or put a value before it"),
        ("Invalid value", r"[\r\n#]|(?:(?<==)|(?<== ))\Z", "give the key a value"),
        ("Invalid value", r"\Z", "close the bracket that is still open"),
        ("Invalid value", r"", "put text in quotes"),
        ("Invalid statement", r"[^\x00-\x7f]", "put the name in quotes"),
        ("Invalid statement", r"[\])}]", "remove the bracket"),
        ("Invalid statement", r"", "write key = value or [table]"),
        ("Invalid initial character", r"\]", "name the table"),
        ("Invalid initial character", r"\}", "remove the comma before it"),
        ("Invalid initial character", r"[\r\n]", "write an inline table on one line"),
        ("Invalid initial character", r"", "write a name there; quote other than A-Z a-z 0-9 _ -"),
        ("Illegal character", r"\r?\n", "close the quotes on the line that they begin on"),
        ("Illegal character", r"", "remove it or escape it"),
        ("Found invalid character", r"\r?\n", "close the quotes on the line that they begin on"),
        ("Found invalid character", r"", "remove it"),
        ("Unescaped '\\' in a string", r"", "double it, or use single quotes"),
        ("Invalid hex value", r"", _HEX),
        ("Escaped character", r"", _HEX),
        ("Unterminated string", r"", "close the quotes"),
        ('Expected "\'', r"", "close the quotes"),
        ("Cannot ", r"", _TAKEN),
    )
)  # fmt: skip


def invalid(text: str, message: str) -> Problem:
    """Return the place and cure of what `tomllib` said of a text."""
    return _twice(text) or _syntax(text, message)


def _syntax(text: str, message: str) -> Problem:
    found = _PLACE.search(message)
    says = message[: found.start()] if found else message
    line, column = (
        (int(found[1]), int(found[2])) if found and found[1] else scan.place(text, len(text))
    )
    at = scan.offset(text, line, column)
    cure = next(
        (cure for start, there, cure in _CURES if says.startswith(start) and there.match(text, at)),
        "correct the syntax",
    )
    return Problem(line, column, f"invalid TOML: {says[0].lower()}{says[1:]}: {cure}")


def _twice(text: str) -> Problem | None:
    """Return the first table or key that is there twice, if that can be told."""
    seen: dict[scan.Path, int] = {}
    try:
        for path, at in scan.places(scan.statements(text)):
            if path in seen:
                first, _ = scan.place(text, seen[path])
                tables = text[at] == text[seen[path]] == "["
                what = "table" if text[at] == "[" else "key"
                says = f"the {what} {name(path)} is given twice, first at line {first}: "
                return Problem(
                    *scan.place(text, at), says + ("merge the two" if tables else "keep one")
                )
            seen[path] = at
    except (ValueError, RecursionError):
        pass
    return None
