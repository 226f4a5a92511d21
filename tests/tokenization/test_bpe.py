"""The faster encoder gives the library's ids, or is not used."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from codex_ml.tokenization import HuggingFaceTokenizer, train
from codex_ml.tokenization.bpe import MAX_BLANKS, encoding, overflows
from tests.tokenization.kinds import END, SONNETS

TRAINED = train([SONNETS], "bpe", vocab_size=900, special_tokens=[END])
LIBRARY = tokenizers.Tokenizer.from_buffer(TRAINED.to_bytes())


def library_ids(text: str) -> list[int]:
    """Encode as the tokenizers library does, special tokens as text."""
    LIBRARY.encode_special_tokens = True
    return LIBRARY.encode(text, add_special_tokens=False).ids


@settings(max_examples=150, deadline=None)
@given(text=st.text() | st.text("the's ll\r\n\t1¹Ⅷé\u00a0\u2028"))
def test_ids_equal_the_librarys(text: str) -> None:
    assert TRAINED.encode(text) == library_ids(text)


def test_ids_equal_the_librarys_on_every_code_point() -> None:
    points = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
    random.Random(0).shuffle(points)
    text = "".join(points[::23])
    assert TRAINED.encode(text) == library_ids(text)


def test_ids_equal_the_librarys_on_the_corpus_with_special_tokens() -> None:
    text = SONNETS.read_text().replace("\n\n", END)
    LIBRARY.encode_special_tokens = False
    ids = LIBRARY.encode(text, add_special_tokens=False).ids
    assert TRAINED.encode(text, special=True) == ids


def test_more_blanks_than_tiktoken_bears() -> None:
    text = "a" + " " * (MAX_BLANKS * 2) + "b"
    assert TRAINED.encode(text) == library_ids(text)


@pytest.mark.parametrize("start", [0, 1, MAX_BLANKS - 1, MAX_BLANKS, MAX_BLANKS + 7])
@pytest.mark.parametrize("end", ["", "b" * 10, "b" * MAX_BLANKS])
def test_a_run_of_blanks_is_too_long_from_the_limit_on(start: int, end: str) -> None:
    assert overflows("a" * start + "\u2003" * MAX_BLANKS + end)
    assert not overflows("a" * start + " " * (MAX_BLANKS - 1) + end)
    assert not overflows("a" * start + " " * (MAX_BLANKS - 1) + "." + "\n" * (MAX_BLANKS - 1) + end)


def spec() -> Any:
    return json.loads(TRAINED.to_bytes())


def test_a_trained_byte_level_bpe_gets_the_faster_encoder() -> None:
    assert encoding(spec()) is not None


def _later_merge_first(spec: Any) -> None:
    spec["model"]["merges"].reverse()


def _orphan(spec: Any) -> None:
    spec["model"]["vocab"]["zzzzzz"] = len(spec["model"]["vocab"])


def _another_pair(spec: Any) -> None:
    """Make a token from a pair into which its bytes do not fall."""
    ids, merges = spec["model"]["vocab"], spec["model"]["merges"]
    ids |= {"qx": len(ids), "xz": len(ids) + 1, "qxz": len(ids) + 2}
    merges += [["q", "x"], ["x", "z"], ["q", "xz"]]


NEAR_MISSES: dict[str, Callable[[Any], None]] = {
    "merges in another order than the ids": _later_merge_first,
    "a token that no merge makes": _orphan,
    "a token from a pair its bytes do not fall into": _another_pair,
    "a normaliser": lambda spec: spec.update(normalizer={"type": "NFC"}),
    "no split": lambda spec: spec.update(pre_tokenizer=None),
    "a blank put in front": lambda spec: spec["pre_tokenizer"].update(add_prefix_space=True),
    "no expression": lambda spec: spec["pre_tokenizer"].update(use_regex=False),
    "dropout": lambda spec: spec["model"].update(dropout=0.1),
    "a byte missing": lambda spec: spec["model"]["vocab"].pop("A"),
    "an added token that is no special one": lambda spec: spec["added_tokens"][0].update(
        special=False
    ),
}


@pytest.mark.parametrize("change", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_cannot_be_proven_equal_is_left_to_the_library(change: Callable[[Any], None]) -> None:
    changed = spec()
    change(changed)
    assert encoding(changed) is None


def test_the_pair_check_is_needed() -> None:
    changed = spec()
    _another_pair(changed)
    tokenizer = HuggingFaceTokenizer.from_bytes(json.dumps(changed).encode())
    assert len(tokenizer.encode("qxz")) == 2  # tiktoken alone would take the whole piece: 1


def _word_level() -> tokenizers.Tokenizer:
    library = tokenizers.Tokenizer(
        models.WordLevel({"[UNK]": 0, "hello": 1, "world": 2, "[CLS]": 3}, unk_token="[UNK]")  # noqa: S106
    )
    library.normalizer = normalizers.Lowercase()
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.decoder = decoders.WordPiece()
    library.add_special_tokens([AddedToken("[CLS]", special=True)])
    library.post_processor = processors.TemplateProcessing("[CLS] $0", None, [("[CLS]", 3)])
    library.enable_padding(length=10)
    return library


def test_other_models_give_the_librarys_ids_without_what_it_adds(tmp_path: Path) -> None:
    tokenizer = HuggingFaceTokenizer(_word_level())
    assert tokenizer.encode("Hello WORLD") == [1, 2]
    assert tokenizer.encode("[CLS] hello", special=True) == [3, 1]
    assert tokenizer.encode_batch(["hello", "world hello"]) == [[1], [2, 1]]
    tokenizer.save(tmp_path / "tokenizer.json")
    assert tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab_size() == 4
