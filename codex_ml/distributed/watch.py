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

PATIENCE = 5.0
"""Seconds in which a living process answers: its thread needs the GIL, no more."""
_FOREVER = timedelta(days=365)


class Watch:
    """One rank's part in the roll call.

    Keys in the store: ``alarm`` rings; ``present/<rank>`` answers; ``origin`` is
    the first failure; ``gone`` lists who did not answer; ``left/<rank>`` says
    that the rank needs the store no more.
    """

    def __init__(self, connect: Callable[[], Store], rank: int, world_size: int) -> None:
        """Start answering; `connect` opens a connection (a blocked one serves one thread)."""
        self._store = connect()
        self._rank = rank
        self._world_size = world_size
        self._others = [str(other) for other in range(world_size) if other != rank]
        self._thread = Thread(target=self._answer, args=(connect(),), daemon=True)
        self._thread.start()

    def _answer(self, store: Store) -> None:
        with suppress(dist.DistError):  # its host is gone: nobody is left to answer to
            store.wait(["alarm"], _FOREVER)
            store.set(f"present/{self._rank}", "")

    def close(self) -> None:
        """Stop answering; rank 0 waits for the others, because it may host the store."""
        with suppress(dist.DistError):
            self._store.set("alarm", "")
            self._store.set(f"left/{self._rank}", "")
            if self._rank == 0:
                self._await("left", self._others)
        self._thread.join(PATIENCE)

    def explain(self, failure: str) -> str | None:
        """Say which other rank is to blame for this rank's failure; None if it is this one's own.

        Takes up to `PATIENCE` seconds if a rank is gone, and milliseconds otherwise.
        """
        mine = f"rank {self._rank} failed: {failure}"
        try:
            origin = self._store.compare_set("origin", "", mine).decode()
            self._store.set(f"present/{self._rank}", "")
            self._store.set("alarm", "")
            gone = self._gone()
        except dist.DistError:
            return "rank 0, or the launcher that holds the ranks' store, is gone"
        if gone:
            return f"rank {gone} of {self._world_size} died or hangs"
        return None if origin == mine else origin

    def _gone(self) -> str:
        if not self._store.check(["gone"]):
            self._store.set("gone", " and rank ".join(self._await("present", self._others)))
        gone = self._store.get("gone").decode()
        self._others = [rank for rank in self._others if rank not in gone.split(" and rank ")]
        return gone

    def _await(self, key: str, ranks: list[str]) -> list[str]:
        """Return the ranks that have not set their key in time."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ranks = [rank for rank in ranks if not self._store.check([f"{key}/{rank}"])]
            if not ranks or time.monotonic() > deadline:
                return ranks
            time.sleep(0.02)
