"""Contracts are run: real shells, bounded, by themselves, as sessions, in copies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from audit.errors import AuditError
from audit.validation import place
from audit.validation.execute import Settings, execute
from audit.validation.judge import verdicts
from audit.validation.model import Verdict
from audit.validation.parse import read
from audit.validation.plan import plan
from audit.validation.process import LIMIT, Processes
from tests.audit.conftest import Git


def validate(
    page: Path, text: str, timeout: float = 20, jobs: int = 1, *, sandbox: bool = False
) -> tuple[Verdict, ...]:
    page.write_text(text)
    checks = plan(read(page))
    return verdicts(checks, execute(checks, Settings(timeout, jobs, sandbox), lambda _: None))


def row(page: Path, command: str, expected: str, timeout: float = 20) -> Verdict:
    cell = command.replace("|", "\\|")
    text = f"| command | expected |\n|---|---|\n| `` {cell} `` | {expected} |"
    (found,) = validate(page, text, timeout)
    return found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "schema.json").write_text('{"type": "object", "required": ["a"]}')
    (tmp_path / "bad.json").write_text('{"type": "nonsense"}')
    (tmp_path / "far.json").write_text('{"$ref": "https://example.org/schema.json"}')
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs/page.md"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("exit 3", "exit 3"),
        ("echo x >&2", "stdout empty; stderr contains x"),
        ("""echo '{"a": [1, null]}'""", "exit 0; stderr empty; valid JSON"),
        ("""echo '{"a": 1}'""", "stdout matches schema schema.json"),
        ("ls schema.json", "runs in the root of the repository"),
        ("echo a | tr a b", "stdout contains b"),
    ],
)
def test_held(page: Path, command: str, expected: str) -> None:
    found = row(page, command, expected)
    assert (found.status, found.reasons) == ("held", ())


@pytest.mark.parametrize(
    ("command", "expected", "says"),
    [
        ("exit 3", "exit 0", "exit 3, expected 0"),
        ("exit 3", "all well", "exit 3, expected 0"),
        ("exit 1", "stdout empty", "exit 1, expected 0"),
        ("echo why >&2; exit 1", "no regressions", "exit 1, expected 0: why"),
        ("echo x >&2", "stderr empty", "stderr is not empty: 'x\\n'"),
        ("echo x", "stdout contains y", "stdout does not contain 'y': 'x\\n'"),
        ("echo x >&2", "stdout contains x", "stdout does not contain 'x': ''"),
        ("echo '{}{}'", "valid JSON", "stdout is not valid JSON"),
        ("echo NaN", "valid JSON", "stdout is not valid JSON"),
        ("echo '{}'", "stdout matches schema schema.json", "$: 'a' is a required property"),
        ("echo x", "stdout matches schema schema.json", "stdout is not valid JSON"),
        ("echo '{}'", "stdout matches schema none.json", "cannot be read: No such file"),
        ("echo '{}'", "stdout matches schema bad.json", "is no JSON Schema"),
        ("echo '{}'", "stdout matches schema far.json", "is no JSON Schema"),
        ("no-such-command", "exit 0", "exit 127, expected 0"),
        ("kill -9 $$", "exit 0", "exit -9, expected 0"),
        ("cat", "exit 0", "it needs input, and there is none"),
        ("read x", "exit 0", "exit"),
        ("cat < /dev/tty", "exit 0", "exit"),
        (f"{sys.executable} -c 'input()'", "exit 0", "it needs input, and there is none"),
    ],
)
def test_broken_with_the_reason(page: Path, command: str, expected: str, says: str) -> None:
    found = row(page, command, expected)
    assert found.status == "broken"
    assert says in found.reasons[0]


@pytest.mark.parametrize(
    ("command", "stdout", "stderr"),
    [
        ("seq 40; echo why >&2; exit 1", tuple(map(str, range(26, 41))), ("why",)),
        ("seq 15; exit 1", tuple(map(str, range(1, 16))), ()),
        (r"printf '\na\tb\033[31m\n\n'; exit 1", ("", r"a       b\x1b[31m"), ()),
        (r"printf '10%%\r20%%\n'; exit 1", ("20%",), ()),
        ("head -c 300 /dev/zero | tr '\\0' x; exit 1", (f"{'x' * 200}…",), ()),
        ("echo FAILED a; echo 1 failed; sleep 60", ("FAILED a", "1 failed"), ()),
        ("seq 40", (), ()),
        ("exit 1", (), ()),
    ],
    ids=[
        "the last lines",
        "all",
        "controls",
        "progress",
        "a long line",
        "killed",
        "held",
        "silent",
    ],
)
def test_the_end_of_what_a_broken_command_wrote(
    page: Path, command: str, stdout: tuple[str, ...], stderr: tuple[str, ...]
) -> None:
    found = row(page, command, "exit 0", timeout=1)
    assert (found.stdout, found.stderr) == (stdout, stderr)


def test_every_reason_is_given(page: Path) -> None:
    found = row(page, "echo x; echo y >&2; exit 2", "exit 0; stderr empty; valid JSON")
    assert len(found.reasons) == 3


def test_a_command_that_hangs_is_killed_with_all_it_started(page: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    found = row(page, f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60", "exit 0", timeout=0.5)
    assert "did not end within" in found.reasons[0]
    assert time.monotonic() - start < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_command_that_floods_is_killed(page: Path) -> None:
    found = row(page, "yes", "exit 0")
    assert found.reasons == (f"wrote more than {LIMIT // 1_000_000} MB and was killed",)


def test_what_a_command_leaves_behind_is_killed_and_not_waited_for(
    page: Path, tmp_path: Path
) -> None:
    found = row(page, f"sleep 60 & echo $! > {tmp_path}/pid", "exit 0")
    assert found.status == "held"
    assert found.seconds is not None
    assert found.seconds < 10
    assert gone(int((tmp_path / "pid").read_text()))


def gone(process: int) -> bool:
    """Wait until a process is no more (a zombie that nobody reaps is no more either)."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_stopping_ends_what_runs_and_starts_no_more(tmp_path: Path) -> None:
    processes = Processes()
    threading.Timer(0.3, processes.stop).start()
    first = processes.run("sleep 60", tmp_path, os.environ, 60, merge=False)
    second = processes.run("echo x", tmp_path, os.environ, 60, merge=False)
    assert first.exit_code == -9
    assert second.ending == "not started"


