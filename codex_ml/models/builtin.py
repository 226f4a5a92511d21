"""The small transformer as a plugin: its sizes are checked before torch is imported."""

from typing import TYPE_CHECKING

from codex_ml.models.errors import ModelError

if TYPE_CHECKING:
    from codex_ml.models.transformer import Transformer


def transformer(
    vocab_size: int,
    block_size: int,
    *,
    layers: int = 4,
    heads: int = 4,
    width: int = 128,
    dropout: float = 0.0,
) -> "Transformer":
    """Build a small decoder-only transformer, `codex_ml.models.Transformer`.

    Args:
        vocab_size: the tokenizer's.
        block_size: tokens that it sees at most.
        layers: blocks of attention and perceptron.
        heads: of each attention; they divide `width`.
        width: numbers that stand for a token.
        dropout: share of them that training hides.

    Raises:
        ModelError: `heads` does not divide `width`, or a size or `dropout` is out of range.

    """
    check_sizes(vocab_size, block_size, layers, heads, width, dropout)
    from codex_ml.models.transformer import Transformer

    return Transformer(
        vocab_size, block_size, layers=layers, heads=heads, width=width, dropout=dropout
    )


def check_sizes(
    vocab_size: int, block_size: int, layers: int, heads: int, width: int, dropout: float
) -> None:
    """Raise `ModelError` for sizes that make no transformer."""
    if min(vocab_size, block_size, layers, heads, width) < 1 or width % heads:
        raise ModelError(
            f"no transformer of {layers} layers, {heads} heads and width {width}: "
            "sizes are 1 or more, and heads divide the width"
        )
    if not 0 <= dropout < 1:
        raise ModelError(f"no dropout of {dropout}: it is a share from 0 to below 1")
