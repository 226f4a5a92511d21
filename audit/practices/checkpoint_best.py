"""Checkpointing: which checkpoint is the best."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.options import options
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import CHECKPOINTS, SAVES, Weights, weights
from audit.repository import Repository

_BETTER: Final = re.compile(r"[<>]|better|improv|\bcmp\b|compare|\b(lt|gt|less|greater)\(")
_CHOICES: Final = frozenset(
    "is_best monitor min_keys max_keys min_key max_key metric_key importance_key best_metric "
    "score_function score_fn score_name save_best keep_best save_best_only best_only".split()
)
"""Parameters by which a function that writes checkpoints is told what is best."""


_OPTIONS: Final = (
    "metric_for_best_model", "load_best_model_at_end", "save_best", "save_best_only", "best_fn",
)  # fmt: skip
_KEEPS: Final = re.compile(r"^(Model)?Checkpoint$|^save")
_BEST: Final = ("detectron2.engine.hooks.BestCheckpointer", "detectron2.engine.BestCheckpointer")
_CLOCK: Final = re.compile(r"time|epoch|step|iter|thresh|len\(|interval|size", re.IGNORECASE)
_METRIC: Final = re.compile(
    r"best|loss|acc|metric|score|error|fid\b|bleu|f1|wer|perplex", re.IGNORECASE
)
_OTHERS: Final = re.compile(r"(numpy|json|pandas|matplotlib|PIL)\.")
"""Libraries that write no checkpoints."""
_BEST_SO_FAR: Final = re.compile(r"^(self\.|@)([\w.]*[_.])?best(_\w+)?$")
_BEST_REACHED: Final = re.compile(r"\bbest\w* (==|[<>]=?) |(==|[<>]=?) [\w.@]*best\w*")
"""A condition that the best so far is reached."""


@practice("checkpoint-best", looks_for="a save that a comparison of metrics decides")
def checkpoint_best(repo: Repository) -> Iterator[Place]:
    """A metric decides which checkpoint is kept or marked as best.

    A save inside an ``if`` that compares a value with the best so far and updates it; a
    checkpoint class that keeps its best; or a library option that names the metric.

    Why:
        The last checkpoint is often not the best one: without this the model that is
        published is chosen by accident.
    Fix:
        Compare the validation metric with the best so far and mark the checkpoint.
    Good:
        import torch

        class Saver:
            def __init__(self):
                self.best = float("inf")

            def after_eval(self, model, loss, path):
                if loss < self.best:
                    self.best = loss
                    torch.save(model.state_dict(), path)
    Bad:
        import torch

        class Saver:
            def after_epoch(self, model, epoch, path):
                if epoch % 10 == 0:
                    torch.save(model.state_dict(), path)
    Limits:
        A metric that is compared in one function and acted on in another is seen only where
        a parameter or attribute is named for the best.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    found: list[Place] = []
    if known.writes:
        found += [*_running_best(repo), *_named_best(repo, known), *_best_files(repo, known)]
        found += _asked_best(known)
    for site, value in repo.given("monitor"):
        if site.method == "ModelCheckpoint" and value != "None":
            found.append(at(site, "the monitored metric chooses the checkpoint"))
    says = "the trainer is told to keep the best checkpoint"
    found += options(repo, says, *_OPTIONS)
    for site, _ in repo.given("score_function", "min_keys", "max_keys", "metric"):
        if _KEEPS.search(site.method):
            found.append(at(site, "the score chooses the checkpoint"))
    found += [at(site, "the metric chooses the checkpoint") for site in repo.calls(*_BEST)]
    found += options(repo, "the evaluation keeps the best model", "best_model_save_path")
    yield from central(repo, found, CHECKPOINTS)


def _running_best(repo: Repository) -> Iterator[Place]:
    """Yield saves inside an ``if`` that compares with the best so far and updates it."""
    for module in repo.product:
        blocks = module.facts.blocks
        if not any(one.updates for one in blocks):
            continue
        for call in module.facts.calls:
            last = call.names[0].rpartition(".")[2]
            if not SAVES.search(last) or _OTHERS.match(call.names[0]):
                continue
            block = call.block
            while block >= 0:
                if blocks[block].updates and _is_better(blocks[block].text):
                    yield in_code(module, call.scope, call.line, "saved when a metric improves")
                    break
                block = blocks[block].parent


def _is_better(text: str) -> bool:
    """Tell whether a condition compares results, not the time or a count with the last one."""
    return bool(_BETTER.search(text) and (_METRIC.search(text) or not _CLOCK.search(text)))


def _asked_best(known: Weights) -> Iterator[Place]:
    """Yield writes under a condition that hands the best so far to a function."""
    for site in known.writes:
        lines = {one.line for one in site.blocks() if one.kind == "if" and "()" in one.text}
        for call in site.module.facts.calls if lines else ():
            if call.line in lines and any(map(_BEST_SO_FAR.search, call.args)):
                yield at(site, "written when it compares well with the best so far")


def _best_files(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield writes and copies under a condition to a file that is called the best."""
    copies = repo.calls("shutil.copyfile", "shutil.copy", "shutil.copy2", "os.link", "os.symlink")
    for site in (*known.writes, *copies):
        if any("best" in text and "'" in text for text in site.arguments()) and site.within("if"):
            yield at(site, "a condition decides which checkpoint is the best")
    for site in known.writes:
        if site.within("if", _BEST_REACHED.pattern):
            yield at(site, "written when the best so far is reached")


def _named_best(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield the best that a class which saves checkpoints remembers, and flags handed to it."""
    for module, one in repo.assigns(
        r"(\.|(?<!result)(?<!results)(?<!metrics)(?<!dict)\[')(\w+_)?best(_\w+)?('\])?$"
    ):
        if module.first + one.scope in known.saving and one.value not in ("None", "''", "[]", "{}"):
            yield in_code(module, one.scope, one.line, "the best checkpoint is remembered")
    for module, place, definition in repo.definitions:
        if _CHOICES & {*definition.params} and module.first + place in known.managers:
            yield in_code(module, place, definition.line, "the best checkpoint is marked")
