"""`codex-ml train` over real ranks, gone on with by another number of them."""

import json
from pathlib import Path

import pytest

from codex_ml.training.config_file import dump
from tests.distributed.ranks import bare, single
from tests.distributed.test_ranks import TOLERANCE
from tests.training.runs import losses, tiny

COMMAND = "codex_ml.cli.train"
# no dropout, and a rate that does not depend on the number of steps
TOGETHER = ("model.dropout=0.0", "optimizer={warmup=0, min_lr=1e-3}", "checkpoints.every=0")


def described(run: Path, *words: str) -> str:
    """Write a run's configuration and return its path."""
    path = Path(f"{run}.toml")
    path.write_text(dump(tiny(run, *TOGETHER, *words)))
    return str(path)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of one process at the same global batch."""
    run = tmp_path_factory.mktemp("alone") / "run"
    assert single(COMMAND, described(run)).returncode == 0
    return losses(run)


def test_two_ranks_go_on_as_one_and_one_as_two(alone: list[float], tmp_path: Path) -> None:
    path = described(tmp_path / "run")
    first = bare(2, COMMAND, path, "training.steps=4", "training.batch_size=1")
    assert [one.returncode for one in first] == [0, 0], first[0].stderr
    done = single(COMMAND, path, "--resume", "training.steps=8")
    assert "world_size was 2 and is 1" in done.stderr
    assert json.loads(done.stdout)["step"] == 8
    last = bare(2, COMMAND, path, "--resume", "training.batch_size=1")
    assert [one.returncode for one in last] == [0, 0], last[0].stderr
    assert losses(tmp_path / "run") == pytest.approx(alone, rel=TOLERANCE)
