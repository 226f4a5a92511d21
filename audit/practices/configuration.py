"""Configuration: command line, files, typed objects, environment variables, validation."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import DataFacts, Definition
from audit.practices.loops import scope_at
from audit.practices.origins import by_file, of_topic
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, of_key, practice
from audit.repository import Repository
from audit.sites import Site

_LAUNCHER: Final = re.compile(
    r"^(RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_RANK|NODE_RANK|MASTER_\w+|SLURM_\w+|"
    r"OMPI_\w+|PMI_\w+|PMIX_\w+|MPI\w+|MV2_\w+|TORCHELASTIC_\w+|ROLE_\w+|NCCL_\w+|GLOO_\w+|PBS_\w+|"
    r"LSB_\w+|JSM_\w+|HOROVOD_\w+|CUDA_VISIBLE_DEVICES|HOME|PATH|USER|LOGNAME|SHELL|PWD|TMPDIR|"
    r"TEMP|TMP|DISPLAY|TERM|COLUMNS|LINES|HOSTNAME|LD_LIBRARY_PATH|PYTHONPATH|VIRTUAL_ENV|"
    r"CONDA_\w+|XDG_\w+|CI|COLAB_\w+|KAGGLE_\w+|JPY_\w+|SSH_\w+|PYTEST_\w+|LOCALAPPDATA|APPDATA)$"
)
# Variables that belong to others: reading one configures this product too, less surely.
_FOREIGN: Final = re.compile(
    r"^(HF|HUGGINGFACE|WANDB|MLFLOW|COMET|NEPTUNE|AWS|AZURE|GOOGLE|OPENAI|ANTHROPIC|TORCH|PYTORCH|CUDA|"
    r"CUDNN|OMP|MKL|TF|TOKENIZERS|TRANSFORMERS|PIP|GITHUB|NVIDIA|XLA|TPU|DATABRICKS)_"
)
_QUOTED: Final = re.compile(r"'(\w+)'")
_UPPER: Final = re.compile(r"'([A-Z][A-Z0-9_]+)'")
_PRESENT: Final = re.compile(r"'(\w+)' (?:not )?in os\.environ")
_VARIABLE: Final = re.compile(r"os\.environ\['(\w+)'\]")
_CONFIG_NAME: Final = re.compile(
    r"(Conf|Config|Configs|Configuration|Cfg|Args|Arguments|ArgumentParser|Options|Opts|Settings|Params|"
    r"Parameters|HParams|Hyperparameters|Hparams|Plugin|Kwargs|(Train|Run|Job|Task|Experiment|Eval|Model|Data|Layer|Level|Block|Attention|Network|Optimizer)\w*Spec|Recipe)"
    r"(Base|Mixin|Model|Schema|Template|Group)?$"
)
_TYPED_BASES: Final = (
    r"^(pydantic\.(BaseModel|BaseSettings|main\.BaseModel)|pydantic_settings\.BaseSettings|"
    r"msgspec\.Struct|typing\.(NamedTuple|TypedDict)|typing_extensions\.TypedDict|tap\.Tap|"
    r"traitlets\.config\.|"
    r"transformers\.\w*TrainingArguments|fairseq\S*FairseqDataclass)"
)
_DATACLASS: Final = re.compile(
    r"^([\w.:]*[.:](dataclass|configclass)\b|attrs?\.(define|frozen|mutable|s|attrs|dataclass)|attr\.|chz\.chz|"
    r"strictdataclass|"
    r"huggingface_hub\S*strict)"
)


_CHOSEN: Final = re.compile(
    r"(parse_args\(\)(\[\d\])?|args|opts?|options|flags|FLAGS)\.\w*(config|cfg|settings|json)\w*|"
    r"@(config|cfg|settings)(_?(file|path|json|filename|file_path|fname))?\b"
)
_FETCHED: Final = re.compile(r"(download|_hub|_url|hf_hub)\w*\(\)")
_FIXED: Final = re.compile(r"^'[\w.-]+\.(ya?ml|toml)'$")
_NAMED_CONFIG: Final = re.compile(r"conf|cfg|setting|default|param|option|train|recipe")
_OPENS: Final = frozenset({"open", "read_text", "read_bytes"})
_MODULE: Final = re.compile(
    r"(?<![a-z])(config|cfg|recipe|exp)_?(name|module|path|file|registry)|'([\w.]+\.)?configs?\.\{"
)
_HOLDER: Final = re.compile(
    r"(Namespace|Dict|Config|Cfg|Args|Arguments|Options|Settings|Params|set_defaults)$"
)
_OWN_FILES: Final = re.compile(r"pretrained|checkpoint|tokenizer|vocab|model")
_RESOLVED: Final = re.compile(r"\$\{(?:oc\.)?env:\s*(\w+)")


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
    yield from by_file(repo, _parsers(repo))


def _parsers(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "command-lines", "command line parsed with {}")
    for site in repo.methods("add_argument", "add_option"):
        if "argparse" in site.names[0] or (site.call.args and site.call.args[0].startswith("'--")):
            yield at(site, "command-line option declared")
    for module in repo.product:
        asides = {call.line for call in module.facts.calls if call.args[:1] == ("sys.argv",)}
        asides |= {one.line for one in module.facts.blocks if one.text.endswith("' in sys.argv")}
        for one in module.facts.references:
            if one.name.startswith("sys.argv") and one.line not in asides:
                yield in_code(module, one.scope, one.line, "own parser of the command line")


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
    yield from by_file(repo, _readers(repo))
    yield from by_file(repo, _chosen_modules(repo))


def _readers(repo: Repository) -> Iterator[Place]:
    fetched = set(_fetched(repo))
    for place in of_topic(repo, "config-files", "configuration read with {}"):
        if place.node not in fetched:
            yield place
    for site in repo.methods("merge_from_file", "merge_from_yaml"):
        yield at(site, "configuration read into the node of yacs or its kin")
    for site in repo.calls("builtins.exec"):
        if any("open()" in one or ".read" in one for one in site.arguments()):
            yield at(site, "Python configuration file executed")
    for site in repo.calls("json.load", "json.loads"):
        if any(_CHOSEN.search(text) for text in _opened(site)):
            yield at(site, "JSON configuration read from a chosen file")
    for site, value in repo.given("**"):
        if value.startswith("json.load") and _HOLDER.search(site.method) and _is_general(site):
            yield at(site, "options are the keys of a JSON file")
    for site, _ in repo.given("fromfile_prefix_chars"):
        yield at(site, "options are read from a file that the command line names")


def _is_general(site: Site) -> bool:
    """Tell whether a function reads a file that its caller chooses, no artifact of a model."""
    opened = tuple(_opened(site))
    return any(one[:1] == "@" for one in opened) and not _OWN_FILES.search(site.scope.name)


def _fetched(repo: Repository) -> Iterator[int]:
    """Yield the functions that open a file of data which they fetch, or whose fixed name is
    no configuration's: what they read does not configure a run."""
    for site in repo.methods(*_OPENS):
        node = site.node
        beside = repo.by_scope.get(node, ())
        texts = [text for one in beside if one.line == site.line for text in one.call.args[:1]]
        if any(map(_FETCHED.search, (*texts, *site.receivers))):
            yield node
        elif "os.path.join()" in site.call.args[:1]:
            joined = [one.call.args[-1] for one in beside if one.names[0] == "os.path.join"]
            fixed = [text for text in joined if _FIXED.search(text)]
            downloads = any("download" in one.method for one in beside)
            if downloads and fixed and not any(map(_NAMED_CONFIG.search, fixed)):
                yield node


