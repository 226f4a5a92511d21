"""Checks → runs: each row by itself, the console blocks of a document as one session."""

import shlex
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from audit.model import Value
from audit.validation import place
from audit.validation.model import Check, Run
from audit.validation.process import Processes


class Settings(Value, frozen=True):
    """How commands are run."""

    timeout: float
    """Seconds that a command may take."""
    jobs: int = 1
    sandbox: bool = False


def execute(
    checks: Iterable[Check], settings: Settings, tell: Callable[[str], None]
) -> dict[Check, Run]:
    """Run the commands of all checks without a problem."""
    processes = Processes()
    with _terminable(), ThreadPoolExecutor(settings.jobs) as pool:
        try:
            found = pool.map(lambda unit: _unit(unit, settings, processes, tell), _units(checks))
            return {check: run for unit in found for check, run in unit}
        except BaseException:
            processes.stop()
            raise


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does: nothing that runs is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _units(checks: Iterable[Check]) -> Iterator[tuple[Check, ...]]:
    """Yield what can run side by side: each row, and the console blocks of each document."""
    able = [one for one in checks if not one.problem]
    yield from ((one,) for one in able if not one.contract.console)
    console = (one for one in able if one.contract.console)
    for _, unit in groupby(console, lambda one: one.contract.file):
        yield tuple(unit)


def _unit(
    unit: tuple[Check, ...], settings: Settings, processes: Processes, tell: Callable[[str], None]
) -> list[tuple[Check, Run]]:
    root = place.root_of(Path(unit[0].contract.file))
    with tempfile.TemporaryDirectory(prefix="codex-audit-", ignore_cleanup_errors=True) as folder:
        session = Path(folder, "session")
        session.mkdir()
        (session / "exports").touch()
        (session / "status").write_text("0")
        with _folder(root, Path(folder), settings) as where:
            (session / "folder").write_text(str(where))
            env = place.environment(where)
            runs = []
            for check in unit:
                contract = check.contract
                tell(f"{contract.id} {contract.command.splitlines()[0]}")
                script, cwd = contract.command, where
                if contract.console:
                    script, cwd = _continued(session, contract.command)
                run = processes.run(script, cwd, env, settings.timeout, merge=contract.console)
                runs.append((check, run))
            return runs


@contextmanager
def _folder(root: Path, scratch: Path, settings: Settings) -> Iterator[Path]:
    if settings.sandbox:
        copied = scratch / root.name
        place.copy(root, copied)
        yield copied
    else:
        yield root


def _continued(session: Path, command: str) -> tuple[str, Path]:
    """Return a script that goes on where the session's last command stopped, and its folder.

    Folder, exported variables and ``$?`` carry over, as at a prompt.
    """
    at = shlex.quote(str(session))
    status = (session / "status").read_text().strip()
    script = (
        f"trap '_status=$?; pwd > {at}/folder; export -p > {at}/exports; "
        f'echo "$_status" > {at}/status; exit "$_status"\' EXIT\n'
        f". {at}/exports\n(exit {status})\n{command}\n"
    )
    return script, Path((session / "folder").read_text().removesuffix("\n"))
