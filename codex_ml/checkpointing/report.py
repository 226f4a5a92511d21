"""What the command line says about checkpoints, as values that JSON holds."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from codex_ml.checkpointing.errors import CheckpointError, CheckpointNotFoundError
from codex_ml.checkpointing.folder import Scan, Stored, elsewhere, scan
from codex_ml.checkpointing.layout import MANIFEST
from codex_ml.checkpointing.manifest import Json, Manifest, TensorEntry
from codex_ml.checkpointing.reader import Checkpoint

Row = dict[str, Any]


def summary(item: Stored) -> Row:
    """One checkpoint in a line."""
    manifest = item.manifest
    return {
        "step": item.step,
        "path": str(item.path),
        "saved_at": manifest.saved_at,
        "bytes": sum(entry.size for entry in manifest.files),
        "metrics": {name: plain(value) for name, value in manifest.metrics.items()},
        "components": list(manifest.state),
    }


def listing(folder: Path) -> list[Row]:
    """The checkpoints of a folder, oldest first, and the directories that are none.

    Raises `CheckpointNotFoundError` for a folder that is not there, or a run's directory.
    """
    if not folder.is_dir():
        raise CheckpointNotFoundError(f"{folder}: no such folder")
    found = scan(folder)
    if not (found.stored or found.damaged) and (advice := elsewhere(folder)):
        raise CheckpointNotFoundError(f"{folder}: no checkpoint here{advice}")
    best = {item.path for item in found.best()[:1]}
    rows = [
        summary(item) | {"last": item is found.stored[0], "best": item.path in best}
        for item in found.stored
    ]
    return [*rows[::-1], *_unreadable(found)]


def _unreadable(found: Scan) -> list[Row]:
    return [{"path": str(path), "error": str(error)} for path, error in found.damaged]


def inspection(checkpoint: Checkpoint) -> Row:
    """Everything about one checkpoint but the values of its tensors and random generators."""
    manifest = checkpoint.manifest
    return summary(Stored(checkpoint.path, manifest)) | {
        "schema_version": manifest.schema_version,
        "sequence": manifest.sequence,
        "world_size": manifest.world_size,
        "config": plain(manifest.config),
        "digests": manifest.digests,
        "versions": manifest.versions,
        # every rank's own place in the data, or one for all as `codex_ml.training` saves it
        "data": plain(manifest.state.get("data", manifest.state.get("stream"))),
        "files": [
            {"path": entry.path, "bytes": entry.size, "digest": entry.digest}
            for entry in manifest.files
        ],
        "tensors": [
            {"name": entry.name, "dtype": entry.dtype, "shape": list(entry.shape)}
            for entry in manifest.tensors
        ],
    }


def verification(path: Path) -> list[Row]:
    """Compare every byte of a checkpoint, or of all in a folder, with its digest."""
    if (path / MANIFEST).exists():
        return [_verified(path)]
    found = scan(path)
    rows = [_verified(item.path) for item in found.stored[::-1]]
    rows += [_verified(damaged) for damaged, _ in found.damaged]
    if not rows:
        raise CheckpointNotFoundError(f"{path}: no checkpoint to verify")
    return rows


def _verified(path: Path) -> Row:
    try:
        checkpoint = Checkpoint.open(path)
    except CheckpointError as error:
        return {"path": str(path), "holds": False, "damage": [str(error)]}
    damage = list(checkpoint.damage())
    return {"path": str(path), "holds": not damage, "damage": damage}


def difference(old: Manifest, new: Manifest) -> Row:
    """What differs between two checkpoints; tensors are compared by their digests."""
    before = {entry.name: entry for entry in old.tensors}
    after = {entry.name: entry for entry in new.tensors}
    both = [name for name in before if name in after]
    return {
        "tensors": {
            "only_old": [name for name in before if name not in after],
            "only_new": [name for name in after if name not in before],
            "reshaped": [name for name in both if _kind(before[name]) != _kind(after[name])],
            "changed": [name for name in both if _values_differ(before[name], after[name])],
            "same": sum(_content(before[name]) == _content(after[name]) for name in both),
        },
        "state": list(_changes(_without_rng(old), _without_rng(new), "")),
        "random_state": old.state.get("rng") != new.state.get("rng"),
        "config": list(_changes(old.config, new.config, "")),
        "metrics": list(_changes(old.metrics, new.metrics, "")),
        "versions": list(_changes(old.versions, new.versions, "")),
        "digests": list(_changes(old.digests, new.digests, "")),
    }


def _kind(entry: TensorEntry) -> object:
    return entry.dtype, entry.shape


def _content(entry: TensorEntry) -> object:
    return _kind(entry), sorted((chunk.offsets or (), chunk.digest) for chunk in entry.chunks)


def _values_differ(old: TensorEntry, new: TensorEntry) -> bool:
    return _kind(old) == _kind(new) and _content(old) != _content(new)


def _without_rng(manifest: Manifest) -> dict[str, Json]:
    return {name: node for name, node in manifest.state.items() if name != "rng"}


_ABSENT = object()


def _changes(old: Json, new: Json, path: str) -> Iterator[Row]:
    """Compare leaf by leaf; a side that has no such leaf is left out of the row."""
    match old, new:
        case dict(), dict():
            for key in {**old, **new}:
                below = f"{path}/{key}" if path else str(key)
                yield from _changes(old.get(key, _ABSENT), new.get(key, _ABSENT), below)
        case list(), list():
            for place, (left, right) in enumerate(zip_longest(old, new, fillvalue=_ABSENT)):
                yield from _changes(left, right, f"{path}/{place}")
        case _ if old != new or type(old) is not type(new):
            sides = {"old": old, "new": new}
            yield {"path": path} | {
                side: plain(value) for side, value in sides.items() if value is not _ABSENT
            }


def _is_pair(node: Json) -> bool:
    return isinstance(node, list) and len(node) == 2


def plain(node: Json) -> Json:
    """A tree for people: tags that only tell types apart are dropped."""
    match node:
        case {"$float": value} | {"$tensor": value} | {"$scalar": value}:
            return value
        case {"$tuple": [*items]} | {"$set": [*items]} | {"$frozenset": [*items]}:
            return [plain(item) for item in items]
        case {"$dict": [*pairs]} | {"$counter": [*pairs]} | {"$ordered": [*pairs]}:
            return {str(plain(key)): plain(value) for key, value in filter(_is_pair, pairs)}
        case dict():
            return {key: plain(value) for key, value in node.items()}
        case list():
            return [plain(item) for item in node]
    return node
