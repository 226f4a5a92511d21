"""Which part a file plays: product, test, docs, example, configuration, CI ...

Product is what the repository ships or runs as its main job; a practice is
judged on product code unless its definition names other files.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from audit.facts.kinds import kind_of
from audit.model import Role

_FOLDERS: dict[Role, frozenset[str]] = {
    "vendored": frozenset(
        "third_party thirdparty 3rdparty third-party vendor vendored _vendor extern "
        "externals".split()
    ),
    "test": frozenset(
        "test tests testing unit_tests unittests integration_tests test_utils testutils".split()
    ),
    "docs": frozenset("docs doc documentation website".split()),
    "example": frozenset(
        "example examples tutorial tutorials notebook notebooks demo demos samples benchmark "
        "benchmarks cookbook".split()
    ),
}
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest|tests?)\.py$")
_CI = re.compile(
    r"^(\.github/(workflows|actions)/|\.gitlab-ci\.ya?ml$|\.gitlab/|\.circleci/|\.buildkite/|"
    r"azure-pipelines|\.azure|jenkinsfile$|\.travis\.yml$|\.ci/|bitbucket-pipelines|\.woodpecker)",
    re.IGNORECASE,
)
# Folders of maintainers' tools beside a package: where a package is the product, they are not.
_TOOLS = frozenset("scripts script tools tool utils dev ci hack misc release assets".split())
_BUILD = frozenset(
    {"setup.py", "noxfile.py", "tasks.py", "fabfile.py", "versioneer.py", "hatch_build.py"}
)
_CONFIG_KINDS = frozenset({"toml", "ini", "yaml", "json", "make", "docker"})


def packages(paths: Iterable[str]) -> frozenset[str]:
    """Return the top-most folders with an ``__init__.py``: the shipped packages."""
    folders = {p.rpartition("/")[0] for p in paths if p.endswith("/__init__.py")}
    return frozenset(f for f in folders if f.rpartition("/")[0] not in folders)


def assign(paths: Iterable[str], overrides: Mapping[str, Role]) -> dict[str, Role]:
    """Return the role of every path; a glob in `overrides` that matches decides first."""
    every = list(paths)
    shipped = [one for one in packages(every) if _folder_role(one) is None]
    found = {path: _role(path, has_package=bool(shipped)) for path in every}
    if any(one.startswith("src/") for one in shipped):
        beside = (one for one in every if found[one] == "product" and _beside_src(one))
        found |= dict.fromkeys(beside, "example")
    for pattern, role in overrides.items():
        found |= {path: role for path in every if fnmatchcase(path, pattern)}
    return found


def _beside_src(path: str) -> bool:
    """Tell whether a module is in a folder beside a ``src`` layout, which ships ``src`` alone."""
    return "/" in path and not path.startswith("src/") and kind_of(path) == "python"


def _named(path: str, role: Role) -> bool:
    return any(part.lower() in _FOLDERS[role] for part in path.split("/"))


def _folder_role(path: str) -> Role | None:
    for role in _FOLDERS:
        if _named(path, role):
            return role
    return None


def _role(path: str, *, has_package: bool) -> Role:
    folder, _, name = path.rpartition("/")
    kind = kind_of(path)
    if _CI.match(path):
        return "ci"
    known = _folder_role(folder) if folder else None
    if known is not None:
        return known
    if kind == "python":
        return _python_role(path, name, has_package=has_package)
    if kind in ("markdown", "rst"):
        return "docs"
    if path.startswith(".github/") or (kind in _CONFIG_KINDS and "/" not in folder):
        return "config"
    if kind == "text":
        return "docs" if not name.endswith(".txt") and not name.endswith(".lock") else "config"
    return "product" if kind == "shell" else "data"


def _python_role(path: str, name: str, *, has_package: bool) -> Role:
    top = path.partition("/")[0].lower()
    if _TEST_FILE.search(path):
        return "test"
    if name in _BUILD and "/" not in path:
        return "build"
    if name.endswith(("_pb2.py", "_pb2_grpc.py")):
        return "generated"
    if has_package and "/" in path and top in _TOOLS:
        return "build"
    return "build" if path.startswith(".") or "/." in path else "product"
