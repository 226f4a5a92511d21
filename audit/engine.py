"""One audit: the stored outcome where nothing changed, else a run of the stages."""

from collections.abc import Callable

import msgspec

from audit.model import Outcome
from audit.request import Request
from audit.store import NoStore, Store


def audit(
    request: Request, store: Store | NoStore, progress: Callable[[str], object] = str
) -> Outcome:
    """Return the outcome of a run, from the store where nothing changed."""
    key = request.key()
    if payload := store.get([key]).get(key):
        return msgspec.msgpack.decode(payload, type=Outcome)
    from audit import pipeline  # the stages and all that they need, only where they run

    outcome = pipeline.run(request, store, progress)
    store.put({key: msgspec.msgpack.encode(msgspec.structs.replace(outcome, timings=()))})
    return outcome
