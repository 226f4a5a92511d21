"""What training and sampling ask of a language model: ids in, logits out."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name that torch's documentation uses

from codex_ml.models.errors import ModelError


def logits_of(output: Any) -> Tensor:
    """Return the logits in what a model returned.

    They are the output itself, its ``.logits`` (as Hugging Face's models have it),
    or its first part (as nanoGPT's has it).

    Raises:
        ModelError: there are none.

    """
    found = getattr(output, "logits", output[0] if isinstance(output, tuple) else output)
    if not isinstance(found, Tensor):
        raise ModelError(f"the model returned {type(output).__name__}: return logits")
    return found


class NextToken(nn.Module):
    """A model together with its loss: mean cross-entropy of the next token, in nats.

    A model with a ``loss(inputs, targets)`` method is asked for it instead.
    """

    def __init__(self, model: nn.Module) -> None:
        """Wrap `model`; its parameters stay its own."""
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, length) int64 twice to a scalar.

        Raises:
            ModelError: the logits have another shape than (batch, length, vocabulary).

        """
        own_loss: Any = getattr(self.model, "loss", None)
        if callable(own_loss):
            return own_loss(inputs, targets)  # type: ignore[no-any-return]
        logits = logits_of(self.model(inputs))
        if logits.shape[:-1] != targets.shape:
            raise ModelError(
                f"the model made logits {tuple(logits.shape)} for targets {tuple(targets.shape)}: "
                "they should be (batch, length, vocabulary)"
            )
        return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


@torch.no_grad()
def sample(
    model: nn.Module,
    ids: list[int],
    count: int,
    *,
    block_size: int,
    temperature: float = 0.8,
    seed: int = 0,
) -> list[int]:
    """Continue `ids` by `count` tokens drawn from the model.

    Args:
        model: maps ids (1, length) to logits.
        ids: at least one token.
        count: tokens to draw.
        block_size: the model sees this many of the last tokens.
        temperature: below 1 favours likely tokens; 0 takes the likeliest.
        seed: of the draw; the global generators are left alone.

    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    was_training = model.training
    model.eval()
    ids = list(ids)
    for _ in range(count):
        seen = torch.tensor([ids[-block_size:]], device=device)
        logits = logits_of(model(seen))[0, -1].float().cpu()
        if temperature == 0:
            ids.append(int(logits.argmax()))
        else:
            odds = F.softmax(logits / temperature, dim=-1)
            ids.append(int(torch.multinomial(odds, 1, generator=generator)))
    model.train(was_training)
    return ids
