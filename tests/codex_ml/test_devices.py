"""Which devices there are, asked without torch where that is possible."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest
import torch

from codex_ml import devices
from codex_ml.devices import DeviceError, check_device, find_device, is_out_of_memory


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps", "xpu:0"])
def test_a_device_that_may_be_there_is_left_to_torch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "version", lambda _: "2.13.0+cu130")
    check_device(name)


@pytest.mark.parametrize("name", ["quantum", "", "cuda:", "cpu:x", "CPU", "cuda:0:1"])
def test_what_names_no_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceError, match=r"^no device '.*': it is cpu, cuda"):
        check_device(name)


def test_a_build_for_cpus_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(devices, "version", lambda _: "2.13.0+cpu")
    with pytest.raises(DeviceError, match=r"torch 2\.13\.0\+cpu is a build for CPUs"):
        check_device("cuda:1")
    check_device("cpu")


def test_without_torch_its_absence_is_said_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(devices, "version", missing)
    check_device("cuda")


def test_the_machine_is_asked_in_the_end() -> None:
    assert find_device("cpu") == torch.device("cpu")
    with pytest.raises(DeviceError, match="no device 'cuda:63' here"):
        find_device("cuda:63")


def test_memory_that_runs_out_is_told_from_a_defect() -> None:
    with pytest.raises(RuntimeError) as none_left:
        torch.empty(2**58)
    assert is_out_of_memory(none_left.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(RuntimeError) as defect:
        torch.ones(2) @ torch.ones(3)
    assert not is_out_of_memory(defect.value)
