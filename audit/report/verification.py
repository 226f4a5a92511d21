"""Does a written report still prove what it says? Names everything that differs."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from audit import plugins, proof, templates
from audit.config import Config
from audit.errors import AuditError
from audit.files import read_bytes
from audit.formats import FORMATS, WRITTEN
from audit.model import SCHEMA_VERSION, TOOL, Matrix
from audit.practices.catalogue import Catalogue
from audit.proof import Manifest
from audit.report.outputs import CONFIGURATION, REPORTS, SCORED, STAGES, within
from audit.run.request import Request


def read(folder: Path) -> Manifest:
    """Return the manifest of a written report.

    Raises:
        AuditError: there is no readable one, or it is of a newer version.
    """
    path = folder / proof.MANIFEST
    try:
        found = msgspec.json.decode(read_bytes(path), type=Manifest)
    except FileNotFoundError:
        raise AuditError(f"{path}: missing: the report was not written to its end") from None
    except (msgspec.DecodeError, OSError) as error:
        raise AuditError(f"{path}: {error}: this is no manifest of codex-audit") from None
    if found.schema_version > SCHEMA_VERSION:
        raise AuditError(
            f"{path}: schema version {found.schema_version} is newer than this tool: upgrade it"
        )
    return found


def verify(folder: Path, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what differs between a written report, its manifest and this tool.

    Raises:
        AuditError: there is no readable manifest.
    """
    found = read(folder)
    rows = [row for name, sha in found.artefacts.items() if (row := differs(folder, name, sha))]
    rows += _unlisted(folder, found)
    rows += _inside(folder, found)
    rows += _tool(folder, found, catalogue)
    return tuple(rows)


def differs(folder: Path, name: str, digest: str) -> str:
    """Say how a file differs from its SHA-256, or nothing if it does not."""
    if not within(name):
        return f"{name}: leads out of the folder"
    try:
        actual = sha256(read_bytes(folder / name)).hexdigest()
    except OSError as error:
        return f"{name}: {(error.strerror or 'unreadable').lower()}"
    return "" if actual == digest else f"{name}: SHA-256 {actual}, the manifest says {digest}"


def _unlisted(folder: Path, found: Manifest) -> Iterator[str]:
    """Name files that a report has and its manifest does not, and reports without its hash."""
    wanted = {f"{REPORTS}/capability_matrix.{FORMATS[name]}" for name in WRITTEN}
    there = {f"{REPORTS}/{one.name}" for one in (folder / REPORTS).glob("capability_matrix.*")}
    for name in sorted(wanted | there | {SCORED, CONFIGURATION, proof.STATEMENT}):
        if name not in found.artefacts:
            yield f"{name}: not in the manifest"
        elif name in wanted and found.template_hash.encode() not in _bytes(folder / name):
            yield f"{name}: does not carry template hash {found.template_hash}"


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError:
        return b""


def _inside(folder: Path, found: Manifest) -> Iterator[str]:
    """Derive the manifest's hashes, and the statement, from the files that it lists."""
    settings = _decoded(folder, CONFIGURATION, Config)
    if settings is not None and settings.digest() != found.config_hash:
        yield _other("config_hash", found.config_hash, settings.digest(), CONFIGURATION)
    matrix = _decoded(folder, f"{REPORTS}/capability_matrix.json", Matrix)
    if matrix is None:
        return
    for name in ("tool", "source", "config_hash", "catalogue_hash", "template_hash"):
        if getattr(matrix, name) != getattr(found, name):
            yield _other(name, getattr(found, name), getattr(matrix, name), "the matrix")
    stated = _decoded(folder, proof.STATEMENT, proof.Statement)
    if stated is not None:
        subjects = {one.name: one.digest.get("sha256") for one in stated.subject}
        listed = {name: sha for name, sha in found.artefacts.items() if name != proof.STATEMENT}
        if subjects != listed or stated.predicate != proof.statement(matrix, {}).predicate:
            yield f"{proof.STATEMENT}: states other files or another origin than the manifest"


def _decoded(folder: Path, name: str, kind: type[Any]) -> Any:
    """Return a listed file's value; nothing where `differs` has named what is wrong with it."""
    try:
        return msgspec.json.decode(read_bytes(folder / name), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def _other(name: str, manifest: object, other: object, where: str) -> str:
    return f"{name}: {manifest} in the manifest, {other} in {where}"


def _tool(folder: Path, found: Manifest, catalogue: Catalogue) -> Iterator[str]:
    """Compare with this tool's own templates and catalogue, the report's rules among its
    practices, if it is the same version."""
    if found.tool != TOOL:
        yield f"tool: {found.tool.name} {found.tool.version} wrote it, this is {TOOL.version}"
        return
    settings = _decoded(folder, CONFIGURATION, Config)
    digest = plugins.with_rules(catalogue, settings.rules if settings else ()).digest()
    if found.catalogue_hash != digest:
        yield _other("catalogue_hash", found.catalogue_hash, digest, "this tool")
    if settings is None or settings.templates:
        return  # the repository's own templates: only a re-run can know them
    ours = templates.digest(templates.load())
    if found.template_hash != ours:
        yield _other("template_hash", found.template_hash, ours, "this tool")


def compare(found: Manifest, asked: Request, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return what differs between a manifest and the files of a new audit."""
    derived = {
        "source": asked.info(),
        "config_hash": asked.config.digest(),
        "catalogue_hash": asked.catalogue.digest(),
        "template_hash": templates.digest(asked.templates),
    }
    rows = [
        _other(name, getattr(found, name), value, "the repository")
        for name, value in derived.items()
        if getattr(found, name) != value
    ]
    fresh = proof.manifest(_matrix(files), files).artefacts
    for name in sorted(fresh.keys() | found.artefacts.keys()):
        old, new = found.artefacts.get(name), fresh.get(name)
        if name != proof.MANIFEST and old != new:
            rows.append(
                f"{name}: a new audit gives {new or 'no such file'}, the manifest says {old}"
            )
    return tuple(rows)


def _matrix(files: Mapping[str, bytes]) -> Matrix:
    return msgspec.json.decode(files[SCORED], type=Matrix)


def formats(found: Manifest) -> tuple[str, ...]:
    """Return the formats of the reports that a manifest lists."""
    suffixes = {name.partition("capability_matrix.")[2] for name in found.artefacts}
    return tuple(name for name, suffix in FORMATS.items() if suffix in suffixes)


def fast(found: Manifest) -> bool:
    """Tell whether a manifest is of a fast run."""
    return not any(name.endswith(f"/{STAGES['S2']}") for name in found.artefacts)
