"""Damaged bytes are found by whatever reads them, and named."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from codex_ml.checkpointing import (
    Checkpoint,
    CheckpointError,
    CheckpointManager,
    CheckpointNotFoundError,
    DamagedCheckpointError,
    SchemaVersionError,
    report,
)
from codex_ml.checkpointing.digest import digest
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


def reseal(path: Path, change: Callable[[str], str]) -> None:
    """Change a manifest's text and seal it again, as another program might."""
    text = path.read_text()
    body = change(text[: text.rindex(',"digest"')]).encode()
    path.write_bytes(body + f',"digest":"xxh3_128:{digest(body)}"}}\n'.encode())


def having(**changes: object) -> Callable[[str], str]:
    """Give keys of a manifest other values."""
    return lambda text: json.dumps(json.loads(text + "}") | changes, separators=(",", ":"))[:-1]


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
    reseal(saved / "manifest.json", having(**changes))
    with pytest.raises(SchemaVersionError, match=message):
        Checkpoint.open(saved)
    with pytest.raises(SchemaVersionError, match=message):
        CheckpointManager(saved.parent).load()


def test_a_newer_programs_checkpoint_is_never_passed_over(saved: Path) -> None:
    CheckpointManager(saved.parent).save(2, model=1)
    reseal(saved.parent / "step-00000002" / "manifest.json", having(schema_version=99))
    with pytest.raises(SchemaVersionError, match="upgrade"):
        CheckpointManager(saved.parent).load()
    assert CheckpointManager(saved.parent).load(1).step == 1


OUTSIDE = ["../x.safetensors", "..", "/etc/passwd", "manifest.json", "notes.txt", ""]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_cannot_name_a_file_outside(saved: Path, name: str) -> None:
    reseal(saved / "manifest.json", lambda text: text.replace("model.safetensors", name))
    with pytest.raises(SchemaVersionError, match="a file outside"):
        Checkpoint.open(saved)


def test_sweeping_deletes_nothing_outside(saved: Path) -> None:
    mine = saved.parent.parent / "mine.safetensors"
    mine.write_text("mine")
    reseal(
        saved / "manifest.json",
        lambda text: text.replace("model.safetensors", "../../mine.safetensors"),
    )
    (saved / "manifest.json").rename(saved / "manifest.deleted.json")
    CheckpointManager(saved.parent, keep_last=1).save(2, value=1)
    assert mine.read_text() == "mine"
    assert (saved / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'"shape":\[100\]', '"shape":[999]'),
        (r'"shape":\[100\]', '"shape":[-10,-10]'),
        (r'"start":\d+', '"start":1000000'),
        (r'"start":\d+', '"start":-8'),
        (r'"dtype":"int64"', '"dtype":"load"'),
        (r'"step":1,', '"step":-1,'),
        (r'"size":\d+', '"size":7'),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(saved: Path, old: str, new: str) -> None:
    reseal(saved / "manifest.json", lambda text: re.sub(old, new, text, count=1))
    with pytest.raises(SchemaVersionError, match="contradicts itself"):
        Checkpoint.open(saved)["model"]


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(saved: Path, name: str) -> None:
    (saved / name).unlink()
    os.mkfifo(saved / name)
    with pytest.raises((CheckpointNotFoundError, DamagedCheckpointError)):
        CheckpointManager(saved.parent).load()


VALUES: list[object] = [
    None, True, -1, 2**70, 1.5, "", "load", "..", [], {}, [[]], {"$nope": 1}, {"$": 1},
    {"$tuple": 1}, {"$dict": [1]}, {"$dict": [[[], 1]]}, {"$set": [[1]]}, {"$counter": 3},
    {"$ordered": [[1]]}, {"$complex": [1]}, {"$float": "x"}, {"$bytes": "!"}, {"$size": ["a"]},
    {"$dtype": "load"}, {"$device": "nope"}, {"$scalar": 1, "dtype": "load"}, {"$array": "no"},
    {"$tensor": "no"}, {"$tensor": "model/weight", "strides": [10**12, 1]}, {"$ranks": 3},
    {"$tensor": "model/weight", "parameter": "x"}, {"$tensor": "data/n", "parameter": True},
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find every place in a JSON value."""
    keys = range(len(node)) if isinstance(node, list) else node
    for key in keys if isinstance(node, dict | list) else ():
        yield (*path, key)
        yield from places(node[key], (*path, key))


def test_whatever_a_sealed_manifest_says_is_a_value_or_one_line(tmp_path: Path) -> None:
    model = torch.nn.Linear(3, 2)
    data = {"n": np.arange(3), "odd": (1 + 2j, b"x", {2}, torch.Size([1]), torch.ones(2, 3).t())}
    CheckpointManager(tmp_path, metric="loss").save(
        1, model=model, data=data, rng=False, metrics={"loss": 1.0}, config={"lr": 0.1}
    )
    directory = tmp_path / "step-00000001"
    base = json.loads((directory / "manifest.json").read_text())
    del base["digest"]
    random = Random(0)
    everywhere = list(places(base))
    refused = []
    for _ in range(400):
        content = json.loads(json.dumps(base))
        *path, key = random.choice(everywhere)
        node = content
        for part in path:
            node = node[part]
        node[key] = random.choice(VALUES)
        text = json.dumps(content, separators=(",", ":"))[:-1]
        reseal(directory / "manifest.json", lambda _, text=text: text)  # type: ignore[misc]
        try:
            report.listing(tmp_path)
            report.verification(tmp_path)
            checkpoint = CheckpointManager(tmp_path).restore(rng=False, model=torch.nn.Linear(3, 2))
            report.inspection(checkpoint)
            _ = [checkpoint[name] for name in checkpoint.components]
            _ = checkpoint.config, checkpoint.metrics
        except CheckpointError as error:
            refused.append(str(error))
    assert 100 < len(refused) < 400
    assert not any("\n" in message for message in refused)
