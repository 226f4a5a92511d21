"""Save, load, digest; files that are no tokenizers."""

from pathlib import Path

import pytest

from codex_ml.errors import CodexError
from codex_ml.tokenization import ByteTokenizer, TokenizationError, Tokenizer, load

TEXT = "Shall I compare thee to a summer's day?\n  <|end|>"


def test_a_saved_tokenizer_comes_back_whole(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    tokenizer.save(path)
    again = load(path)
    assert type(again) is type(tokenizer)
    assert again.digest == tokenizer.digest
    assert again.to_bytes() == path.read_bytes()
    assert again.vocab_size == tokenizer.vocab_size
    assert again.special_tokens == tokenizer.special_tokens
    assert again.encode(TEXT, special=True) == tokenizer.encode(TEXT, special=True)


def test_nothing_is_overwritten_unless_asked(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer"
    path.write_text("precious")
    with pytest.raises(CodexError, match="exists"):
        tokenizer.save(path)
    assert path.read_text() == "precious"
    tokenizer.save(path, overwrite=True)
    assert load(path).digest == tokenizer.digest
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_holds_its_tokenizer(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    assert load(tmp_path).digest == tokenizer.digest


def test_digests_tell_tokenizers_apart() -> None:
    assert ByteTokenizer().digest == ByteTokenizer().digest
    assert ByteTokenizer(["<a>"]).digest != ByteTokenizer(["<b>"]).digest


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not JSON"),
        (b"{}", 'neither "model" nor a known "format"'),
        (b'{"format": "codex-ml-byte"}', "KeyError: 'special_tokens'"),
        (b'{"format": "codex-ml-byte", "special_tokens": ["x", "x"]}', "given twice"),
        (b'{"format": "codex-ml-tiktoken", "ranks": {"?": 1}}', "no tokenizer"),
        (b'{"model": {"type": "BPE"}}', "not a tokenizer of the tokenizers library"),
        (b"no model at all", "neither JSON nor a sentencepiece model"),
        (b"", "neither JSON nor a sentencepiece model"),
    ],
)
def test_what_is_no_tokenizer_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(TokenizationError, match=f"broken: .*{says}"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizationError, match="none: cannot be read: No such file"):
        load(tmp_path / "none")


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"\n")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    monkeypatch.delitem(sys.modules, "codex_ml.tokenization.sentencepiece_model", raising=False)
    with pytest.raises(TokenizationError, match=r"pip install 'codex-ml\[tokenization\]'"):
        load(path)
