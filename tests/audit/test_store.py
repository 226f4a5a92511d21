"""The cache: losing or damaging it costs time, never truth."""

import sqlite3
from pathlib import Path

from audit.store import NoStore, Store, open_store


def test_what_was_put_is_there_for_the_next_one(tmp_path: Path) -> None:
    first = Store(tmp_path / "cache.sqlite")
    first.put({"a": b"1", "b": b""})
    first.close()
    second = Store(tmp_path / "cache.sqlite")
    assert second.get(["a", "b", "c"]) == {"a": b"1", "b": b""}
    second.close()


def test_more_keys_than_one_statement_takes(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache.sqlite")
    rows = {str(n): b"%d" % n for n in range(5000)}
    store.put(rows)
    assert store.get(rows) == rows
    store.close()


def test_a_flipped_byte_is_a_miss(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    store = Store(path)
    store.put({"a": b"content", "b": b"other"})
    store.close()
    with sqlite3.connect(path) as connection:
        (value,) = connection.execute("SELECT value FROM cache WHERE key = 'a'").fetchone()
        connection.execute("UPDATE cache SET value = ? WHERE key = 'a'", (value[:-1] + b"X",))
    connection.close()
    store = Store(path)
    assert store.get(["a", "b"]) == {"b": b"other"}
    store.close()


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    store = Store(path)
    store.put({"a": b"1"})
    assert store.get(["a"]) == {"a": b"1"}
    store.close()


def test_where_nothing_can_be_written_there_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert isinstance(open_store(tmp_path / "file" / "cache.sqlite"), NoStore)


def test_two_runs_share_one_cache(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "c"), Store(tmp_path / "c")
    one.put({"a": b"1"})
    two.put({"b": b"2"})
    assert one.get(["a", "b"]) == two.get(["a", "b"]) == {"a": b"1", "b": b"2"}
    one.close()
    two.close()
