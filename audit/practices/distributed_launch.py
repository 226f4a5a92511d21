"""How the processes of a distributed run are started."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from audit.practices.origins import by_file, of_topic
from audit.practices.registry import Place, at, in_code, in_file, practice
from audit.repository import Repository
from audit.sites import File

_LAUNCH: Final = re.compile(
    r"(?:^|[\s/;&(\"'])(?:torchrun|accelerate[ -]launch|deepspeed|srun|mpirun|mpiexec|horovodrun|"
    r"composer|python3? -m (?:torch\.distributed\.(?:run|launch)|accelerate\.commands\.launch|"
    r"deepspeed\S*))\s(?P<rest>.*)"
)
_COMMAND: Final = re.compile(
    r"\['torchrun'|'accelerate', 'launch'|\['deepspeed'|'torch\.distributed\.(run|launch)'|"
    r"^f?'(torchrun|accelerate launch|deepspeed|mpirun|srun) "
)
_RUNS: Final = re.compile(
    r"^_?(run|exec|execute)(_(cmd|command|process|shell)|v\w*)?$|^P?open$|call$|system$"
)
_WORD: Final = re.compile(r"[\w./-]+")


@practice(
    "distributed-launch",
    looks_for="a launcher, or a launch command of an own entry point",
    code=False,
)
def distributed_launch(repo: Repository) -> Iterator[Place]:
    """A launch on several processes is given.

    A command counts when it starts a file, module or console command of the repository.

    Why:
        How many processes, which entry point and which options is what a user cannot guess.
    Fix:
        Show the ``torchrun`` command of the entry point in the README.
    Good:
        # file: train.py
        def main():
            pass
        # file: README.md
        # Demo

        ```sh
        torchrun --nproc_per_node 2 train.py
        ```
    Bad:
        # file: train.py
        def main():
            pass
        # file: README.md
        # Demo

        ```sh
        python train.py
        torchrun your_script.py
        ```
    Limits:
        Commands that only CI runs count, after those that a user reads.
    """
    own = _entry_points(repo)
    launchers = [*of_topic(repo, "process-launchers", "starts processes with {}"), *_composed(repo)]
    shown = [
        in_file(file, command.line, "launch command of an own entry point", command.text[:60])
        for file, command in repo.commands
        if (found := _LAUNCH.search(command.text)) and _starts(own, found["rest"])
    ]
    shown.sort(key=lambda one: _distance(repo.files[one.path]))
    roles = {one.path: repo.files[one.path].role for one in shown}
    yield from by_file(repo, launchers)
    yield from (one for one in shown if roles[one.path] not in ("ci", "example"))
    yield from (one for one in shown if roles[one.path] == "example")
    yield from (one for one in shown if roles[one.path] == "ci")


def _composed(repo: Repository) -> Iterator[Place]:
    """Yield commands of a launcher that product code puts together to start them."""
    for module in repo.product:
        for one in module.facts.assigns:
            if _COMMAND.search(one.value):
                yield in_code(module, one.scope, one.line, "puts a launch command together")
    for method in filter(_RUNS.search, repo.by_method):
        for site in repo.methods(method):
            if any(map(_COMMAND.search, site.call.args)):
                yield at(site, "runs a launch command")


def _distance(file: File) -> tuple[bool, int]:
    """Order files by how soon a user meets them: the README, other files of the root, then below."""
    return not file.name.lower().startswith("readme") or "/" in file.path, file.path.count("/")


def _entry_points(repo: Repository) -> frozenset[str]:
    """Return the names under which the repository's code can be started."""
    names = {path.rpartition("/")[2] for path in repo.files if path.endswith((".py", ".sh"))}
    names |= {module.dotted.partition(".")[0] for module in repo.program.modules}
    names |= {module.path.partition("/")[0] for module in repo.product if "/" in module.path}
    scripts = [key for _, key in repo.keys("pyproject.toml", "setup.cfg")]
    names |= {
        key.path.rpartition(".")[2]
        for key in scripts
        if key.path.startswith(("project.scripts.", "tool.poetry.scripts."))
    }
    return frozenset(names - {"__init__.py", "setup"})


def _starts(own: frozenset[str], rest: str) -> bool:
    """Tell whether the rest of a launch command names an own entry point."""
    return any(map(partial(_is_own, own), _WORD.findall(rest)))


def _is_own(own: frozenset[str], word: str) -> bool:
    if word.endswith((".py", ".sh")):
        return word.rpartition("/")[2] in own
    return word in own or ("." in word and "/" not in word and word.partition(".")[0] in own)
