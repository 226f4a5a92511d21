"""S3: index + detectors → a decision with evidence for every practice."""

import contextlib
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from audit import parallel
from audit.burial import buried
from audit.docs_truth.model import Finding
from audit.model import MAX_EVIDENCE, RUNGS, Evidence, PracticeResult, Rung, Status
from audit.naming import Naming
from audit.practices import registry
from audit.practices.catalogue import Catalogue
from audit.practices.registry import Place, Practice
from audit.repository import Repository
from audit.visible import visible

if TYPE_CHECKING:
    from audit.coverage import Covered

PARALLEL_CALLS: Final = 10_000
"""With fewer calls to look at, a second process costs more than it saves."""
PLACE_LIMIT = 200
"""Places looked at before the best are chosen."""


def decide(
    repository: Repository,
    practices: Iterable[Practice],
    covered: "Covered | None" = None,
    wrong: Iterable[Finding] = (),
) -> tuple[PracticeResult, ...]:
    """Return the decision about every practice.

    Args:
        repository: what is audited.
        practices: in catalogue order.
        covered: measured coverage, which replaces reach by tests.
        wrong: claims of pages that are not so; such a page does not document the thing.
    """
    reach, naming = Reach(repository, covered), Naming(repository, wrong)
    return tuple(
        _named(naming, (_foreign if practice.plugin else _decide)(repository, reach, practice))
        for practice in practices
    )


def decide_all(
    repository: Repository,
    catalogue: Catalogue,
    covered: "Covered | None" = None,
    wrong: Callable[[], Iterable[Finding]] = tuple,
    processes: int = 1,
) -> tuple[PracticeResult, ...]:
    """Return the decision about every practice of a catalogue, in its order.

    Built-in detectors are loaded and asked module by module, on several cores where there is
    much code; those of plugins, and all where coverage is read, in this process. What pages
    are wrong about is found beside them: no detector asks for it.
    """
    reach = Reach(repository, covered)
    if covered or sum(len(one.facts.calls) for one in repository.program.modules) < PARALLEL_CALLS:
        processes = 1
    else:
        reach.prepare()

    def found_in(module: str) -> bytes:
        if not module:
            return msgspec.msgpack.encode(tuple(wrong()))
        practices = registry.declared_in(module)
        return msgspec.msgpack.encode([_decide(repository, reach, one) for one in practices])

    mistakes, *answers = parallel.spread(found_in, ("", *registry.modules()), processes)
    found = {
        one.result.id: one
        for answer in answers
        for one in msgspec.msgpack.decode(answer, type=list[Decided])
    }
    found |= {one.id: _foreign(repository, reach, one) for one in catalogue.extra}
    naming = Naming(repository, msgspec.msgpack.decode(mistakes, type=tuple[Finding, ...]))
    return tuple(_named(naming, found[one.id]) for one in catalogue.definitions)


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """A decision before the docs are asked, and the definitions that hold its evidence."""

    result: PracticeResult
    nodes: tuple[int, ...] = ()
    """A node for each piece of evidence, -1 for what is no Python code."""


class Reach:
    """What the public surface, other code and tests lead to."""

    def __init__(self, repository: Repository, covered: "Covered | None" = None) -> None:
        self.repository = repository
        self.covered = covered

    def prepare(self) -> None:
        """Find now what most detectors and all evidence ask for."""
        _ = self.public, self.tests, self.used, self.repository.graph.callers
        _ = self.repository.by_method, self.repository.by_scope, self.repository.by_keyword

    @cached_property
    def public(self) -> frozenset[int]:
        """Definitions that module code and public definitions reach."""
        graph = self.repository.graph
        return graph.reach(graph.public)

    @cached_property
    def living(self) -> Repository:
        """The repository as if the bodies of its dead definitions were empty."""
        return buried(self.repository)

    @cached_property
    def tests(self) -> frozenset[int]:
        """Definitions that tests reach."""
        graph = self.repository.graph
        return graph.reach(graph.tests())

    @cached_property
    def used(self) -> frozenset[int]:
        """Definitions that other product code leads to, and module code itself."""
        program, graph = self.repository.program, self.repository.graph
        found = {module.first for module in self.repository.product}
        for node, targets in enumerate(graph.edges):
            if program.owner[node].role in ("product", "build"):
                found |= {one for one in targets if one != node}
        return frozenset(found)

    def tested(self, node: int, line: int) -> bool:
        """Tell whether tests ran a line, where that was measured, or reach its definition."""
        path = self.repository.program.owner[node].path
        measured = self.covered.tested(path, line) if self.covered else None
        return node in self.tests if measured is None else measured

    def rung(self, node: int, line: int) -> tuple[Rung, bool]:
        """Return the highest rung below the docs that a line of a definition reaches without a
        gap, and whether tests reach it."""
        tested = self.tested(node, line)
        if node not in self.public:
            return "declared", tested
        if not any(one in self.used for one in self._chain(node)):
            return "present", tested
        return "tested" if tested else "wired", tested

    def _chain(self, node: int) -> list[int]:
        """Return a definition and those around it, the module left out unless it is all."""
        program = self.repository.program
        first = program.owner[node].first
        chain = [node]
        while (parent := program.definition(chain[-1]).parent) > 0:
            chain.append(first + parent)
        return chain