def _opened(site: Site) -> Iterator[str]:
    """Yield the paths of the files that are opened in a call's own function."""
    for call in site.module.facts.calls:
        if call.scope == site.call.scope and call.names[0].rpartition(".")[2] in _OPENS:
            yield from call.args[:1]
            yield call.names[0].rpartition(".")[0]


def _chosen_modules(repo: Repository) -> Iterator[Place]:
    for site in repo.calls("importlib.import_module", "importlib.util.spec_from_file_location"):
        if any(_MODULE.search(text) for text in (*site.arguments(), *site.scope.params)):
            yield at(site, "Python configuration module imported by name")


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
    yield from by_file(repo, _typed_configurations(repo))


def _typed_configurations(repo: Repository) -> Iterator[Place]:
    for module, place, one in repo.definitions:
        name = one.name.rpartition(".")[2]
        if one.kind == "class" and _CONFIG_NAME.search(name) and _typed(repo, module, place, one):
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
    own = [row for row in _variables(repo) if not _LAUNCHER.match(row[0])]
    homes = {(name.partition("_")[0], place.path) for name, place in own}
    prefixes = Counter(prefix for prefix, _ in homes)
    own.sort(key=lambda row: -prefixes[row[0].partition("_")[0]])
    foreign = [place for name, place in own if _FOREIGN.match(name)]
    yield from central(repo, [place for name, place in own if not _FOREIGN.match(name)])
    yield from foreign
    yield from by_file(repo, of_topic(repo, "settings-from-environment", "settings read with {}"))
    for site in repo.all_calls:
        for key, value in site.call.kwargs:
            if key in ("envvar", "auto_envvar_prefix", "env_prefix") and value[0] in "'[":
                yield at(site, f"option reads {value}")


