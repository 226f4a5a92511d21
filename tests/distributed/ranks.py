"""Start real ranks: under torchrun, or bare as a scheduler would."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import ForkServerContext, ForkServerProcess

    _Forked: TypeAlias = tuple[ForkServerProcess, Path]

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
    """Run a program of this folder as one process."""
    (done,) = _finished([_forked(program, arguments, variables)])
    return done


def bare(
    ranks: int, program: str, *arguments: str, **variables: str
) -> list[subprocess.CompletedProcess[str]]:
    """Run ranks without torchrun, each told its place by the variables alone."""
    place = {"CODEX_DDP": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    place |= {"WORLD_SIZE": str(ranks), **variables}
    return _finished(
        [
            _forked(program, arguments, place | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
            for rank in range(ranks)
        ]
    )


def _forked(program: str, arguments: Sequence[str], variables: dict[str, str]) -> _Forked:
    """Start a program in a fork of a process that has torch imported: most of what it takes."""
    folder = Path(tempfile.mkdtemp(prefix="codex-ml-rank-"))
    found = PROGRAMS / program
    process = _server().Process(
        target=_work,
        args=(
            str(found if found.exists() else program),
            arguments,
            environment(**variables),
            folder,
        ),
    )
    process.start()
    return process, folder


def _server() -> ForkServerContext:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["codex_ml.training.run", "codex_ml.distributed.joining"])
    return processes


def _work(program: str, arguments: Sequence[str], variables: dict[str, str], folder: Path) -> None:
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(variables)
    torch.set_num_threads(1)
    sys.argv = [program, *arguments]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__")


def _finished(started: list[_Forked]) -> list[subprocess.CompletedProcess[str]]:
    """Wait for each rank; a frozen one, which never ends, is killed."""
    try:
        for process, _ in started:
            if _frozen(process.pid):
                process.kill()
            process.join(120)
        return [_completed(*one) for one in started]
    finally:
        for process, _ in started:
            process.kill()


def _completed(process: ForkServerProcess, folder: Path) -> subprocess.CompletedProcess[str]:
    out, err = ((folder / name).read_text() for name in ("out", "err"))
    shutil.rmtree(folder)
    assert process.exitcode is not None, err
    return subprocess.CompletedProcess(process.name, process.exitcode, out, err)


def _frozen(pid: int | None) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "T"
