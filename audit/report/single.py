"""One stage alone: reads the artefacts of the stages before it, writes its own."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from audit import proof
from audit.errors import AuditError
from audit.files import replace
from audit.formats import Report
from audit.model import Decisions, Facets, Gap, Index, Matrix, Outcome
from audit.report import outputs
from audit.repository import Repository
from audit.run import pipeline
from audit.run.request import Request
from audit.sites import File
from audit.stages import facets
from audit.stages.index import index
from audit.store import NoStore, Store

Stage = Callable[[Request, Store | NoStore, Path], Iterable[str]]


def _write(out: Path, files: Mapping[str, bytes]) -> Iterable[str]:
    """Write artefacts; the manifest of an earlier run no longer fits, so it goes.

    Raises:
        AuditError: the folder cannot be written, or is refused by `outputs.check`.
    """
    outputs.check(out)
    try:
        (out / proof.MANIFEST).unlink(missing_ok=True)
        for name, content in files.items():
            replace(out / name, content)
    except OSError as error:
        raise AuditError(f"{out}: {(error.strerror or 'cannot be written').lower()}") from None
    return files


def _artefact(stage: str, value: object) -> dict[str, bytes]:
    return {f"{outputs.ARTEFACTS}/{outputs.STAGES[stage]}": proof.encode(value)}


def _files(request: Request, store: Store | NoStore) -> tuple[File, ...]:
    return index(
        request.source, store, processes=request.processes, overrides=request.config.roles()
    )


def _same_tree(request: Request, tree: str, stage: str) -> None:
    """Refuse artefacts of another tree.

    Raises:
        AuditError: the artefact was made from other files.
    """
    if tree != request.info().tree:
        raise AuditError(f"{outputs.STAGES[stage]} is of another tree: run stage {stage} again")


def s1(request: Request, store: Store | NoStore, out: Path) -> Iterable[str]:
    """Index the source."""
    found = pipeline.listing(request.info(), _files(request, store))
    return _write(out, _artefact("S1", found))


def s2(request: Request, store: Store | NoStore, out: Path) -> Iterable[str]:
    """Find roles and domains."""
    _same_tree(request, outputs.load(out, "S1", Index).source.tree, "S1")
    files = _files(request, store)
    return _write(out, _artefact("S2", facets.facets(Repository(files), files)))


def s3(request: Request, store: Store | NoStore, out: Path) -> Iterable[str]:
    """Decide the practices."""
    _same_tree(request, outputs.load(out, "S1", Index).source.tree, "S1")
    repository = Repository(_files(request, store))
    decisions = pipeline.decide(request, request.info(), repository, store)
    return _write(out, _artefact("S3", decisions))


def s4(request: Request, _: Store | NoStore, out: Path) -> Iterable[str]:
    """Score the decisions."""
    listed: Index = outputs.load(out, "S1", Index)
    decisions: Decisions = outputs.load(out, "S3", Decisions)
    return _write(out, _artefact("S4", pipeline.scored(request, decisions, listed.problems)))


def s5(request: Request, _: Store | NoStore, out: Path) -> Iterable[str]:
    """Rank the gaps."""
    decisions: Decisions = outputs.load(out, "S3", Decisions)
    matrix: Matrix = outputs.load(out, "S4", Matrix)
    return _write(out, _artefact("S5", pipeline.rank(request, matrix, decisions)))


def s6(request: Request, _: Store | NoStore, out: Path) -> Iterable[str]:
    """Render the reports and write the manifest."""
    listed: Index = outputs.load(out, "S1", Index)
    decisions: Decisions = outputs.load(out, "S3", Decisions)
    matrix: Matrix = outputs.load(out, "S4", Matrix)
    full = (out / outputs.ARTEFACTS / outputs.STAGES["S2"]).exists()
    domains: Facets | None = outputs.load(out, "S2", Facets) if full else None
    ranked: tuple[Gap, ...] = outputs.load(out, "S5", tuple[Gap, ...]) if full else ()
    found = Outcome(listed, decisions, matrix, domains, ranked)
    whole = Report(found, request.catalogue, request.templates)
    files = outputs.everything(whole, request.config)
    outputs.write(out, files)
    return files


STAGES: Final[dict[str, Stage]] = {"S1": s1, "S2": s2, "S3": s3, "S4": s4, "S5": s5, "S6": s6}
