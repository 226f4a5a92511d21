"""``codex-ml plugins list``: what can be plugged in, and its state.

Reads metadata only and imports no plugin, so it answers at once whatever the
plugins do; ``--check`` imports each in a process of its own. Parsed by argparse:
click costs more than the listing itself.
"""

from __future__ import annotations

import argparse
import json
import sys

from codex_ml.cli import guard
from codex_ml.errors import ExitCode
from codex_ml.plugins import listing
from codex_ml.plugins.groups import GROUPS, LISTED_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's argument parser."""
    options = argparse.ArgumentParser(
        prog,
        description="List what can be plugged in, without importing any of it.",
        # Without a width argparse imports shutil, and with it every compression library.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=88),
    )
    options.add_argument("--format", choices=("text", "json"), default="text")
    options.add_argument("--group", metavar="G", help=f"one of {', '.join((*GROUPS, LISTED_ONLY))}")
    options.add_argument("--names-only", action="store_true", help="only the names of usable ones")
    options.add_argument(
        "--check", action="store_true", help="import each plugin in a process of its own"
    )
    options.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="seconds a --check may take (10)"
    )
    return options


def seconds(text: str) -> float:
    """Read a time limit: above 0 and at most a day; `ValueError` otherwise."""
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError(text)
    return value


def main(
    argv: Sequence[str] | None = None, prog: str = "python -m codex_ml.cli.list_plugins"
) -> int:
    """Print the listing; exit 0 whatever the state of the plugins."""
    args = parser(prog).parse_args(argv)
    return guard(lambda: _list(args))


def _list(args: argparse.Namespace) -> int:
    entries, problems = listing.collect(args.group)
    checks = listing.check_all(entries, args.timeout) if args.check else None
    if checks is not None and args.names_only:
        entries = [entry for entry in entries if checks[entry].outcome == "ok"]
    match args.format, args.names_only:
        case "json", True:
            found = listing.names(entries)
            print(json.dumps({"schema_version": listing.SCHEMA_VERSION, "names": found}))
        case "json", False:
            print(json.dumps(listing.document(entries, problems, checks)))
        case _, True:
            for group, names in listing.names(entries).items():
                print("\n".join(f"{group}.{name}" for name in names))
        case _:
            print(listing.text(entries, problems, checks))
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
