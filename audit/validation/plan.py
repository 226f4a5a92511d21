"""Contracts → checks: every expectation understood, or the reason why not."""

from collections.abc import Iterable

from audit.errors import AuditError
from audit.validation.expectation import clauses
from audit.validation.model import Check, Clause, Contract

SUCCESS = Clause("exit", "0")


def plan(contracts: Iterable[Contract]) -> tuple[Check, ...]:
    """Return what is to be checked; an id that was used before is a problem of its row."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for one in contracts:
        before = seen.setdefault((one.file, one.id), one.line)
        twice = f"the id {one.id} is on line {before}, too" if before != one.line else ""
        found.append(_check(one, one.problem or twice))
    return tuple(found)


def _check(contract: Contract, problem: str) -> Check:
    if problem:
        return Check(contract, (), problem=problem)
    if contract.console:
        return Check(contract, _console(contract))
    try:
        found = clauses(contract.expected)
    except AuditError as error:
        return Check(contract, (), problem=str(error))
    if any(one.kind == "exit" for one in found):
        return Check(contract, found)
    return Check(contract, (SUCCESS, *found), free=not found)


def _console(contract: Contract) -> tuple[Clause, ...]:
    shown = (Clause("shown", contract.expected),) if contract.expected else ()
    return shown if contract.status_shown else (SUCCESS, *shown)
