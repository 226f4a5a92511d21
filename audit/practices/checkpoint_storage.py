"""Checkpointing: how and where checkpoints are written: in parts, far away."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.engines import deepspeed_engines
from audit.practices.handing import api
from audit.practices.launcher_files import told
from audit.practices.libraries import called, named
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import CHECKPOINTS, Weights, of_model, weights
from audit.repository import Repository
from audit.sites import Site

_RANK: Final = re.compile(r"rank|process_index|shard_id|_part\b", re.IGNORECASE)
_OWN_RANK: Final = re.compile(r"rank\w*(\(\))?(\}|$|,)")
_INDEX: Final = re.compile(r"\['weight_map'\]|'weight_map':")
_LITERAL: Final = re.compile(r"\w?['\"]")
_COMMANDS: Final = ("run", "call", "check_call", "check_output", "Popen", "system")
_COPIES: Final = re.compile(
    r"f?'(aws'?,? '?s3|gsutil|gcloud'?,? '?storage|azcopy|s3cmd|rclone|hdfs|hadoop)\b"
)
"""Command lines of storage clients."""
_UPLOADS: Final = (
    "push_to_hub",
    "upload_folder",
    "upload_file",
    "upload_large_folder",
    "create_commit",
)
_ARTIFACTS: Final = ("upload", "upload_artifact", "log_artifact", "log_artifacts", "log_model")
_UPLOADED: Final = re.compile(
    r"state_dict|model|weight|checkpoint|adapter|trainer|learner|pipe(line)?\b", re.IGNORECASE
)
_WEIGHTS_FILE: Final = re.compile(r"state_dict|model|weight|checkpoint|adapter", re.IGNORECASE)
_NO_WEIGHTS: Final = re.compile(
    r"tokeniz|dataset|result|detail|card|readme|processor|table", re.IGNORECASE
)


@practice("checkpoint-sharded", looks_for="checkpoints in parts: per rank or with an index")
def checkpoint_sharded(repo: Repository) -> Iterator[Place]:
    """Checkpoints are written or read in parts.

    torch.distributed.checkpoint, sharded state dicts of FSDP, a path of a weights file that
    holds the rank, or weights over several files with an index (``weight_map``).

    Why:
        A model that fills many devices does not fit through one of them: each rank has to
        write and read its own part.
    Fix:
        Write with torch.distributed.checkpoint, or split safetensors files with an index.
    Good:
        import torch.distributed.checkpoint as dcp

        def save(state, path):
            dcp.save(state, checkpoint_id=path)
    Bad:
        import torch

        def save(model, path, rank):
            if rank == 0:
                torch.save(model.state_dict(), path)
    Limits:
        A path that is put together in another function is not looked into.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    for site, library in called(repo, "sharded-checkpoints"):
        yield at(site, f"{library} writes or reads a checkpoint in parts")
    for module, scope, line in repo.references(r"StateDictType\.(SHARDED|LOCAL)_STATE_DICT$"):
        yield in_code(module, scope, line, "FSDP state dicts in parts")
    kind = "fsdp_config.fsdp_state_dict_type"
    yield from told(repo, kind, "SHARDED_STATE_DICT", "the launcher is told to keep parts")
    known = weights(repo)
    for site in (*known.writes, *known.reads):
        if any(_RANK.search(part) for part in re.findall(r"\{[^{}]*\}", _paths(site))):
            yield at(site, "each rank has its own file")
    yield from _split(repo, known)
    for site in repo.methods("local_state_dict", "sharded_state_dict", "load_local_state_dict"):
        yield at(site, "a state dict in parts")
    yield from _indexed(repo)
    for site in deepspeed_engines(repo, "save_checkpoint", "load_checkpoint"):
        yield at(site, "DeepSpeed writes one part for each rank")


