"""The process in which `codex_ml.plugins.check` imports one plugin."""

from __future__ import annotations

import json
import os
import sys
import time

from codex_ml.plugins.errors import IncompatiblePluginError, PluginLoadError
from codex_ml.plugins.load import load
from codex_ml.plugins.metadata import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def probe(job: dict[str, Any]) -> None:
    """Import the job's entry and write outcome, error and seconds to the job's descriptor."""
    start = time.perf_counter()
    outcome, error = _outcome(Entry(*job["entry"]))
    seconds = round(time.perf_counter() - start, 3)
    sys.stderr.flush()
    os.write(job["result"], json.dumps([outcome, error, seconds]).encode())


def _outcome(entry: Entry) -> tuple[str, str | None]:
    try:
        load(entry)
    except IncompatiblePluginError as error:
        return "incompatible", str(error)[:2000]
    except PluginLoadError as error:
        return "broken", str(error)[:2000]
    return "ok", None
