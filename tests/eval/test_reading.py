"""Datasets: every kind is read, and what is wrong is named with its line."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.evaluation.errors import DatasetError
from codex_ml.evaluation.items import Choice, Completion, Document, TokenDocument
from codex_ml.evaluation.reading import PIECE, read_dataset


def write(folder: Path, *rows: object, name: str = "data.jsonl") -> str:
    path = folder / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return str(path)


def test_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some\ntext")
    assert read_dataset(str(tmp_path / "a.txt")).items == (Document("0", "some\ntext"),)


@given(lines=st.lists(st.text(max_size=3000), max_size=12))
def test_the_pieces_of_a_text_are_the_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    text = "\n".join(lines)
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(text.encode(errors="replace"))
    if not text:
        return
    pieces = [item.text for item in read_dataset(str(path)).items if isinstance(item, Document)]
    assert "".join(pieces).encode() == path.read_bytes()
    assert all(len(piece) >= PIECE for piece in pieces[:-1])
    assert len(pieces) == 1 or len(pieces[-1]) >= PIECE / 2


def test_json_lines(tmp_path: Path) -> None:
    source = write(tmp_path, {"text": "one"}, "", {"id": "x", "text": "two"})
    assert read_dataset(source).items == (Document("0", "one"), Document("x", "two"))


def test_completions(tmp_path: Path) -> None:
    source = write(tmp_path, {"prompt": "p", "target": "t"}, {"prompt": "q", "targets": ["a", "b"]})
    assert read_dataset(source).items == (
        Completion("0", "p", ("t",)),
        Completion("1", "q", ("a", "b")),
    )


@pytest.mark.parametrize("answer", [1, "yes"])
@pytest.mark.parametrize("key", ["prompt", "question"])
def test_multiple_choice(tmp_path: Path, answer: object, key: str) -> None:
    source = write(tmp_path, {key: "q", "choices": ["no", "yes"], "answer": answer})
    assert read_dataset(source).items == (Choice("0", "q", ("no", "yes"), 1),)


def test_token_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(5, dtype=np.uint16))
    assert read_dataset(str(tmp_path / "a.npy")).items == (TokenDocument("0", [0, 1, 2, 3, 4]),)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (PIECE - 1, [PIECE - 1]),
        (PIECE + 1, [PIECE + 1]),
        (2 * PIECE, [PIECE, PIECE]),
        (3 * PIECE - 1, [PIECE, PIECE, PIECE - 1]),
    ],
)
def test_no_piece_of_a_token_file_is_a_rest_that_nothing_predicts(
    tmp_path: Path, count: int, sizes: list[int]
) -> None:
    np.save(tmp_path / "a.npy", np.arange(count, dtype=np.uint16))
    items = read_dataset(str(tmp_path / "a.npy")).items
    pieces = [item.ids for item in items if isinstance(item, TokenDocument)]
    assert [len(ids) for ids in pieces] == sizes
    assert [id_ for ids in pieces for id_ in ids] == list(range(count))


def test_limit_and_digest(tmp_path: Path) -> None:
    rows = [{"text": str(number)} for number in range(5)]
    source = write(tmp_path, *rows)
    assert len(read_dataset(source, 2).items) == 2
    assert read_dataset(source, 2).digest == read_dataset(source).digest
    before = read_dataset(source).digest
    assert read_dataset(write(tmp_path, *rows[1:])).digest != before


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "is empty"),
        (["{"], "data.jsonl:1: not JSON"),
        ([{"text": "a"}, "[1]"], "data.jsonl:2: is no JSON object"),
        ([{"txt": "a"}], "data.jsonl:1: `text` is missing"),
        ([{"text": ""}], "`text` is no text, or an empty one"),
        ([{"text": 1}], "`text` is no text"),
        ([{"prompt": "a"}], "`target` is missing"),
        ([{"prompt": "a", "targets": []}], "`targets` is no list"),
        ([{"question": "a", "choices": ["b", "c"]}], "data.jsonl:1: `answer` is missing"),
        ([{"question": "a", "choices": ["b", "c"], "answer": None}], "`answer` is missing"),
        ([{"question": "a", "choices": ["b", "c"], "answer": True}], "`answer` is missing"),
        ([{"question": "a", "choices": ["b", "c"], "answer": 2}], "`answer` 2 is none of 2"),
        ([{"question": "a", "choices": ["b", "c"], "answer": -1}], "`answer` -1 is none of 2"),
        ([{"question": "a", "choices": ["b", "c"], "answer": "d"}], "`answer` 'd' is none"),
        ([{"question": "a", "choices": ["b"], "answer": 0}], "`choices` is no list of two"),
        ([{"id": 1, "text": "a"}, {"id": "1", "text": "b"}], "id '1' is given twice"),
        ([{"text": "a"}, {"prompt": "a", "target": "b"}], "mixes Completion and Document"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, rows: list[object], says: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_dataset(write(tmp_path, *rows))
    assert says in str(caught.value)


def test_files_that_are_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_dataset(str(tmp_path / "absent.jsonl"))
    with pytest.raises(DatasetError, match="no dataset"):
        read_dataset(write(tmp_path, "a", name="a.csv"))
    (tmp_path / "a.txt").write_bytes(b"\xff")
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_dataset(str(tmp_path / "a.txt"))
