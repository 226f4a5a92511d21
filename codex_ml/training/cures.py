"""Errors of torch that a key of the configuration cures, as one line that names the key."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from codex_ml.devices import is_out_of_memory
from codex_ml.training.errors import TrainingError

# As torch says it: aten/src/ATen/Context.cpp.
_NOT_DETERMINISTIC = re.compile(r"(.+?) does not have a deterministic implementation")
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def naming_cures() -> Iterator[None]:
    """Within, torch's `RuntimeError` for want of a kernel or of memory is a `TrainingError`."""
    try:
        yield
    except RuntimeError as error:
        if (cure := _cure(error)) is None:
            raise
        raise TrainingError(cure) from error


def _cure(error: RuntimeError) -> str | None:
    text = str(error)
    if found := _NOT_DETERMINISTIC.match(text):
        return (
            f"{found[1]} has no deterministic kernel: set training.deterministic = false, "
            "or use another operation in the model"
        )
    if _CUBLAS in text:
        return (
            f"{_CUBLAS} does not allow deterministic kernels: unset it, "
            "or set training.deterministic = false"
        )
    if is_out_of_memory(error):
        return (
            "out of memory: lower training.batch_size (and raise training.accumulation), "
            "training.block_size or the model's size"
        )
    return None
