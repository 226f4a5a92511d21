"""The `codex-ml` command starts without its subcommands' libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_ml.tokenization import ByteTokenizer


def test_version_is_printed_without_importing_torch() -> None:
    code = "import sys, codex_ml.cli as c; c.main(['--version']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("codex-ml, version ")


def test_unknown_command_is_one_clear_line_and_exit_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codex_ml", "no-such"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "No such command 'no-such'" in done.stderr
    assert done.stdout == ""


def _guarded(action: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys\nfrom codex_ml.cli import guard\ndef f():\n {action}\nsys.exit(guard(f))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_bad_input_is_one_line_and_exit_2() -> None:
    done = _guarded("from codex_ml.errors import CodexError; raise CodexError('no such file: a')")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: no such file: a\n")


def test_interruption_exits_130() -> None:
    done = _guarded("raise KeyboardInterrupt")
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_defect_shows_its_traceback_and_exits_3() -> None:
    done = _guarded("raise ZeroDivisionError('bug')")
    assert done.returncode == 3
    assert "ZeroDivisionError: bug" in done.stderr


def test_a_reader_that_went_away_is_no_error() -> None:
    line = "for _ in range(10**5): print('x' * 80)"
    code = f"import sys\nfrom codex_ml.cli import guard\ndef f():\n {line}\nsys.exit(guard(f))"
    shell = f'{sys.executable} -c "$CODE" | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", shell], env={"CODE": code}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", ["--help", "plugins list", "plugins list --format json"])
def test_a_full_disk_is_one_line_and_exit_2(arguments: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            [sys.executable, "-m", "codex_ml", *arguments.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "error: output: No space left on device\n")


def test_a_subcommand_s_module_starts_without_click() -> None:
    code = "import sys, codex_ml.cli; sys.exit('click' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


WATCHED = """
import os, sys
class Watch:
    def find_spec(name, *_):
        if name == 'torch':
            print(os.environ.get('OMP_WAIT_POLICY'), flush=True)
            os._exit(0)
sys.meta_path.insert(0, Watch)
"""


def _policy_when_torch_comes(code: str, **variables: str) -> str:
    inherited = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code],
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _computing(command: str, folder: Path) -> str:
    data = folder / "data.jsonl"
    data.write_text('{"text": "a line"}\n')
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_bytes(ByteTokenizer().to_bytes())
    model = ["--model=transformer", f"--tokenizer={tokenizer}"]
    task = [f"--data={data}", f"--out={folder / 'out'}", "--metric=bits-per-byte"]
    arguments = {"train": ["--demo", f"run={folder / 'run'}"], "evaluate": [*model, *task]}
    return f"from codex_ml.cli import main; main({[command, *arguments[command]]})"


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_command_that_computes_lets_idle_threads_sleep(command: str, tmp_path: Path) -> None:
    assert _policy_when_torch_comes(_computing(command, tmp_path)) == "PASSIVE"


def test_the_user_s_own_wait_policy_stays(tmp_path: Path) -> None:
    code = _computing("train", tmp_path)
    assert _policy_when_torch_comes(code, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"


def test_a_library_import_leaves_the_wait_policy_alone() -> None:
    code = "from codex_ml.training import train; import codex_ml.cli.train, torch"
    assert _policy_when_torch_comes(code) == "None"
