"""The groups, and how names are written."""

import re

from codex_ml.plugins.errors import PluginError, UnknownPluginError

API_VERSION = 1
"""Version of the contract between codex-ml and its plugins (`CODEX_ML_API` in a plugin)."""

GROUPS = (
    "callbacks",
    "checkpoint_storages",
    "datasets",
    "metrics",
    "models",
    "tokenizers",
    "trackers",
)
"""What can be plugged in; a distribution declares entry points in ``codex_ml.<group>``."""

PREFIX = "codex_ml."
LISTED_ONLY = "codex_audit.practices"
"""The audit engine's entry-point group: shown beside the runtime's, never loaded by it."""

DISABLE = "CODEX_ML_PLUGINS_DISABLE"
OVERRIDE = "CODEX_ML_PLUGINS_OVERRIDE"

ENTRY_POINT_GROUPS = (*(PREFIX + group for group in GROUPS), LISTED_ONLY)


def normalise(name: str) -> str:
    """Return the canonical spelling of a plugin's name.

    Lower case, with each run of ``-``, ``_``, ``.`` and blanks as one ``-``
    (the rule of PEP 503 for distributions, blanks added).

    Raises:
        PluginError: nothing is left of the name.

    """
    canonical = re.sub(r"[-_.\s]+", "-", name).strip("-").lower()
    if not canonical:
        raise PluginError(f"{name!r} is no plugin name: give it a letter or a digit")
    return canonical


def check_group(group: str) -> str:
    """Return `group` without the entry-point prefix; `UnknownPluginError` if there is none."""
    short = group.removeprefix(PREFIX)
    if short not in (*GROUPS, LISTED_ONLY):
        known = ", ".join((*GROUPS, LISTED_ONLY))
        raise UnknownPluginError(f"no plugin group {group!r}: the groups are {known}")
    return short
