"""Which kind of file a path names: light, for it is asked of every path."""

import re
from functools import lru_cache
from typing import Final

from audit.facts.model import FileKind

_SUFFIXES: Final[dict[str, FileKind]] = {
    ".py": "python", ".pyi": "python", ".md": "markdown", ".mdx": "markdown",
    ".markdown": "markdown", ".rst": "rst", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
    ".json": "json", ".jsonc": "jsonc", ".ini": "ini", ".cfg": "ini", ".sh": "shell",
    ".bash": "shell", ".slurm": "shell", ".sbatch": "shell", ".mk": "make", ".txt": "text",
    ".lock": "text", ".dockerfile": "docker",
}  # fmt: skip
_WITH_COMMENTS: Final = re.compile(
    r"(^|/)((ts|js)config([.-][\w.-]+)?|\.?devcontainer|\.vscode/[\w.-]+)\.json$"
)
"""Files that their programs read with comments and trailing commas."""
_INI: Final = (".coveragerc", ".flake8", ".pylintrc", "pylintrc", ".style.yapf")
_TEXT: Final = (
    "license", "licence", "copying", "security", "changelog", "changes", "history", "news",
    "contributing", "readme", "py.typed", "manifest.in", "codeowners", "apptainer",
    "singularity", "docusaurus.config.js", "docusaurus.config.ts", "renovate.json5",
)  # fmt: skip
_SCRIPT_FOLDERS: Final = frozenset({".husky", "scripts", "script", "bin", "ci"})
_TEXT_STEMS: Final = ("license", "licence", "copying", "unlicense")  # LICENSE-MIT, COPYING.LESSER
_NAMES: Final[dict[str, FileKind]] = {
    **dict.fromkeys(("makefile", "gnumakefile"), "make"),
    **dict.fromkeys(("dockerfile", "containerfile"), "docker"),
    **dict.fromkeys(_INI, "ini"),
    **dict.fromkeys(_TEXT, "text"),
    "pipfile": "toml",
    "jenkinsfile": "jenkins",
    **dict.fromkeys(("justfile", ".justfile"), "just"),
    ".pyre_configuration": "json",
}


@lru_cache(1 << 15)
def kind_of(path: str) -> FileKind | None:
    """Return the kind of file that a path names, None for what holds no facts."""
    name = path.rpartition("/")[2].lower()
    if _WITH_COMMENTS.search(path.lower()):
        return "jsonc"
    if known := _NAMES.get(name):
        return known
    if name.startswith(("dockerfile.", "dockerfile-", "containerfile.")):
        return "docker"
    if "." not in name and not _SCRIPT_FOLDERS.isdisjoint(path.lower().split("/")[:-1]):
        return "shell"
    stem, dot, suffix = name.rpartition(".")
    known = _SUFFIXES.get(dot + suffix) if stem or not dot else None
    if known is None and name.partition(".")[0].partition("-")[0] in _TEXT_STEMS:
        return "text"
    return known
