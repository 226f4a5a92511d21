"""What goes in comes out, for every kind of tokenizer and any Unicode text."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codex_ml.tokenization import TokenizationError, Tokenizer
from tests.tokenization.kinds import END

ANY_TEXT = st.text() | st.text("aAe1 \t\r\n'\u00a0\u2581\u2028", max_size=40)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(text=ANY_TEXT)
@example(text="")
@example(text="▁ ▁▁  a▁")
@example(text="\x00\ufeff\u200b\U0010ffff")
@example(text=f"{END}<unk><s><0x41>")
@example(text="e\u0301 ﬁ ①  \r\n\n\t ")
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 <= token < tokenizer.vocab_size for token in ids)
    assert not set(ids) & set(tokenizer.special_tokens.values())


@QUICK
@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_special_tokens_come_back_as_one_id_each(tokenizer: Tokenizer, texts: list[str]) -> None:
    text = END.join(texts)
    ids = tokenizer.encode(text, special=True)
    assert tokenizer.decode(ids) == text
    assert ids.count(tokenizer.special_tokens[END]) == text.count(END)


@QUICK
@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_a_batch_is_its_texts(tokenizer: Tokenizer, texts: list[str]) -> None:
    batch = tokenizer.encode_batch(texts)
    assert batch == [tokenizer.encode(text) for text in texts]
    assert tokenizer.decode_batch(batch) == texts


@QUICK
@given(data=st.data())
def test_any_ids_decode(tokenizer: Tokenizer, data: st.DataObject) -> None:
    known = [token for token in range(tokenizer.vocab_size) if not 258 <= token < 300]
    tokenizer.decode(data.draw(st.lists(st.sampled_from(known), max_size=10)))


@pytest.mark.parametrize("text", ["\ud800", "ok\udfffok"])
def test_half_a_surrogate_pair_is_refused(tokenizer: Tokenizer, text: str) -> None:
    with pytest.raises(TokenizationError, match="half of a surrogate pair"):
        tokenizer.encode(text)


@pytest.mark.parametrize("wrong", [-1, 10**6])
def test_an_id_that_does_not_exist_is_named(tokenizer: Tokenizer, wrong: int) -> None:
    with pytest.raises(TokenizationError, match=rf"no token has id {wrong} \(at position 1\)"):
        tokenizer.decode([65, wrong])


def test_a_hole_in_the_vocabulary_is_no_id() -> None:
    from tests.tokenization.kinds import make

    with pytest.raises(TokenizationError, match="no token has id 299"):
        make("tiktoken").decode([299])
