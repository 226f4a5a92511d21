"""Text, JSONL and token files as training data."""

import json
from pathlib import Path

import numpy as np
import pytest

from codex_ml.data import Context, DataError, Windows, write_tokens
from codex_ml.data.sources import Splits, jsonl, text, tokens
from codex_ml.tokenization import ByteTokenizer

BYTES = ByteTokenizer(["<|end|>"])


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(BYTES, 4, 0, tmp_path / "cache")


def words(samples: object) -> bytes:
    assert isinstance(samples, Windows)
    inputs, _ = samples.__getitems__(list(range(len(samples))))
    return bytes(inputs.flatten().tolist())


def test_text_is_cut_into_a_start_and_a_held_out_end(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abcdefghij" * 2)
    (tmp_path / "b").write_text("0123456789")
    splits = text(context, path=[str(tmp_path / "a"), str(tmp_path / "b")], validation=0.4)
    assert words(splits.train) == b"abcdefghijabcdef"
    assert words(splits.validation) == b"ij012345"
    assert text(context, path=str(tmp_path / "a"), validation=0).validation is None


def test_what_was_encoded_is_found_again_until_the_text_changes(
    context: Context, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("abcdefghij" * 6)
    path = str(tmp_path / "a")
    text(context, path=path)
    before = {file: file.stat().st_mtime_ns for file in context.cache.iterdir()}
    text(context, path=path)
    assert {file: file.stat().st_mtime_ns for file in context.cache.iterdir()} == before
    (tmp_path / "a").write_text("ABCDEFGHIJ" * 6)
    assert words(text(context, path=path).train).startswith(b"ABCD")


def documents(path: Path, texts: list[str]) -> str:
    path.write_text("".join(json.dumps({"body": each}) + "\n\n" for each in texts))
    return str(path)


def bodies(splits: Splits) -> tuple[set[str], set[str]]:
    parts = []
    for part in (splits.train, splits.validation):
        assert isinstance(part, Windows)
        ids = part._ids.tolist()
        pieces = BYTES.decode(ids).split("<|end|>")
        assert pieces.pop() == ""
        parts.append(set(pieces))
    return parts[0], parts[1]


def test_documents_are_held_out_by_their_content(context: Context, tmp_path: Path) -> None:
    texts = [f"document {number}" for number in range(300)]
    path = documents(tmp_path / "d", texts)
    options = {"field": "body", "separator": "<|end|>", "validation": 0.3}
    train, held = bodies(jsonl(context, path=path, **options))  # type: ignore[arg-type]
    assert train | held == set(texts)
    assert not train & held
    assert 60 < len(held) < 120
    longer = documents(tmp_path / "d", ["new 1", *reversed(texts), "new 2"])
    train_later, held_later = bodies(jsonl(context, path=longer, **options))  # type: ignore[arg-type]
    assert (train, held) <= (train_later, held_later)
    assert held == held_later - {"new 1", "new 2"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", r"d:1: not JSON"),
        ("[]", r"d:1: no text under 'text'"),
        ('{"body": "x"}', r"d:1: no text under 'text'"),
        ('{"text": 1}', r"d:1: no text under 'text'"),
    ],
)
def test_a_line_that_is_no_document_is_placed(
    line: str, says: str, context: Context, tmp_path: Path
) -> None:
    (tmp_path / "d").write_text(line + "\n")
    with pytest.raises(DataError, match=says):
        jsonl(context, path=str(tmp_path / "d"))
    assert not list(context.cache.glob("*"))


def test_wrong_options_are_refused(context: Context, tmp_path: Path) -> None:
    path = documents(tmp_path / "d", ["some text"])
    with pytest.raises(DataError, match="'<no>' is no special token of the tokenizer"):
        jsonl(context, path=path, separator="<no>")
    with pytest.raises(DataError, match="validation is 1"):
        text(context, path=path, validation=1)
    with pytest.raises(DataError, match="cannot be read"):
        text(context, path=str(tmp_path / "none"))


def test_token_files_must_be_of_the_tokenizer(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    write_tokens(path, ["abcdefghijklmnop"], BYTES)
    splits = tokens(context, path=str(path), validation_path=str(path))
    assert words(splits.train) == words(splits.validation) == b"abcdefghijkl"
    other = Context(ByteTokenizer(), 4, 0, tmp_path)
    with pytest.raises(DataError, match="was encoded by another tokenizer"):
        tokens(other, path=str(path))
    np.full(20, 256, "<u2").tofile(tmp_path / "t.bin")
    assert len(tokens(context, path=str(tmp_path / "t.bin"), validation=0).train) == 4
    with pytest.raises(DataError, match="vocabulary of 256 lacks"):
        tokens(other, path=str(tmp_path / "t.bin"))
