"""Generate the reference pages from the code that they describe.

Usage: python tools/reference.py [--check]

Writes docs/practices/, docs/reference/, docs/schemas/ and the parts of mkdocs.yml that list them. With --check nothing is
written: every page that is not what the code says is named, exit code 1.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pages import api, commands, navigation, practices, schemas, settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
OWNED = ("practices/*.md", "reference/api/*.md")
"""Folders that hold generated pages only: others in them are left over."""


def pages() -> Iterator[tuple[str, str]]:
    """Yield every generated file below docs/ with its content."""
    return chain(
        schemas.pages(DOCS),
        practices.pages(),
        commands.pages(),
        settings.pages(),
        api.pages(ROOT),
        navigation.pages(ROOT),
    )


def main() -> int:
    """Write or check."""
    check = "--check" in sys.argv
    made = dict(pages())
    stale = [name for name, content in made.items() if _read(DOCS / name) != content]
    left = [
        name
        for pattern in OWNED
        for path in sorted(DOCS.glob(pattern))
        if (name := path.relative_to(DOCS).as_posix()) not in made
    ]
    if not check:
        for name in stale:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(made[name], encoding="utf-8")
        for name in left:
            (DOCS / name).unlink()
    for name in (*stale, *left):
        print(f"{(DOCS / name).resolve().relative_to(ROOT)}: changed: run make reference")
    return int(bool(stale or left) and check)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
