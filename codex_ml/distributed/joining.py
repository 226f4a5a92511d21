"""Open and close the process group around a body of code."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.distributed.distributed_c10d import PrefixStore, Store

from codex_ml.distributed.errors import DistributedError, RankLostError
from codex_ml.distributed.group import Group
from codex_ml.distributed.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from codex_ml.distributed.environment import Launch

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_sessions = count()
"""Numbers this process's sessions: torchrun's store outlives each, and what one left there
(addresses, a rung alarm) would mislead the next."""


@contextmanager
def open_group(launch: Launch) -> Iterator[Group]:
    """Join the ranks, run the body, leave; on failure say which rank is to blame.

    Raises:
        DistributedError: the other ranks did not come within the time-out.
        RankLostError: the body failed because another rank died or failed first.

    """
    if launch.address in _LOOPBACK:
        # Otherwise gloo resolves the host's name, which hangs where it has no address.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    number = next(_sessions)
    try:
        group = Group(
            launch, PrefixStore(f"group/{number}", _connect(launch, hosts=launch.rank == 0))
        )
        watch = Watch(
            lambda: PrefixStore(f"watch/{number}", _connect(launch, hosts=False)),
            launch.rank,
            launch.world_size,
        )
    except dist.DistError as error:
        raise DistributedError(
            f"rank {launch.rank}: not all {launch.world_size} ranks met at "
            f"{launch.address}:{launch.port} within {launch.timeout:g} s: {error}"
        ) from error
    with _sigterm_raises() as ignore_sigterm:
        try:
            yield group
            group.barrier()
        except BaseException as error:
            ignore_sigterm()  # the launcher's, while this finds out why
            if blame := watch.explain(f"{type(error).__name__}: {error}"):
                raise RankLostError(f"rank {launch.rank} stops: {blame}") from error
            raise
        finally:
            group.close()
            watch.close()


def _connect(launch: Launch, *, hosts: bool) -> Store:
    """Connect to the ranks' store; rank 0 hosts it unless torchrun does."""
    agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    store = TCPStore(
        launch.address,
        launch.port,
        launch.world_size,
        is_master=hosts and not agent,
        timeout=timedelta(seconds=launch.timeout),
    )
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return PrefixStore(f"codex_ml/{attempt}", store)


@contextmanager
def _sigterm_raises() -> Iterator[Callable[[], None]]:
    """Let SIGTERM unwind the body like Ctrl-C, unless somebody handles it already."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )

    def handle(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
        if ours:
            signal.signal(signal.SIGTERM, handler)

    handle(_interrupt)
    try:
        yield lambda: handle(signal.SIG_IGN)
    finally:
        handle(signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt("SIGTERM")
