"""Start real ranks: under torchrun, or bare as a scheduler would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEX_")}
    return kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}


def torchrun(
    ranks: int, program: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of this folder on `ranks` local processes and wait."""
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", str(ranks))
    place = ("--master-addr", "127.0.0.1", "--master-port", free_port())
    return subprocess.run(
        [sys.executable, *launcher, *place, str(PROGRAMS / program), *arguments],
        env=environment(**{"CODEX_DDP": "1", **variables}),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def single(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this folder as one plain process."""
    return subprocess.run(
        [sys.executable, str(PROGRAMS / program), *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def bare(
    ranks: int, program: str, *arguments: str, **variables: str
) -> list[subprocess.CompletedProcess[str]]:
    """Run ranks without torchrun, each told its place by the variables alone."""
    port = free_port()
    started = [
        subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *arguments],
            env=environment(
                CODEX_DDP="1",
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                WORLD_SIZE=str(ranks),
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=port,
                **variables,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]
    try:
        return [_finished(one) for one in started]
    finally:
        for one in started:
            one.kill()
            one.wait()


def _finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for one rank; a frozen one, which never ends, is killed."""
    if _frozen(process.pid):
        process.kill()
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
