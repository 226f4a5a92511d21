"""Real processes over gloo on the loopback: 2 and 4 ranks under torchrun, and bare."""

import json
from pathlib import Path

import pytest

from tests.distributed.ranks import bare, single, torchrun

STEPS = 6
TOLERANCE = 1e-5
"""Relative. Ranks sum the same 16 float32 losses and gradients in another order: each
sum differs by a few units of 2**-24 = 6e-8, and six small steps do not amplify it more."""


def losses(folder: Path, strategy: str = "ddp") -> list[float]:
    lines = (folder / f"{strategy}.ndjson").read_text().splitlines()
    found = dict(json.loads(line) for line in lines)
    return [found[step] for step in sorted(found)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of one process at the same global batch."""
    folder = tmp_path_factory.mktemp("alone")
    assert single("train.py", str(folder), "ddp", str(STEPS)).returncode == 0
    return losses(folder)


def test_every_hook(tmp_path: Path) -> None:
    ranks = 2
    done = torchrun(ranks, "hooks.py", str(tmp_path / "order"))
    assert done.returncode == 0, done.stderr
    rows = sorted(map(json.loads, done.stdout.splitlines()), key=lambda row: row["rank"])
    everyone = list(range(ranks))
    mean = (ranks - 1) / 2
    assert [row["rank"] for row in rows] == [row["local_rank"] for row in rows] == everyone
    assert [row["is_main"] for row in rows] == [True] + [False] * (ranks - 1)
    for row in rows:
        assert row["world_size"] == ranks
        assert (row["mean"], row["integers"], row["tensor"]) == (mean, [mean], [mean, 1.0])
        assert row["argument"] == [row["rank"], 1.0]
        assert row["object"] == {"from": 1}
        assert row["gathered"] == [[rank] for rank in everyone]
        assert row["nested"].startswith("a session is open already")
        assert row["again"] == [everyone] * 3
    assert sorted(index for row in rows for index in row["shard"]) == list(range(7))
    assert (tmp_path / "order").read_text().startswith("0\n")


@pytest.mark.parametrize(("ranks", "strategies"), [(2, ("ddp", "fsdp")), (4, ("ddp",))])
def test_ranks_train_like_one_process(
    alone: list[float], ranks: int, strategies: tuple[str, ...], tmp_path: Path
) -> None:
    done = torchrun(ranks, "train.py", str(tmp_path), ",".join(strategies), str(STEPS))
    assert done.returncode == 0, done.stderr
    for strategy in strategies:
        assert losses(tmp_path, strategy) == pytest.approx(alone, rel=TOLERANCE)
    assert alone[-1] < alone[0]


def test_accumulation_exchanges_gradients_once_a_step() -> None:
    """DDP sends one bucket; FSDP2 one group for each of two blocks."""
    steps, micro = 3, 4
    for done in bare(2, "exchanges.py"):
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            strategy: {"last": groups * steps, "each": groups * steps * micro}
            for strategy, groups in (("ddp", 1), ("fsdp", 2))
        }


def test_a_killed_rank_ends_all_and_the_run_resumes_on_another_number(
    alone: list[float], tmp_path: Path
) -> None:
    done = torchrun(2, "train.py", str(tmp_path), "ddp", str(STEPS), "1", "3", "kill")
    assert done.returncode != 0
    assert "error: rank 0 stops: rank 1 of 2 died or hangs" in done.stderr
    assert len(losses(tmp_path)) == 3
    assert single("train.py", str(tmp_path), "ddp", str(STEPS)).returncode == 0
    assert losses(tmp_path) == pytest.approx(alone, rel=TOLERANCE)


@pytest.mark.parametrize(
    ("ranks", "victim", "how", "says"),
    [
        (3, 2, "kill", "rank 2 of 3 died or hangs"),
        (2, 0, "kill", "rank 0, or the launcher that holds the ranks' store, is gone"),
        (2, 1, "raise", "rank 1 failed: ValueError: bad batch"),
    ],
)
def test_without_torchrun_the_survivors_end_and_name_the_rank(
    ranks: int, victim: int, how: str, says: str, tmp_path: Path
) -> None:
    done = bare(ranks, "train.py", str(tmp_path), "ddp", "9", str(victim), "2", how)
    for rank, one in enumerate(done):
        if rank != victim:
            assert one.returncode == 130
            assert f"error: rank {rank} stops: {says}" in one.stderr
    if how == "raise":
        assert done[victim].returncode == 3
        assert "ValueError: bad batch" in done[victim].stderr


def test_a_frozen_rank_ends_the_others_after_the_time_out(tmp_path: Path) -> None:
    variables = {"CODEX_DDP_TIMEOUT": "6"}
    done = bare(2, "train.py", str(tmp_path), "ddp", "9", "1", "2", "freeze", **variables)
    assert done[0].returncode == 130
    assert "error: rank 0 stops: rank 1 of 2 died or hangs" in done[0].stderr


def test_ranks_that_never_come_are_reported_within_the_time_out(tmp_path: Path) -> None:
    done = single(
        "train.py",
        str(tmp_path),
        "ddp",
        "1",
        CODEX_DDP="1",
        CODEX_DDP_TIMEOUT="2",
        RANK="0",
        LOCAL_RANK="0",
        WORLD_SIZE="2",
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT="29777",
    )
    assert done.returncode == 2
    assert "not all 2 ranks met at 127.0.0.1:29777 within 2 s" in done.stderr
