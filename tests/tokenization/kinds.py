"""One small tokenizer of each kind, trained on the bundled text."""

from importlib.resources import files
from pathlib import Path

import tiktoken

from codex_ml.tokenization import ByteTokenizer, TiktokenTokenizer, Tokenizer, train
from codex_ml.tokenization.bpe import PATTERN

SONNETS = Path(str(files("codex_ml.data") / "sonnets.txt"))
END = "<|end|>"
KINDS = ("byte", "bpe", "unigram", "sentencepiece-bpe", "tiktoken")


def make(kind: str) -> Tokenizer:
    """Return a small tokenizer of the kind, with the special token END."""
    if kind == "byte":
        return ByteTokenizer([END])
    if kind == "tiktoken":
        ranks = {bytes([value]): value for value in range(256)} | {b"th": 256, b"the": 257}
        return TiktokenTokenizer(
            tiktoken.Encoding(
                "tiny", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={END: 300}
            )
        )
    return train([SONNETS], kind, vocab_size=600, special_tokens=[END])
