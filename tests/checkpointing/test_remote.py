"""Checkpoints are copied to other file systems, and come back from there when none is here."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest
import torch
from moto.server import ThreadedMotoServer

from codex_ml.checkpointing import (
    CheckpointManager,
    CheckpointNotFoundError,
    CheckpointWarning,
    DamagedCheckpointError,
    StorageError,
    remote,
)
from tests.checkpointing.test_damage import reseal


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An S3 server on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3").mkdir("bucket")
        yield "s3://bucket"
    server.stop()


@pytest.fixture(params=["memory", "local", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "memory":
            return f"memory://{uuid.uuid4()}"
        case "local":
            return f"file://{tmp_path}/other/disk"
    return f"{request.getfixturevalue('bucket')}/{uuid.uuid4()}"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSES", (0.0, 0.0))


def value(step: int) -> torch.Tensor:
    return torch.full((100,), float(step))


def save(manager: CheckpointManager, step: int) -> None:
    manager.save(step, value=value(step), metrics={"loss": step % 3})


def remote_steps(url: str) -> list[int]:
    return sorted(item.step for item in remote.Remote(url).scan().stored)


def test_a_lost_folder_comes_back(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url, keep_last=2) as manager:
        for step in (1, 2, 3):
            save(manager, step)
    assert remote_steps(url) == [2, 3]
    shutil.rmtree(tmp_path / "a")
    again = CheckpointManager(tmp_path / "a", remote=url)
    assert torch.equal(again.load()["value"], value(3))
    assert torch.equal(again.load(2)["value"], value(2))


def test_a_new_folder_goes_on_with_what_is_there(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url, keep_last=2) as manager:
        for step in (1, 2, 3):
            save(manager, step)
    with CheckpointManager(tmp_path / "b", remote=url, keep_last=2) as manager:
        save(manager, 2)  # without loading: it is the newest all the same
        assert remote_steps(url) == [2, 3]
        save(manager, 4)
    assert remote_steps(url) == [2, 4]
    assert CheckpointManager(tmp_path / "c", remote=url).load().step == 4


def test_a_hostile_manifest_there_writes_nothing_outside(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url) as manager:
        save(manager, 1)
    path = tmp_path / "a" / "step-00000001" / "manifest.json"
    reseal(path, lambda text: text.replace('"value.safetensors"', '"../../value.safetensors"'))
    system, root = fsspec.core.url_to_fs(url)
    system.pipe_file(f"{root}/step-00000001/manifest.json", path.read_bytes())
    with pytest.raises(CheckpointNotFoundError):
        CheckpointManager(tmp_path / "b", remote=url).load()
    assert not (tmp_path / "value.safetensors").exists()


def test_the_best_comes_back(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url, metric="loss") as manager:
        for step in (2, 3, 4):
            save(manager, step)
    assert CheckpointManager(tmp_path / "b", remote=url).load("best").step == 3


def test_a_replaced_step_is_replaced_there(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url) as manager:
        save(manager, 1)
        manager.save(1, value=value(9), overwrite=True)
    assert torch.equal(CheckpointManager(tmp_path / "b", remote=url).load(1)["value"], value(9))


def test_saving_in_the_background_uploads_too(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url, asynchronous=True) as manager:
        save(manager, 1)
        save(manager, 2)
    assert remote_steps(url) == [1, 2]


def damage(url: str, path: str) -> None:
    system, root = fsspec.core.url_to_fs(url)
    data = system.cat_file(f"{root}/{path}")
    system.pipe_file(f"{root}/{path}", data[:-1] + bytes([data[-1] ^ 1]))


def test_what_is_damaged_there_is_named_and_passed_over(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url) as manager:
        save(manager, 1)
        save(manager, 2)
    damage(url, "step-00000002/value.safetensors")
    with pytest.warns(CheckpointWarning, match="step-00000002: damaged: value/value"):
        assert CheckpointManager(tmp_path / "b", remote=url).load().step == 1
    assert [path.name for path in (tmp_path / "b").glob("step-*")] == ["step-00000001"]
    assert not list((tmp_path / "b").glob(".tmp*"))


def test_what_is_damaged_here_is_healed_from_there(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path, remote=url) as manager:
        save(manager, 1)
        path = tmp_path / "step-00000001" / "value.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(DamagedCheckpointError):
            CheckpointManager(tmp_path).load(1)
        assert torch.equal(manager.load(1)["value"], value(1))
        assert not CheckpointManager(tmp_path).load(1).damage()


def test_a_checkpoint_without_its_manifest_does_not_exist_there(tmp_path: Path, url: str) -> None:
    with CheckpointManager(tmp_path / "a", remote=url) as manager:
        save(manager, 1)
    system, root = fsspec.core.url_to_fs(url)
    system.rm_file(f"{root}/step-00000001/manifest.json")
    with pytest.raises(CheckpointNotFoundError, match=r"neither .* has a checkpoint: latest"):
        CheckpointManager(tmp_path / "b", remote=url).load()


def test_a_failed_upload_is_told_and_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"memory://{uuid.uuid4()}"
    manager = CheckpointManager(tmp_path, remote=url)
    system = fsspec.filesystem("memory")
    put = system.put_file
    calls = []

    def fail(source: str, target: str) -> None:
        calls.append(target)
        raise ConnectionError("network is unreachable")

    monkeypatch.setattr(system, "put_file", fail)
    with pytest.warns(CheckpointWarning, match="step 1 is saved, but cannot upload to .*network"):
        save(manager, 1)
    assert len(calls) == 3
    assert manager.load().step == 1
    with pytest.raises(StorageError, match="network is unreachable"):
        manager.close()
    monkeypatch.setattr(system, "put_file", put)
    save(manager, 2)
    assert remote_steps(url) == [1, 2]


def test_an_upload_that_stops_midway_leaves_no_checkpoint_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"memory://{uuid.uuid4()}"
    manager = CheckpointManager(tmp_path, remote=url)

    def fail(*_: object) -> None:
        raise TimeoutError("too slow")

    with monkeypatch.context() as patch:
        patch.setattr(fsspec.filesystem("memory"), "pipe_file", fail)
        with pytest.warns(CheckpointWarning, match="too slow"):
            save(manager, 1)
    assert remote_steps(url) == []
    manager.close()
    assert remote_steps(url) == [1]


def test_foreign_files_there_are_left_alone(tmp_path: Path, url: str) -> None:
    system, root = fsspec.core.url_to_fs(url)
    with CheckpointManager(tmp_path, remote=url, keep_last=1) as manager:
        save(manager, 1)
        system.pipe_file(f"{root}/step-00000001/notes.txt", b"mine")
        system.pipe_file(f"{root}/notes.txt", b"mine")
        save(manager, 2)
    assert remote_steps(url) == [2]
    assert system.cat_file(f"{root}/step-00000001/notes.txt") == b"mine"
    assert system.cat_file(f"{root}/notes.txt") == b"mine"


def test_an_unknown_protocol_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="remote 'nope://x' cannot be used"):
        CheckpointManager(tmp_path, remote="nope://x")
