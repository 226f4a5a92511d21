"""What every subcommand does with the cache."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from audit.cli import main


@pytest.mark.parametrize(
    ("words", "path", "code"),
    [("run", ".", 0), ("run", "nowhere", 2), ("gate --base HEAD", ".", 0)],
)
def test_the_cache_is_closed_when_a_command_ends_in_whatever_way(
    sample: Path, words: str, path: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    connect = sqlite3.connect

    def noting(*arguments: Any, **options: Any) -> Any:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noting)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main([*words.split(), str(sample / path)]) == code
    assert opened
    for one in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            one.execute("SELECT 1")
