"""torch.distributed.checkpoint folders, read without executing what is in them.

`.metadata` is a pickle and so are a folder's small values; torch's own reader
executes both. This one makes only the classes that a folder's description
consists of, and loads values with ``weights_only=True``.
"""

import io
import pickle
from enum import Enum
from pathlib import Path, PurePath
from typing import IO, Any

import torch
from torch.distributed.checkpoint import metadata
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.default_planner import _EmptyStateDictLoadPlanner
from torch.distributed.checkpoint.filesystem import FileSystemReader, _StorageInfo
from torch.distributed.checkpoint.metadata import Metadata
from torch.distributed.checkpoint.planner import ReadItem
from torch.distributed.checkpoint.state_dict_loader import _load_state_dict
from torch.distributed.checkpoint.state_dict_saver import save as dcp_save

from codex_ml.checkpointing.errors import CheckpointError
from codex_ml.checkpointing.interop import MALFORMED

_CLASSES = {
    "torch.distributed.checkpoint.metadata": (
        "BytesStorageMetadata",
        "ChunkStorageMetadata",
        "Metadata",
        "MetadataIndex",
        "StorageMeta",
        "TensorProperties",
        "TensorStorageMetadata",
        "_MEM_FORMAT_ENCODING",
    ),
    "torch.distributed.checkpoint.filesystem": ("_StorageInfo",),
    "torch.serialization": ("_get_layout",),
    "collections": ("OrderedDict",),
    "pathlib": ("Path", "PosixPath", "PurePosixPath"),
}


class _Unpickler(pickle.Unpickler):
    """Makes what describes tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "getattr"):
            return _member
        known = name in _CLASSES.get(module, ())
        value = getattr(torch, name, None) if module == "torch" else None
        if known or value is torch.Size or isinstance(value, torch.dtype):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a checkpoint")


def _member(kind: object, name: str) -> Enum:
    """Stand in for `getattr`, by which Python before 3.11.4 pickles the member of an enum."""
    if isinstance(kind, type) and issubclass(kind, Enum) and name in kind.__members__:
        return kind[name]
    raise pickle.UnpicklingError(f"{name!r} of {kind!r} has no place in a checkpoint")


class _Reader(FileSystemReader):
    def read_metadata(self, *_: Any, **__: Any) -> Metadata:
        with (Path(self.path) / ".metadata").open("rb") as stream:
            found = _Unpickler(stream).load()
        if not isinstance(found, Metadata):
            raise pickle.UnpicklingError("not a description of a checkpoint")
        for place in (found.storage_data or {}).values():
            if not isinstance(place, _StorageInfo) or not _plain(place.relative_path):
                raise pickle.UnpicklingError("a value lies outside the folder")
        found.storage_meta = found.storage_meta or metadata.StorageMeta()
        return found


class _Planner(_EmptyStateDictLoadPlanner):
    def load_bytes(self, read_item: ReadItem, value: IO[bytes]) -> None:
        safe = io.BytesIO()
        torch.save(torch.load(value, weights_only=True), safe)
        safe.seek(0)
        super().load_bytes(read_item, safe)


def _plain(path: str) -> bool:
    return PurePath(path).name == path


def load(folder: Path) -> dict[str, Any]:
    """Return the whole state in a folder, on the CPU. Raises `CheckpointError`."""
    state: dict[str, Any] = {}
    try:
        reader = _Reader(folder)
        reader.read_metadata()  # its errors are clearer than those of the ranks below
        planner = _Planner()  # type: ignore[no-untyped-call]
        _load_state_dict(state, storage_reader=reader, planner=planner, no_dist=True)
    except (*MALFORMED, OSError) as error:
        raise _error(folder, error) from error
    except CheckpointException as error:
        causes = [failure[0] for failure in error.failures.values()]
        raise _error(folder, causes[0]) from error
    return {name: _optimizer_keys(value) for name, value in state.items()}


def save(state: dict[str, Any], folder: Path) -> None:
    """Save `state` as a new folder. Raises `OSError`."""
    dcp_save(state, checkpoint_id=str(folder), no_dist=True)


def _optimizer_keys(value: Any) -> Any:
    """Give an optimizer's state its numbers back: a folder has no keys but text."""
    match value:
        case {"state": dict() as states, "param_groups": list()} if all(
            str(key).isdecimal() for key in states
        ):
            return {**value, "state": {int(key): state for key, state in states.items()}}
    return value


def _error(folder: Path, cause: BaseException) -> CheckpointError:
    lines = str(cause).splitlines() or [type(cause).__name__]
    return CheckpointError(f"{folder}: cannot be imported without executing it: {lines[0]}")
