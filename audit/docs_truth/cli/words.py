"""Constants in canonical texts, and the decorators of a definition with their calls."""

import ast
import re
from collections.abc import Iterator

from audit.code.modules import Module
from audit.facts.model import Call


def constant(text: str) -> str | None:
    """Return the string that a canonical text is, None for what is no string."""
    if text[:1] not in ("'", '"'):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def strings(text: str) -> list[str]:
    """Return the strings inside a canonical text of a container."""
    return re.findall(r"'([^']*)'", text)


def decorations(module: Module, node: int) -> Iterator[tuple[str, Call | None]]:
    """Yield the canonical text of each decorator with its call, None for one without."""
    place = node - module.first
    calls = iter([one for one in module.facts.calls if one.decorates == place])
    current = next(calls, None)
    for text in module.facts.definitions[place].decorators:
        if current is not None and text.endswith("()") and text == f"{current.names[0]}()":
            yield text.removesuffix("()"), current
            current = next(calls, None)
        else:
            yield text, None
