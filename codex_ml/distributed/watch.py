"""Find out which rank is gone.

When a process dies, its peers get an error that names an address at best, and
those that do not talk to it directly hang until the time-out. Here the first
rank to fail rings an alarm in the store; a thread on every rank answers it, also
while the rank is blocked in a collective; who does not answer is gone.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.distributed.distributed_c10d import Store

ALARM = "alarm"
ORIGIN = "origin"
PATIENCE = 5.0
"""Seconds in which a living process answers: its thread needs the GIL, no more."""
_FOREVER = timedelta(days=365)


class Watch:
    """One rank's part in the roll call."""

    def __init__(self, connect: Callable[[], Store], rank: int, world_size: int) -> None:
        """Start answering; `connect` opens a connection (a blocked one serves one thread)."""
        self._store = connect()
        self._rank = rank
        self._world_size = world_size
        self._thread = Thread(target=self._answer, args=(connect(),), daemon=True)
        self._thread.start()

    def _answer(self, store: Store) -> None:
        with suppress(dist.DistError):  # its host is gone: nobody is left to answer to
            store.wait([ALARM], _FOREVER)
            store.set(f"present/{self._rank}", "")

    def close(self) -> None:
        """Stop answering; call it on every rank when all have finished."""
        with suppress(dist.DistError):  # its host has left already
            self._store.set(ALARM, "end")
        self._thread.join(PATIENCE)

    def explain(self, failure: str) -> str | None:
        """Say which other rank is to blame for this rank's failure; None if it is this one's own.

        Takes up to `PATIENCE` seconds if a rank is gone, and milliseconds otherwise.
        """
        mine = f"rank {self._rank} failed: {failure}"
        try:
            origin = self._store.compare_set(ORIGIN, "", mine).decode()
            self._store.set(ALARM, "failed")
            missing = self._missing()
        except dist.DistError:
            return "rank 0, or the launcher that holds the ranks' store, is gone"
        if missing:
            names = " and ".join(f"rank {rank}" for rank in missing)
            return f"{names} of {self._world_size} died or hangs"
        return None if origin == mine else origin

    def _missing(self) -> list[int]:
        deadline = time.monotonic() + PATIENCE
        awaited = [rank for rank in range(self._world_size) if rank != self._rank]
        while awaited and time.monotonic() < deadline:
            awaited = [rank for rank in awaited if not self._store.check([f"present/{rank}"])]
            time.sleep(0.02)
        return awaited
