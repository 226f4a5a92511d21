"""Checks and runs → verdicts: each contract held or broken, with every reason."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from audit.files import read_bytes
from audit.validation.model import Check, Clause, Run, Status, Verdict
from audit.validation.place import root_of
from audit.validation.process import LIMIT
from audit.visible import visible

SHOWN = 200
"""Characters of an output that a reason quotes, and of a line that is shown."""
TAIL = 15
"""Lines of each stream that are shown of a broken command: pytest names what failed there."""
_ELLIPSIS = re.compile(r"\.\.\.|…")
_NO_INPUT = re.compile(r"Bad file descriptor|EBADF|EOFError")


def judge(check: Check, run: Run | None) -> Verdict:
    """Return what is to be said about a contract; without a run it is planned, or broken."""
    if check.problem:
        return _verdict(check, "broken", (check.problem,))
    if run is None:
        return _verdict(check, "planned", ())
    reasons = tuple(_reasons(check, run))
    return msgspec.structs.replace(
        _verdict(check, "broken" if reasons else "held", reasons),
        seconds=round(run.seconds, 3),
        exit_code=run.exit_code,
        stdout=_tail(run.stdout) if reasons else (),
        stderr=_tail(run.stderr) if reasons else (),
    )


def _tail(written: str) -> tuple[str, ...]:
    """Return the last lines of an output as a terminal shows them: what is over a CR is gone."""
    first, *rest = written.rstrip().rsplit("\n", TAIL)
    rows = rest if len(rest) == TAIL else [first, *rest]
    shown = [visible(row.rstrip().rpartition("\r")[2].expandtabs()) for row in rows]
    cut = [row if len(row) <= SHOWN else f"{row[:SHOWN]}…" for row in shown]
    return tuple(cut) if first or rest else ()


def _verdict(check: Check, status: Status, reasons: tuple[str, ...]) -> Verdict:
    one = check.contract
    return Verdict(
        one.file, one.line, one.id, one.command, one.expected, status, check.free, reasons
    )


def _reasons(check: Check, run: Run) -> Iterator[str]:
    match run.ending:
        case "timed out":
            yield f"did not end within {run.seconds:.0f} s and was killed{_last_words(run)}"
        case "flooded":
            yield f"wrote more than {LIMIT // 1_000_000} MB and was killed"
        case "not started":
            yield f"could not be started: {run.stderr}"
        case "exited":
            for clause in check.clauses:
                yield from _broken(clause, run, root_of(Path(check.contract.file)))


def _broken(clause: Clause, run: Run, root: Path) -> Iterator[str]:
    written = run.stderr if clause.stream == "stderr" else run.stdout
    match clause.kind:
        case "exit" if run.exit_code != int(clause.value):
            yield f"exit {run.exit_code}, expected {clause.value}{_last_words(run)}"
        case "empty" if written:
            yield f"{clause.stream} is not empty: {_quoted(written)}"
        case "contains" if clause.value not in written:
            yield f"{clause.stream} does not contain {clause.value!r}: {_quoted(written)}"
        case "json":
            yield from _not_json(written)
        case "schema":
            yield from _not_json(written) or _not_valid(written, root / clause.value)
        case "shown":
            yield from _not_shown(clause.value, written)


def _not_json(written: str) -> list[str]:
    try:
        msgspec.json.decode(written)
    except (msgspec.DecodeError, RecursionError) as error:
        return [f"stdout is not valid JSON: {error}: {_quoted(written)}"]
    return []


def _not_valid(written: str, path: Path) -> Iterator[str]:
    try:
        schema = msgspec.json.decode(read_bytes(path))
        kind = validator_for(schema)
        kind.check_schema(schema)
        # With a registry of its own nothing is fetched from anywhere.
        errors = list(kind(schema, registry=Registry()).iter_errors(msgspec.json.decode(written)))
    except OSError as error:
        yield f"the schema {path.name} cannot be read: {error.strerror}"
    except (msgspec.DecodeError, SchemaError, Unresolvable) as error:
        yield f"the schema {path.name} is no JSON Schema: {str(error).splitlines()[0]}"
    else:
        for one in sorted(errors, key=lambda one: one.json_path)[:3]:
            yield f"stdout does not match {path.name}: {one.json_path}: {one.message[:SHOWN]}"


def _not_shown(shown: str, written: str) -> Iterator[str]:
    """Compare with what is shown: ``...`` or ``…`` is any text, on a line alone any lines."""
    found = "\n".join(map(str.rstrip, written.strip("\n").splitlines()))
    if pattern(shown).fullmatch(found):
        return
    lines = shown.splitlines()
    for number in range(1, len(lines) + 1):
        if not pattern("\n".join([*lines[:number], "..."])).fullmatch(found):
            yield f"the output does not hold {lines[number - 1]!r} there: {_quoted(written)}"
            return
    yield f"the output goes on after what is shown: {_quoted(written)}"


def pattern(shown: str) -> re.Pattern[str]:
    """Return what an output that is shown matches."""
    parts = []
    for line in map(str.rstrip, shown.splitlines()):
        if _ELLIPSIS.fullmatch(line.strip()):
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, _ELLIPSIS.split(line))) + r"(?:\n|\Z)")
    if shown and _ELLIPSIS.fullmatch(shown.splitlines()[-1].strip()):
        parts[-1] = r"(?s:.*)"
    return re.compile("".join(parts))


def _last_words(run: Run) -> str:
    words = (run.stderr or run.stdout).strip()
    hint = " (it needs input, and there is none)" if _NO_INPUT.search(words) else ""
    return f"{hint}: {words.splitlines()[-1][:SHOWN]}" if words else hint


def _quoted(words: str) -> str:
    return repr(words if len(words) <= SHOWN else f"{words[:SHOWN]}…")


def verdicts(checks: tuple[Check, ...], runs: Mapping[Check, Run]) -> tuple[Verdict, ...]:
    """Return the verdicts of all checks, in their order."""
    return tuple(judge(one, runs.get(one)) for one in checks)
