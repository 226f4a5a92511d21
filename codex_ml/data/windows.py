"""Training samples for language models: windows of a long array of tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from codex_ml.data.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from codex_ml.data.tokens import Ids


class Windows(torch.utils.data.Dataset["tuple[Tensor, Tensor]"]):
    """Window `i` predicts tokens ``i * length + 1`` to ``(i + 1) * length`` from those before.

    The last tokens that do not fill a window are left out.
    """

    deterministic = True

    def __init__(self, ids: "Ids", length: int) -> None:
        """Cut `ids` into windows of `length` tokens; reads nothing yet.

        Raises:
            DataError: there is not one whole window.

        """
        self._ids = ids
        self._length = length
        self._offsets = np.arange(length + 1)
        if len(self) < 1:
            raise DataError(
                f"{len(ids)} tokens are fewer than one window of {length} and its target: "
                "give more text, a shorter block_size or another validation share"
            )

    def __len__(self) -> int:
        """Return the number of windows."""
        return max(0, len(self._ids) - 1) // self._length

    def __getitem__(self, index: int) -> "tuple[Tensor, Tensor]":
        """Return the inputs and targets of a window, each (length,) int64."""
        inputs, targets = self.__getitems__([index])
        return inputs[0], targets[0]

    def __getitems__(self, indices: Sequence[int]) -> "tuple[Tensor, Tensor]":
        """Return a batch of inputs and targets, each (len(indices), length) int64."""
        starts = np.asarray(indices, np.int64) * self._length
        windows = self._ids[starts[:, None] + self._offsets].astype(np.int64)
        batch = torch.from_numpy(windows)
        return batch[:, :-1].contiguous(), batch[:, 1:].contiguous()
