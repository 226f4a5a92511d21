"""Checkpointing: what keeps checkpoints whole and unaltered."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.handing import argument, callers
from audit.practices.libraries import called
from audit.practices.registry import Place, at, practice
from audit.practices.weights import Weights, weights
from audit.repository import Repository
from audit.sites import Site

_WEIGHTS: Final = re.compile(
    r"(^|_)(checkpoint|ckpt|weights?|safetensors|pretrained)(_|$)|^model_(path|file)|"
    r"(download|fetch)_(\w+_)?models?(_|$)"
)
_DIGESTS: Final = re.compile(r"'(sha\d+|md5)sum\b")
_DIGEST: Final = re.compile(r"^(\w+_)?(md5|sha\d+|digest|checksum|hash)(_\w+)?$")
"""Parameters by which a function is told the hash of a file."""
_FILE: Final = re.compile(r"\.(pt|pth|ckpt|safetensors|bin|msgpack|onnx|gguf)\b")
_OTHER_FILES: Final = re.compile(r"token|dataset|(^|/)data/")
_OPENS: Final = ("builtins.open", "io.open")  # the mode is their second argument
_UNFINISHED: Final = re.compile(
    r"(^@|[._])(tmp|temp|temporary|partial|incomplete|staging)_?(\w+_)?(dir|path|file|folder)$"
)
"""What holds the path of something that is not finished."""
_MOVES: Final = ("os.replace", "os.rename", "shutil.move", "atomicwrites.atomic_write")


@practice("checkpoint-atomic", looks_for="a rename or marker that makes a checkpoint visible")
def checkpoint_atomic(repo: Repository) -> Iterator[Place]:
    """A checkpoint becomes visible only when it is complete.

    A rename in a function that writes weights (or that its callers call beside it), or a
    marker that the loader asks for, such as the metadata that torch.distributed.checkpoint
    writes last.

    Why:
        A run that is killed while it writes leaves half a file under the name that the next
        run will load.
    Fix:
        Write to a temporary name in the same folder, flush, then os.replace.
    Good:
        import os
        import torch

        def save(model, path):
            torch.save(model.state_dict(), path + ".tmp")
            os.replace(path + ".tmp", path)
    Bad:
        import os
        import torch

        def rotate(log):
            os.replace(log, log + ".1")

        def save(model, path):
            torch.save(model.state_dict(), path)
    Limits:
        That the temporary file is on the same file system, and flushed, is not proved.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    near = repo.graph.within((one.node for one in known.writes), 2, up=True)
    reach = repo.graph.within(near, 1, up=False) | known.rooms
    moves = [
        *repo.calls(*_MOVES),
        *(s for s in repo.methods("rename", "replace", "mv") if _is_path(s)),
    ]
    for site in moves:
        staged = site.node in known.managers and any(map(_UNFINISHED.search, site.receivers))
        found = site.node in reach or staged
        if found and not site.within("for", r"(iterdir|listdir|glob|walk)\(\)"):
            yield at(site, "a finished checkpoint is moved to its name")
    for site in (*known.writes, *repo.methods("write")):
        if site.node in reach and site.within("with", r"\.transaction$"):
            yield at(site, "the checkpoint is written in a transaction of its file system")
    for site in repo.methods("isfile", "exists", "is_file"):
        if "'.metadata'" in f"{_joined(site)} {site.names[0]}":
            yield at(site, "only checkpoints with their last-written metadata are accepted")
    for site in _markers(repo, reach):
        yield at(site, "only checkpoints with the mark of a finished one are accepted")


def _markers(repo: Repository, reach: Collection[int]) -> Iterator[Site]:
    """Yield checks for an empty file that checkpoint code makes when it is done."""
    made = {
        text
        for site in (*repo.calls("builtins.open().close"), *repo.methods("touch"))
        if site.node in reach
        for text in _constants(site)
    }
    for site in repo.methods("isfile", "exists", "is_file") if made else ():
        if not made.isdisjoint(_constants(site)):
            yield site


def _constants(site: Site) -> set[str]:
    """Return the constants in the path that the line of a call is about."""
    return set(re.findall(r"(?<![\w.])[:\w.]*[A-Z][A-Z_]{2,}\b|'[\w.]+'", _joined(site))) - {"'w'"}


