"""S1–S6 in a row: the one place that knows the order."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from audit import clones, fingerprints, parallel, profiles, templates
from audit.config import Config
from audit.docs_truth import engine
from audit.docs_truth.world import World
from audit.facts.extraction import EXTRACTOR_VERSION, PARALLEL_BYTES
from audit.model import (
    SCHEMA_VERSION,
    TOOL,
    Decisions,
    Gap,
    Index,
    IndexedFile,
    Matrix,
    Outcome,
    PracticeResult,
    Problem,
    SourceInfo,
)
from audit.repository import Repository
from audit.run.request import Request
from audit.sites import File
from audit.source.trees import Source, texts
from audit.stages import capabilities, facets, gaps, scoring
from audit.stages.index import index
from audit.store import Cache, NoStore, Store

if TYPE_CHECKING:
    from audit.coverage import Covered


class Watch:
    """Names each stage for whoever waits, and times it."""

    def __init__(self, progress: Callable[[str], object]) -> None:
        self.progress = progress
        self.timings: list[tuple[str, float]] = []

    @contextmanager
    def __call__(self, name: str, title: str) -> Iterator[None]:
        """Time a stage."""
        self.progress(f"{name} {title}")
        start = time.perf_counter()
        yield
        self.timings.append((name, time.perf_counter() - start))


def run(
    request: Request, store: Store | NoStore, progress: Callable[[str], object] = str
) -> Outcome:
    """Run the stages: all six, or S1, S3, S4 and S6 where `fast` is asked for."""
    watch, info = Watch(progress), request.info()
    with watch("S1", "index"):
        files = index(
            request.source, store, processes=request.processes,
            overrides=request.config.roles(), progress=progress,
        )  # fmt: skip
        repository = Repository(files)
    domains = None
    if not request.fast:
        with watch("S2", "facets"):
            domains = facets.facets(repository, files)
    with watch("S3", "capabilities"):
        decisions = decide(request, info, repository, store)
    with watch("S4", "scoring"):
        matrix = scored(request, decisions, problems(files))
    ranked: tuple[Gap, ...] = ()
    if not request.fast:
        with watch("S5", "gaps"):
            ranked = rank(request, matrix, decisions)
    return Outcome(listing(info, files), decisions, matrix, domains, ranked, tuple(watch.timings))


def listing(info: SourceInfo, files: Sequence[File]) -> Index:
    """Return the index as its artefact lists it."""
    rows = tuple(IndexedFile(one.path, one.role, one.blob, "", one.problem) for one in files)
    return Index(info, rows, problems(files))


def problems(files: Iterable[File]) -> tuple[Problem, ...]:
    """Return the files that could not be audited."""
    return tuple(Problem(one.path, one.problem) for one in files if one.problem)


def decide(request: Request, info: SourceInfo, repository: Repository, store: Cache) -> Decisions:
    """S3: decide every practice, choose the profile, measure duplication in the evidence."""
    covered = _covered(request)
    world = World(repository, lambda paths: texts(request.source, paths))
    results = capabilities.decide_all(
        repository,
        request.catalogue,
        covered,
        lambda: engine.misnamed(world),
        request.processes,
    )
    name, reason = request.config.profile, "set by the configuration"
    if not name:
        name, reason = profiles.choose(repository)
    without = dict.fromkeys(
        profiles.PROFILES[name].without, f"not expected of {profiles.PROFILES[name].title}"
    )
    without |= request.config.not_applicable
    grouped: dict[str, list[PracticeResult]] = {}
    for practice, result in zip(request.catalogue.definitions, results, strict=True):
        grouped.setdefault(practice.capability, []).append(
            _applicable(result, without, request.config)
        )
    decided = tuple((capability, tuple(found)) for capability, found in grouped.items())
    streams = _streams(request.source, decided, store, request.processes)
    duplicated = duplication(repository, decided, streams)
    rows = tuple((name, fingerprints.stamp(found, streams)) for name, found in decided)
    warnings = (*(covered.warnings() if covered else ()), *request.catalogue.problems)
    if not repository.product:
        warnings = ("there is no product Python code to judge", *warnings)
    return Decisions(info, name, reason, rows, duplicated, warnings)


def _covered(request: Request) -> "Covered | None":
    if request.coverage is None:
        return None
    from audit.coverage import Covered  # XML, AST and SQLite: only where there is such a file

    return Covered(request.coverage, request.source)


def _applicable(
    result: PracticeResult, without: Mapping[str, str], config: Config
) -> PracticeResult:
    """Take a practice out of the denominator: by configuration always, by profile
    where nothing was found."""
    reason = without.get(result.id, "")
    if not reason or (result.status == "present" and result.id not in config.not_applicable):
        return result
    return msgspec.structs.replace(
        result, status="not_applicable", rung="none", evidence=(), looked_for=reason
    )


def duplication(
    repository: Repository,
    decided: Iterable[tuple[str, tuple[PracticeResult, ...]]],
    streams: Mapping[str, clones.Stream],
) -> dict[str, float]:
    """Return the duplicated share of the code of every symbol that is evidence."""
    program = repository.program
    wanted = {e.symbol for _, rows in decided for row in rows for e in row.evidence if e.code}
    regions = [
        clones.Region(program.symbol(node), module.path, one.line, one.end)
        for module in repository.product
        for node, one in enumerate(module.facts.definitions, module.first)
        if program.symbol(node) in wanted
    ]
    paths = {one.path for one in regions}
    found = clones.shares({path: streams[path] for path in paths if path in streams}, regions)
    return {symbol: found[symbol] for symbol in sorted(found) if found[symbol]}


def _streams(
    source: Source,
    decided: Iterable[tuple[str, tuple[PracticeResult, ...]]],
    store: Cache,
    processes: int,
) -> dict[str, clones.Stream]:
    """Return the normalised code of the files that hold evidence, from the store where it
    knows them."""
    wanted = {e.path for _, rows in decided for row in rows for e in row.evidence if e.code}
    entries = [entry for entry in source.entries if entry.path in wanted]
    keys = {entry.path: f"clones:{EXTRACTOR_VERSION}:{entry.blob}" for entry in entries}
    known = store.get(keys.values())
    missing = [one for one in entries if keys[one.path] not in known]
    sources = {
        keys[entry.path]: content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
        for entry, content in source.read(missing)
    }
    if sum(map(len, sources.values())) < PARALLEL_BYTES:
        processes = 1
    found = parallel.spread(_encoded_stream, tuple(sources.values()), processes)
    fresh = dict(zip(sources, found, strict=True))
    store.put(fresh)
    known |= fresh
    return {path: _stream(known[key]) for path, key in keys.items()}


def _encoded_stream(text: str) -> bytes:
    return msgspec.msgpack.encode(clones.stream(text))


@lru_cache(512)
def _stream(payload: bytes) -> clones.Stream:
    """Decode a file's normalised code; a history asks for most of them at every commit."""
    return msgspec.msgpack.decode(payload, type=clones.Stream)


def scored(request: Request, decisions: Decisions, unread: tuple[Problem, ...]) -> Matrix:
    """S4: score the decisions."""
    weights, warnings = scoring.normalised(request.config.weights)
    rows = scoring.score_all(decisions.capabilities, request.config, decisions.duplicated)
    mean, minimum = scoring.overall(rows)
    return Matrix(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        source=decisions.source,
        template_hash=templates.digest(request.templates),
        config_hash=request.config.digest(),
        catalogue_hash=request.catalogue.digest(),
        weights=weights,
        thresholds=dict(request.config.thresholds),
        profile=decisions.profile,
        profile_reason=decisions.profile_reason,
        mean=mean,
        minimum=minimum,
        capabilities=rows,
        problems=unread,
        warnings=(*decisions.warnings, *warnings),
        waivers=request.config.waivers,
    )


def rank(request: Request, matrix: Matrix, decisions: Decisions) -> tuple[Gap, ...]:
    """S5: rank what would raise the scores."""
    practices = {one.id: one for one in request.catalogue.practices()}
    return gaps.rank(matrix.capabilities, practices, request.config, decisions.duplicated)
