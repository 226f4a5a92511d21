"""Files read without waiting for anybody, and written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from audit.files import read_bytes, replace


def test_a_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\r\n\0")
    (tmp_path / "b").symlink_to("a")
    assert read_bytes(tmp_path / "a") == read_bytes(tmp_path / "b") == b"\r\n\0"


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for one in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="Not a regular file"):
            read_bytes(one)
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)


def test_a_new_file_is_readable_by_all_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.txt"
    replace(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o644)
    assert list(file.parent.iterdir()) == [file]


def test_the_mode_of_the_old_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"old")
    file.chmod(0o600)
    replace(file, b"new", durable=True)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """An audited repository may bring links where reports are written."""
    foreign, link = tmp_path / "foreign.txt", tmp_path / "report.txt"
    foreign.write_bytes(b"foreign")
    foreign.chmod(0o600)
    link.symlink_to(foreign)
    replace(link, b"new")
    assert not link.is_symlink()
    assert (link.read_bytes(), stat.S_IMODE(link.stat().st_mode)) == (b"new", 0o644)
    assert foreign.read_bytes() == b"foreign"


def test_a_failure_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace(file, b"new", durable=True)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
