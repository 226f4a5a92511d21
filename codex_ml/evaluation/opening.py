"""Find the model to evaluate: a checkpoint with its tokenizer, or a plugin.

Finding and verifying need no torch, so that whatever is wrong is said at once;
`Source.open` builds the model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codex_ml.evaluation.errors import EvaluationError, MismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

    from codex_ml.checkpointing import Checkpoint
    from codex_ml.evaluation.scorer import LanguageModel
    from codex_ml.tokenization import Tokenizer

# What `codex-ml train` leaves in a run's directory.
CHECKPOINTS = "checkpoints"
TOKENIZER = "tokenizer.json"
PREFIXES = ("<|endoftext|>", "<|end|>", "<|bos|>", "<s>", "<bos>", "</s>", "<eos>")
"""Special tokens that separate texts; the first found comes before a text without context."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model that is there and whole, not yet built."""

    identity: Mapping[str, Any]
    """What names it in the results."""
    build: Callable[[int, int], nn.Module]
    """From the tokenizer's size and `block` to the model, its weights not yet loaded."""
    block: int
    tokenizer: Tokenizer
    checkpoint: Checkpoint | None

    @property
    def prefix(self) -> int | None:
        """The id that comes before a text, None if the tokenizer has none for that."""
        special = self.tokenizer.special_tokens
        return next((special[name] for name in PREFIXES if name in special), None)

    @property
    def head(self) -> list[int]:
        """The ids before every text: one or none."""
        return [] if self.prefix is None else [self.prefix]

    def open(self, *, stride: int | None, batch_tokens: int, device: str) -> LanguageModel:
        """Build the model and load its weights; `DeviceError` if there is no such device."""
        network = self._network()
        from codex_ml.devices import find_device
        from codex_ml.evaluation.scorer import LanguageModel

        network.to(find_device(device))
        return LanguageModel(
            network=network.eval(),
            tokenizer=self.tokenizer,
            block=self.block,
            prefix=self.prefix,
            stride=stride,
            batch_tokens=batch_tokens,
            device=device,
        )

    def _network(self) -> nn.Module:
        network = self.build(self.tokenizer.vocab_size, self.block)
        if self.checkpoint is not None:
            from codex_ml.checkpointing.restoring import restore

            restore(self.checkpoint, {"model": network}, rng=False)
        return network


def find_checkpoint(path: Path, which: str, tokenizer: Path | None) -> Source:
    """Find and verify a checkpoint.

    Args:
        path: a run's directory, a folder of checkpoints, or one checkpoint.
        which: ``latest``, ``best`` or a step, where there are several.
        tokenizer: the tokenizer's file; by default the run's.

    Raises:
        CheckpointError: there is none, or it is damaged.
        MismatchError: it was made with another tokenizer.
        PluginError: its model is none that is installed, or has no such options.

    """
    from codex_ml.checkpointing import CheckpointManager
    from codex_ml.plugins.options import prepare
    from codex_ml.tokenization import load

    folder = path / CHECKPOINTS if (path / CHECKPOINTS).is_dir() else path
    chosen = path if (path / "manifest.json").is_file() else which
    step = int(which) if chosen is which and which.isdecimal() else chosen
    checkpoint = CheckpointManager(folder).load(step, ("model",))
    spec, block = _described(checkpoint)
    file = tokenizer or _tokenizer_near(checkpoint.path)
    tokens = load(file)
    stored = checkpoint.digests.get("tokenizer", tokens.digest)
    if stored != tokens.digest:
        raise MismatchError(
            f"{file}: is not the tokenizer of {checkpoint.path} ({stored}): "
            "name that one with --tokenizer"
        )
    manifest = hashlib.sha256((checkpoint.path / "manifest.json").read_bytes()).hexdigest()
    identity = {
        "checkpoint": checkpoint.path.name,
        "digest": f"sha256:{manifest}",
        "tokenizer": tokens.digest,
        **spec,
    }
    return Source(identity, prepare("models", spec, 2), block, tokens, checkpoint)


def find_plugin(
    name: str, options: Mapping[str, Any], block: int, tokenizer: Path | None
) -> Source:
    """Find a model plugin, evaluated as its `options` build it.

    Raises:
        PluginError: there is none of this name, or it has no such option.
        EvaluationError: no tokenizer is named.

    """
    from codex_ml.plugins.options import prepare
    from codex_ml.tokenization import load

    if tokenizer is None:
        raise EvaluationError(f"model {name!r} comes without a tokenizer: give --tokenizer FILE")
    spec = {"name": name, **options}
    build = prepare("models", spec, 2)
    tokens = load(tokenizer)
    return Source({"tokenizer": tokens.digest, **spec}, build, block, tokens, None)


def _described(checkpoint: Checkpoint) -> tuple[dict[str, Any], int]:
    match checkpoint.config:
        case {"model": {"name": str()} as spec, "training": {"block_size": int(block)}}:
            return dict(spec), block
    raise MismatchError(
        f"{checkpoint.path}: its configuration names no model and block_size: "
        "it was not saved by codex-ml train; evaluate it from Python"
    )


def _tokenizer_near(checkpoint: Path) -> Path:
    for folder in (checkpoint.parent.parent, checkpoint.parent, checkpoint):
        if (folder / TOKENIZER).is_file():
            return folder / TOKENIZER
    raise EvaluationError(f"{checkpoint}: no {TOKENIZER} near it: give --tokenizer FILE")
