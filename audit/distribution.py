"""What a build was made from and made: the manifest beside a wheel and its source distribution."""

import tarfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from audit.errors import AuditError
from audit.files import read_bytes
from audit.model import Value
from audit.report.verification import differs

MANIFEST: Final = "build-manifest.json"
SUMS: Final = "SHA256SUMS"
SCHEMA_VERSION: Final = 1


class BuildManifest(Value, frozen=True):
    """The inputs, tools and products of a build."""

    schema_version: int
    project: str
    version: str
    revision: str
    """Git's commit, with ``-dirty`` if files differ from it; empty outside Git."""
    source_date_epoch: int
    """Seconds since 1970: the time that every file in the archives carries."""
    tools: dict[str, str]
    inputs: dict[str, str]
    """SHA-256 of each file in the source distribution, by path."""
    artefacts: dict[str, str]
    """SHA-256 of each archive, by file name."""


def inputs(sdist: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a source distribution, without its top folder.

    Raises:
        AuditError: the archive cannot be read.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(sdist) as archive:
            for member in archive:
                if content := archive.extractfile(member):
                    name = member.name.partition("/")[2]
                    found[name] = sha256(content.read()).hexdigest()
    except (OSError, tarfile.TarError) as error:
        raise AuditError(f"{sdist}: {error}: build it again") from None
    return dict(sorted(found.items()))


def artefacts(files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by name."""
    return {one.name: sha256(one.read_bytes()).hexdigest() for one in sorted(files)}


def sums(made: BuildManifest) -> str:
    """Return the SHA-256 sums as ``sha256sum --check`` reads them."""
    return "".join(f"{digest}  {name}\n" for name, digest in made.artefacts.items())


def verify(folder: Path) -> tuple[str, ...]:
    """Return what differs between a folder of archives and its build manifest.

    Raises:
        AuditError: the manifest cannot be read.
    """
    path = folder / MANIFEST
    try:
        made = msgspec.json.decode(read_bytes(path), type=BuildManifest)
    except (msgspec.DecodeError, OSError) as error:
        raise AuditError(f"{path}: {error}: this is no build manifest: run make wheel") from None
    found = [row for name, sha in made.artefacts.items() if (row := differs(folder, name, sha))]
    archives = {one.name for pattern in ("*.whl", "*.tar.gz") for one in folder.glob(pattern)}
    found += [f"{name}: not in the manifest" for name in sorted(archives - made.artefacts.keys())]
    if not (folder / SUMS).is_file() or (folder / SUMS).read_text() != sums(made):
        found.append(f"{SUMS}: is not what the manifest says")
    for name in sorted(made.artefacts.keys() & archives):
        if name.endswith(".tar.gz") and not differs(folder, name, made.artefacts[name]):
            found += _inputs_differ(name, made.inputs, inputs(folder / name))
    return tuple(found)


def _inputs_differ(sdist: str, said: dict[str, str], held: dict[str, str]) -> list[str]:
    return [
        f"{sdist}: {name}: {held.get(name, 'missing')}, the manifest says {said.get(name, 'none')}"
        for name in sorted(said.keys() | held.keys())
        if said.get(name) != held.get(name)
    ]
