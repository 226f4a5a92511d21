"""Ranks of a `torch.distributed` job that save one checkpoint together."""

import torch
import torch.distributed as dist


class Ranks:
    """All ranks of the job, over a process group of their own.

    Every rank makes one, at the same point. The group is gloo's, on the CPU,
    and used for nothing else: a save in the background never meets the
    training's own collectives.
    """

    def __init__(self) -> None:
        self._group = dist.new_group(backend="gloo")
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()

    def gather(self, message: bytes) -> tuple[bytes, ...]:
        """Return every rank's message, by rank; returns when all have sent theirs."""
        mine = torch.frombuffer(bytearray(message), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(lengths, torch.tensor([mine.numel()]), group=self._group)
        longest = max(int(length) for length in lengths)
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: mine.numel()] = mine
        received = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(received, padded, group=self._group)
        return tuple(
            bytes(data[: int(length)].numpy())
            for data, length in zip(received, lengths, strict=True)
        )
