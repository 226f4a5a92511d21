"""Documentation: a README with which somebody can install and use the project."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Fence, ProseFacts
from audit.facts.script import shell_lines
from audit.practices.registry import Place, in_file, practice
from audit.practices.shell import Argv, argvs
from audit.repository import Repository

_INSTALLERS: Final = frozenset(
    "pip pip3 conda mamba micromamba uv poetry pipx pdm pixi brew apt".split()
)
_INSTALLS: Final = frozenset({"install", "add", "sync", "create", "tool", "shell"})
_PREPARES: Final = frozenset(
    "cd git source export mkdir ls echo cat cp mv rm curl wget sudo apt apt-get brew virtualenv set "
    "alias conda mamba activate pyenv module huggingface-cli which open code pre-commit".split()
)
_SHELLS: Final = frozenset(
    {
        "",
        "bash",
        "sh",
        "shell",
        "console",
        "zsh",
        "text",
        "shell-session",
        "sh-session",
        "shellsession",
        "txt",
        "plaintext",
        "cmd",
        "powershell",
        "terminal",
        "bat",
        "{bash}",
        "fish",
    }
)
_INSTALL_SCRIPT: Final = re.compile(r"(^|_|-)(install|setup|bootstrap|env|environment)\w*\.sh$")
_PYTHON_FENCE: Final = re.compile(
    r"^(python|py|python3|pycon|ipython)\b|^\{\.?python", re.IGNORECASE
)
_STARTS: Final = re.compile(r"^(python3?|bash|sh|torchrun|accelerate launch) +[\w./-]+\.(py|sh)\b")
_DISPLAY: Final = re.compile(r"^\s*@\w+\{|[├└]──", re.MULTILINE)
"""A citation or a tree of files."""
_PROMPT: Final = re.compile(r"^\s*(\$|>|%|!|\(\w+\)\s*\$)\s+")
_STATEMENT: Final = re.compile(
    r"^(>>> )?(from [\w.]+ import |import \w|with .+:|\w[\w., ]* = .+\(|[\w.]+\()", re.MULTILINE
)


@practice(
    "docs-quickstart", looks_for="README with an install command and a usage block", code=False
)
def docs_quickstart(repo: Repository) -> Iterator[Place]:
    """The README leads from nothing to a first run.

    Why:
        A reader decides within a minute whether to try it; two blocks to copy make that minute.
    Fix:
        Give the README an install command and the shortest command or script that does something.
    Good:
        # file: README.md
        # Package

        ```bash
        pip install package
        ```

        ```python
        from package import train
        train("config.toml")
        ```
    Bad:
        # file: README.md
        # Package

        See [the docs](https://example.org) for installation and use.

        ```bash
        git clone https://example.org/package && cd package
        pip install -e .
        ```
    Limits:
        Whether the commands work is for `docs-tested` to say.
    """
    every = list(repo.by_stem("readme"))
    first = [file for file in every if "/" not in file.path]
    for file in first or every:
        if "/" in file.path and not file.path.lower().startswith((".github/", "docs/readme")):
            continue
        if isinstance(file.facts, ProseFacts):
            install = _install(file.facts)
            use = _use(file.facts)
            if install is not None and use is not None:
                yield in_file(file, install, "how to install", "install")
                yield in_file(file, use, "how to use", "use")


def _install(page: ProseFacts) -> int | None:
    """Return the line of an install command in a block or a code span."""
    for fence in page.fences:
        for line in shell_lines(fence.text, fence.line + 1):
            if any(map(_is_install, _typed(line.text))):
                return line.line
    for span in page.spans:
        if any(map(_is_install, _typed(span.text))):
            return span.line
    return None


def _use(page: ProseFacts) -> int | None:
    """Return the line of a block that runs something: Python code, or a command of its own."""
    for fence in page.fences:
        if _DISPLAY.search(fence.text):
            continue
        if _is_python(fence):
            return fence.line
        if fence.info.partition(" ")[0].lower() in _SHELLS:
            for line in shell_lines(fence.text, fence.line + 1):
                if any(map(_is_run, _typed(line.text))):
                    return line.line
    return next((one.line for one in page.spans if _STARTS.match(one.text)), None)


def _typed(text: str) -> tuple[Argv, ...]:
    return argvs(_PROMPT.sub("", text))


def _is_install(argv: Argv) -> bool:
    if argv[:1] in (("python",), ("python3",)) and argv[1:3] == ("-m", "pip"):
        argv = argv[2:]
    if argv[0] in ("docker", "podman"):
        return argv[1:2] in (("pull",), ("build",))
    if _INSTALL_SCRIPT.search(argv[0]):
        return True
    if argv[0] in ("setup.py", "make"):
        return argv[1:2] in (("install",), ("develop",))
    whole = len(argv) > 2 or argv[0] in (
        "uv",
        "poetry",
        "pdm",
        "pixi",
    )  # these know what to install
    return argv[0] in _INSTALLERS and bool(_INSTALLS & set(argv[1:4])) and whole


def _is_run(argv: Argv) -> bool:
    """Tell whether a command is neither preparation nor prose."""
    head = argv[0]
    if head in _PREPARES or head in _INSTALLERS or not re.match(r"^[\w./-]+$", head):
        return False
    if _is_install(argv):
        return False
    return not _INSTALLS & set(argv[1:3]) and (len(argv) > 1 or "." in head or "-" in head)


def _is_python(fence: Fence) -> bool:
    named = bool(_PYTHON_FENCE.match(fence.info))
    return (named or fence.info in ("", "default")) and bool(_STATEMENT.search(fence.text))
