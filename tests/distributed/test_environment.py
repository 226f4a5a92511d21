"""Off unless the environment says on; contradictions are refused by name."""

import pytest

from codex_ml.distributed import DistributedError, enabled
from codex_ml.distributed.environment import read_launch

PLACE = {
    "RANK": "1",
    "WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_on(value: str) -> None:
    assert enabled({"CODEX_DDP": value})


@pytest.mark.parametrize(
    "environ", [{}] + [{"CODEX_DDP": v} for v in ("", "0", "False", "no", "off")]
)
def test_off(environ: dict[str, str]) -> None:
    assert not enabled(environ)


@pytest.mark.parametrize("value", ["2", "enabled", "y", "-"])
def test_neither_on_nor_off(value: str) -> None:
    with pytest.raises(DistributedError, match="neither on nor off"):
        enabled({"CODEX_DDP": value})


@pytest.mark.parametrize(("value", "is_on"), [("1", True), ("0", False)])
def test_the_legacy_switch_works_and_warns(value: str, is_on: bool) -> None:
    with pytest.warns(DeprecationWarning, match="set CODEX_DDP"):
        assert enabled({"CODEX_DDP_ENABLE": value}) is is_on


def test_two_switches_that_disagree() -> None:
    with (
        pytest.warns(DeprecationWarning, match="set CODEX_DDP"),
        pytest.raises(DistributedError, match="disagree"),
    ):
        enabled({"CODEX_DDP": "0", "CODEX_DDP_ENABLE": "1"})


def test_a_launch_is_read() -> None:
    launch = read_launch("cpu", PLACE)
    assert (launch.rank, launch.world_size, launch.local_rank) == (1, 2, 1)
    assert (launch.backend, launch.timeout) == ("gloo", 600)
    assert read_launch("cuda:1", PLACE).backend == "nccl"
    assert read_launch("cpu", PLACE | {"CODEX_DDP_TIMEOUT": "2.5"}).timeout == 2.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"RANK": ""}, "RANK not set: launch with `torchrun"),
        ({"RANK": "2"}, "contradict"),
        ({"RANK": "0"}, "contradict"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE='two' is no whole number"),
        ({"MASTER_PORT": "-1"}, "MASTER_PORT='-1' is no whole number"),
        ({"CODEX_DDP_BACKEND": "nccl"}, "no backend 'nccl' for device 'cpu'"),
        ({"CODEX_DDP_BACKEND": "smoke"}, "no backend 'smoke'"),
        ({"CODEX_DDP_TIMEOUT": "0"}, "no number of seconds"),
        ({"CODEX_DDP_TIMEOUT": "inf"}, "no number of seconds"),
        ({"CODEX_DDP_TIMEOUT": "soon"}, "no number of seconds"),
    ],
)
def test_contradictions_are_refused_by_name(change: dict[str, str], says: str) -> None:
    with pytest.raises(DistributedError, match=says):
        read_launch("cpu", PLACE | change)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DistributedError, match="device 'abacus'"):
        read_launch("abacus", PLACE)
