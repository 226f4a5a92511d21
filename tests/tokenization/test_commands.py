"""`codex-ml tokenize` in real processes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.tokenization.kinds import END, SONNETS


def tokenize(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "codex_ml.cli.tokenize", *map(str, arguments)],
        input=stdin, capture_output=True, check=False,
    )  # fmt: skip


def test_train_encode_decode_and_inspect_agree(tmp_path: Path) -> None:
    path, tokens = tmp_path / "tokenizer.json", tmp_path / "tokens.npy"
    done = tokenize("train", SONNETS, "--out", path, "--vocab-size", 500, "--special", END)
    facts = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (facts["vocab_size"], facts["special_tokens"]) == (500, {END: 0})

    written = json.loads(tokenize("encode", path, SONNETS, "--out", tokens).stdout)
    ids = np.load(tokens, mmap_mode="r")
    assert (len(ids), ids.dtype, written["tokenizer"]) == (
        written["tokens"], np.uint16, facts["digest"],
    )  # fmt: skip
    assert tokenize("decode", path, tokens).stdout == SONNETS.read_bytes()

    text = "thou — art\r\n".encode()
    encoded = tokenize("encode", path, stdin=text).stdout
    assert tokenize("decode", path, stdin=encoded).stdout == text
    inspected = json.loads(tokenize("inspect", path, "thou").stdout)
    assert "".join(token["text"] for token in inspected["tokens"]) == "thou"
    assert inspected["digest"] == facts["digest"]


def test_errors_are_one_line_and_change_nothing(tmp_path: Path) -> None:
    path, tokens = tmp_path / "tokenizer.json", tmp_path / "tokens.npy"
    path.write_text("{}")
    tokens.write_text("mine")
    for arguments, says in [
        (("train", SONNETS, "--out", path), "exists"),
        (("train", tmp_path / "none", "--out", tmp_path / "t"), "No such file"),
        (("train", SONNETS, "--out", tmp_path / "t", "--vocab-size", 7), "too small"),
        (("encode", path), "no tokenizer"),
        (("encode", tmp_path / "none"), "No such file"),
        (("decode", path, tokens), "no tokenizer"),
    ]:
        done = tokenize(*arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(b"error: ")
        assert done.stderr.count(b"\n") == 1
        assert says in done.stderr.decode()
    assert (path.read_text(), tokens.read_text()) == ("{}", "mine")
    assert {file.name for file in tmp_path.iterdir()} == {"tokenizer.json", "tokens.npy"}


def test_ids_that_are_no_ids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bytes.json"
    path.write_text('{"format": "codex-ml-byte", "special_tokens": []}')
    for stdin in (b"", b"7", b'["a"]', b"[1.5]", b"[true]", b"[256]"):
        done = tokenize("decode", path, stdin=stdin)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.count(b"\n") == 1
    assert tokenize("decode", path, stdin=b"[104, 105]").stdout == b"hi"
    assert tokenize("encode", path, stdin=b"\xff").returncode == 2
