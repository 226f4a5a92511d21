"""``codex-ml checkpoint``: look at, verify, compare, tidy up and convert checkpoints."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import click

from codex_ml.checkpointing import report, selecting, upkeep
from codex_ml.checkpointing.layout import MANIFEST
from codex_ml.checkpointing.reader import Checkpoint
from codex_ml.checkpointing.retention import Retention
from codex_ml.errors import ExitCode

PATH = click.Path(path_type=Path)
FORMAT = click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
WHICH = click.option(
    "--which", default="latest", show_default=True, help="latest, best or a step, in a folder."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at, verify, compare, tidy up and convert checkpoints."""


@command.command("list")
@click.argument("folder", type=PATH)
@FORMAT
def list_checkpoints(folder: Path, style: str) -> None:
    """List the checkpoints in FOLDER, oldest first."""
    rows = report.listing(folder)
    _show(rows, style, lambda: _table(rows))


def _table(rows: list[report.Row]) -> Iterable[str]:
    for row in rows:
        if "error" in row:
            yield f"unreadable: {row['error']}"
            continue
        marks = [name for name in ("last", "best") if row[name]]
        metrics = [f"{name}={value}" for name, value in row["metrics"].items()]
        size = f"{row['bytes'] / 1e6:.1f} MB"
        yield "  ".join([f"{row['step']:>8}", row["saved_at"], f"{size:>12}", *metrics, *marks])


@command.command()
@click.argument("path", type=PATH)
@WHICH
@FORMAT
def inspect(path: Path, which: str, style: str) -> None:
    """Show what is in the checkpoint PATH, or in one of the folder PATH."""
    row = report.inspection(_open(path, which))
    _show(row, style, lambda: _details(row))


def _details(row: report.Row) -> Iterable[str]:
    for key, value in row.items():
        if key == "tensors":
            yield f"tensors: {len(value)}"
            for tensor in value:
                yield f"  {tensor['name']}  {tensor['dtype']} {tensor['shape']}"
        else:
            yield f"{key}: {value if isinstance(value, str | int) else json.dumps(value)}"


@command.command()
@click.argument("path", type=PATH)
@FORMAT
def verify(path: Path, style: str) -> int:
    """Verify every byte of the checkpoint PATH, or of all in the folder PATH.

    Exit code 1 where something is damaged.
    """
    rows = report.verification(path)
    _show(
        rows,
        style,
        lambda: (
            f"{row['path']}: {'holds' if row['holds'] else 'DAMAGED: ' + ', '.join(row['damage'])}"
            for row in rows
        ),
    )
    return ExitCode.OK if all(row["holds"] for row in rows) else ExitCode.FAILED


@command.command()
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@FORMAT
def diff(old: Path, new: Path, style: str) -> int:
    """Compare two checkpoints, or the latest of two folders. Exit code 1 if they differ."""
    row = report.difference(_open(old, "latest").manifest, _open(new, "latest").manifest)
    lines = list(_differences(row))
    _show(row, style, lambda: lines)
    return ExitCode.FAILED if lines else ExitCode.OK


def _differences(row: report.Row) -> Iterable[str]:
    for kind in ("only_old", "only_new", "reshaped", "changed"):
        for name in row["tensors"][kind]:
            yield f"{kind.replace('_', ' ')}: {name}"
    if row["random_state"]:
        yield "random state"
    for section in ("state", "config", "metrics", "versions", "digests"):
        for change in row[section]:
            sides = [str(change.get(side, "(none)")) for side in ("old", "new")]
            yield f"{section} {change['path']}: {' -> '.join(sides)}"


@command.command()
@click.argument("folder", type=PATH)
@click.option("--keep-last", type=click.IntRange(1), required=True, help="Keep the N newest.")
@click.option("--keep-best", type=click.IntRange(0), default=0, help="Keep the N best as well.")
@click.option("--metric", help="What the best are the best by.")
@click.option("--mode", type=click.Choice(["min", "max"]), default="min", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@FORMAT
def prune(
    folder: Path,
    keep_last: int,
    keep_best: int,
    metric: str | None,
    mode: Literal["min", "max"],
    *,
    dry_run: bool,
    style: str,
) -> None:
    """Delete what killed writers left in FOLDER, and the checkpoints not to be kept."""
    report.listing(folder)
    retention = Retention.of(keep_last, keep_best, metric, mode)
    deleted = upkeep.prune(folder, retention, dry_run=dry_run)
    row = {"deleted": [str(path) for path in deleted], "dry_run": dry_run}
    verb = "would delete" if dry_run else "deleted"
    _show(row, style, lambda: (f"{verb} {path}" for path in deleted))


@command.command()
@click.argument("source", type=PATH)
@click.argument("folder", type=PATH)
@click.option("--step", type=click.IntRange(0), default=0, show_default=True)
@FORMAT
def convert(source: Path, folder: Path, step: int, style: str) -> None:
    """Import SOURCE, of another format, into FOLDER as a checkpoint.

    SOURCE is a file of torch.save, a safetensors file or a folder of them, or a
    torch.distributed.checkpoint folder. Nothing in it is executed.
    """
    from codex_ml.checkpointing import interop

    path = str(interop.convert(source, folder, step))
    _show({"path": path}, style, lambda: [path])


@command.command()
@click.argument("path", type=PATH)
@click.argument("target", type=PATH)
@click.option("--to", type=click.Choice(["dcp", "safetensors", "torch"]), required=True)
@click.option("--component", "names", multiple=True, help="Only this; may be repeated.")
@WHICH
@FORMAT
def export(
    path: Path,
    target: Path,
    to: Literal["dcp", "safetensors", "torch"],
    names: tuple[str, ...],
    which: str,
    style: str,
) -> None:
    """Write the checkpoint PATH, or one of the folder PATH, as TARGET in another format."""
    from codex_ml.checkpointing import interop

    interop.export(_open(path, which), target, to, names)
    _show({"path": str(target)}, style, lambda: [str(target)])


def _open(path: Path, which: str) -> Checkpoint:
    """Open the checkpoint `path`, or one in the folder `path`; reads the manifest only."""
    if (path / MANIFEST).exists():
        return Checkpoint.open(path)
    return selecting.choose(path, int(which) if which.isdecimal() else which, ())


def _show(value: Any, style: str, lines: Callable[[], Iterable[str]]) -> None:
    if style == "json":
        click.echo(json.dumps(value))
    else:
        for line in lines():
            click.echo(line)


if __name__ == "__main__":
    from codex_ml.cli import run

    sys.exit(run(command))
