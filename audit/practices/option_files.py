"""Files with the options of an engine that trains: the YAML that a parser of training arguments
reads, the scripts that start it, the section of Lightning's trainer, DeepSpeed's JSON."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from audit.facts.model import Command, DataFacts, Key, ScriptFacts
from audit.practices import settings
from audit.practices.instantiated import instantiated
from audit.practices.libraries import named
from audit.repository import Repository, once
from audit.sites import File

_RECIPE: Final = frozenset(
    {"output_dir", "learning_rate", "per_device_train_batch_size", "num_train_epochs"}
)
"""Settings that tell training arguments from others."""
_LIGHTNING: Final = (
    "lightning.Trainer", "lightning.pytorch.Trainer", "pytorch_lightning.Trainer",
)  # fmt: skip
_TRAINER: Final = frozenset(
    "accelerator devices gpus num_nodes max_epochs min_epochs max_steps precision strategy "
    "accumulate_grad_batches gradient_clip_val check_val_every_n_epoch val_check_interval "
    "limit_train_batches limit_val_batches log_every_n_steps num_sanity_val_steps".split()
)
"""Arguments of Lightning's trainer."""
_SECTION: Final = re.compile(r"^(?:(\w+\.)*trainer\.)?(\w+)$")
_FLAG: Final = re.compile(r"(?:^|\s)--(\w[\w-]*)(?:[=\s]+(?!--)(\"[^\"]*\"|'[^']*'|[^\s\"']+))?")
_DEEPSPEED: Final = frozenset(
    {"zero_optimization", "train_micro_batch_size_per_gpu", "train_batch_size"}
)


class Setting(msgspec.Struct, frozen=True):
    """An option that a file sets, with the canonical text of its value."""

    file: File
    name: str
    value: str
    line: int


def training_settings(repo: Repository) -> Iterator[Setting]:
    """Yield the options that files give to the engine which trains."""
    if any(repo.calls(*named("training-parsers"))) or _spreads_arguments(repo):
        for file, facts in settings.started_with(repo, "*.yaml", "*.yml"):
            yield from _recipe(file, facts)
        for file in repo.by_role("product", "config", "data"):
            if isinstance(file.facts, ScriptFacts):
                yield from _commanded(file, file.facts.commands)
    if _configures_lightning(repo):
        for file, facts in settings.started_with(repo, "*.yaml", "*.yml"):
            yield from _trainer(file, facts)


def _spreads_arguments(repo: Repository) -> bool:
    """Tell whether training arguments are made from a mapping as a whole."""
    made = repo.calls("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments")
    return any(site.call.keyword("**") is not None for site in made)


def _recipe(file: File, facts: DataFacts) -> Iterator[Setting]:
    """Yield what a YAML file, or a section of one, says that holds the training arguments of a
    command."""
    sections: dict[str, dict[str, Key]] = {}
    for one in facts.keys:
        section, _, name = one.path.rpartition(".")
        sections.setdefault(section, {})[name] = one
    for section, keys in sections.items():
        if len(_RECIPE & keys.keys()) >= 2:
            for name, key in keys.items():
                rows = [canonical(one.value) for one in _items(facts, f"{section}.{name}")]
                value = f"[{', '.join(rows)}]" if rows else canonical(key.value)
                yield Setting(file, name, value, key.line)


def _commanded(file: File, commands: tuple[Command, ...]) -> Iterator[Setting]:
    """Yield what the commands of a script say that hand training arguments to a program."""
    for command in commands:
        given = dict(_FLAG.findall(command.text)) if "--" in command.text else {}
        if len(_RECIPE & given.keys()) >= 2:
            for name, value in given.items():
                told = canonical(value.strip("'\"")) if value else "True"
                yield Setting(file, name.replace("-", "_"), told, command.line)


def _configures_lightning(repo: Repository) -> bool:
    """Tell whether Lightning's trainer gets its arguments from configuration."""
    return any(site.call.keyword("**") is not None for site in repo.calls(*_LIGHTNING)) or any(
        instantiated(repo, "trainers")
    )


def _trainer(file: File, facts: DataFacts) -> Iterator[Setting]:
    """Yield what a YAML file says to Lightning's trainer: a section that is named for it, or the
    whole file in a folder that is."""
    whole = re.search(r"(^|/)trainer(/|\.)", file.path)
    for key in facts.keys:
        found = _SECTION.match(key.path)
        if found and found[2] in _TRAINER and (whole or "trainer." in key.path):
            yield Setting(file, found[2], canonical(key.value), key.line)


def _items(facts: DataFacts, name: str) -> Iterator[Key]:
    """Yield the entries of a list of scalars."""
    wanted = re.compile(rf"{re.escape(name.lstrip('.'))}\[\d+\]")
    return (one for one in facts.keys if wanted.fullmatch(one.path))


def canonical(value: str) -> str:
    """Write a scalar of a file as the text of a Python constant."""
    plain = {"true": "True", "false": "False", "null": "None", "": "None"}
    if (known := plain.get(value.lower())) is not None:
        return known
    return value if re.fullmatch(r"-?[\d.]+(e-?\d+)?", value) else repr(value)


@once
def deepspeed_files(repo: Repository) -> tuple[tuple[File, dict[str, Key]], ...]:
    """Return the JSON files that configure DeepSpeed, with their keys by path."""
    found = (
        (file, {one.path: one for one in facts.keys})
        for file, facts in settings.started_with(repo, "*.json")
    )
    return tuple((file, keys) for file, keys in found if _is_deepspeed(keys))


def _is_deepspeed(keys: dict[str, Key]) -> bool:
    return "zero_optimization.stage" in keys or (
        not _DEEPSPEED.isdisjoint(keys) and not {"fp16", "bf16", "optimizer"}.isdisjoint(keys)
    )
