"""Time what a training loop costs beside the training itself: microseconds a step, interleaved.

python benchmarks/overhead.py [ROUNDS] [STEPS]

The least that trains is a loop over torch's DataLoader: forward, backward, clip, fused AdamW's
step, zero_grad. Every loop here makes the same steps with a model that computes almost nothing:
the same samples, batch size, optimizer and clipping. The figure is what it takes longer, the
median over the rounds. `codex_ml` adds by itself: the schedule, the guard against a loss that is
not finite, the position that can be saved, callbacks, signals. Fabric and accelerate are timed
where they are installed.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from codex_ml.checkpointing import CheckpointManager
from codex_ml.tokenization import ByteTokenizer
from codex_ml.tracking.ndjson import Ndjson
from codex_ml.training import Callback, Config, Loop
from codex_ml.training.assembly import Parts, assemble
from codex_ml.training.callbacks import Callbacks
from codex_ml.training.config import Checkpoints, Evaluation, Logging, Training
from codex_ml.training.demo import SONNETS

torch.set_num_threads(1)  # two threads that wait for each other would measure the neighbours
Round = Callable[[int], float]
BATCH, BLOCK, FOREVER = 12, 8, 10**9


def parts_of(run: Path, log: int = FOREVER, save: int = 0) -> Parts:
    """Build a run of the smallest transformer; a record and a checkpoint every so many steps."""
    config = Config(
        run=str(run),
        model={"name": "transformer", "layers": 1, "heads": 1, "width": 4},
        data={"name": "text", "path": str(SONNETS)},
        training=Training(steps=FOREVER, batch_size=BATCH, block_size=BLOCK, device="cpu"),
        evaluation=Evaluation(every=0),
        checkpoints=Checkpoints(every=save),
        logging=Logging(every=log),
    )
    return assemble(config, ByteTokenizer(), run)


class Stopwatch(Callback):
    """Times the steps of a run, from the start to the last step: without the save at the end."""

    def on_start(self, loop: Loop) -> None:  # noqa: ARG002
        """Start."""
        self.times = [time.perf_counter()]

    def on_step(self, loop: Loop, loss: float) -> None:  # noqa: ARG002
        """Note the time."""
        self.times.append(time.perf_counter())


def ours(parts: Parts) -> Round:
    """Return the loop of this project; it gives the seconds of `steps` more steps."""
    watch = Stopwatch()
    parts = dataclasses.replace(parts, callbacks=Callbacks([watch]))
    manager = CheckpointManager(parts.run / "checkpoints", keep_last=2)
    loop = Loop(parts, manager, [Ndjson(parts.run, parts.plain_config, 0)])

    def once(steps: int) -> float:
        loop.run(parts.progress.step + steps)
        return watch.times[-1] - watch.times[0]

    return once


def bare(parts: Parts) -> Round:
    """Return the least that trains."""
    model, optimizer, loader = parts.loss_model, parts.optimizer, loader_of(parts)

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss = model(inputs, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return looping(loader, step)


def fabric(parts: Parts) -> Round:
    """Return the same loop with Lightning's Fabric."""
    from lightning_fabric import Fabric  # type: ignore[import-not-found]

    helper = Fabric(accelerator="cpu", devices=1)
    model, optimizer = helper.setup(parts.loss_model, parts.optimizer)
    loader = helper.setup_dataloaders(loader_of(parts))

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss = model(inputs, targets)
        helper.backward(loss)
        helper.clip_gradients(model, optimizer, max_norm=1.0, error_if_nonfinite=False)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return looping(loader, step)


def accelerate(parts: Parts) -> Round:
    """Return the same loop with accelerate."""
    from accelerate import Accelerator  # type: ignore[import-not-found]

    helper = Accelerator(cpu=True)
    model, optimizer, loader = helper.prepare(parts.loss_model, parts.optimizer, loader_of(parts))

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        loss = model(inputs, targets)
        helper.backward(loss)
        helper.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return looping(loader, step)


def loader_of(parts: Parts) -> DataLoader[Any]:
    """Return torch's loader of the same samples, which come as whole batches."""
    samples = cast("Dataset[Any]", parts.splits.train)  # torch asks for no more than a sequence
    return DataLoader(samples, BATCH, shuffle=True, drop_last=True, collate_fn=_as_it_is)


def _as_it_is(batch: Any) -> Any:
    return batch


def looping(loader: Any, step: Callable[[torch.Tensor, torch.Tensor], None]) -> Round:
    """Return a round that steps through epoch after epoch."""

    def once(steps: int) -> float:
        start, made = time.perf_counter(), 0
        while True:
            for inputs, targets in loader:
                step(inputs, targets)
                made += 1
                if made == steps:
                    return time.perf_counter() - start

    return once


def main() -> None:
    """Run the rounds and print a line for each loop."""
    rounds, steps = (int(given) for given in (sys.argv[1:] + ["15", "800"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loops = {
            "bare DataLoader loop": bare(parts_of(folder / "bare")),
            "codex_ml": ours(parts_of(folder / "plain")),
            "codex_ml, a record every 10": ours(parts_of(folder / "log", log=10)),
            "  and a checkpoint every 400": ours(parts_of(folder / "save", log=10, save=400)),
        }
        for title, make in (("Fabric", fabric), ("accelerate", accelerate)):
            try:
                loops[title] = make(parts_of(folder / title))
            except ModuleNotFoundError:
                print(f"{title} is not installed")
        times = measure(loops, rounds, steps)
    base = times.pop("bare DataLoader loop")
    print(f"{'bare DataLoader loop':30} {statistics.median(base):6.0f} us a step")
    for title, values in times.items():
        extra = statistics.median(a - b for a, b in zip(values, base, strict=True))
        print(f"{title:30} {extra:+6.0f} us a step")


def measure(loops: dict[str, Round], rounds: int, steps: int) -> dict[str, list[float]]:
    """Return microseconds a step of every loop in every round; the first in turn alternates."""
    for once in loops.values():
        once(20)
    times: dict[str, list[float]] = {title: [] for title in loops}
    for number in range(rounds):
        for title, once in list(loops.items())[:: 1 if number % 2 else -1]:
            times[title].append(once(steps) / steps * 1e6)
    return times


if __name__ == "__main__":
    main()
