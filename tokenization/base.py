"""Legacy name of `codex_ml.tokenization.base`."""

from typing import TYPE_CHECKING

from tokenization._legacy import stand_in

if TYPE_CHECKING:
    from codex_ml.tokenization.base import *  # noqa: F403

__getattr__, __dir__ = stand_in(__name__)
