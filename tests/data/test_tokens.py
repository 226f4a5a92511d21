"""Token files: written whole, mapped, tied to their tokenizer."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.data import DataError, Windows, open_tokens, write_tokens
from codex_ml.data.tokens import smallest_dtype
from codex_ml.errors import CodexError
from codex_ml.tokenization import ByteTokenizer

BYTES = ByteTokenizer(["<|end|>"])


def test_a_written_file_holds_the_ids_and_names_its_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "tokens.npy"
    assert write_tokens(path, ["ab", "", "ç"], BYTES, separator=256) == 7
    found = open_tokens(path)
    assert isinstance(found.ids, np.memmap)
    assert found.ids.tolist() == [97, 98, 256, 256, 0xC3, 0xA7, 256]
    assert found.ids.dtype == np.uint16
    assert found.tokenizer == BYTES.digest
    assert np.load(path).tolist() == found.ids.tolist()


@pytest.mark.parametrize(
    ("size", "dtype"), [(1, "u1"), (256, "u1"), (257, "u2"), (65536, "u2"), (65537, "u4")]
)
def test_ids_take_the_smallest_type(size: int, dtype: str) -> None:
    assert smallest_dtype(size) == np.dtype(dtype)


def test_headerless_uint16_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "train.bin"
    np.arange(1000, 1010, dtype="<u2").tofile(path)
    assert open_tokens(path).ids.tolist() == list(range(1000, 1010))
    assert open_tokens(path).tokenizer is None


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "tokens.npy"
    write_tokens(path, ["before"], BYTES)

    def texts() -> Iterator[str]:
        yield "after"
        raise CodexError("the disk went away")

    with pytest.raises(CodexError, match="went away"):
        write_tokens(path, texts(), BYTES, overwrite=True)
    with pytest.raises(CodexError, match="exists"):
        write_tokens(path, ["after"], BYTES)
    assert bytes(open_tokens(path).ids.tolist()) == b"before"
    assert {file.name for file in tmp_path.iterdir()} == {"tokens.npy", "tokens.npy.json"}


def _floats(path: Path) -> None:
    np.save(path, np.zeros(3))


def _matrix(path: Path) -> None:
    np.save(path, np.zeros((3, 3), np.uint16))


def _objects(path: Path) -> None:
    np.save(path, np.array([{}]), allow_pickle=True)


def _damaged_note(path: Path) -> None:
    np.save(path, np.zeros(3, np.uint16))
    Path(f"{path}.json").write_text("{")


@pytest.mark.parametrize(
    "make", [_floats, _matrix, _objects, _damaged_note, Path.touch, Path.unlink]
)
def test_what_is_no_token_file_is_named(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "tokens.npy"
    path.touch()
    make(path)
    with pytest.raises(DataError, match=r"tokens\.npy"):
        open_tokens(path)


@given(length=st.integers(1, 9), count=st.integers(2, 60))
def test_windows_predict_the_next_token_and_cover_the_text(length: int, count: int) -> None:
    ids = np.arange(count, dtype=np.uint16)
    if count <= length:
        with pytest.raises(DataError, match="fewer than one window"):
            Windows(ids, length)
        return
    windows = Windows(ids, length)
    inputs, targets = windows.__getitems__(list(range(len(windows))))
    assert inputs.shape == targets.shape == (len(windows), length)
    assert (targets == inputs + 1).all()
    assert inputs.flatten().tolist() == list(range(len(windows) * length))
    assert count - len(windows) * length - 1 < length
    one, _ = windows[len(windows) - 1]
    assert one.tolist() == inputs[-1].tolist()


def test_the_note_is_json(tmp_path: Path) -> None:
    write_tokens(tmp_path / "t.npy", ["x"], BYTES)
    note = json.loads((tmp_path / "t.npy.json").read_text())
    assert note == {"tokenizer": BYTES.digest, "tokens": 1}