def _split(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield options for parts, and paths by rank that a function of the repository makes."""
    for site, value in repo.given("state_dict_type", "fsdp_config"):
        if re.search(r"sharded|SHARDED", value):
            yield at(site, "state dicts in parts are chosen")
    for site, _ in repo.given("max_shard_size"):
        if re.match("save_(?!to_disk)", site.method):
            yield at(site, "weights over files of a limited size")
    makers = {
        repo.program.resolve(site.module, text.partition("(")[0])[1]
        for site in (*known.writes, *known.reads)
        for text in site.call.args[:2]
        if text.endswith("()")
    }
    for maker in sorted(makers - {-1}):
        for site in repo.by_scope.get(maker, ()):
            if any(map(_OWN_RANK.search, site.arguments())):
                yield at(site, "the path of each rank is its own")


def _paths(site: Site) -> str:
    """Return the paths that a function puts together, where a call in it writes or reads."""
    joins = ("os.path.join", "pathlib.Path")
    texts = [*site.call.args[:2], site.call.keyword("f") or ""]
    for call in site.module.facts.calls:
        if call.scope == site.call.scope and call.scope and call.names[0] in joins:
            texts += call.args
    return " ".join(texts)


def _indexed(repo: Repository) -> Iterator[Place]:
    """Yield where the index of weights over several files is read or written."""
    for module in repo.product:
        facts = module.facts
        for call in facts.calls:
            texts = (*call.names, *call.args)
            if "weight_map" in "\n".join(texts) and any(
                (_INDEX.search(text) and not _LITERAL.match(text)) or text == "'weight_map'"
                for text in texts
            ):
                yield in_code(module, call.scope, call.line, "weights over files with an index")
        for one in facts.assigns:
            if "weight_map" in one.value and _INDEX.search(one.value):
                yield in_code(module, one.scope, one.line, "weights over files with an index")


@practice("checkpoint-remote", looks_for="checkpoints on remote storage or a model hub")
def checkpoint_remote(repo: Repository) -> Iterator[Place]:
    """Checkpoints are written to, or read from, remote storage.

    A client of remote storage used by the functions that write or read checkpoints, an
    upload of model files to a hub or tracker, a model class that inherits push_to_hub, or
    an own downloader of the project's own weights.

    Why:
        The disk of a training machine goes away with the machine.
    Fix:
        Accept URLs through fsspec where checkpoints are written and read.
    Good:
        import fsspec
        import torch

        def save(model, url):
            with fsspec.open(url, "wb") as file:
                torch.save(model.state_dict(), file)
    Bad:
        import boto3
        import torch

        def fetch_data(bucket, key):
            return boto3.client("s3").get_object(Bucket=bucket, Key=key)

        def save(model, path):
            torch.save(model.state_dict(), path)
    Limits:
        A storage client that is reached through many layers of helpers is not linked to
        the checkpoints.
    """
    yield from central(repo, _remote(repo), CHECKPOINTS)


def _remote(repo: Repository) -> Iterator[Place]:
    known = weights(repo)
    reach = known.managers | repo.graph.within(known.managers, 3, up=False)
    for site, library in called(repo, "remote-storage"):
        if site.node in reach and not _about_data(site) and _stores(site):
            yield at(site, f"checkpoints go through {library}")
    for site in repo.methods(*_UPLOADS):
        if _uploads_weights(repo, site):
            yield at(site, "model files are uploaded to a hub")
    for site in repo.methods(*_COMMANDS):
        if (
            site.node in reach
            and not _about_data(site)
            and any(map(_COPIES.search, site.arguments()))
        ):
            yield at(site, "checkpoints are copied by a storage client")
    yield from _sent(repo, known)
    mixins = "|".join(map(re.escape, named("hub-mixins")))
    for module, place, one in repo.classes(bases=f"^({mixins})$"):
        if any(
            known.owner(writer) == module.first + place
            for writer in (one.node for one in known.writes)
        ):
            yield in_code(module, place, one.line, "the model class inherits push_to_hub")


def _stores(site: Site) -> bool:
    """Tell whether a client of a cloud is one of its storage: AWS has many other services."""
    return not any(name.startswith("boto") for name in site.names) or any(
        "s3" in text.lower()
        for call in site.module.facts.calls
        for text in (*call.names, *call.args)
    )


def _about_data(site: Site) -> bool:
    """Tell whether the function or file around a call is about something other than weights."""
    return bool(_NO_WEIGHTS.search(f"{site.path} {site.scope.name}".lower()))


def _sent(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield artifacts of trackers that hold weights, and downloads of the project's own."""
    writers = {one.node for one in known.writes}
    artifacts = {site.node for site, kind in repo.given("type") if _is_model_kind(site, kind)}
    for site in (*repo.methods(*_ARTIFACTS), *repo.calls("wandb.save", "wandb.run.save")):
        if site.node in writers or site.node in artifacts:
            yield at(site, "the written checkpoint is uploaded")
    fetched = repo.graph.within((one.node for one in known.reads), 1, up=False)
    for site, _ in called(repo, "downloaders"):
        if site.node in fetched and _lists_weights(site):
            yield at(site, "the project's own weights are downloaded")


def _is_model_kind(site: Site, kind: str) -> bool:
    """Tell whether a tracker's artifact is declared to hold a model."""
    return site.method in ("Artifact", "log_artifact") and bool(_WEIGHTS_FILE.search(kind))


def _lists_weights(site: Site) -> bool:
    """Tell whether the module of a download keeps the addresses of weights."""
    return any(
        one.scope == 0 and "https://" in one.value and _WEIGHTS_FILE.search(one.target + one.value)
        for one in site.module.facts.assigns
    )


def _uploads_weights(repo: Repository, site: Site) -> bool:
    given = () if site.method == "push_to_hub" else tuple(site.arguments())
    if _NO_WEIGHTS.search(" ".join(map(api, (*site.receivers, *given)))):
        return False
    known = weights(repo)
    if site.method == "push_to_hub":
        return of_model(site) and bool(_UPLOADED.search(api(site.receivers[0])))
    return site.node in known.around
