"""Import a plugin: the only place where a plugin's code starts to run."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from importlib import import_module

from codex_ml.extras import cure
from codex_ml.plugins.errors import IncompatiblePluginError, PluginLoadError
from codex_ml.plugins.groups import API_VERSION, DISABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_ml.plugins.metadata import Entry

MARKER = "CODEX_ML_API"
"""A plugin, or its module, says which version of the contract it is written for.

Without it a plugin is taken to be written for version 1, the first.
"""


def load(entry: Entry) -> object:
    """Import and return the object behind an entry.

    What the plugin prints while it is imported goes to stderr, so that a
    command's stdout stays its own.

    Raises:
        PluginLoadError: importing it failed, in whatever way.
        IncompatiblePluginError: it is written for another API version.

    """
    label = f"plugin {entry.group}.{entry.name} of {entry.owner} ({entry.target})"
    module_name, _, attribute = entry.target.partition(":")
    try:
        with stdout_to_stderr():
            module = found = import_module(module_name)
            for part in attribute.split(".") if attribute else ():
                found = getattr(found, part)
    except (Exception, SystemExit) as error:
        if missing := cure(error):
            raise PluginLoadError(f"{label}: {missing}") from error
        raise PluginLoadError(
            f"{label} cannot be imported: {type(error).__name__}: {error}; "
            f"fix or uninstall it, or set {DISABLE}={entry.group}.{entry.name}"
        ) from error
    written_for = getattr(found, MARKER, getattr(module, MARKER, 1))
    if written_for != API_VERSION:
        raise IncompatiblePluginError(
            f"{label} is written for plugin API {written_for!r}, this is codex-ml with plugin API "
            f"{API_VERSION}: install a version of {entry.owner} that fits"
        )
    return found


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send what is printed, and what is written to file descriptor 1, to stderr."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
