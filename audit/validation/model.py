"""The frozen values that cross the stages of a validation."""

from typing import Literal, TypeAlias

from audit.model import Tool, Value

SCHEMA_VERSION = 1

Kind: TypeAlias = Literal["exit", "empty", "contains", "schema", "json", "shown"]
Stream: TypeAlias = Literal["stdout", "stderr"]
Status: TypeAlias = Literal["held", "broken", "planned"]
Ending: TypeAlias = Literal["exited", "timed out", "flooded", "not started"]


class Contract(Value, frozen=True):
    """A command and what a document promises about it."""

    file: str
    line: int
    id: str
    command: str
    expected: str
    """As written: the cell of a table, or the output that a console block shows."""
    console: bool = False
    """From a console block: the commands of one document run in order, as one session."""
    status_shown: bool = False
    """The next command of the block is ``echo $?``, so any exit code is meant."""
    problem: str = ""
    """Why it cannot be run: the table or the block is malformed."""


class Clause(Value, frozen=True):
    """One thing to be checked about a finished command."""

    kind: Kind
    value: str = ""
    """The exit code, the text, the schema's file, the shown output."""
    stream: Stream = "stdout"


class Check(Value, frozen=True):
    """A contract that is understood, or the reason why not."""

    contract: Contract
    clauses: tuple[Clause, ...]
    free: bool = False
    """The expectation is free text: shown, and judged by the exit code alone."""
    problem: str = ""


class Run(Value, frozen=True):
    """What a command did."""

    ending: Ending
    exit_code: int
    stdout: str
    """For a console block, standard output and error together, as a terminal shows them."""
    stderr: str
    seconds: float


class Verdict(Value, frozen=True):
    """What is said about one contract; `reasons` is empty where it is held."""

    file: str
    """The document, as it was given."""
    line: int
    """Where the row, or the command of a console block, stands."""
    id: str
    """The row's id; the line where it has none."""
    command: str
    """As it is run by ``sh``."""
    expected: str
    """As the document writes it."""
    status: Status
    """``planned`` where nothing was run."""
    free: bool
    """The expectation is free text: the exit code alone decided."""
    reasons: tuple[str, ...]
    """Why it is broken; empty where it is not."""
    seconds: float | None = None
    """How long the command took; none without a run."""
    exit_code: int | None = None
    """What it ended with, negative for the signal that killed it."""
    stdout: tuple[str, ...] = ()
    """The last lines that a broken command wrote, controls escaped; of a console block both
    streams together."""
    stderr: tuple[str, ...] = ()
    """The same of standard error."""


class Report(Value, frozen=True):
    """The result of a validation, the contract of its JSON."""

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote it."""
    executed: bool
    """The commands were run."""
    sandbox: bool
    """They were run in throw-away copies."""
    held: int
    """How many contracts held."""
    broken: int
    """How many are broken, or cannot be run as they are written."""
    contracts: tuple[Verdict, ...]
    """One for each, in the order of the documents."""
