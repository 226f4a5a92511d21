"""What codex-ml itself brings, declared like an entry point: imported when used."""

from codex_ml import __version__
from codex_ml.plugins.metadata import Entry

OWNER = "codex-ml"

_ROWS: tuple[tuple[str, str, str], ...] = ()

BUILTIN = [Entry(*row, OWNER, __version__) for row in _ROWS]