def _variables(repo: Repository) -> Iterator[tuple[str, Place]]:
    """Yield the names of the environment variables that are read, with the places."""
    for site in repo.calls("os.environ.get", "os.getenv"):
        key = site.call.args[0] if site.call.args else ""
        if names := _QUOTED.findall(key):
            yield from ((name, at(site, f"reads {name}")) for name in names[:8])
        elif key.startswith("@"):
            yield from _passed(repo, site)
    yield from _interpolated(repo)
    for module in repo.product:
        yield from _asked(module)
        for one in module.facts.references:
            if found := _VARIABLE.fullmatch(one.name):
                yield found[1], in_code(module, one.scope, one.line, f"reads {found[1]}")


def _interpolated(repo: Repository) -> Iterator[tuple[str, Place]]:
    """Yield the variables that configuration files of OmegaConf ask for: ``${oc.env:ROOT}``."""
    if not any(repo.calls("hydra.*", "omegaconf.*")):
        return
    for file in repo.by_role("config", "data", "product"):
        for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
            for name in _RESOLVED.findall(key.value) if "env:" in key.value else ():
                yield name, of_key(file, key, f"reads {name}")


def _asked(module: Module) -> Iterator[tuple[str, Place]]:
    """Yield the variables whose presence decides something: ``"DEBUG" in os.environ``."""
    told = [(one.scope, one.line, one.value) for one in module.facts.assigns]
    told += [(-1, one.line, one.text) for one in module.facts.blocks]
    for scope, line, text in told:
        if " in os.environ" in text and (found := _PRESENT.search(text)):
            home = scope if scope >= 0 else scope_at(module, line)
            yield found[1], in_code(module, home, line, f"asks for {found[1]}")


def _passed(repo: Repository, site: Site) -> Iterator[tuple[str, Place]]:
    """Yield the names that callers give to a function that reads the environment."""
    own = site.scope.name.rpartition(".")[2]
    node = site.node
    for caller in repo.methods(own) if own else ():
        if caller.program.resolve(caller.module, caller.call.names[0])[1] == node:
            for text in caller.arguments():
                if found := _UPPER.fullmatch(text):
                    yield found[1], at(caller, f"reads {found[1]} through {own}")
