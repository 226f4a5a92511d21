"""Blocks of a file are the file, and encode as the file does."""

from itertools import pairwise
from pathlib import Path

import pytest

from codex_ml.tokenization import Tokenizer, corpus


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(
    "text", ["", "one", "a\r\nb\n\n c\n\n\nd\n", "é\n日本\n" * 20, " \n \n  x\ny", "\n" * 9]
)
def test_blocks_are_the_text(
    text: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "BLOCK", size)
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    blocks = list(corpus.blocks(path))
    assert "".join(blocks) == text
    for before, after in pairwise(blocks):
        assert before.endswith("\n")
        assert not after[0].isspace()


def test_ids_of_blocks_are_ids_of_the_text(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "BLOCK", 50)
    text = "'Tis so,\n\n  and yet\nnot 12\r\n\tso. \n\n\nEnd\n" * 30
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    blocks = list(corpus.blocks(path))
    assert len(blocks) > 10
    assert [token for block in blocks for token in tokenizer.encode(block)] == tokenizer.encode(
        text
    )
