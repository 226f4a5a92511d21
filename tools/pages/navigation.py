"""The parts of mkdocs.yml's navigation that list generated pages, between their marks."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from audit.practices import registry
from pages import api


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield mkdocs.yml with its generated parts."""
    found = (root / "mkdocs.yml").read_text(encoding="utf-8")
    found = _between(found, "python api", _api())
    yield "../mkdocs.yml", _between(found, "practices", _practices())


def _between(words: str, mark: str, lines: Iterable[str]) -> str:
    """Replace what stands between ``# mark: ...`` and the next ``# end``, keeping their indentation."""
    pattern = re.compile(rf"^( *)(# {mark}: [^\n]*\n)(?:.*\n)*?\1# end\n", re.MULTILINE)
    found, count = pattern.subn(
        lambda match: "".join(
            [match[1], match[2], *(f"{match[1]}{line}\n" for line in lines), match[1], "# end\n"]
        ),
        words,
    )
    if count != 1:
        raise SystemExit(
            f"mkdocs.yml: write `# {mark}: ...` and `# end` once, where the pages belong"
        )
    return found


def _api() -> Iterator[str]:
    yield "- Python API:"
    yield "    - reference/api/index.md"
    for name in (*api.PACKAGES, *api.MODULES):
        yield f"    - {name}: reference/api/{name}.md"


def _practices() -> Iterator[str]:
    yield "- Practices:"
    yield "    - practices/index.md"
    for capability, practices in groupby(registry.practices(), lambda one: one.capability):
        yield f"    - {capability}:"
        yield from (f"        - practices/{one.id}.md" for one in practices)
