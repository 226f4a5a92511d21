"""Safety: what product code reads cannot run code."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.registry import Place, at, practice
from audit.repository import Repository
from audit.sites import Site

# --------------------------------------------------------------- deserialization
_SAFE_YAML: Final = re.compile(r"(Safe|Base)Loader|safe", re.IGNORECASE)
_PICKLES: Final = (
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "pickle5", "six.moves.cPickle",
    "sklearn.externals.joblib", "compress_pickle",
)  # fmt: skip
_UNPICKLERS: Final = (
    *(f"{one}.load" for one in _PICKLES),
    "pandas.read_pickle", "pickle.Unpickler().load", "dill.Unpickler().load", "shelve.open",
)  # fmt: skip
_FROM_BYTES: Final = ("pickle.loads", "dill.loads", "cloudpickle.loads")
_FILE_BYTES: Final = re.compile(r"open\(\)|\.read\(|read_bytes\(|\.load\(|\.get\(\)|\.download")
# What could run code and is kept from it comes first.
_SAFE_LOADS: Final = (
    "torch.load", "yaml.safe_load", "yaml.safe_load_all", "yaml.load", "safetensors.torch.load_file",
    "safetensors.safe_open", "safetensors.torch.load", "safetensors.numpy.load_file",
    "torch.distributed.checkpoint.load", "torch.hub.load_state_dict_from_url", "numpy.load",
    "json.load", "json.loads", "tomllib.load", "toml.load", "msgpack.unpackb", "orjson.loads",
    "csv.reader", "pandas.read_csv", "pandas.read_json", "pandas.read_parquet", "tomli.load",
    "tomllib.loads", "tomli.loads", "pyarrow.parquet.read_table", "datasets.load_dataset",
)  # fmt: skip


@practice(
    "security-no-unsafe-deserialization",
    looks_for="product code that loads data, and never by pickle, torch.load or yaml.load unsafely",
)
def security_no_unsafe_deserialization(repo: Repository) -> Iterator[Place]:
    """Nothing that product code reads can run code.

    Decided over all product code: one pickle load of a file, one ``torch.load`` without
    ``weights_only=True`` or one ``yaml.load`` without a safe loader makes it absent; so does a
    caller that hands ``weights_only=False`` on to ``torch.load``. The
    evidence is where data is loaded safely.

    Why:
        A pickle is a program. Whoever can replace a checkpoint or cache file runs code as you.
    Fix:
        Load weights from safetensors or with ``torch.load(..., weights_only=True)``, YAML with
        ``yaml.safe_load``, and keep caches in JSON, Arrow or NumPy files.
    Good:
        import torch
        import yaml

        def load(model, path, config):
            model.load_state_dict(torch.load(path, weights_only=True))
            return yaml.safe_load(config.read_text())
    Bad:
        import torch

        def load(model, path):
            model.load_state_dict(torch.load(path, map_location="cpu"))
    Limits:
        Bytes that are unpickled count where they visibly come from a file; what other libraries
        do inside their loaders is not followed.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    if any(True for _ in unsafe_loads(repo)):
        return
    for site in repo.calls(*_SAFE_LOADS):
        yield at(site, f"{site.names[0]} reads data without running code")
    for site in repo.methods("from_pretrained"):
        yield at(site, "weights come through a library's loader")
    for site in (*repo.calls(*_OPENS), *repo.methods("read_text", "read_bytes")):
        yield at(site, "files are read as text or bytes")


def unsafe_loads(repo: Repository) -> Iterator[Place]:
    """Yield the product calls that may run code from what they read."""
    for site in repo.calls(*_UNPICKLERS):
        yield at(site, f"{site.names[0]} runs what the file says")
    yield from _own_unpicklers(repo)
    for site in repo.calls(*_FROM_BYTES):
        if any(_FILE_BYTES.search(one) for one in site.call.args):
            yield at(site, f"{site.names[0]} of bytes from a file")
    for site in repo.calls("torch.load"):
        if _is_unsafe_torch(site):
            yield at(site, "torch.load that accepts any pickle")
    if any(
        _PASSED.search(site.call.keyword("weights_only") or "") for site in repo.calls("torch.load")
    ):
        for site, value in repo.given("weights_only"):
            if value == "False":
                yield at(site, "weights_only=False is handed on to torch.load")
    for site in repo.calls("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"):
        if not _has_safe_loader(repo, site):
            yield at(site, f"{site.names[0]} without a safe loader")


def _own_unpicklers(repo: Repository) -> Iterator[Place]:
    """Yield the loads of an unpickler of the product's own that refuses no class."""
    for module, place, one in repo.classes(bases=r"^(pickle|_pickle|cPickle|dill)\._?Unpickler$"):
        if not _refuses(module, place):
            for site in repo.calls(f"{module.dotted}:{one.name}().load"):
                yield at(site, f"{one.name} runs what the file says")


def _refuses(module: Module, place: int) -> bool:
    """Tell whether an unpickler refuses classes: its ``find_class`` raises."""
    definitions = module.facts.definitions
    own = f"{definitions[place].name}.find_class"
    return any(definitions[one.scope].name == own for one in module.facts.raises)


_OPENS: Final = ("builtins.open", "gzip.open", "numpy.fromfile", "numpy.memmap", "numpy.loadtxt")
_PASSED: Final = re.compile(r"^@weights_only\b")  # the parameter of the function around it


def _is_unsafe_torch(site: Site) -> bool:
    """Tell whether weights_only is missing or false; other values and ``**kwargs`` may be true."""
    given = site.call.keyword("weights_only")
    if given is None:
        more = site.call.keyword("**")
        return more is None or (more[:1] == "{" and more[-1:] == "}" and "weights_only" not in more)
    if _PASSED.match(given):
        return ("weights_only", "False") in site.scope.defaults
    return given == "False"


def _has_safe_loader(repo: Repository, site: Site) -> bool:
    if site.names[0].endswith(("unsafe_load", "full_load")):
        return False
    loader = site.call.keyword("Loader") or (site.call.args[1] if len(site.call.args) > 1 else "")
    if _SAFE_YAML.search(loader):
        return True
    node = repo.program.resolve(site.module, loader.partition(" | ")[0])[1] if loader else -1
    return node >= 0 and any(_SAFE_YAML.search(one) for one in repo.program.ancestry(node))
