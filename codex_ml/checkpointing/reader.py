"""Reading a checkpoint: mapped into memory, verified against the manifest, lazily decoded."""

import mmap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, TypeVar

from codex_ml.checkpointing import tree
from codex_ml.checkpointing.digest import digest
from codex_ml.checkpointing.errors import (
    CheckpointNotFoundError,
    DamagedCheckpointError,
    MismatchError,
    SchemaVersionError,
)
from codex_ml.checkpointing.layout import MANIFEST
from codex_ml.checkpointing.manifest import Chunk, FileEntry, Manifest, TensorEntry, decode

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

# what decoding a tree raises that this package did not write
MALFORMED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def read_manifest(directory: Path) -> Manifest:
    """Return the verified manifest of the checkpoint in `directory`.

    Raises `CheckpointNotFoundError` without one, `DamagedCheckpointError` or
    `SchemaVersionError` with one that cannot be trusted.
    """
    path = directory / MANIFEST
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise FileNotFoundError
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointNotFoundError(f"{directory}: no checkpoint (no {MANIFEST})") from None
    except OSError as error:
        raise DamagedCheckpointError(
            f"{directory}: {MANIFEST} cannot be read: {error.strerror}", (MANIFEST,)
        ) from None
    return decode(data, str(directory))


@dataclass(frozen=True)
class Checkpoint:
    """One saved state. Nothing is read before it is asked for, and nothing unverified is returned.

    Tensors are mapped copy-on-write: changing one never changes the file.
    Clone what is kept for long: a mapped tensor keeps its file's disk space
    taken even after the checkpoint is deleted.
    """

    path: Path
    manifest: Manifest
    rank: int = 0
    size: int = 1

    @classmethod
    def open(cls, path: str | Path, rank: int = 0, size: int = 1) -> "Checkpoint":
        """Open the checkpoint directory `path` on one of `size` ranks; reads the manifest only."""
        directory = Path(path)
        return cls(directory, read_manifest(directory), rank, size)

    @property
    def step(self) -> int:
        """The training step that was saved."""
        return self.manifest.step

    @property
    def components(self) -> tuple[str, ...]:
        """Names of what was saved: ``model``, ``optimizer``, ..."""
        return tuple(self.manifest.state)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The metrics that were saved with the step."""
        return {name: self._plain(name, node) for name, node in self.manifest.metrics.items()}

    @cached_property
    def config(self) -> Any:
        """The configuration that was saved with the step."""
        return self._plain("config", self.manifest.config)

    @property
    def digests(self) -> dict[str, str]:
        """Digests of other files that the state depends on, such as the tokenizer's."""
        return self.manifest.digests

    def __contains__(self, component: object) -> bool:
        """Whether the component was saved."""
        return component in self.manifest.state

    def __getitem__(self, component: str) -> Any:
        """Return a component's state, as its ``state_dict()`` gave it; tensors on the CPU.

        Raises `CheckpointNotFoundError` for a component that was not saved,
        `DamagedCheckpointError` where its bytes are not those that were saved.
        """
        from codex_ml.checkpointing.tensors import put_together

        node = self._node(component)
        self.verify([component])
        return self._decoded(component, lambda: put_together(node, self.tensor))

    def placed(self, component: str, targets: Mapping[str, object]) -> Any:
        """Return a component's state with each tensor in `targets` cut to the target's block.

        `targets` maps tensors' names to a `Shard` or DTensor; only the bytes
        that this rank needs are read.
        """
        from codex_ml.checkpointing import sharding, tensors

        def tensor(name: str) -> Any:
            target = targets.get(name)
            shard = sharding.as_shard(target, (name,))
            if shard is None:
                return self.tensor(name)
            return sharding.like(target, self.block(name, shard.offsets, tuple(shard.tensor.shape)))

        node = self._node(component)
        return self._decoded(component, lambda: tensors.put_together(node, tensor))

    def ranks(self, component: str) -> tuple[Any, ...]:
        """Return what each rank had saved of a component that every rank has its own of."""
        from codex_ml.checkpointing.tensors import put_together

        match self._present(component):
            case {"$ranks": [*nodes]}:
                return self._decoded(
                    component, lambda: tuple(put_together(node, self.tensor) for node in nodes)
                )
        return (self[component],)

    def tensor(self, name: str) -> "Tensor":
        """Return one tensor, such as ``model/wte.weight``, verifying only its bytes."""
        from codex_ml.checkpointing.tensors import load_chunk

        entry = self._entry(name)
        if entry.chunks[0].offsets is None:
            return load_chunk(entry, entry.chunks[0], self._verified_bytes(entry, entry.chunks[0]))
        return self.block(name, (0,) * len(entry.shape), entry.shape)

    def block(self, name: str, offsets: tuple[int, ...], shape: tuple[int, ...]) -> "Tensor":
        """Return a copy of the block of a tensor at `offsets`, reading only what it needs."""
        from codex_ml.checkpointing.sharding import cut
        from codex_ml.checkpointing.tensors import load_chunk

        entry = self._entry(name)
        return cut(
            entry,
            lambda chunk: load_chunk(entry, chunk, self._verified_bytes(entry, chunk)),
            offsets,
            shape,
        )

    def verify(self, components: Iterable[str] | None = None) -> None:
        """Compare every byte of the named components, or of all, with its digest.

        Raises `DamagedCheckpointError` that names every damaged tensor and file.
        """
        if damage := self.damage(components):
            raise self._damaged(damage)

    def damage(self, components: Iterable[str] | None = None) -> tuple[str, ...]:
        """Name what is not as saved, tensor by tensor; empty when all is well."""
        chosen = set(self.components if components is None else components)
        wanted = [entry for entry in self.manifest.tensors if entry.component in chosen]
        paths = {chunk.file for entry in wanted for chunk in entry.chunks}
        return tuple(
            name
            for file in self.manifest.files
            if file.path in paths or components is None
            for name in self._damage_of(file)
        )

    def _damage_of(self, file: FileEntry) -> tuple[str, ...]:
        if (problem := self._size_problem(file)) is not None:
            return (problem,)
        if file.path in self._verified:
            return ()
        view = self._views[file.path]
        if digest(view) == file.digest:
            self._verified.add(file.path)
            return ()
        header = digest(view[: file.data_start]) != file.header
        tensors = [
            entry.name
            for entry in self.manifest.tensors
            for chunk in entry.chunks
            if chunk.file == file.path and digest(self._read(chunk)) != chunk.digest
        ]
        return (*([f"header of {file.path}"] if header else []), *tensors) or (file.path,)

    def _verified_bytes(self, entry: TensorEntry, chunk: Chunk) -> memoryview:
        if (problem := self._size_problem(self._files[chunk.file])) is not None:
            raise self._damaged((problem,))
        data = self._read(chunk)
        if chunk.file not in self._verified and digest(data) != chunk.digest:
            raise self._damaged((entry.name,))
        return data

    def _size_problem(self, file: FileEntry) -> str | None:
        if file.path in self._views:
            return None
        path = self.path / file.path
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):  # opening a pipe would wait for ever
                return f"{file.path} (not a file)"
            if stat.st_size != file.size:
                return f"{file.path} ({stat.st_size} bytes instead of {file.size})"
            with path.open("rb") as stream:
                self._views[file.path] = memoryview(
                    mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
                )
        except OSError as error:
            return f"{file.path} ({error.strerror})"
        return None

    def _read(self, chunk: Chunk) -> memoryview:
        return self._views[chunk.file][chunk.start : chunk.start + chunk.size]

    def _entry(self, name: str) -> TensorEntry:
        if name not in self._entries:
            raise CheckpointNotFoundError(f"{self.path}: no tensor {name!r}")
        return self._entries[name]

    def _present(self, component: str) -> Any:
        if component not in self:
            held = ", ".join(self.components) or "nothing"
            raise CheckpointNotFoundError(f"{self.path}: no {component!r} was saved, only {held}")
        return self.manifest.state[component]

    def _node(self, component: str) -> Any:
        match self._present(component):
            case {"$ranks": [*nodes]} if len(nodes) != self.size:
                raise MismatchError(
                    f"{self.path}: each of {len(nodes)} ranks saved its own {component!r}, "
                    f"and this is rank {self.rank} of {self.size}: "
                    f"read checkpoint.ranks({component!r}), or restore without it"
                )
            case {"$ranks": [*nodes]}:
                return nodes[self.rank]
            case node:
                return node

    def _plain(self, what: str, node: Any) -> Any:
        return self._decoded(what, lambda: tree.decode(node, tree.only_python))

    def _decoded(self, what: str, work: Callable[[], T]) -> T:
        """Decode a part of the manifest, which may come from anywhere."""
        try:
            return work()
        except MALFORMED as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise SchemaVersionError(
                f"{self.path}: manifest contradicts itself: {what}: {reason}"
            ) from error

    def _damaged(self, damage: tuple[str, ...]) -> DamagedCheckpointError:
        return DamagedCheckpointError(f"{self.path}: damaged: {', '.join(damage)}", damage)

    @cached_property
    def _entries(self) -> dict[str, TensorEntry]:
        return {entry.name: entry for entry in self.manifest.tensors}

    @cached_property
    def _files(self) -> dict[str, FileEntry]:
        return {entry.path: entry for entry in self.manifest.files}

    @cached_property
    def _views(self) -> dict[str, memoryview]:
        return {}

    @cached_property
    def _verified(self) -> set[str]:
        return set()
