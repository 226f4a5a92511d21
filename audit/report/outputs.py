"""What a run writes: artefacts, reports, and the manifest that proves them, written last."""

import errno
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from audit import proof
from audit.config import Config
from audit.errors import AuditError
from audit.files import read_bytes, refuse_escape, replace
from audit.formats import FORMATS, WRITTEN, Report, render
from audit.model import Outcome
from audit.proof import MANIFEST, STATEMENT, encode

ARTEFACTS: Final = "audit_artifacts"
REPORTS: Final = "reports"
STAGES: Final = {
    "S1": "context_index.json",
    "S2": "facets.json",
    "S3": "capabilities_raw.json",
    "S4": "capabilities_scored.json",
    "S5": "gaps.json",
}
SCORED: Final = f"{ARTEFACTS}/{STAGES['S4']}"
CONFIGURATION: Final = f"{ARTEFACTS}/configuration.json"
"""The configuration that was in force, every default filled in."""

TITLES: Final = {
    "S1": "index",
    "S2": "facets",
    "S3": "capabilities",
    "S4": "scoring",
    "S5": "gaps",
    "S6": "render",
}


def artefacts(outcome: Outcome) -> dict[str, bytes]:
    """Return the stages' artefacts by path."""
    values: dict[str, object] = {
        "S1": outcome.index,
        "S2": outcome.facets,
        "S3": outcome.decisions,
        "S4": outcome.matrix,
        "S5": outcome.gaps if outcome.facets is not None else None,
    }
    return {
        f"{ARTEFACTS}/{STAGES[stage]}": encode(value)
        for stage, value in values.items()
        if value is not None
    }


def reports(report: Report, formats: Iterable[str] = ()) -> dict[str, bytes]:
    """Return the rendered reports by path: those always written, and those asked for."""
    return {
        f"{REPORTS}/capability_matrix.{FORMATS[name]}": render(name, report).encode()
        for name in dict.fromkeys((*WRITTEN, *formats))
    }


def everything(report: Report, settings: Config, formats: Iterable[str] = ()) -> dict[str, bytes]:
    """Return all that a run writes, by path; the manifest, which proves the rest, is last."""
    matrix = report.outcome.matrix
    files = artefacts(report.outcome) | reports(report, formats)
    files[CONFIGURATION] = encode(settings)
    files[STATEMENT] = encode(proof.statement(matrix, files))
    files[MANIFEST] = encode(proof.manifest(matrix, files))
    return files


def within(name: str) -> bool:
    """Tell whether a path stays in the folder that it is relative to."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def check(out: Path, root: Path | None = None) -> None:
    """Refuse a folder through which files would be written elsewhere; `root` is audited.

    Raises:
        AuditError: a link leads out of its repository, or takes the place of a folder below.
    """
    try:
        refuse_escape(out, root)
        for one in (out / ARTEFACTS, out / REPORTS):
            if one.is_symlink():
                raise OSError(errno.ELOOP, "A symbolic link", str(one))
    except OSError as error:
        raise AuditError(
            f"{error.filename}: {(error.strerror or '').lower()}: choose another --out"
        ) from None


def write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files, each whole or not at all, in their order.

    The old manifest goes first and what earlier runs wrote beside these files goes
    with it: a folder without a manifest, or with one that fits, is all there can be.

    Raises:
        AuditError: the folder cannot be written, or is refused by `check`.
    """
    check(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        for stale in (*STAGES.values(), *(f"capability_matrix.{one}" for one in FORMATS.values())):
            for folder in (ARTEFACTS, REPORTS):
                if f"{folder}/{stale}" not in files:
                    (out / folder / stale).unlink(missing_ok=True)
        for name, content in files.items():
            replace(out / name, content)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise AuditError(f"{error.filename or out}: {reason}: choose another --out") from None


def load(out: Path, stage: str, kind: type[Any]) -> Any:
    """Return the artefact of a stage.

    Raises:
        AuditError: the stage has not been run, or its artefact is damaged.
    """
    path = out / ARTEFACTS / STAGES[stage]
    try:
        return msgspec.json.decode(read_bytes(path), type=kind)
    except FileNotFoundError:
        raise AuditError(f"{path}: missing: run stage {stage} first") from None
    except (msgspec.DecodeError, OSError) as error:
        raise AuditError(f"{path}: {error}: run stage {stage} again") from None
