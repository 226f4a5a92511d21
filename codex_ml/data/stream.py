"""An endless stream of batches whose position can be saved and restored at any batch."""

import signal
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, default_collate

from codex_ml.data.errors import DataError
from codex_ml.data.order import Order
from codex_ml.data.seeding import seeded

CHUNK = 256  # batches whose order is computed at once: 0.3 us a batch instead of 80


class Samples(Protocol):
    """A map-style dataset.

    With `__getitems__` it returns a batch by itself; with ``deterministic = True``
    it says that it draws no random numbers, which saves seeding them.
    """

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


class BatchStream:
    """Batches of a dataset, shuffled anew every epoch, without end.

    The position counts batches that were handed out, not those that workers
    have prepared ahead, so resuming repeats and skips none. With several ranks,
    each takes its part of every global batch; on another number of ranks with
    the same global batch, training goes on with the same samples.

    A dataset that draws random numbers gets the same ones for the same batch,
    whatever the number of workers: its generators are seeded from the position.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Describe the stream; `batch_size` is one rank's.

        Raises:
            DataError: the dataset is empty.

        """
        if len(samples) < 1:
            raise DataError("the dataset is empty")
        self._samples = samples
        self._order = Order(len(samples), seed, shuffle)
        self._shape = world_size, batch_size
        self._rank = rank
        self._workers = workers
        self.position = 0
        """Batches handed out since the start of training."""

    @property
    def global_batch(self) -> int:
        """Samples in a batch of all ranks."""
        return self._shape[0] * self._shape[1]

    @property
    def epoch(self) -> float:
        """Times the whole dataset was seen."""
        return self.position * self.global_batch / len(self._samples)

    def indices(self, position: int) -> list[int]:
        """Return the sample numbers of the batch at `position`, on this rank."""
        return next(self._batches(position))

    def __iter__(self) -> Iterator[Any]:
        """Go on from `position`."""
        for batch in self._loader():
            self.position += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the position, in samples of all ranks, and what it refers to."""
        return {
            "position": self.position * self.global_batch,
            "samples": self._order.size,
            "seed": self._order.seed,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the state was taken; takes effect at the next `iter`.

        Raises:
            DataError: the state is of another dataset or seed, or falls inside a batch.

        """
        for key, value in (("samples", self._order.size), ("seed", self._order.seed)):
            if state[key] != value:
                raise DataError(
                    f"the saved position is of {state[key]} {key}, this dataset has {value}: "
                    "resume with the data and the seed of the start"
                )
        position, inside = divmod(state["position"], self.global_batch)
        if inside:
            raise DataError(
                f"sample {state['position']} is inside a global batch of "
                f"{self.global_batch}: resume with the batch size of the start"
            )
        self.position = position

    def _batches(self, start: int) -> Iterator[list[int]]:
        world_size, batch_size = self._shape
        size = world_size * batch_size
        while True:
            positions = np.arange(start * size, (start + CHUNK) * size, dtype=np.uint64)
            order = self._order.at(positions).reshape(CHUNK, world_size, batch_size)
            yield from order[:, self._rank].tolist()
            start += CHUNK

    def _loader(self) -> DataLoader[Any]:
        return DataLoader(
            _Batches(self._samples, self._order.seed),
            sampler=_Numbered(self._batches(self.position), self.position),
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=self._workers,
            worker_init_fn=_ignore_signals,
            # without one of its own, every new loader would draw from the global generator
            generator=torch.Generator().manual_seed(0),
        )


class _Numbered:
    """The sampler: each batch's number and samples."""

    def __init__(self, batches: Iterator[list[int]], start: int) -> None:
        self._batches = batches
        self._start = start

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        return enumerate(self._batches, self._start)


class _Batches(torch.utils.data.Dataset[Any]):
    """The dataset by batches."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self._samples = samples
        self._seed = seed
        self._deterministic = getattr(samples, "deterministic", False)

    def __getitem__(self, numbered: tuple[int, list[int]]) -> Any:
        number, indices = numbered
        if self._deterministic:
            return self._collect(indices)
        with seeded(self._seed, number):
            return self._collect(indices)

    def _collect(self, indices: list[int]) -> Any:
        whole = getattr(self._samples, "__getitems__", None)
        if whole is not None:
            return whole(indices)
        return default_collate([self._samples[index] for index in indices])


def _ignore_signals(worker: int) -> None:  # noqa: ARG001
    """Leave signals to the training process: a terminal or scheduler sends them to all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _as_it_is(batch: Any) -> Any:
    return batch
