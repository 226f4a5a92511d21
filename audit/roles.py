"""Which part a file plays: product, test, docs, example, configuration, CI ...

Product is what the repository ships or runs as its main job; a practice is
judged on product code unless its definition names other files.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

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
# Words that name tests and demonstrations beside a package, but a subject inside one.
_SUBJECTS = frozenset("demo demos samples benchmark benchmarks".split())
_COPIED = re.compile(
    r"^((?:.*/)?(?:dependencies|deps|external|submodules))/[^/]+/(?:LICEN[CS]E|COPYING)[^/]*$"
)
"""The licence of a project that lies in a folder for those of others."""
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest|tests?)\.py$")
_ENTRY = re.compile(
    r"(^|^(?!plot|show|test|run_tests).*[_-])(train|pretrain|finetune|sft)(_net)?\.py$"
)
_TRAINS = re.compile(r"^(train|pretrain|fine_?tune|sft)_\w+\.py$")
"""A script that trains something, where it lies in a folder for that."""
_BENCHMARK = re.compile(r"^bench(mark)?(_[^/]*)?\.py$")
_CI = re.compile(
    r"^(\.github/(workflows|actions)/|\.gitlab-ci\.ya?ml$|\.gitlab/|\.circleci/|\.buildkite/|"
    r"azure-pipelines|\.azure|([^/]+/)*jenkinsfile$|\.travis\.yml$|\.ci/|bitbucket-pipelines|\.woodpecker|"
    r"\.?appveyor\.ya?ml$|\.drone\.ya?ml$|\.cirrus\.ya?ml$|\.semaphore/|buildspec\.ya?ml$|cloudbuild\.ya?ml$)",
    re.IGNORECASE,
)
# Folders of maintainers' tools beside a package: where a package is the product, they are not.
_TOOLS = frozenset(
    "scripts script tool tools utils dev ci hack misc release assets docker template "
    "templates".split()
)
# Words that name a part of a package where it is one, and work beside it where it is not.
_ASIDE = frozenset({"scripts", "docker"})
_TOOLS_OF = re.compile(
    r"^(build|dev|ci|maint\w*|release|extension|admin)[_-](tools?|scripts?|templates?)$"
)
_HELPERS = re.compile(
    r"(^|/)(conftest|test_?(utils?|helpers?|common|cases?|base|fixtures?|data))\.py$"
)
_BUILD = frozenset(
    "setup.py noxfile.py tasks.py fabfile.py versioneer.py hatch_build.py collect_env.py".split()
)
_DISTRIBUTION = ("setup.py", "setup.cfg", "pyproject.toml")
_CONFIG_KINDS = frozenset({"toml", "ini", "yaml", "json", "make", "docker"})


def packages(paths: Iterable[str]) -> frozenset[str]:
    """Return the top-most folders with an ``__init__.py``: the shipped packages."""
    folders = {p.rpartition("/")[0] for p in paths if p.endswith("/__init__.py")}
    return frozenset(f for f in folders if f.rpartition("/")[0] not in folders)


class _Layout:
    """What the paths of a repository say about its parts."""

    def __init__(self, paths: Iterable[str], tests: Callable[[str], bool]) -> None:
        self.every = frozenset(paths)
        self.tests = tests
        self.shipped = [one for one in packages(self.every) if _folder_role(one) is None]
        self.distributed = bool(self.shipped) and any(one in self.every for one in _DISTRIBUTION)
        self.copied = {found[1] for one in self.every if (found := _COPIED.match(one))}
        self.entries = {one.partition("/")[0] for one in self.every if _is_entry(one)}
        self.tools = self._tools()
        self.collections = self._collections()

    def in_package(self, path: str) -> bool:
        """Tell whether a path lies in a shipped package."""
        return any(path.startswith(f"{one}/") for one in self.shipped)

    def is_beside(self, folder: str) -> bool:
        """Tell whether a folder of a package is no part of it: of scripts, containers or measured
        subjects, and not importable like its neighbours."""
        if not self.distributed or f"{folder}/__init__.py" in self.every:
            return False
        inner = folder.split("/")[1:]
        aside = not _ASIDE.isdisjoint(inner) or "benchmarks" in inner[:-1]
        return aside and self.in_package(f"{folder}/")

    def is_copied(self, path: str) -> bool:
        """Tell whether a path lies in a folder that holds projects with licences of their own."""
        return any(path.startswith(f"{one}/") for one in self.copied)

    def _tools(self) -> frozenset[str]:
        """Return the folders of maintainers' tools: beside the package of a distribution.

        A package named utils is part of the code; a folder that trains is what users run.
        """
        if not self.distributed:
            return frozenset()
        tops = {one.partition("/")[0] for one in self.every if "/" in one}
        return frozenset(
            top
            for top in tops - self.entries
            if (top.lower() in _TOOLS or _TOOLS_OF.match(top.lower()))
            and not (top == "utils" and top in self.shipped)
        )

    def _collections(self) -> frozenset[str]:
        """Return the folders that hold only folders of scripts, beside a package and the
        scripts that are its main job: side projects."""
        if not self.distributed or not any(map(_is_main, self.every)):
            return frozenset()
        code = [one for one in self.every if "/" in one and kind_of(one) == "python"]
        direct = {one.partition("/")[0] for one in code if one.count("/") == 1}
        packed = {one.partition("/")[0] for one in self.shipped}
        return frozenset({one.partition("/")[0] for one in code} - direct - packed)


def assign(
    paths: Iterable[str],
    overrides: Mapping[str, Role],
    tests: Callable[[str], bool] = lambda _: True,
) -> dict[str, Role]:
    """Return the role of every path; a glob in `overrides` that matches decides first.

    `tests` tells whether a module that is named like tests has any: one that has none is a
    command (``test.py`` beside a model) or a part of the product (``test_time_pool.py``).
    """
    every = list(paths)
    layout = _Layout(every, tests)
    found = {path: _role(path, layout) for path in every}
    if any(one.startswith("src/") for one in layout.shipped):
        beside = (
            one
            for one in every
            if found[one] == "product"
            and _beside_src(one)
            and one.partition("/")[0] not in layout.entries
        )
        found |= dict.fromkeys(beside, "example")
    for pattern, role in overrides.items():
        found |= {path: role for path in every if fnmatchcase(path, pattern)}
    return found


def _is_main(path: str) -> bool:
    """Tell whether a file is a script of the root that is no tool, test or measurement."""
    aside = path in _BUILD or _TEST_FILE.search(path) or _BENCHMARK.match(path)
    return "/" not in path and path.endswith(".py") and not aside


def _is_entry(path: str) -> bool:
    """Tell whether a file of a folder, or of one for training in it, is named as one that starts
    training."""
    folder, _, name = path.rpartition("/")
    near = "/" not in folder or bool(re.search(r"^scripts/\w*train\w*$", folder))
    trains = near and "/" in folder and bool(_TRAINS.search(name))
    return trains or (bool(folder) and near and bool(_ENTRY.search(name)))


def _beside_src(path: str) -> bool:
    """Tell whether a module is in a folder beside a ``src`` layout, which ships ``src`` alone."""
    return "/" in path and not path.startswith("src/") and kind_of(path) == "python"


def _named(path: str, role: Role) -> bool:
    return any(part.lower() in _FOLDERS[role] for part in path.split("/"))


@lru_cache(1 << 14)
def _folder_role(path: str) -> Role | None:
    for role in _FOLDERS:
        if _named(path, role):
            return role
    return None


def _role(path: str, layout: _Layout) -> Role:
    folder, _, name = path.rpartition("/")
    kind = kind_of(path)
    if _CI.match(path):
        return "ci"
    if layout.is_copied(path):
        return "vendored"
    known = _folder_role(folder) if folder else None
    if known == "example" and layout.in_package(path):
        known = _folder_role("/".join(p for p in folder.split("/") if p.lower() not in _SUBJECTS))
    if known is None and layout.is_beside(folder):
        known = "example"
    if known is not None:
        return known
    if kind == "python":
        return _python_role(path, name, layout)
    if kind in ("markdown", "rst"):
        return "docs"
    if path.startswith(".github/") or (kind in _CONFIG_KINDS and "/" not in folder):
        return "config"
    if kind == "text":
        return "docs" if not name.endswith(".txt") and not name.endswith(".lock") else "config"
    return "product" if kind == "shell" else "data"


def _python_role(path: str, name: str, layout: _Layout) -> Role:
    top = path.partition("/")[0]
    tested = _TEST_FILE.search(path) and not _is_evaluation(path, layout)
    if tested and (_HELPERS.search(path) or layout.tests(path)):
        return "test"
    if "/" not in path and name in _BUILD:
        return "build"
    if name.endswith(("_pb2.py", "_pb2_grpc.py")):
        return "generated"
    if top in layout.collections or ("/" not in path and _BENCHMARK.match(name)):
        return "example"
    if "/" in path and top in layout.tools:
        return "build"
    return "build" if path.startswith(".") or "/." in path else "product"


def _is_evaluation(path: str, layout: _Layout) -> bool:
    """Tell whether a ``test.py`` is a command: of a package, or beside a ``train.py``."""
    folder, _, name = path.rpartition("/")
    beside = f"{folder}/train.py" if folder else "train.py"
    return name == "test.py" and (beside in layout.every or layout.in_package(path))
