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
