"""S3: index + detectors → a decision with evidence for every practice."""

import contextlib
import sys
from collections.abc import Iterable
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
    reach = Reach(repository, covered, wrong)
    return tuple(
        (_foreign if practice.plugin else _decide)(repository, reach, practice)
        for practice in practices
    )


def decide_all(
    repository: Repository,
    catalogue: Catalogue,
    covered: "Covered | None" = None,
    wrong: Iterable[Finding] = (),
    processes: int = 1,
) -> tuple[PracticeResult, ...]:
    """Return the decision about every practice of a catalogue, in its order.

    Built-in detectors are loaded and asked module by module, on several cores where there is
    much code; those of plugins, and all where coverage is read, in this process.
    """
    reach = Reach(repository, covered, wrong)
    if covered or sum(len(one.facts.calls) for one in repository.program.modules) < PARALLEL_CALLS:
        processes = 1
    else:
        reach.prepare()

    def found_in(module: str) -> bytes:
        practices = registry.declared_in(module)
        return msgspec.msgpack.encode([_decide(repository, reach, one) for one in practices])

    answers = parallel.spread(found_in, registry.modules(), processes)
    found = {
        one.id: one
        for answer in answers
        for one in msgspec.msgpack.decode(answer, type=list[PracticeResult])
    }
    found |= {one.id: _foreign(repository, reach, one) for one in catalogue.extra}
    return tuple(found[one.id] for one in catalogue.definitions)


class Reach:
    """What the public surface, other code, tests and docs lead to."""

    def __init__(
        self,
        repository: Repository,
        covered: "Covered | None" = None,
        wrong: Iterable[Finding] = (),
    ) -> None:
        self.repository = repository
        self.covered = covered
        self.naming = Naming(repository, wrong)

    def prepare(self) -> None:
        """Find now what most detectors and all evidence ask for."""
        _ = self.public, self.tests, self.used, self.repository.graph.callers
        _ = self.repository.by_method, self.repository.by_scope, self.repository.by_keyword

    @cached_property
    def public(self) -> frozenset[int]:
        """Definitions that module code and public definitions reach."""
        graph = self.repository.graph
        return graph.reach(graph.public())

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

    def rung(self, node: int, line: int) -> tuple[Rung, bool, bool]:
        """Return the highest rung that a line of a definition reaches without a gap, and
        whether tests reach it and docs name it."""
        tested = self.tested(node, line)
        documented = self.naming.definition(node)
        if node not in self.public:
            return "declared", tested, documented
        chain = self._chain(node)
        if not any(one in self.used for one in chain):
            return "present", tested, documented
        if not tested:
            return "wired", tested, documented
        return ("documented" if documented else "tested"), tested, documented

    def _chain(self, node: int) -> list[int]:
        """Return a definition and those around it, the module left out unless it is all."""
        program = self.repository.program
        first = program.owner[node].first
        chain = [node]
        while (parent := program.definition(chain[-1]).parent) > 0:
            chain.append(first + parent)
        return chain


def _foreign(repository: Repository, reach: Reach, practice: Practice) -> PracticeResult:
    """Decide a plugin's practice: what its detector does wrong makes it unknown."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's
            return _decide(repository, reach, practice)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's code raises
        why = visible(f"plugin {practice.plugin} failed: {type(error).__name__}: {error}")
        return PracticeResult(
            practice.id, practice.role, "unknown", "none", (), why, "", practice.code
        )


def _refuse(repository: Repository, place: object) -> None:
    """Refuse what a plugin's detector yields if it is no place in the repository.

    Raises:
        ValueError: it is none.
    """
    nodes = len(repository.program.owner)
    if not (isinstance(place, Place) and place.path in repository.files and place.node < nodes):
        raise ValueError(f"{place!r} is no place in this repository")


def _decide(repository: Repository, reach: Reach, practice: Practice) -> PracticeResult:
    found = _found(repository, reach, practice)
    dead = [one for one in found if one.rung == "declared"]
    if dead and 0 < len(found) - len(dead) < MAX_EVIDENCE:
        # A rule that asks for two things may have met one of them in dead code alone;
        # a dozen living places do not hang on a dead one.
        found = _found(reach.living, reach, practice)
    alive = [one for one in found if one.rung != "declared"]
    best = tuple((alive or dead)[:MAX_EVIDENCE])
    rung: Rung = max((one.rung for one in best), key=RUNGS.index, default="none")
    status, why = _status(repository, practice, rung)
    return PracticeResult(
        practice.id,
        practice.role,
        status,
        rung,
        best,
        why,
        "" if practice.plugin else f"practices/{practice.id}.md",
        practice.code,
    )


def _found(repository: Repository, reach: Reach, practice: Practice) -> list[Evidence]:
    """Return the evidence of a practice, in the detector's order; what two files with one
    content show counts once."""
    unique: dict[tuple[str, int], Place] = {}
    for place in islice(practice.detect(repository), PLACE_LIMIT):
        if practice.plugin:
            _refuse(repository, place)
        blob = repository.files[place.path].blob
        unique.setdefault((blob or place.path, place.line), place)
    return [_evidence(repository, reach, one) for one in unique.values()]


def _evidence(repository: Repository, reach: Reach, place: Place) -> Evidence:
    if place.node < 0:
        rung: Rung = "present"
        return Evidence(
            place.path,
            place.line,
            visible(place.symbol),
            visible(place.says),
            rung,
            code=False,
            documented=(documented := reach.naming.explained(place.path)),
            misnamed="" if documented else visible(reach.naming.mistake(place.path)),
        )
    rung, tested, documented = reach.rung(place.node, place.line)
    symbol = repository.program.symbol(place.node)
    return Evidence(
        place.path,
        place.line,
        symbol,
        visible(place.says),
        rung,
        tested=tested,
        documented=documented,
        misnamed="" if documented else visible(reach.naming.mistake(place.path, place.node)),
    )


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
