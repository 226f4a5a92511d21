"""Configuration: command line, files, typed objects, environment variables, validation."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.libraries import library, named
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository

_ARGV: Final = re.compile(r"^sys\.argv")
_LAUNCHER: Final = re.compile(
    r"^(RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_RANK|NODE_RANK|MASTER_\w+|SLURM_\w+|"
    r"OMPI_\w+|PMI_\w+|PMIX_\w+|MPI\w+|MV2_\w+|TORCHELASTIC_\w+|ROLE_\w+|NCCL_\w+|GLOO_\w+|PBS_\w+|"
    r"LSB_\w+|JSM_\w+|HOROVOD_\w+|CUDA_VISIBLE_DEVICES|HOME|PATH|USER|LOGNAME|SHELL|PWD|TMPDIR|"
    r"TEMP|TMP|DISPLAY|TERM|COLUMNS|LINES|HOSTNAME|LD_LIBRARY_PATH|PYTHONPATH|VIRTUAL_ENV|"
    r"CONDA_\w+|XDG_\w+|CI|COLAB_\w+|KAGGLE_\w+|JPY_\w+|SSH_\w+|PYTEST_\w+|LOCALAPPDATA|APPDATA)$"
)
_CONFIG_NAME: Final = re.compile(
    r"(Config|Configs|Configuration|Cfg|Args|Arguments|ArgumentParser|Options|Opts|Settings|Params|"
    r"Parameters|HParams|Hyperparameters|Hparams|Plugin|Kwargs|Spec|Recipe)$"
)
_TYPED_BASES: Final = (
    r"^(pydantic\.(BaseModel|BaseSettings|main\.BaseModel)|pydantic_settings\.BaseSettings|"
    r"msgspec\.Struct|typing\.(NamedTuple|TypedDict)|typing_extensions\.TypedDict|"
    r"transformers\.\w*TrainingArguments|fairseq\S*FairseqDataclass)"
)
_DATACLASS: Final = re.compile(
    r"^(dataclasses\.dataclass|attrs?\.(define|frozen|mutable|s|attrs|dataclass)|attr\.|chz\.chz|"
    r"pydantic\.dataclasses\.dataclass|flax\.struct\.dataclass|strictdataclass|"
    r"huggingface_hub\S*strict)"
)


@practice("config-cli", looks_for="command-line parsers")
def config_cli(repo: Repository) -> Iterator[Place]:
    """Runs are configured from the command line.

    Why:
        An option that is parsed is named, has a default and shows up in ``--help``.
    Fix:
        Parse options with argparse, click, typer or tyro in the entry point.
    Good:
        import argparse
        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument("--lr", type=float, default=1e-3)
            return parser.parse_args()
    Bad:
        import sys
        def usage():
            print("edit the constants on top of", sys.executable)
    Limits:
        A command line that only switches a demonstration on counts too.
    """
    for site in repo.calls(*named("command-lines")):
        if name := library("command-lines", site.names):
            yield at(site, f"command line parsed with {name}")
    for module, place, one in repo.classes(bases=r"^(tap\.Tap|lightning\S*LightningCLI)"):
        yield in_code(module, place, one.line, "command line described by a class")
    for module, scope, line in repo.references(_ARGV.pattern):
        yield in_code(module, scope, line, "own parser of the command line")


@practice("config-file", looks_for="configuration files that are read")
def config_file(repo: Repository) -> Iterator[Place]:
    """Runs are configured from a file.

    Why:
        A file can be reviewed, diffed, named in a paper and run again.
    Fix:
        Read a YAML or TOML file into the run's typed configuration.
    Good:
        import yaml
        def load(path):
            with open(path) as file:
                return yaml.safe_load(file)
    Bad:
        import json
        def save(config, path):
            with open(path, "w") as file:
                json.dump(config, file)
    """
    for site in repo.calls(*named("config-files")):
        yield at(site, f"configuration read with {library('config-files', site.names)}")
    for site in repo.calls("builtins.exec"):
        if any("open()" in one or "read" in one for one in site.arguments()):
            yield at(site, "Python configuration file executed")
    for site in repo.calls("json.load", "json.loads"):
        if any(
            re.search(r"config|settings|args", one)
            for one in (*site.arguments(), *site.scope.params)
        ):
            yield at(site, "JSON configuration read")


@practice("config-typed", looks_for="dataclasses and the like that hold configuration")
def config_typed(repo: Repository) -> Iterator[Place]:
    """Configuration is held in typed objects.

    Why:
        A typed configuration has one place for names, defaults and types, and a typo fails at once.
    Fix:
        Hold the run's options in a frozen dataclass.
    Good:
        from dataclasses import dataclass
        @dataclass
        class TrainConfig:
            lr: float = 1e-3
    Bad:
        class CfgNode:
            def __init__(self, **values):
                self.__dict__.update(values)
    """
    for module, place, one in repo.classes(bases=_TYPED_BASES, name=_CONFIG_NAME.pattern):
        name = one.name.rpartition(".")[2]
        if _CONFIG_NAME.search(name) and _typed(repo, module, place, one):
            yield in_code(module, place, one.line, f"{name} is a typed configuration")


def _typed(repo: Repository, module: Module, place: int, one: Definition) -> bool:
    if any(map(_DATACLASS.match, one.decorators)):
        return True
    ancestry = repo.program.ancestry(module.first + place)
    return any(re.match(_TYPED_BASES, base) for base in ancestry)


@practice("config-env", looks_for="environment variables of its own that are read")
def config_env(repo: Repository) -> Iterator[Place]:
    """Settings can come from environment variables.

    Why:
        Clusters and containers pass settings through the environment.
    Fix:
        Read a documented variable with the project's prefix: ``os.environ.get("PROJECT_CACHE")``.
    Good:
        import os
        CACHE = os.environ.get("DEMO_CACHE", "~/.cache/demo")
    Bad:
        import os
        RANK = int(os.environ.get("RANK", "0"))
        os.environ["DEMO_CACHE"] = "/tmp"
    """
    for site in repo.calls("os.environ.get", "os.getenv", "os.environ.setdefault"):
        key = site.call.args[0] if site.call.args else ""
        if (
            key[:1] in "'\""
            and not _LAUNCHER.match(key.strip("'\""))
            and site.method != "setdefault"
        ):
            yield at(site, f"reads {key.strip(chr(39))}")
    for module in repo.product:
        for one in module.facts.references:
            if one.name.startswith("os.environ['") and not _LAUNCHER.match(one.name[12:-2]):
                yield in_code(module, one.scope, one.line, f"reads {one.name[12:-2]}")


@practice("config-validation", looks_for="configuration values that are rejected with a message")
def config_validation(repo: Repository) -> Iterator[Place]:
    """Wrong configuration is rejected with a message.

    Why:
        A wrong value that is found at start costs a second; found after a day it costs a day.
    Fix:
        Check in ``__post_init__`` and raise ``ValueError`` that names value and cure.
    Good:
        from dataclasses import dataclass
        @dataclass
        class TrainConfig:
            lr: float = 1e-3
            def __post_init__(self):
                if self.lr <= 0:
                    raise ValueError(f"lr must be positive, got {self.lr}")
    Bad:
        def fit(config):
            assert config.lr > 0
            raise NotImplementedError
    """
    found = []
    for module in repo.product:
        for one in module.facts.raises:
            scope = module.facts.definitions[one.scope]
            own = scope.name.rpartition(".")[2]
            if (
                one.message
                and one.block >= 0
                and (own in ("__post_init__", "__init__", "") or re.search("valid|check", own))
            ):
                found.append(
                    (
                        own != "__post_init__",
                        own == "__init__",
                        in_code(module, one.scope, one.line, "bad configuration is rejected"),
                    )
                )
    for *_, place in sorted(found, key=lambda row: row[:2]):
        yield place
    for site in repo.calls("argparse.ArgumentParser().error"):
        yield at(site, "bad options are rejected")
