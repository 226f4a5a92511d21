"""Shown output: examples are run in a throw-away copy and what they print is compared.

Only for repositories that one trusts, and only where that is asked for.
"""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from audit.docs_truth.commands import find
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong
from audit.docs_truth.pages import Page, blocks
from audit.docs_truth.python_blocks import PYTHON
from audit.docs_truth.shell import started
from audit.docs_truth.world import World
from audit.facts.model import Fence
from audit.validation import place
from audit.validation.consoles import PROMPT
from audit.validation.judge import pattern
from audit.validation.model import Run
from audit.validation.process import Processes

TIMEOUT: Final = 60.0
"""Seconds that a block may take."""
_NO_TREE: Final = Unknown("there is no working tree to run examples in")
_DOCTEST: Final = """
import doctest, json, sys
text = open(sys.argv[1], encoding="utf-8").read()
found = []
class Runner(doctest.DocTestRunner):
    def report_failure(self, out, test, example, got):
        found.append([example.lineno, example.source, example.want, got])
    def report_unexpected_exception(self, out, test, example, info):
        said = f"{info[0].__name__}: {info[1]}"
        found.append([example.lineno, example.source, example.want, said])
    def report_start(self, *_): pass
    def report_success(self, *_): pass
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, "block", None, 0)
Runner(optionflags=flags).run(test, out=lambda _: None, clear_globs=True)
print(json.dumps(found))
"""


class Bench(msgspec.Struct, frozen=True):
    """A throw-away copy of the repository, with its console commands on the path."""

    root: Path
    environment: dict[str, str]
    scratch: Path

    def run(self, script: str) -> Run:
        """Run a shell script in the copy."""
        return Processes().run(script, self.root, self.environment, TIMEOUT, merge=True)


@contextmanager
def bench(world: World) -> Iterator[Bench]:
    """Make the copy, and take it away."""
    with tempfile.TemporaryDirectory(prefix="codex-audit-", ignore_cleanup_errors=True) as folder:
        root, commands = Path(folder, "copy"), Path(folder, "bin")
        place.copy(Path(world.root).resolve(), root)
        commands.mkdir()
        for name, target in world.distribution.scripts:
            _shim(commands / Path(name).name, target)
        found = place.environment(root)
        paths = [str(root), str(root / "src"), found.get("PYTHONPATH", "")]
        found |= {
            "PATH": f"{commands}:{found['PATH']}",
            "PYTHONPATH": ":".join(one for one in paths if one),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        yield Bench(root, found, Path(folder))


def _shim(path: Path, target: str) -> None:
    """Write what an installer would write for a console command."""
    module, _, name = target.partition(":")
    path.write_text(
        f"#!{sys.executable}\nimport sys\nfrom {module} import {name.partition('.')[0]} as _\n"
        f"sys.argv[0] = {path.name!r}\nsys.exit(_{name[len(name.partition('.')[0]) :]}())\n"
    )
    path.chmod(0o755)


@kind("python-output", executes=True)
def python_output(world: World) -> Iterator[Judged]:
    """A Python block shows output that its code does not give."""
    found = [
        (page, fence)
        for page in world.present
        for fence in blocks(page, *PYTHON)
        if ">>>" in fence.text and any(top in fence.text for top in world.namespace.tops)
    ]
    if not world.root:
        yield from ((_claim(page, fence), _NO_TREE) for page, fence in found)
    elif found:
        with bench(world) as one:
            for page, fence in found:
                yield from _doctest(one, page, fence)


def _claim(page: Page, fence: Fence) -> Claim:
    return Claim(page.path, fence.line, fence.text.strip().partition("\n")[0])


def _doctest(bench: Bench, page: Page, fence: Fence) -> Iterator[Judged]:
    block, script = bench.scratch / "block.txt", bench.scratch / "run.py"
    block.write_text(fence.text, encoding="utf-8")
    script.write_text(_DOCTEST, encoding="utf-8")
    run = bench.run(shlex.join(["python", str(script), str(block)]))
    try:
        failures = json.loads(run.stdout.strip().rpartition("\n")[2])
    except ValueError:
        yield _claim(page, fence), Unknown("an example that cannot be run")
        return
    if not failures:
        yield _claim(page, fence), HOLDS
    for line, source, want, got in failures[:1]:
        truth = f"it gives {got.strip()[:120]!r}, not {want.strip()[:120]!r}"
        verdict: Verdict = Wrong(truth, got.strip()[:80])
        if got.startswith(("ModuleNotFoundError", "ImportError")) and not want:
            verdict = Unknown("an example that needs what is not installed")
        yield Claim(page.path, fence.line + 1 + line, source.strip()), verdict


@kind("console-output", executes=True)
def console_output(world: World) -> Iterator[Judged]:
    """A console block shows output that its command does not give."""
    found = [
        (page, line, command, shown)
        for page in world.present
        for fence in page.facts.fences
        for line, command, shown in _shown(fence)
        if any(find(world, argv, command) for argv in started(command))
    ]
    if not world.root:
        yield from ((Claim(page.path, line, text), _NO_TREE) for page, line, text, _ in found)
    elif found:
        with bench(world) as one:
            for page, line, command, shown in found:
                yield Claim(page.path, line, command), _compare(one.run(command), shown)


def _shown(fence: Fence) -> Iterator[tuple[int, str, str]]:
    """Yield line, command and output of what follows each prompt and shows some."""
    rows = fence.text.splitlines()
    starts = [at for at, row in enumerate(rows) if row.startswith(PROMPT)]
    for start, end in pairwise([*starts, len(rows)]):
        last = start
        while rows[last].endswith("\\") and last + 1 < end:
            last += 1
        command = "\n".join([rows[start].removeprefix(PROMPT), *rows[start + 1 : last + 1]])
        shown = "\n".join(rows[last + 1 : end]).strip("\n")
        if shown:
            yield fence.line + 1 + start, command, shown


def _compare(run: Run, shown: str) -> Verdict:
    if run.ending != "exited" or run.exit_code == 127:
        return Unknown("an example that cannot be run")
    written = "\n".join(row.rstrip() for row in run.stdout.strip("\n").splitlines())
    if pattern(shown).fullmatch(written):
        return HOLDS
    first = next(
        (now for now, was in zip(written.splitlines(), shown.splitlines(), strict=False)
         if now.rstrip() != was.rstrip()), written.partition("\n")[0],
    )  # fmt: skip
    return Wrong("the output is not what is shown", first.strip()[:120])
