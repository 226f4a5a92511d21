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
    tool: Tool
    source: SourceInfo
    config_hash: str
    catalogue_hash: str
    template_hash: str
    artefacts: dict[str, str]


class Subject(Value, frozen=True):
    """A file that a statement is about (in-toto ResourceDescriptor)."""

    name: str
    digest: dict[str, str]


class Predicate(Value, frozen=True):
    """What is stated of the files: where they come from, and what was found."""

    schema_version: int
    tool: Tool
    source: SourceInfo
    config_hash: str
    catalogue_hash: str
    template_hash: str
    mean: float
    minimum: float


class Statement(
    Value, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}
):  # fmt: skip
    """An in-toto Statement, version 1 (https://in-toto.io/Statement/v1)."""

    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:codex-audit:capability-matrix:v1"]
    predicate: Predicate
    type: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"


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
