"""Training gives the same bytes everywhere, or an error that says why not."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_ml.tokenization import TokenizationError, train
from tests.tokenization.kinds import END, SONNETS

TRAINED = ("bpe", "unigram", "sentencepiece-bpe")
SCRIPT = """
import hashlib, sys
from codex_ml.tokenization import train
path, *kinds = sys.argv[1:]
for kind in kinds:
    data = train([path], kind, vocab_size=700, special_tokens=["<|end|>"]).to_bytes()
    print(hashlib.sha256(data).hexdigest())
"""


def test_processes_threads_hash_seeds_and_paths_do_not_matter(tmp_path: Path) -> None:
    copy = tmp_path / "copy.txt"
    copy.write_bytes(SONNETS.read_bytes())
    own = [train([SONNETS], kind, vocab_size=700, special_tokens=[END]) for kind in TRAINED]
    expected = [hashlib.sha256(tokenizer.to_bytes()).hexdigest() for tokenizer in own]
    for threads, path in (("1", SONNETS), ("5", copy)):
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path), *TRAINED],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == expected


@pytest.mark.parametrize("kind", TRAINED)
def test_another_text_gives_another_tokenizer(kind: str, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(SONNETS.read_text()[::-1])
    first = train([SONNETS], kind, vocab_size=600)
    assert train([other], kind, vocab_size=600).digest != first.digest


@pytest.mark.parametrize("kind", TRAINED)
def test_the_vocabulary_has_the_size_that_was_asked_for(kind: str) -> None:
    assert train([SONNETS], kind, vocab_size=450).vocab_size == 450


@pytest.mark.parametrize("kind", TRAINED)
def test_an_empty_corpus_is_refused(kind: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    with pytest.raises(TokenizationError, match="the corpus is empty"):
        train([empty], kind, vocab_size=600)


@pytest.mark.parametrize("kind", TRAINED)
def test_a_vocabulary_below_the_bytes_is_refused(kind: str) -> None:
    with pytest.raises(TokenizationError, match="100 is too small: bytes and special tokens"):
        train([SONNETS], kind, vocab_size=100)


@pytest.mark.parametrize("kind", TRAINED)
def test_a_vocabulary_beyond_the_text_is_refused(kind: str, tmp_path: Path) -> None:
    short = tmp_path / "short.txt"
    short.write_text("to be or not to be\n" * 3)
    with pytest.raises(TokenizationError, match=r"(ask for \d+ at most|value <= \d+)"):
        train([short], kind, vocab_size=5000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizationError, match=r"none\.txt: cannot be read: No such file"):
        train([tmp_path / "none.txt"], "bpe")


def test_bytes_that_are_no_utf8_are_placed(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"x" * (1 << 20) + "é".encode("latin-1"))
    with pytest.raises(TokenizationError, match="byte 1048576 is not UTF-8"):
        train([latin], "bpe")


@pytest.mark.parametrize("special", [("<a>", "<a>"), ("",)])
def test_senseless_special_tokens_are_refused(special: tuple[str, ...]) -> None:
    with pytest.raises(TokenizationError, match="special token"):
        train([SONNETS], "bpe", vocab_size=600, special_tokens=special)


def test_wordpiece_is_not_offered() -> None:
    with pytest.raises(TokenizationError, match="no tokenizer kind 'wordpiece': use bpe"):
        train([SONNETS], "wordpiece")
