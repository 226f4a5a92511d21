"""Checkpointing: old checkpoints are deleted by a rule."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from audit.practices.handing import callers
from audit.practices.loops import enclosing
from audit.practices.options import options
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import Weights, weights
from audit.repository import Repository
from audit.sites import Site

_DELETES: Final = ("os.remove", "os.unlink", "shutil.rmtree")
_DELETE_METHODS: Final = ("unlink", "rm", "rmtree", "delete", "rm_tree", "rmdir", "rm_file")
_NUMBER: Final = (
    r"\bkeep\b|keep_(last|latest|recent|top|best|num|interval|n\b|k\b)|num_keep|to_keep|"
    r"total_limit|save_limit|max_(history|to_keep|checkpoints?)|(save|keep)\w*top_?k|last_n|n_saved|"
    r"(max|num|n)_(saved|to_save|ckpts?|checkpoints)|checkpoint(s|_\w+)?_limit|"
    r"(ckpts?|checkpoints?)_(num|count)\b|history_size"
)
"""Names of the number of checkpoints that are kept."""
_COUNTED: Final = r"len\(\) [<>]=? (?!0( |$))|(?<!\b0 )[<>]=? [\w.@]*len\(\)"
_LIMIT: Final = re.compile(
    rf"{_NUMBER}|(delete|remove|discard)_(previous|old|older|last)|prune|rotate|maxlen|{_COUNTED}"
)
_NAMED: Final = re.compile(_NUMBER)
_OLDEST: Final = re.compile(rf"{_COUNTED}|{_NUMBER}")
_ABOUT_SAVED: Final = re.compile(r"checkpoint|ckpt|saved|snapshot")
_KEPT: Final = re.compile(
    r"\.(\w+_)?(keep_(last|latest|recent|n|top|best)\w*|max_to_keep|total_limit|to_keep) >=? "
)
"""A comparison with an attribute that says how many to keep."""
_KEEPS: Final = re.compile(
    r"^(num_|n_)?(keep|to_keep|keep_(last|latest|recent|best|top|n|k)\w*|max_to_keep|save_total_limit|"
    r"num_to_keep|save_top_k)$"
)
_LIMITS: Final = (
    "save_total_limit", "save_top_k", "max_to_keep", "keep_last_n", "total_limit", "max_keep_ckpts",
    "save_num_checkpoints_to_keep", "n_saved",
)  # fmt: skip
_EARLIER: Final = re.compile(
    r"\b\w*(epoch|step|iter(ation)?|count\w*|num\w*)(\(\))? - (?!1\b)[@\w]|\{… - …\}"
)
"""The number of a checkpoint some way back."""
_ABOUT: Final = re.compile(r"checkpoint|ckpt|snapshot")


@practice("checkpoint-retention", looks_for="a rule that deletes old checkpoints")
def checkpoint_retention(repo: Repository) -> Iterator[Place]:
    """Old checkpoints are deleted by a rule.

    A deletion, in the functions or classes that write checkpoints, inside a loop or
    condition about how many there are, after a question for the number to keep, of all but
    one, or of a number some way back; the oldest taken from a list that is full; or a library
    option with the number to keep.

    Why:
        A run that keeps every checkpoint fills the disk and then dies while it writes one.
    Fix:
        Keep the last k and the best, and delete the others after the new one is complete.
    Good:
        import os
        import torch

        class Saver:
            def __init__(self, keep):
                self.keep, self.paths = keep, []

            def save(self, model, path):
                torch.save(model.state_dict(), path)
                self.paths.append(path)
                while len(self.paths) > self.keep:
                    os.remove(self.paths.pop(0))
    Bad:
        import os
        import torch

        class Saver:
            def save(self, model, path):
                if os.path.exists(path):
                    os.remove(path)
                torch.save(model.state_dict(), path)
    Limits:
        A deletion that stands in another class than the one that saves is seen only when
        the saving functions call it.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    if known.writes:
        reach = known.managers | repo.graph.within(known.managers, 1, up=False)
        for site in (*repo.calls(*_DELETES), *repo.methods(*_DELETE_METHODS)):
            about = site.node in reach or any(
                (one.kind == "function" and site.module.first + place in reach)
                or _ABOUT.search(one.name.rpartition(".")[2])
                for place, one in enclosing(site.module, site.call.scope)
            )
            if about and (_is_ruled(repo, site) or _replaces(site) or _spares(site)):
                yield at(site, "old checkpoints are deleted")
        deletes = [*repo.calls(*_DELETES), *repo.methods("unlink", "rmtree", "remove")]
        by_room = any(site.node in known.rooms for site in deletes)
        for module, place, one in repo.definitions if deletes else ():
            here = module.first + place
            if (here in known.managers and any(map(_KEPT.search, one.returns))) or (
                by_room and here in known.rooms and any(map(_KEEPS.search, one.params))
            ):
                yield in_code(module, place, one.line, "a number to keep decides what is deleted")
        for site in _oldest(repo, known):
            yield at(site, "the oldest checkpoint goes when there are too many")
    for site, _ in repo.given("keep"):
        if "save_checkpoint" in site.names[0] and "flax" in site.names[0]:
            yield at(site, "the number of checkpoints to keep is given")
    yield from options(repo, "the number of checkpoints to keep is given", *_LIMITS)


def _replaces(site: Site) -> bool:
    """Tell whether a function deletes what an attribute names, then names another by it."""
    return any(text.startswith("self.") for text in site.call.args[:1]) and any(
        one.scope == site.call.scope and one.target == site.call.args[0] and one.line > site.line
        for one in site.module.facts.assigns
    )


def _spares(site: Site) -> bool:
    """Tell whether a deletion leaves out one of all files, or is of a number some way back."""
    deleted = site.call.args[0] if site.call.args else ""
    if deleted.endswith("[]") and site.within("if", rf"{re.escape(deleted)} (!=|not in) "):
        return True
    values = (one.value for one in site.module.facts.assigns if one.scope == site.call.scope)
    return any(map(_EARLIER.search, (*site.call.args, *values)))


def _is_ruled(repo: Repository, site: Site, hops: int = 2) -> bool:
    """Tell whether a call, or the calls that lead to it, depend on how many there may be."""
    rules = [block.text for block in site.blocks() if block.kind in ("for", "while", "if")]
    around = (one.params for _, one in enclosing(site.module, site.call.scope))
    if any(map(_LIMIT.search, (*rules, *chain.from_iterable(around)))) or _is_asked_before(site):
        return True
    above = callers(repo, site.module, site.call.scope) if hops else ()
    return any(_is_ruled(repo, one, hops - 1) for one in above)


def _is_asked_before(site: Site) -> bool:
    """Tell whether the function asks for the number to keep before it deletes."""
    first = site.scope.line
    return any(
        one.kind == "if" and first <= one.line < site.line and _NAMED.search(one.text)
        for one in site.module.facts.blocks
    )


def _oldest(repo: Repository, known: Weights) -> Iterator[Site]:
    """Yield where code that saves takes the oldest from a list of checkpoints that is full."""
    for site in repo.methods("pop", "popleft"):
        first = site.method == "popleft" or site.call.args == ("0",)
        saved = any(map(_ABOUT_SAVED.search, site.receivers))
        full = any(
            one.kind in ("while", "if") and _OLDEST.search(one.text) for one in site.blocks()
        )
        if first and saved and full and site.node in known.managers:
            yield site
