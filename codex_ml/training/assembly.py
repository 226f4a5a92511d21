"""Everything that a run is made of, built from its configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from codex_ml import distributed, plugins
from codex_ml.data.sources import Splits
from codex_ml.data.stream import BatchStream, Samples
from codex_ml.devices import DeviceError, find_device
from codex_ml.models.language import NextToken
from codex_ml.plugins.options import prepare
from codex_ml.tokenization import Tokenizer
from codex_ml.training import components
from codex_ml.training.callbacks import Callback, Callbacks
from codex_ml.training.config import Config
from codex_ml.training.errors import ConfigError
from codex_ml.training.optimizers import adamw
from codex_ml.training.progress import Progress
from codex_ml.training.reproducibility import seed_everything, use_deterministic_kernels
from codex_ml.training.stepper import Stepper


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects whose state is a run's state, and those that act on them."""

    config: Config
    run: Path
    tokenizer: Tokenizer
    model: nn.Module
    """As the plugin built it: the one that is saved."""
    loss_model: nn.Module
    """The model with its loss, wrapped for the ranks."""
    optimizer: torch.optim.Optimizer
    stepper: Stepper
    splits: Splits
    stream: BatchStream
    validation: BatchStream | None
    progress: Progress
    callbacks: Callback

    @property
    def plain_config(self) -> dict[str, Any]:
        """The configuration as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self.config)
        return plain


def assemble(config: Config, tokenizer: Tokenizer, run: Path) -> Parts:
    """Build all parts, from the configuration's seed alone.

    Raises:
        CodexError: a part cannot be built; says which and why.

    """
    training = config.training
    if training.deterministic:
        use_deterministic_kernels()
    device = _device(training.device)
    context = components.context(tokenizer, training.block_size, config.seed, run)
    with distributed.main_first():
        splits = components.datasets(config.data, context)
    seed_everything(config.seed)
    model = build_model(config, tokenizer).to(device)
    loss_model = distributed.wrap(NextToken(model), training.strategy)
    optimizer = adamw(loss_model, config.optimizer)
    seed_everything(config.seed + 1 + distributed.rank())  # dropout differs between ranks
    return Parts(
        config=config,
        run=run,
        tokenizer=tokenizer,
        model=model,
        loss_model=loss_model,
        optimizer=optimizer,
        stepper=Stepper(loss_model, optimizer, config, device),
        splits=splits,
        stream=_stream(splits.train, config, shuffle=True),
        validation=None
        if splits.validation is None
        else _stream(splits.validation, config, shuffle=False),
        progress=Progress(training.batch_size * training.accumulation * distributed.world_size()),
        callbacks=Callbacks([plugins.get("callbacks", name)() for name in config.callbacks]),
    )


def build_model(config: Config, tokenizer: Tokenizer) -> nn.Module:
    """Build the configuration's model for a tokenizer."""
    build = prepare("models", config.model, 2)
    model: nn.Module = build(tokenizer.vocab_size, config.training.block_size)
    return model


def _device(name: str) -> torch.device:
    """Return the device of that name, this rank's own of several; ``auto`` is CUDA where there
    is one; `ConfigError` if there is no such device here."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and distributed.world_size() > 1:
        name = f"cuda:{distributed.local_rank()}"
    try:
        return find_device(name)
    except DeviceError as error:
        raise ConfigError(f"training.device: {error}") from None


def _stream(samples: Samples, config: Config, *, shuffle: bool) -> BatchStream:
    return BatchStream(
        samples,
        config.training.batch_size,
        seed=config.seed,
        shuffle=shuffle,
        workers=config.training.workers if shuffle else 0,
        rank=distributed.rank(),
        world_size=distributed.world_size(),
    )