def test_one_bad_row_leaves_the_others(page: Path) -> None:
    text = "| command | expected |\n|---|---|\n| `true` |\n| `sleep 60` | ok |\n| `true` | exi 0 |\n| `true` | ok |"
    found = validate(page, text, timeout=0.5, jobs=3)
    assert [one.status for one in found] == ["broken", "broken", "broken", "held"]


def test_rows_run_side_by_side(page: Path) -> None:
    rows = "".join(
        f"| `touch {n}; until test -e {1 - n}; do sleep 0.01; done` | ok |\n" for n in (0, 1)
    )
    found = validate(page, f"| command | expected |\n|---|---|\n{rows}", jobs=2)
    assert [one.status for one in found] == ["held", "held"]


CONSOLE = """```console
$ mkdir -p made && cd made && export WORD='a b'
$ echo $WORD; echo err >&2
a b
err
$ false
$ echo $?
1
$ pwd | grep -o made
made
```

| command | expected |
|---|---|
| `test -z "$WORD" && test ! -e page.md` | rows know nothing of the session |
"""


def test_console_blocks_are_one_session_and_rows_none(page: Path) -> None:
    assert [one.reasons for one in validate(page, CONSOLE)] == [()] * 6


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        ("1\n2\n3", True), ("1  \n2\n3", True), ("1\n...\n3", True), ("…\n3", True), ("1\n…", True),
        ("...", True), ("1\n...\n2\n3", True), ("1\n3", False), ("1\n2", False), ("1\n...\n4", False),
        ("2\n3", False), ("1\n2\n3\n4", False), ("[1]\n2\n3", False), ("…1\n2…\n3", True),
    ],
)  # fmt: skip
def test_shown_output(page: Path, shown: str, holds: bool) -> None:
    (found,) = validate(page, f"```console\n$ seq 3\n{shown}\n```")
    assert (found.status == "held") is holds


def test_the_line_that_is_not_there_is_named(page: Path) -> None:
    first, second = validate(page, "```console\n$ seq 3\n1\n4\n3\n$ seq 3\n1\n2\n```")
    assert first.reasons == (r"the output does not hold '4' there: '1\n2\n3\n'",)
    assert second.reasons == (r"the output goes on after what is shown: '1\n2\n3\n'",)


def test_a_sandbox_is_a_copy_of_the_tree_as_it_is(sample: Path, git: Git) -> None:
    git("tag", "here", cwd=sample)
    (sample / ".gitignore").write_text("secret\n.venv\n")
    (sample / "secret").write_text("")
    (sample / "new.txt").write_text("new")
    (sample / "LICENSE").unlink()
    (sample / "README.md").write_text("changed")
    (sample / ".venv/bin").mkdir(parents=True)
    (sample / ".venv/bin/tool").write_text("#!/bin/sh\necho found\n")
    (sample / ".venv/bin/tool").chmod(0o755)
    checks = (
        "test -e new.txt", "test ! -e LICENSE", "test ! -e secret", "grep changed README.md",
        "git describe --tags HEAD", "tool", "rm new.txt && touch made", "test ! -e made",
    )  # fmt: skip
    rows = "".join(f"| `{one}` | ok |\n" for one in checks)
    found = validate(sample / "m.md", f"| command | expected |\n|---|---|\n{rows}", sandbox=True)
    assert [one.reasons for one in found] == [()] * len(checks)
    assert (sample / "new.txt").exists()
    assert not (sample / "made").exists()


def test_a_folder_outside_of_git_is_copied_too(tmp_path: Path) -> None:
    (tmp_path / "one/two").mkdir(parents=True)
    (tmp_path / "one/two/file").write_text("x")
    place.copy(tmp_path / "one", tmp_path / "copy")
    assert (tmp_path / "copy/two/file").read_text() == "x"
    with pytest.raises(AuditError, match="cannot be copied"):
        place.copy(tmp_path / "none", tmp_path / "other")


def test_commands_find_the_environment_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)

    def first() -> str:
        return place.environment(tmp_path)["PATH"].split(os.pathsep)[0]

    assert first() == str(Path(sys.executable).parent)
    monkeypatch.setenv("VIRTUAL_ENV", "/active")
    assert first() == os.environ["PATH"].split(os.pathsep)[0]
    (tmp_path / ".venv/bin").mkdir(parents=True)
    assert first() == str(tmp_path / ".venv/bin")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_validation_leaves_no_process(tmp_path: Path, number: int) -> None:
    (tmp_path / "page.md").write_text("```console\n$ sh -c 'echo $$ > pid; exec sleep 60'\n```")
    process = subprocess.Popen(
        [sys.executable, "-m", "audit", "validate", "page.md", "--execute"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in a shell's background, SIGINT is ignored, and so it would be there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for _ in range(200):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            break
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.lstrip()) == (130, "codex-audit: interrupted\n")
    assert gone(int((tmp_path / "pid").read_text()))
