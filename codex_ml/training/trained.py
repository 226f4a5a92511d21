"""A finished or interrupted run as a model to use."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from torch import nn

from codex_ml.checkpointing import Checkpoint, CheckpointManager
from codex_ml.checkpointing.manager import Which
from codex_ml.models.language import sample
from codex_ml.tokenization import Tokenizer, load
from codex_ml.training import rundir
from codex_ml.training.assembly import build_model
from codex_ml.training.config import Config
from codex_ml.training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run's checkpoint holds, ready to evaluate or to sample from."""

    model: nn.Module
    """In evaluation mode, on the CPU."""
    tokenizer: Tokenizer
    config: Config
    checkpoint: Checkpoint

    def continue_text(self, text: str, count: int, *, seed: int = 0) -> str:
        """Return `text` and `count` more tokens."""
        ids = sample(
            self.model,
            self.tokenizer.encode(text),
            count,
            block_size=self.config.training.block_size,
            seed=seed,
        )
        return self.tokenizer.decode(ids)


def load_run(run: str | Path, which: Which = "latest") -> Trained:
    """Load a checkpoint of a run's directory: ``latest``, ``best`` or a step.

    Raises:
        CheckpointError: there is none, or it is damaged.
        TrainingError: the tokenizer in the directory is not the one it was trained with.

    """
    run = Path(run)
    checkpoint = CheckpointManager(run / rundir.CHECKPOINTS).load(which, ["model"])
    tokenizer = load(run / rundir.TOKENIZER)
    if tokenizer.digest != checkpoint.digests["tokenizer"]:
        raise TrainingError(
            f"{checkpoint.path}: was trained with tokenizer {checkpoint.digests['tokenizer']}, "
            f"{run / rundir.TOKENIZER} is {tokenizer.digest}: put the right one back"
        )
    config = msgspec.convert(checkpoint.config, Config)
    model = build_model(config, tokenizer).eval()
    model.load_state_dict(checkpoint["model"])
    return Trained(model, tokenizer, config, checkpoint)
