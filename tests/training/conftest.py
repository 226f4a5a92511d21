"""One thread: the tests share a machine, and the bits depend on their number."""

from collections.abc import Iterator

import pytest

from tests.conftest import LACKS_TORCH


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    if LACKS_TORCH:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
