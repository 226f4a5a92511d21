"""Small models with known probabilities."""

from __future__ import annotations

import torch
from torch import nn

from codex_ml.evaluation.scorer import LanguageModel
from codex_ml.tokenization import ByteTokenizer


class Bigram(nn.Module):
    """Logits of the next token are a fixed random table's row of the last one."""

    def __init__(self, vocabulary: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = nn.Parameter(torch.randn(vocabulary, vocabulary, generator=generator))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table[ids]


def bigram(block: int = 16, seed: int = 0, **options: int | None) -> LanguageModel:
    tokenizer = ByteTokenizer()
    return LanguageModel(
        Bigram(tokenizer.vocab_size, seed).eval(),
        tokenizer,
        block,
        **options,  # type: ignore[arg-type]
    )
