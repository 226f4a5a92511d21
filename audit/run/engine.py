"""One audit: the stored outcome where nothing changed, else a run of the stages."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from audit.model import Outcome
from audit.run.request import Request
from audit.store import NoStore, Store


def audit(
    request: Request, store: Store | NoStore, progress: Callable[[str], object] = str
) -> Outcome:
    """Return the outcome of a run, from the store where nothing changed."""
    key = request.key()
    if payload := store.get([key]).get(key):
        return msgspec.msgpack.decode(payload, type=Outcome)
    from audit.run import pipeline  # the stages and all that they need, only where they run

    with _no_collector():
        outcome = pipeline.run(request, store, progress)
    store.put({key: msgspec.msgpack.encode(msgspec.structs.replace(outcome, timings=()))})
    return outcome


@contextmanager
def _no_collector() -> Iterator[None]:
    """Hold the garbage collector: facts have no cycles, and it would walk all of them again
    and again (a quarter of the time of a cold run). What is left joins the oldest generation:
    the first allocation afterwards would walk it as the youngest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
