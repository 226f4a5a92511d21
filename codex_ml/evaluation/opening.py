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
    from collections.abc import Mapping
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
    spec: Mapping[str, Any]
    """``name`` of the model plugin, and its options."""
    block: int
    tokenizer: Tokenizer
    checkpoint: Checkpoint | None

    def prefix(self) -> int | None:
        """Return the id that comes before a text, None if the tokenizer has none for that."""
        special = self.tokenizer.special_tokens
        return next((special[name] for name in PREFIXES if name in special), None)

    def open(self, *, stride: int | None, batch_tokens: int, device: str) -> LanguageModel:
        """Build the model and load its weights; `DeviceError` if there is no such device."""
        from codex_ml.devices import find_device
        from codex_ml.evaluation.scorer import LanguageModel

        network = self._network().to(find_device(device))
        return LanguageModel(
            network=network.eval(),
            tokenizer=self.tokenizer,
            block=self.block,
            prefix=self.prefix(),
            stride=stride,
            batch_tokens=batch_tokens,
            device=device,
        )

    def _network(self) -> nn.Module:
        from codex_ml.training import components

        network: nn.Module = components.build(
            "models", self.spec, self.tokenizer.vocab_size, self.block
        )
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

    """
    from codex_ml.checkpointing import CheckpointManager
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
    return Source(identity, spec, block, tokens, checkpoint)


def find_plugin(
    name: str, options: Mapping[str, Any], block: int, tokenizer: Path | None
) -> Source:
    """Find a model plugin, evaluated as its `options` build it.

    Raises:
        PluginError: there is none of this name.
        EvaluationError: no tokenizer is named.

    """
    from codex_ml import plugins
    from codex_ml.tokenization import load

    if tokenizer is None:
        raise EvaluationError(f"model {name!r} comes without a tokenizer: give --tokenizer FILE")
    plugins.find("models", name)
    tokens = load(tokenizer)
    spec = {"name": name, **options}
    return Source({"tokenizer": tokens.digest, **spec}, spec, block, tokens, None)


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
