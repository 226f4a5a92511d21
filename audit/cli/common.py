"""Options that several subcommands share, and what they build from them."""

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import click

from audit import plugins
from audit.errors import AuditError
from audit.files import refuse_escape
from audit.model import Outcome
from audit.run.engine import audit
from audit.run.request import Options, Request, build
from audit.store import NoStore, Store, default_path, open_store

Function = TypeVar("Function", bound=Callable[..., Any])

path_argument = click.argument("path", type=click.Path(path_type=Path), default=".")


plugin_option = click.option(
    "--plugin",
    metavar="MODULE",
    multiple=True,
    expose_value=False,
    callback=lambda _, __, references: plugins.use(references),
    help="Count the practices of an importable MODULE (or MODULE:NAME), too; repeatable.",
)


def source_options(function: Function) -> Function:
    """Add the options that say what to audit and how."""
    for option in reversed(
        (
            click.option("--rev", metavar="REV", help="Audit a revision from Git's object store."),
            click.option(
                "--config",
                type=click.Path(path_type=Path),
                help="Use this configuration instead of the repository's own.",
            ),
            click.option(
                "--trust", is_flag=True, help="Use templates that the repository brings."
            ),
            click.option(
                "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1,
                help="Processes for reading code.  [default: all cores]",
            ),
            plugin_option,
            click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


coverage_option = click.option(
    "--coverage",
    type=click.Path(path_type=Path),
    help="Measured coverage (coverage.xml, coverage.json, .coverage): decides instead of "
    "reachability whether tests reach a line of evidence.",
)


def request(
    path: Path, options: dict[str, Any], cache: Store | NoStore, *, fast: bool = False
) -> Request:
    """Return the request that the shared options ask for."""
    asked = Options(
        path,
        options["rev"],
        options["config"],
        options["trust"],
        fast,
        options["jobs"],
        options.get("coverage"),
    )
    return build(asked, cache)


def store(options: dict[str, Any]) -> Store | NoStore:
    """Open the cache, unless it is not wanted, until the command ends, in whatever way."""
    cache = NoStore() if options["no_cache"] else open_store(_cache())
    return click.get_current_context().with_resource(closing(cache))


def _cache() -> Path:
    """Return where the cache lies.

    Raises:
        AuditError: `XDG_CACHE_HOME` names a folder behind a link out of its repository.
    """
    path = default_path()
    if os.environ.get("XDG_CACHE_HOME"):
        try:
            refuse_escape(path, click.get_current_context().params.get("path"))
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise AuditError(f"{error.filename}: {reason}: set another XDG_CACHE_HOME") from None
    return path


def outcome(asked: Request, cache: Store | NoStore) -> Outcome:
    """Run the audit, telling a terminal how it goes."""
    with Progress() as progress:
        return audit(asked, cache, progress)


class Progress:
    """One line on stderr that says what is being done; silent where nobody watches."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, message: str) -> None:
        """Replace the line."""
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{message} …")
            sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
