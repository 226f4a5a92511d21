"""Other formats: torch.save files, safetensors, torch.distributed.checkpoint folders."""

import os
import pickle
import secrets
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from codex_ml.checkpointing import capture
from codex_ml.checkpointing.errors import (
    CheckpointError,
    CheckpointExistsError,
    CheckpointNotFoundError,
)
from codex_ml.checkpointing.files import LOCAL
from codex_ml.checkpointing.group import SOLO, storage_error
from codex_ml.checkpointing.layout import COMPONENT
from codex_ml.checkpointing.reader import Checkpoint
from codex_ml.checkpointing.writer import write_checkpoint

# what unpickling bytes that are no pickle raises
MALFORMED = (
    pickle.UnpicklingError, EOFError, LookupError, RuntimeError, TypeError, ValueError,
    AttributeError, struct.error,
)  # fmt: skip
Format = Literal["dcp", "safetensors", "torch"]
State = dict[str, Any]


def convert(source: Path, folder: Path, step: int) -> Path:
    """Import `source` into `folder` as a checkpoint of `step`; return its path.

    `source` is a file of `torch.save` (loaded with ``weights_only=True``), a
    safetensors file, a folder of them, or a torch.distributed.checkpoint
    folder. Nothing in it is executed. Raises `CheckpointError`.
    """
    draft = capture.draft(
        step,
        components(read(source)),
        rng=False,
        config=None,
        metrics=None,
        selection=None,
        digests=None,
        overwrite=False,
        group=SOLO,
    )
    return write_checkpoint(folder, draft, LOCAL, SOLO)


def read(source: Path) -> Any:
    """Return what is in a file or folder of another format. Raises `CheckpointError`."""
    if (source / ".metadata").is_file():
        from codex_ml.checkpointing import dcp

        return dcp.load(source)
    if source.is_dir():
        files = sorted(source.glob("*.safetensors"))
        if not files:
            raise CheckpointNotFoundError(f"{source}: neither safetensors nor .metadata in it")
        return {name: value for file in files for name, value in _safetensors(file).items()}
    if not source.is_file():
        raise CheckpointNotFoundError(f"{source}: no such file or folder")
    return _safetensors(source) if source.suffix == ".safetensors" else _torch(source)


def _safetensors(source: Path) -> State:
    try:
        return dict(load_file(source))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{source}: not a safetensors file: {error}") from error


def _torch(source: Path) -> Any:
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except (*MALFORMED, OSError) as error:
        cause = error.__context__ or error  # torch wraps it in advice to execute the file
        reason = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise CheckpointError(
            f"{source}: cannot be loaded as weights alone, without executing it: {reason}"
        ) from error


def components(state: Any) -> State:
    """Name the parts of an imported state: its own top level, or all of it ``model``."""
    match state:
        case Mapping() if state and all(_is_component(*item) for item in state.items()):
            return {"rng_imported" if name == "rng" else name: part for name, part in state.items()}
    return {"model": state}


def _is_component(name: object, part: object) -> bool:
    return isinstance(name, str) and COMPONENT.fullmatch(name) is not None and not _is_tensor(part)


def _is_tensor(part: object) -> bool:
    return isinstance(part, Tensor)


def export(checkpoint: Checkpoint, target: Path, to: Format, names: tuple[str, ...]) -> None:
    """Write the components `names` (none: all) of a checkpoint as a new file or folder.

    A single component is written as it is; several, by name. safetensors holds
    tensors only: the rest is left out. Raises `CheckpointExistsError`,
    `CheckpointError`.
    """
    chosen = {name: checkpoint[name] for name in names or checkpoint.components}
    state = next(iter(chosen.values())) if len(names) == 1 else chosen
    with _new(target) as hidden:
        _WRITERS[to](state, hidden)


def _write_safetensors(state: Any, target: Path) -> None:
    tensors: dict[str, Tensor] = {}
    places: set[int] = set()
    for path, value in _tensors(state, ()):
        name = "/".join(path) or "value"
        if name in tensors:
            raise CheckpointError(f"safetensors cannot hold two tensors with the name {name!r}")
        shared = value.data_ptr() in places  # a tied tensor has each of its names there
        places.add(value.data_ptr())
        tensors[name] = value.clone() if shared else value
    if not tensors:
        raise CheckpointError("nothing to export: no tensors in these components")
    try:
        save_file(tensors, target, metadata={"format": "pt"})
    except KeyError as error:
        raise CheckpointError(f"safetensors has no elements of {error}") from error


def _tensors(state: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Find all tensors, and the names of the places that they have in the state."""
    match state:
        case Tensor():
            yield path, state.detach().contiguous()
        case Mapping():
            for key, value in state.items():
                yield from _tensors(value, (*path, str(key)))
        case list() | tuple():
            for place, value in enumerate(state):
                yield from _tensors(value, (*path, str(place)))


def _write_torch(state: Any, target: Path) -> None:
    with target.open("wb") as stream:
        torch.save(state, stream)


def _write_dcp(state: Any, target: Path) -> None:
    from codex_ml.checkpointing import dcp

    dcp.save(state, target)


_WRITERS: dict[Format, Callable[[Any, Path], None]] = {
    "dcp": _write_dcp,
    "safetensors": _write_safetensors,
    "torch": _write_torch,
}


@contextmanager
def _new(target: Path) -> Iterator[Path]:
    """Yield a hidden name that becomes `target` when all went well."""
    if target.exists():
        raise CheckpointExistsError(f"{target}: is there already: delete it, or choose another")
    if not target.parent.is_dir():
        raise CheckpointNotFoundError(
            f"{target}: there is no folder {target.parent}: make it first"
        )
    hidden = target.with_name(f".tmp-{secrets.token_hex(8)}-{target.name}")
    try:
        yield hidden
        _sync(hidden)
        LOCAL.rename(hidden, target)
        LOCAL.sync_directory(target.parent)
    except OSError as error:
        raise storage_error(error) from error
    finally:
        if hidden.is_dir():
            shutil.rmtree(hidden)
        else:
            hidden.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    for part in (*(path.iterdir() if path.is_dir() else ()), path):
        descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
