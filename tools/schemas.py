"""Write the published JSON schemas from the types they describe.

Usage: python tools/schemas.py [--check]

With --check nothing is written; a schema that is not what the code says is
named and the exit code is 1.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from audit.model import Matrix
from audit.report import Manifest

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
SCHEMAS: dict[str, tuple[Any, str]] = {
    "capability_matrix.schema.json": (Matrix, "The capability matrix of codex-audit"),
    "manifest.schema.json": (Manifest, "The manifest of a report of codex-audit"),
}


def schema(kind: Any, title: str) -> bytes:
    """Return the JSON Schema (2020-12) of a type."""
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(kind),
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def main() -> int:
    """Write or check."""
    stale = []
    for name, (kind, title) in SCHEMAS.items():
        path, content = FOLDER / name, schema(kind, title)
        if not path.exists() or path.read_bytes() != content:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_bytes(content)
    for name in stale:
        print(f"docs/schemas/{name}: changed: run python tools/schemas.py")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
