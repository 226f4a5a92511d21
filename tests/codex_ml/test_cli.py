"""The `codex-ml` command starts without its subcommands' libraries."""

import subprocess
import sys


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


def test_a_subcommand_s_module_starts_without_click() -> None:
    code = "import sys, codex_ml.cli; sys.exit('click' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