def _foreign(repository: Repository, reach: Reach, practice: Practice) -> Decided:
    """Decide a plugin's practice: what its detector does wrong makes it unknown."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's
            return _decide(repository, reach, practice)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's code raises
        why = visible(f"plugin {practice.plugin} failed: {type(error).__name__}: {error}")
        return Decided(
            PracticeResult(
                practice.id, practice.role, "unknown", "none", (), why, "", practice.code
            )
        )


def _refuse(repository: Repository, place: object) -> None:
    """Refuse what a plugin's detector yields if it is no place in the repository.

    Raises:
        ValueError: it is none.
    """
    nodes = len(repository.program.owner)
    if not (isinstance(place, Place) and place.path in repository.files and place.node < nodes):
        raise ValueError(f"{place!r} is no place in this repository")


def _decide(repository: Repository, reach: Reach, practice: Practice) -> Decided:
    found = _found(repository, reach, practice)
    dead = [row for row in found if row[0].rung == "declared"]
    if dead and 0 < len(found) - len(dead) < MAX_EVIDENCE:
        # A rule that asks for two things may have met one of them in dead code alone;
        # a dozen living places do not hang on a dead one.
        found = _found(reach.living, reach, practice)
    alive = [row for row in found if row[0].rung != "declared"]
    best = (alive or dead)[:MAX_EVIDENCE]
    rung = _highest(one for one, _ in best)
    status, why = _status(repository, practice, rung)
    page = "" if practice.plugin else f"practices/{practice.id}.md"
    result = PracticeResult(
        practice.id, practice.role, status, rung, tuple(one for one, _ in best), why, page,
        practice.code,
    )  # fmt: skip
    return Decided(result, tuple(node for _, node in best))


def _highest(evidence: Iterable[Evidence]) -> Rung:
    return max((one.rung for one in evidence), key=RUNGS.index, default="none")


def _found(repository: Repository, reach: Reach, practice: Practice) -> list[tuple[Evidence, int]]:
    """Return the evidence of a practice with its nodes, in the detector's order; what two files
    with one content show counts once."""
    unique: dict[tuple[str, int], Place] = {}
    for place in islice(practice.detect(repository), PLACE_LIMIT):
        if practice.plugin:
            _refuse(repository, place)
        blob = repository.files[place.path].blob
        unique.setdefault((blob or place.path, place.line), place)
    return [(_evidence(repository, reach, one), one.node) for one in unique.values()]


def _evidence(repository: Repository, reach: Reach, place: Place) -> Evidence:
    says = visible(place.says)
    if place.node < 0:
        return Evidence(place.path, place.line, visible(place.symbol), says, code=False)
    rung, tested = reach.rung(place.node, place.line)
    symbol = repository.program.symbol(place.node)
    return Evidence(place.path, place.line, symbol, says, rung, tested=tested)


def _named(naming: Naming, decided: Decided) -> PracticeResult:
    """Add to a decision what the docs name truthfully and what they are wrong about."""
    result = decided.result
    rows = zip(result.evidence, decided.nodes, strict=True)
    evidence = tuple(_documented(naming, one, node) for one, node in rows)
    return msgspec.structs.replace(result, evidence=evidence, rung=_highest(evidence))


def _documented(naming: Naming, one: Evidence, node: int) -> Evidence:
    if naming.definition(node) if node >= 0 else naming.explained(one.path):
        rung: Rung = "documented" if one.rung == "tested" else one.rung
        return msgspec.structs.replace(one, rung=rung, documented=True)
    return msgspec.structs.replace(one, misnamed=visible(naming.mistake(one.path, node)))


def _status(repository: Repository, practice: Practice, rung: Rung) -> tuple[Status, str]:
    if RUNGS.index(rung) >= RUNGS.index("present"):
        return "present", practice.looks_for
    unread = repository.unread_code if practice.code else ()
    if unread:
        first = unread[0]
        return "unknown", f"{first.path}: {first.problem} ({len(unread)} product files not read)"
    searched = len(repository.product) if practice.code else len(repository.files)
    kind = "product modules" if practice.code else "files"
    return "absent", f"{practice.looks_for}; searched {searched} {kind}"
