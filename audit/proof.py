"""What proves a report: the manifest of its files, and the same as an in-toto statement."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec

from audit.model import SCHEMA_VERSION, TOOL, Matrix, SourceInfo, Tool, Value

MANIFEST: Final = "manifest.json"
STATEMENT: Final = "manifest.intoto.json"
PREDICATE: Final = "urn:codex-audit:capability-matrix:v1"
"""The predicate's type; ``docs/reference/attestation.md`` describes it."""


class Manifest(Value, frozen=True):
    """What a report was made from and the SHA-256 of everything written with it."""

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote it."""
    source: SourceInfo
    """What was audited."""
    config_hash: str
    """SHA-256 over the configuration, defaults included."""
    catalogue_hash: str
    """SHA-256 over the definitions of the practices."""
    template_hash: str
    """SHA-256 over name and bytes of every template."""
    artefacts: dict[str, str]
    """File, seen from the report's folder → its SHA-256."""


class Subject(Value, frozen=True):
    """A file that a statement is about (in-toto ResourceDescriptor)."""

    name: str
    """The file, seen from the report's folder."""
    digest: dict[str, str]
    """``sha256`` and the file's digest."""


class Predicate(Value, frozen=True):
    """What is stated of the files: where they come from, and what was found."""

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote the report."""
    source: SourceInfo
    """What was audited."""
    config_hash: str
    """SHA-256 over the configuration, defaults included."""
    catalogue_hash: str
    """SHA-256 over the definitions of the practices."""
    template_hash: str
    """SHA-256 over name and bytes of every template."""
    mean: float
    """Of the scores of the applicable capabilities."""
    minimum: float
    """The lowest of them."""


class Statement(
    Value, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}
):  # fmt: skip
    """An in-toto Statement, version 1 (https://in-toto.io/Statement/v1)."""

    subject: tuple[Subject, ...]
    """The files of the report."""
    predicate_type: Literal["urn:codex-audit:capability-matrix:v1"]
    """Says what the predicate holds."""
    predicate: Predicate
    """What is stated of the files."""
    type: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
    """The version of the in-toto format."""


def manifest(matrix: Matrix, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of files that report a matrix."""
    hashes = {name: sha256(files[name]).hexdigest() for name in sorted(files)}
    return Manifest(
        SCHEMA_VERSION, TOOL, matrix.source, matrix.config_hash, matrix.catalogue_hash,
        matrix.template_hash, hashes,
    )  # fmt: skip


def statement(matrix: Matrix, files: Mapping[str, bytes]) -> Statement:
    """Return the statement about files that report a matrix."""
    proof = manifest(matrix, files)
    subject = tuple(Subject(name, {"sha256": one}) for name, one in proof.artefacts.items())
    predicate = Predicate(
        proof.schema_version, proof.tool, proof.source, proof.config_hash,
        proof.catalogue_hash, proof.template_hash, matrix.mean, matrix.minimum,
    )  # fmt: skip
    return Statement(subject, "urn:codex-audit:capability-matrix:v1", predicate)


def encode(value: object) -> bytes:
    """Return a value as indented JSON, the same bytes everywhere."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
