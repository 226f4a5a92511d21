"""Off: null objects, no torch, no sockets, no seeds, no time."""

import subprocess
import sys
import timeit

import pytest
import torch
from torch import nn

from codex_ml import distributed
from tests.distributed.ranks import environment, single

UNTOUCHED = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError('a socket was opened')
socket.socket = socket.create_connection = refuse
from codex_ml import distributed as d
with d.session():
    assert (d.rank(), d.world_size(), d.local_rank(), d.is_main()) == (0, 1, 0, True)
    d.barrier()
    assert d.all_reduce_mean(2.0) == 2.0
    assert d.broadcast_object([1]) == [1] and d.gather_objects(1) == [1]
    assert list(d.shard(3)) == [0, 1, 2]
    with d.main_first(), d.gradient_sync(None, enabled=False):
        pass
    assert d.wrap('model') == 'model' == d.unwrap('model')
assert not [name for name in sys.modules if name.partition('.')[0] == 'torch']
"""


@pytest.mark.parametrize("variables", [{}, {"CODEX_DDP": "0", "WORLD_SIZE": "2", "RANK": "1"}])
def test_nothing_is_imported_opened_or_changed(variables: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNTOUCHED],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_model_and_the_seed_stay_what_they_are() -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    model = nn.Linear(2, 2)
    torch.set_rng_state(state)
    with distributed.session():
        assert distributed.wrap(model, "fsdp") is model
        assert distributed.unwrap(model) is model
    assert torch.equal(torch.get_rng_state(), state)


def test_a_hook_costs_what_a_call_costs() -> None:
    """Below 5 µs a call, best of 20: a training step takes thousands of times as long."""
    best = min(timeit.repeat(distributed.barrier, number=1000, repeat=20)) / 1000
    assert best < 5e-6


def test_several_processes_without_the_switch_are_warned_of() -> None:
    done = single("hooks.py", "/dev/null", WORLD_SIZE="2", RANK="1")
    assert "CODEX_DDP is not set: every process runs alone" in done.stderr
    assert done.returncode == 0


def test_the_switch_without_a_launcher_is_one_line_and_exit_2() -> None:
    done = single("train.py", "unused", "ddp", "1", CODEX_DDP="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: CODEX_DDP is on but RANK, WORLD_SIZE")
    assert done.stderr.count("\n") == 1
