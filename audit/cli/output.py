"""Where reports go: one run, any number of ``--format NAME[=FILE]``, a job summary."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from audit.errors import AuditError
from audit.files import refuse_escape, replace
from audit.formats import FORMATS, Report, render, text

Function = TypeVar("Function", bound=Callable[..., Any])
SUMMARY = "GITHUB_STEP_SUMMARY"


class Target(NamedTuple):
    """A format and the file it goes to; stdout where there is none."""

    name: str
    path: Path | None


def parse(
    _context: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> tuple[Target, ...]:
    """Return the targets that words like ``NAME`` or ``NAME=FILE`` name.

    Raises:
        BadParameter: there is no such format.
    """
    pairs = [word.partition("=") for word in words]
    for name, _, _ in pairs:
        if name not in FORMATS:
            known = ", ".join(map(repr, FORMATS))
            raise click.BadParameter(f"{name!r} is not one of {known}", param=param)
    return tuple(Target(name, Path(path) if path else None) for name, _, path in pairs)


def output_options(function: Function) -> Function:
    """Add the options that say what is written where."""
    names = ", ".join(FORMATS)
    function = click.option(
        "--step-summary", is_flag=True,
        help=f"Append the Markdown report to the file that ${SUMMARY} names.",
    )(function)  # fmt: skip
    return click.option(
        "--format", "targets", callback=parse, multiple=True, metavar="NAME[=FILE]",
        help=f"Print a format, or write it to FILE; any number. One of {names}.",
    )(function)  # fmt: skip


def check(targets: tuple[Target, ...], step_summary: bool, root: Path) -> None:
    """Refuse what cannot be done before anything of `root` is audited.

    Raises:
        UsageError: two formats for one place, or no job summary to append to.
        AuditError: a file lies behind a link out of its repository.
    """
    for one in targets:
        if one.path is not None:
            _refuse(one.path, root)
    places = [str(one.path or "stdout") for one in targets]
    for place in places:
        if places.count(place) > 1:
            hint = ": give the others a file: --format NAME=FILE" if place == "stdout" else ""
            raise click.UsageError(f"several --format go to {place}{hint}")
    if step_summary and not os.environ.get(SUMMARY):
        raise click.UsageError(f"--step-summary: {SUMMARY} is not set: GitHub's runner sets it")


def _refuse(path: Path, root: Path) -> None:
    try:
        refuse_escape(path.parent, root)
    except OSError as error:
        raise _unwritten(path, error) from None


def _unwritten(path: Path, error: OSError) -> AuditError:
    reason = (error.strerror or "cannot be written").lower()
    return AuditError(f"{path}: {reason}: choose another --format NAME=FILE")


def emit(found: Report, targets: tuple[Target, ...], step_summary: bool = False) -> None:
    """Render everything, then write the files, the job summary and, last, stdout.

    Raises:
        AuditError: a file cannot be written.
    """
    shown = [one.name for one in targets if one.path is None] or (["text"] if not targets else [])
    files = {one.path: render(one.name, found) for one in targets if one.path is not None}
    printed = "".join(screen(name, found) for name in shown)
    if step_summary:
        append(Path(os.environ[SUMMARY]), render("md", found))
    write(files)
    click.echo(printed, nl=False)


def screen(name: str, found: Report) -> str:
    """Return what stdout gets: the terminal's format with colour where it is a terminal."""
    return text.render(found, colour=colours()) if name == "text" else render(name, found)


def colours() -> bool:
    """Tell whether stdout is a terminal that wants colours (https://no-color.org)."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") not in (None, "", "dumb")
    )


def write(files: Mapping[Path, str]) -> None:
    """Write files, each whole or not at all.

    Raises:
        AuditError: one cannot be written.
    """
    for path, content in files.items():
        try:
            replace(path, content.encode())
        except OSError as error:
            raise _unwritten(path, error) from None


def append(path: Path, content: str) -> None:
    """Append to the job summary, which other commands of the step write, too.

    Raises:
        AuditError: it cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(content)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise AuditError(f"{path}: {reason}: {SUMMARY} must name a file") from None
