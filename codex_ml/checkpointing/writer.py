"""Writing a checkpoint: under a hidden name, then one rename makes it exist."""

from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import msgspec

from codex_ml.checkpointing.errors import CheckpointExistsError
from codex_ml.checkpointing.files import Files, OutputFile, locked
from codex_ml.checkpointing.folder import Stored, scan
from codex_ml.checkpointing.group import Group, agree
from codex_ml.checkpointing.layout import tensors_name
from codex_ml.checkpointing.manifest import FileEntry, Json, Manifest, Selection, TensorEntry
from codex_ml.checkpointing.merge import Part, merge
from codex_ml.checkpointing.publishing import publish, staging
from codex_ml.checkpointing.reader import Checkpoint
from codex_ml.checkpointing.safetensors_file import Plan
from codex_ml.checkpointing.tensors import Component

PACKAGES = ("codex-ml", "numpy", "torch")


@dataclass(frozen=True, slots=True)
class Draft:
    """A checkpoint that is not yet on disk; every rank has its own."""

    step: int
    components: tuple[Component, ...]
    metrics: dict[str, Json] = field(default_factory=dict)
    selection: Selection | None = None
    config: Json = None
    digests: dict[str, str] = field(default_factory=dict)
    overwrite: bool = False
    after: int = 0  # sequence number of a checkpoint that is elsewhere


def write_checkpoint(folder: Path, draft: Draft, files: Files, group: Group) -> Path:
    """Save `draft` durably in `folder` and return the directory's path.

    Raises `CheckpointExistsError` where the step is already there and
    `StorageError` where the file system refuses; nothing is left behind then.
    """
    with ExitStack() as cleanup:

        def stage() -> bytes:
            return _stage(folder, draft, files, cleanup).name.encode() if group.rank == 0 else b""

        hidden = folder / agree(group, stage)[0].decode()
        parts = agree(group, lambda: msgspec.json.encode(_write(hidden, draft, files, group)))

        def publish() -> bytes:
            if group.rank != 0:
                return b""
            decoded = [msgspec.json.decode(part, type=Part) for part in parts]
            return _publish(folder, hidden, draft, merge(decoded), files).name.encode()

        return folder / agree(group, publish)[0].decode()


def _stage(folder: Path, draft: Draft, files: Files, cleanup: ExitStack) -> Path:
    _refuse_to_overwrite(scan(folder).at_step(draft.step), draft)
    return cleanup.enter_context(staging(files, folder, draft.step))


def _refuse_to_overwrite(existing: Sequence[Stored], draft: Draft) -> None:
    """A checkpoint that verifies is replaced on request only; a damaged one may be."""
    for item in existing:
        if not draft.overwrite and not Checkpoint(item.path, item.manifest).damage():
            raise CheckpointExistsError(
                f"{item.path}: step {draft.step} is already saved: "
                "pass overwrite=True to replace it, or save into another folder"
            )


def _write(hidden: Path, draft: Draft, files: Files, group: Group) -> Part:
    """Write this rank's tensors, one file per component that has any; durable on return."""
    entries: list[FileEntry] = []
    tensors: list[TensorEntry] = []
    with ExitStack() as cleanup:
        opened: list[OutputFile] = []
        for component in filter(lambda component: component.blocks, draft.components):
            name = tensors_name(component.name, group.rank, group.size)
            plan = Plan.of(name, component.blocks)
            file = cleanup.enter_context(closing(files.create(hidden / name, plan.size)))
            entry, chunks = plan.write(file)
            opened.append(file)
            entries.append(entry)
            tensors.extend(
                TensorEntry(f"{component.name}/{block.key}", block.dtype, block.shape, (chunk,))
                for block, chunk in zip(component.blocks, chunks, strict=True)
            )
        for file in opened:  # by now the disk has most of them
            file.sync()
    trees = {component.name: component.tree for component in draft.components}
    return Part(tuple(entries), tuple(tensors), trees)


def _publish(folder: Path, hidden: Path, draft: Draft, whole: Part, files: Files) -> Path:
    with locked(folder):
        found = scan(folder)
        existing = found.at_step(draft.step)
        _refuse_to_overwrite(existing, draft)
        manifest = Manifest(
            step=draft.step,
            sequence=max(found.next_sequence, draft.after + 1),
            saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
            world_size=whole.ranks,
            metrics=draft.metrics,
            selection=draft.selection,
            versions=_versions(),
            config=draft.config,
            digests=draft.digests,
            files=whole.files,
            tensors=whole.tensors,
            state=whole.state,
        )
        return publish(files, folder, hidden, manifest, existing)


@cache
def _versions() -> dict[str, str]:
    versions = {"python": python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
