"""Each kind of tokenizer, made once for all tests."""

import pytest

from codex_ml.tokenization import Tokenizer
from tests.tokenization.kinds import KINDS, make


@pytest.fixture(scope="session", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """Each kind in turn."""
    return make(request.param)
