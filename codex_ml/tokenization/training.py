"""Train tokenizers: the same files give the same bytes, whatever the number of threads.

Left out because it is not reproducible: WordPiece and Unigram of the tokenizers
library (their result differs from run to run). Unigram comes from sentencepiece,
whose result depends on the number of threads only: it is fixed.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.corpus import corpus
from codex_ml.tokenization.errors import TokenizationError
from codex_ml.tokenization.special import check_special

THREADS = 4  # part of sentencepiece's result, so never the number of processors


def train(
    paths: Iterable[str | Path],
    kind: str = "bpe",
    *,
    vocab_size: int = 8192,
    special_tokens: Sequence[str] = (),
) -> Tokenizer:
    """Train a lossless tokenizer on UTF-8 text files.

    Args:
        paths: the files, read in this order.
        kind: ``bpe`` (byte-level BPE, Sennrich et al. 2016 on bytes as in GPT-2;
            a ``tokenizer.json``), ``unigram`` (Kudo 2018) or ``sentencepiece-bpe``
            (both with byte fallback; a sentencepiece ``.model``).
        vocab_size: number of ids, special tokens and the 256 bytes included.
        special_tokens: texts that get ids of their own and are never learned.

    Raises:
        TokenizationError: a file cannot be read, there is no text, or the text
            does not yield a vocabulary of this size.

    """
    if kind not in _TRAINERS:
        raise TokenizationError(f"no tokenizer kind {kind!r}: use {', '.join(_TRAINERS)}")
    check_special(special_tokens)
    texts = corpus(map(Path, paths))
    first = next(texts, None)
    if first is None:
        raise TokenizationError("the corpus is empty: give files with text")
    return _TRAINERS[kind](chain([first], texts), vocab_size, special_tokens)


def _bpe(texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str]) -> Tokenizer:
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    from codex_ml.tokenization.huggingface import HuggingFaceTokenizer

    _check_size(vocab_size, 256 + len(special_tokens))
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator(texts, trainer)
    if (reached := library.get_vocab_size()) < vocab_size:
        raise TokenizationError(
            f"the corpus yields {reached} tokens, not {vocab_size}: "
            f"ask for {reached} at most, or give more text"
        )
    return HuggingFaceTokenizer(library)


def _sentencepiece(model_type: str) -> "_Trainer":
    def train_model(
        texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str]
    ) -> Tokenizer:
        import sentencepiece

        from codex_ml.tokenization.sentencepiece_model import SentencePieceTokenizer

        _check_size(vocab_size, 257 + len(special_tokens))  # 256 bytes and <unk>
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                # not input=: the model would hold the files' names
                sentence_iterator=_lines(texts),
                model_writer=model,
                model_type=model_type,
                vocab_size=vocab_size,
                control_symbols=list(special_tokens),
                bos_id=-1,
                eos_id=-1,
                byte_fallback=True,
                normalization_rule_name="identity",
                add_dummy_prefix=False,
                remove_extra_whitespaces=False,
                max_sentence_length=_LINE,
                num_threads=THREADS,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise TokenizationError(f"sentencepiece cannot train: {error}") from None
        return SentencePieceTokenizer(model.getvalue())

    return train_model


_LINE = 1 << 16  # bytes; sentencepiece drops longer sentences


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield lines without their ends, long ones in pieces."""
    step = _LINE // 4  # a character takes 4 bytes at most
    for text in texts:
        for line in text.split("\n"):
            yield from (line[start : start + step] for start in range(0, len(line), step))


def _check_size(vocab_size: int, least: int) -> None:
    if vocab_size < least:
        raise TokenizationError(
            f"a vocabulary of {vocab_size} is too small: bytes and special tokens take {least}"
        )


_Trainer = Callable[[Iterable[str], int, Sequence[str]], Tokenizer]

_TRAINERS: dict[str, _Trainer] = {
    "bpe": _bpe,
    "unigram": _sentencepiece("unigram"),
    "sentencepiece-bpe": _sentencepiece("bpe"),
}

KINDS = tuple(_TRAINERS)
