"""The order in which samples are visited: any position of any epoch at once, nothing stored.

A shuffled epoch is a keyed permutation of the sample numbers, computed for the
positions that are asked for: a Feistel network (Luby and Rackoff 1988) whose
result is fed back until it falls into the range (cycle walking: Black and
Rogaway 2002). A position is therefore all there is to save and restore, and
memory does not grow with the data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

ROUNDS = 6
_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)

Indices = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True)
class Order:
    """An endless sequence of sample numbers, epoch after epoch, each number once an epoch."""

    size: int
    """Number of samples."""
    seed: int = 0
    shuffle: bool = True

    def at(self, positions: Indices) -> Indices:
        """Return the sample numbers at positions counted from the start of training."""
        epochs, places = np.divmod(positions.astype(np.uint64), np.uint64(self.size))
        if not self.shuffle or self.size == 1:
            return places
        return _permute(places, epochs, self.size, self.seed)


def _permute(places: Indices, epochs: Indices, size: int, seed: int) -> Indices:
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    key = _mix(epochs + _mix(np.full(1, seed & int(_MASK), np.uint64)))
    result = _feistel(places, key, half)
    while (outside := result >= size).any():
        result[outside] = _feistel(result[outside], key[outside], half)
    return result


def _feistel(values: Indices, key: Indices, half: int) -> Indices:
    """Permute the numbers below ``4 ** half``, each by its own key."""
    mask, width = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = values >> width, values & mask
    for number in range(ROUNDS):
        left, right = right, left ^ (_mix(key + right + np.uint64(number << 48)) & mask)
    return (left << width) | right


def _mix(values: Indices) -> Indices:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Indices = values ^ (values >> np.uint64(31))
    return mixed
