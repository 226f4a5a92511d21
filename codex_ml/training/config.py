"""The configuration of a training run: every key, its type, its default, its meaning.

Tables named after a plugin group (`model`, `data`) take ``name``, the plugin,
and that plugin's own options beside it.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

Options: TypeAlias = dict[str, Any]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration."""


class Optimizer(_Table, frozen=True):
    """AdamW (Loshchilov and Hutter 2019); matrices decay, vectors do not."""

    lr: Amount = 1e-3
    """Learning rate after the warm-up."""
    betas: tuple[Share, Share] = (0.9, 0.99)
    eps: Amount = 1e-8
    weight_decay: Amount = 0.1
    warmup: Count = 100
    """Steps over which the rate rises linearly."""
    min_lr: Amount = 1e-4
    """Rate at the last step, reached along a cosine."""
    clip: Amount = 1.0
    """Largest norm of the whole gradient; 0 leaves it as it is."""


class Training(_Table, frozen=True):
    """How long, how large, on what."""

    steps: Positive = 1000
    """Optimizer steps."""
    batch_size: Positive = 12
    """Samples in a micro-batch, on each rank."""
    accumulation: Positive = 1
    """Micro-batches in a step."""
    block_size: Positive = 64
    """Tokens in a sample."""
    device: str = "auto"
    """`auto` is CUDA where there is one, else the CPU."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16` computes under autocast; parameters stay float32."""
    compile: bool = False
    """Compile the model with torch.compile."""
    deterministic: bool = False
    """Use kernels that give the same bits every time; CUDA needs it for bit-exact resume."""
    workers: Count = 0
    """Processes that prepare batches ahead."""
    non_finite: Literal["stop", "skip"] = "stop"
    """What a step does whose loss or gradient is not finite."""
    strategy: Literal["ddp", "fsdp"] = "ddp"
    """How several ranks share a model."""


class Evaluation(_Table, frozen=True):
    """Loss on held-out samples."""

    every: Count = 250
    """Steps between evaluations; 0 evaluates never."""
    batches: Positive = 20
    """Batches of one evaluation, always the same."""
    patience: Count = 0
    """Stop after this many evaluations without a new best; 0 never stops."""


class Checkpoints(_Table, frozen=True):
    """When the state is saved. It is also saved at the end and on SIGTERM and SIGINT."""

    every: Count = 250
    """Steps between checkpoints; 0 saves at the end only."""
    keep_last: Positive = 2
    keep_best: Count = 1
    """Keep as many more, the best by validation loss."""
    asynchronous: bool = False
    """Write while training goes on."""


class Logging(_Table, frozen=True):
    """Metrics."""

    every: Positive = 10
    """Steps between records."""
    trackers: tuple[str, ...] = ()
    """Further trackers, beside ``metrics.ndjson``: plugins such as `tensorboard`."""


class Config(_Table, frozen=True):
    """A training run."""

    run: Annotated[str, msgspec.Meta(min_length=1)] = "runs/default"
    """The run's directory."""
    seed: Count = 0
    tokenizer: str = "byte"
    """`byte`, the file of a tokenizer, or a plugin's name."""
    model: Options = msgspec.field(default_factory=lambda: {"name": "transformer"})
    data: Options = {}
    """`name` is `text`, `jsonl`, `tokens` or a plugin."""
    training: Training = Training()
    optimizer: Optimizer = Optimizer()
    evaluation: Evaluation = Evaluation()
    checkpoints: Checkpoints = Checkpoints()
    logging: Logging = Logging()
    callbacks: tuple[str, ...] = ()
    """Plugins that are told what happens."""
