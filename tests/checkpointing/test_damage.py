"""Damaged bytes are found by whatever reads them, and named."""

import json
from pathlib import Path

import pytest
import torch

from codex_ml.checkpointing import (
    Checkpoint,
    CheckpointManager,
    CheckpointNotFoundError,
    DamagedCheckpointError,
    SchemaVersionError,
)
from codex_ml.checkpointing.digest import digest
from codex_ml.checkpointing.manifest import encode
from tests.checkpointing import flips


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    manager = CheckpointManager(tmp_path)
    manager.save(1, model={"a": torch.arange(100), "b": torch.ones(50)}, data={"at": 3})
    return tmp_path / "step-00000001"


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def reseal(path: Path, **changes: object) -> None:
    """Change a manifest and seal it again, as another program might."""
    content = json.loads(path.read_bytes())
    del content["digest"]
    body = json.dumps(content | changes, separators=(",", ":"))[:-1].encode()
    path.write_bytes(body + f',"digest":"xxh3_128:{digest(body)}"}}\n'.encode())


def test_no_flip_or_truncation_loads_silently(tmp_path: Path) -> None:
    found = flips.run(tmp_path, 60, seed=1)
    assert found["loaded silently"] == 0
    assert len(found) == 7  # both kinds in each of three files


def test_damage_is_named_tensor_by_tensor(saved: Path) -> None:
    flip(saved / "model.safetensors", -1)
    with pytest.raises(DamagedCheckpointError, match=r"damaged: model/b$") as caught:
        CheckpointManager(saved.parent).load(1)
    assert caught.value.damage == ("model/b",)


def test_a_flip_in_the_header_is_named(saved: Path) -> None:
    flip(saved / "model.safetensors", 20)
    assert Checkpoint.open(saved).damage() == ("header of model.safetensors",)


def test_one_tensor_is_read_and_verified_without_the_others(saved: Path) -> None:
    flip(saved / "model.safetensors", -1)
    checkpoint = Checkpoint.open(saved)
    assert torch.equal(checkpoint.tensor("model/a"), torch.arange(100))
    with pytest.raises(DamagedCheckpointError, match="model/b"):
        checkpoint.tensor("model/b")


def test_components_are_verified_without_the_others(saved: Path) -> None:
    flip(saved / "model.safetensors", -1)
    assert CheckpointManager(saved.parent).load(1, ["data"])["data"] == {"at": 3}


def test_a_missing_file_is_named(saved: Path) -> None:
    (saved / "model.safetensors").unlink()
    with pytest.raises(DamagedCheckpointError, match=r"model\.safetensors \(No such file"):
        CheckpointManager(saved.parent).load()


def test_a_directory_without_a_manifest_does_not_exist(saved: Path) -> None:
    (saved / "manifest.json").unlink()
    with pytest.raises(CheckpointNotFoundError, match="no checkpoint to load"):
        CheckpointManager(saved.parent).load()


def test_writing_to_a_loaded_tensor_does_not_reach_the_file(saved: Path) -> None:
    Checkpoint.open(saved)["model"]["a"].zero_()
    assert Checkpoint.open(saved)["model"]["a"][7] == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 99}, "schema version 99 is newer than 1.*upgrade codex-ml"),
        ({"schema_version": 0}, "schema version 0 was never released"),
        ({"format": "other"}, "format 'other' is not"),
        ({"step": "one"}, "not a checkpoint manifest"),
    ],
)
def test_a_manifest_of_another_program_is_refused(
    saved: Path, changes: dict[str, object], message: str
) -> None:
    reseal(saved / "manifest.json", **changes)
    with pytest.raises(SchemaVersionError, match=message):
        Checkpoint.open(saved)
    with pytest.raises(SchemaVersionError, match=message):
        CheckpointManager(saved.parent).load()


def test_a_newer_programs_checkpoint_is_never_passed_over(saved: Path) -> None:
    CheckpointManager(saved.parent).save(2, model=1)
    reseal(saved.parent / "step-00000002" / "manifest.json", schema_version=99)
    with pytest.raises(SchemaVersionError, match="upgrade"):
        CheckpointManager(saved.parent).load()
    assert CheckpointManager(saved.parent).load(1).step == 1


def test_a_manifest_cannot_name_a_file_outside(saved: Path) -> None:
    checkpoint = Checkpoint.open(saved)
    content = encode(checkpoint.manifest).replace(b'"model.safetensors"', b'"../x.safetensors"')
    (saved / "manifest.json").write_bytes(content)
    reseal(saved / "manifest.json")
    with pytest.raises(SchemaVersionError, match="a file outside"):
        Checkpoint.open(saved)


def test_a_manifest_that_contradicts_itself_is_refused(saved: Path) -> None:
    checkpoint = Checkpoint.open(saved)
    content = encode(checkpoint.manifest).replace(b'"shape":[100]', b'"shape":[999]')
    (saved / "manifest.json").write_bytes(content)
    reseal(saved / "manifest.json")
    with pytest.raises(SchemaVersionError, match="contradicts itself: model/a"):
        Checkpoint.open(saved)
