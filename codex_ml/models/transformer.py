"""A small decoder-only transformer."""

import math
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name that torch's documentation uses

from codex_ml.models.builtin import check_sizes
from codex_ml.models.errors import ModelError


class Attention(nn.Module):
    """Causal self-attention with several heads (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Project to queries, keys and values at once."""
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, width) to the same shape."""
        batch, length, width = x.shape
        # three of (batch, heads, length, width / heads)
        q, k, v = self.inputs(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        mixed = self.output(y.transpose(1, 2).reshape(batch, length, width))
        return F.dropout(mixed, self.dropout, self.training)


class Block(nn.Module):
    """Attention and a two-layer perceptron, each added to its normalised input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Build with the perceptron four times as wide."""
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, bias=False)
        self.attention = Attention(width, heads, dropout)
        self.mlp_norm = nn.LayerNorm(width, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False),
            nn.GELU(),
            nn.Linear(4 * width, width, bias=False),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, width) to the same shape."""
        x = x + self.attention(self.attention_norm(x))
        return cast("Tensor", x + self.mlp(self.mlp_norm(x)))


class Transformer(nn.Module):
    """GPT-2's architecture (Radford et al. 2019) without biases, input and output tied."""

    def __init__(
        self,
        vocab_size: int,
        block_size: int,
        *,
        layers: int = 4,
        heads: int = 4,
        width: int = 128,
        dropout: float = 0.0,
    ) -> None:
        """Initialise as GPT-2: normal with 0.02, residual projections scaled by depth.

        Raises:
            ModelError: `heads` does not divide `width`, or a size or `dropout` is out of range.

        """
        super().__init__()
        check_sizes(vocab_size, block_size, layers, heads, width, dropout)
        self.block_size = block_size
        self.tokens = nn.Embedding(vocab_size, width)
        self.positions = nn.Embedding(block_size, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([Block(width, heads, dropout) for _ in range(layers)])
        self.norm = nn.LayerNorm(width, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                residual = name.endswith(("attention.output.weight", "mlp.2.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (batch, length) int64 to logits (batch, length, vocab_size)."""
        length = ids.shape[1]
        if length > self.block_size:
            raise ModelError(f"{length} tokens are more than the model's {self.block_size}")
        x = self.dropout(self.tokens(ids) + self.positions.weight[:length])
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tokens.weight)
