"""What a run writes: artefacts, reports, and the manifest that proves them, written last."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from audit import templates
from audit.errors import AuditError
from audit.formats import FORMATS, WRITTEN, Report, render
from audit.model import SCHEMA_VERSION, TOOL, Outcome, SourceInfo, Tool, Value
from audit.practices.catalogue import Catalogue

ARTEFACTS: Final = "audit_artifacts"
REPORTS: Final = "reports"
MANIFEST: Final = "manifest.json"
STAGES: Final = {
    "S1": "context_index.json",
    "S2": "facets.json",
    "S3": "capabilities_raw.json",
    "S4": "capabilities_scored.json",
    "S5": "gaps.json",
}


TITLES: Final = {
    "S1": "index",
    "S2": "facets",
    "S3": "capabilities",
    "S4": "scoring",
    "S5": "gaps",
    "S6": "render",
}


class Manifest(Value, frozen=True):
    """What a report was made from and the SHA-256 of everything written with it."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    config_hash: str
    catalogue_hash: str
    template_hash: str
    artefacts: dict[str, str]


def encode(value: object) -> bytes:
    """Return a value as indented JSON, the same bytes everywhere."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


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


def manifest(outcome: Outcome, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of what is written."""
    matrix = outcome.matrix
    hashes = {name: sha256(files[name]).hexdigest() for name in sorted(files)}
    return Manifest(
        SCHEMA_VERSION, TOOL, matrix.source, matrix.config_hash, matrix.catalogue_hash,
        matrix.template_hash, hashes,
    )  # fmt: skip


def write(out: Path, files: Mapping[str, bytes], proof: Manifest) -> None:
    """Write files, each whole or not at all, then the manifest.

    The old manifest goes first and what earlier runs wrote beside these files goes
    with it: a folder without a manifest, or with one that fits, is all there can be.

    Raises:
        AuditError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        for stale in (*STAGES.values(), *(f"capability_matrix.{one}" for one in FORMATS.values())):
            for folder in (ARTEFACTS, REPORTS):
                if f"{folder}/{stale}" not in files:
                    (out / folder / stale).unlink(missing_ok=True)
        for name, content in files.items():
            replace(out / name, content)
        replace(out / MANIFEST, encode(proof))
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise AuditError(f"{error.filename or out}: {reason}: choose another --out") from None


def replace(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(out: Path, stage: str, kind: type[Any]) -> Any:
    """Return the artefact of a stage.

    Raises:
        AuditError: the stage has not been run, or its artefact is damaged.
    """
    path = out / ARTEFACTS / STAGES[stage]
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise AuditError(f"{path}: missing: run stage {stage} first") from None
    except (msgspec.DecodeError, OSError) as error:
        raise AuditError(f"{path}: {error}: run stage {stage} again") from None


def verify(out: Path, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what differs between a written report and what its manifest and this tool say.

    Raises:
        AuditError: there is no readable manifest.
    """
    path = out / MANIFEST
    try:
        proof = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise AuditError(f"{path}: missing: the report was not written to its end") from None
    except (msgspec.DecodeError, OSError) as error:
        raise AuditError(f"{path}: {error}: this is no manifest of codex-audit") from None
    found = [row for name, digest in proof.artefacts.items() if (row := differs(out, name, digest))]
    for suffix in ("json", "md", "html"):
        name = f"{REPORTS}/capability_matrix.{suffix}"
        if name not in proof.artefacts:
            found.append(f"{name}: not in the manifest")
        elif (out / name).is_file() and proof.template_hash.encode() not in (
            out / name
        ).read_bytes():
            found.append(f"{name}: does not carry template hash {proof.template_hash}")
    if proof.tool != TOOL:
        found.append(
            f"tool: {proof.tool.name} {proof.tool.version} wrote it, this is {TOOL.version}"
        )
        return tuple(found)
    derived = {
        "catalogue_hash": catalogue.digest(),
        "template_hash": templates.digest(templates.load()),
    }
    for name, value in derived.items():
        if getattr(proof, name) != value:
            found.append(f"{name}: {getattr(proof, name)} in the manifest, {value} here")
    return tuple(found)


def differs(out: Path, name: str, digest: str) -> str:
    """Say how a file differs from its SHA-256, or nothing if it does not."""
    path = out / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return f"{name}: leads out of the folder"
    try:
        actual = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"{name}: {(error.strerror or 'unreadable').lower()}"
    return "" if actual == digest else f"{name}: SHA-256 {actual}, the manifest says {digest}"