def _is_path(site: Site) -> bool:
    """Tell whether a method renames a file: of a Path, or of a file system with two paths."""
    known = " ".join(site.names)
    if "str()" in known:
        return False
    if len(site.call.args) == 1:
        return "athlib" in known or any(map(_UNFINISHED.search, site.receivers))
    return len(site.call.args) == 2 and site.method in ("rename", "mv")


def _joined(site: Site) -> str:
    """Return the arguments of every call on the line of a site: the path it asks for."""
    return " ".join(
        text for call in site.module.facts.calls if call.line == site.line for text in call.args
    )


@practice("checkpoint-integrity", looks_for="a hash of checkpoint or weight files")
def checkpoint_integrity(repo: Repository) -> Iterator[Place]:
    """A checksum of weight files is written or verified.

    A hash of bytes in the functions that write, read or download weights, or that are told
    the hash of such a file; or a download helper that is told to check it.

    Why:
        A truncated or altered file loads without complaint more often than one would like.
    Fix:
        Write a SHA-256 beside the file, and compare before loading.
    Good:
        import hashlib
        import torch

        def load(path, digest):
            with open(path, "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != digest:
                    raise ValueError(path)
            return torch.load(path, weights_only=True)
    Bad:
        import hashlib
        import torch

        def cache_key(text):
            return hashlib.sha256(text.encode()).hexdigest()

        def load(path):
            return torch.load(path, weights_only=True)
    Limits:
        What is hashed is judged by where the hash is computed, not by its value.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    reach = known.saving | known.loading
    for site, name in called(repo, "hash-functions"):
        if not _hashes_bytes(repo, site) or _OTHER_FILES.search(f"{site.path} {site.scope.name}"):
            continue
        about = site.node in reach or _about_weights(site) or _helps(repo, site, known)
        if about or _verifies(repo, site.module, site.call.scope):
            yield at(site, f"{name} over a file of weights")
    for site in repo.methods("run", "check_output", "Popen", "check_call", "getoutput", "system"):
        if site.node in reach and any(map(_DIGESTS.search, site.arguments())):
            yield at(site, "a program hashes the file of weights")
    for site, value in repo.given("check_hash", "hash_prefix", "known_hash"):
        known_hash = site.node in reach or site.call.keyword("known_hash") is None
        if value not in ("False", "None") and known_hash:
            yield at(site, "the hash of downloaded weights is checked")


def _verifies(repo: Repository, module: Module, scope: int, hops: int = 3) -> bool:
    """Tell whether a function that is told the hash of a file, or one above it that is, is
    called for a file of weights."""
    for one in callers(repo, module, scope) if hops else ():
        told = any(map(_DIGEST.search, module.facts.definitions[scope].params))
        if told and (_about_weights(one) or any(map(_FILE.search, one.arguments()))):
            return True
        above = told or any(map(_DIGEST.search, one.scope.params))
        if above and _verifies(repo, one.module, one.call.scope, hops - 1):
            return True
    return False


def _helps(repo: Repository, site: Site, known: Weights) -> bool:
    """Tell whether a function that hashes is called where weights are written or read, or by
    one that is about a file of weights."""
    here = {one.node for one in (*known.writes, *known.reads)}
    return any(
        one.node in here or _about_weights(one)
        for one in callers(repo, site.module, site.call.scope)
    )


def _hashes_bytes(repo: Repository, site: Site) -> bool:
    """Tell whether a hash is taken of the bytes of a file, no text."""
    text = re.search(r"\.encode\(\)$|^b'", argument(site, 0, "data", "string"))
    if text or site.method in ("digest", "hexdigest"):
        return False
    if re.search(r"\bread\(\)|read_bytes\(\)|\.content\b", argument(site, 0, "data", "string")):
        return True
    return any(
        one.method in ("read_bytes", "file_digest")
        or (one.method == "open" and "b" in argument(one, int(one.names[0] in _OPENS), "mode"))
        for one in repo.calls_in(site.module, site.call.scope)
    )


def _about_weights(site: Site) -> bool:
    """Tell whether the function around a call is named for, or given, a file of weights."""
    own = site.scope.name.rpartition(".")[2]
    return any(map(_WEIGHTS.search, (own, *site.scope.params)))
