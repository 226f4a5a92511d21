"""Other formats come in and go out; nothing in them is executed."""

import copyreg
import io
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint import metadata

from codex_ml.checkpointing import (
    Checkpoint,
    CheckpointError,
    CheckpointExistsError,
    CheckpointManager,
    CheckpointNotFoundError,
    dcp,
    interop,
)
from tests.checkpointing.test_roundtrip import same


def training_state() -> dict[str, Any]:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "model": dict(model.state_dict()),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "note": "a b",
    }


def write_torch(state: object, path: Path) -> Path:
    torch.save(state, path)
    return path


def write_dcp(state: dict[str, Any], path: Path) -> Path:
    dcp.save(state, path)
    return path


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
@pytest.mark.parametrize("write", [write_torch, write_dcp])
def test_a_training_state_comes_in(tmp_path: Path, write: Any) -> None:
    state = training_state()
    source = write(state, tmp_path / "source")
    checkpoint = Checkpoint.open(interop.convert(source, tmp_path / "run", 7))
    assert checkpoint.step == 7
    for name, value in state.items():
        assert same(checkpoint[name], value), name


def test_bare_weights_come_in_as_the_model(tmp_path: Path) -> None:
    weights = {"layer.bias": torch.randn(2), "layer.weight": torch.randn(2, 3)}
    save_file(weights, tmp_path / "a.safetensors")
    torch.save(weights, tmp_path / "a.pt")
    for step, source in enumerate(["a.safetensors", "a.pt", "."]):
        path = interop.convert(tmp_path / source, tmp_path / "run", step)
        assert same(Checkpoint.open(path)["model"], weights)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
@pytest.mark.parametrize("to", ["torch", "dcp"])
def test_what_goes_out_comes_in_again(tmp_path: Path, to: Any) -> None:
    state = training_state()
    source = write_torch(state, tmp_path / "source")
    first = Checkpoint.open(interop.convert(source, tmp_path / "run", 1))
    interop.export(first, tmp_path / "out", to, ())
    second = Checkpoint.open(interop.convert(tmp_path / "out", tmp_path / "run", 2))
    for name in state:
        assert same(second[name], first[name])


def test_a_component_goes_out_as_safetensors(tmp_path: Path) -> None:
    state = training_state()
    path = interop.convert(write_torch(state, tmp_path / "source"), tmp_path / "run", 1)
    target = tmp_path / "model.safetensors"
    interop.export(Checkpoint.open(path), target, "safetensors", ("model",))
    assert same(load_file(target), dict(sorted(state["model"].items())))


def test_a_tied_tensor_goes_out_with_each_of_its_names(tmp_path: Path) -> None:
    weight = torch.randn(3, 2)
    CheckpointManager(tmp_path).save(1, model={"in": weight, "out": weight})
    target = tmp_path / "model.safetensors"
    checkpoint = Checkpoint.open(tmp_path / "step-00000001")
    interop.export(checkpoint, target, "safetensors", ("model",))
    assert same(load_file(target), {"in": weight, "out": weight})


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": torch.ones(1, dtype=torch.complex128)}, "no elements of torch.complex128"),
        ({"a/b": torch.ones(1), "a": {"b": torch.ones(1)}}, "two tensors with the name 'a/b'"),
        ({"a": 1}, "no tensors"),
    ],
)
def test_what_safetensors_cannot_hold_is_named(
    tmp_path: Path, state: dict[str, Any], message: str
) -> None:
    CheckpointManager(tmp_path / "run").save(1, model=state)
    checkpoint = Checkpoint.open(tmp_path / "run" / "step-00000001")
    with pytest.raises(CheckpointError, match=message):
        interop.export(checkpoint, tmp_path / "out", "safetensors", ("model",))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = interop.convert(write_torch({"a": 1}, tmp_path / "source"), tmp_path / "run", 1)
    target = tmp_path / "there"
    target.write_text("mine")
    with pytest.raises(CheckpointExistsError, match="there: is there already"):
        interop.export(Checkpoint.open(path), target, "torch", ())
    assert target.read_text() == "mine"


@pytest.mark.parametrize("to", ["dcp", "safetensors", "torch"])
@pytest.mark.parametrize("parent", ["none", "file"])
def test_an_export_needs_a_folder_to_be_in(to: interop.Format, parent: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = interop.convert(write_torch({"a": 1}, tmp_path / "source"), tmp_path / "run", 1)
    with pytest.raises(CheckpointNotFoundError, match=f"there is no folder .*{parent}: make it"):
        interop.export(Checkpoint.open(path), tmp_path / parent / "out", to, ())


class Hostile:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_hostile_file_is_refused_not_executed(tmp_path: Path) -> None:
    source = write_torch({"a": Hostile(tmp_path / "executed")}, tmp_path / "source")
    with pytest.raises(CheckpointError, match="without executing it"):
        interop.convert(source, tmp_path / "run", 1)
    with pytest.raises(CheckpointError, match=r"it: .* unsupported GLOBAL posix\.mkdir"):
        interop.read(source)
    assert not (tmp_path / "executed").exists()


def test_hostile_metadata_is_refused_not_executed(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    hostile = pickle.dumps(Hostile(tmp_path / "executed"))
    (tmp_path / "source" / ".metadata").write_bytes(hostile)
    with pytest.raises(CheckpointError, match=r"posix\.mkdir has no place in a checkpoint"):
        interop.convert(tmp_path / "source", tmp_path / "run", 1)
    assert not (tmp_path / "executed").exists()


class Got:
    """Pickles as the value of an attribute."""

    def __init__(self, owner: object, name: str) -> None:
        self.owner, self.name = owner, name

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.owner, self.name)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_members_of_enums_are_read_as_python_3_11_2_writes_them(tmp_path: Path) -> None:
    """By `getattr`, as `enum` had it up to 3.11.3."""
    write_dcp(training_state(), tmp_path / "source")
    file = tmp_path / "source" / ".metadata"
    described = pickle.loads(file.read_bytes())  # noqa: S301  # our own
    old = io.BytesIO()
    pickler = pickle.Pickler(old)
    pickler.dispatch_table = copyreg.dispatch_table | {
        metadata._MEM_FORMAT_ENCODING: lambda one: (getattr, (type(one), one.name))
    }
    pickler.dump(described)
    file.write_bytes(old.getvalue())
    assert b"getattr" in old.getvalue()
    interop.convert(tmp_path / "source", tmp_path / "run", 1)


@pytest.mark.parametrize(("owner", "name"), [(Path, "unlink"), (torch.Size, "numel")])
def test_attributes_other_than_members_of_enums_are_refused(
    tmp_path: Path, owner: object, name: str
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / ".metadata").write_bytes(pickle.dumps(Got(owner, name)))
    with pytest.raises(CheckpointError, match=f"'{name}' of .* has no place in a checkpoint"):
        interop.convert(tmp_path / "source", tmp_path / "run", 1)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_a_hostile_value_in_a_folder_is_refused_not_executed(tmp_path: Path) -> None:
    dcp.save({"a": Hostile(tmp_path / "executed"), "b": torch.ones(1)}, tmp_path / "source")
    with pytest.raises(CheckpointError, match="cannot be imported"):
        interop.convert(tmp_path / "source", tmp_path / "run", 1)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["none", "empty", "text.pt", "text.safetensors"])
def test_what_is_no_checkpoint_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(CheckpointError, match=name) as caught:
        interop.convert(tmp_path / name, tmp_path / "run", 1)
    assert "\n" not in str(caught.value)
