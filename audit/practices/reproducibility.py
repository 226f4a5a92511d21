"""Reproducibility: seeds, deterministic kernels, exact dependencies."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, TextFacts
from audit.practices.handing import argument
from audit.practices.instantiated import instantiated
from audit.practices.libraries import called
from audit.practices.loops import classes_around, training_files
from audit.practices.options import options
from audit.practices.ranking import apart, central, is_corner
from audit.practices.registry import Place, at, in_code, in_file, of_key, practice
from audit.repository import Repository
from audit.sites import File, Site

_LOADER: Final = re.compile(r"Loader|Sampler|random_split|\.shuffle$|Dataset|\.split$|sampler")


_SEEDED_RUN: Final = re.compile(r"(Training(Arguments|Args)|LightningCLI)$|^(trl|composer)\.\w+$")
"""Engines that seed all generators with the number that they are given."""
_SEARCHES: Final = re.compile(r"(optuna\w*|hyperopt|skopt|ray\.tune|nevergrad)\.")
"""Libraries whose samplers draw hyperparameters, no data."""


@practice("repro-seed", looks_for="calls that seed random generators")
def repro_seed(repo: Repository) -> Iterator[Place]:
    """Random generators are seeded.

    Why:
        A result that cannot be drawn again cannot be debugged or compared.
    Fix:
        Seed Python, NumPy and torch from one option at the start of the run.
    Good:
        import torch

        def main(seed: int):
            torch.manual_seed(seed)
    Bad:
        import torch

        def sample(logits):
            return torch.multinomial(logits, 1)
    Limits:
        A generator that is made without any value counts as not seeded.
    Drop-in: codex_ml.training.seed_everything
    """
    seeded: dict[tuple[str, int], dict[str, Site]] = {}
    for site, library in called(repo, "seeders"):
        if argument(site, 0, "seed", "params", "default") not in ("", "None"):
            seeded.setdefault((site.path, site.call.scope), {}).setdefault(library, site)
    most = max(map(len, seeded.values()), default=0)
    full = [  # the function that seeds all of them is the one to read
        at(site, f"{library} is seeded")
        for sites in seeded.values()
        if len(sites) == most
        for library, site in sites.items()
    ]
    yield from _on_training(repo, central(repo, full, "seed"))
    for site, value in repo.given("seed", "seed_everything_default"):
        if _SEEDED_RUN.search(site.names[0]) and value != "None":
            yield at(site, "the trainer seeds the generators")
    if not seeded:
        for site in repo.methods("manual_seed", "seed_everything", "set_seed", "seed_all"):
            if argument(site, 0, "seed") not in ("", "None"):
                yield at(site, "a generator is seeded")
        for site, value in repo.given("random_state"):
            if value[0] in "@s":
                yield at(site, "a generator gets the seed of its caller")


def _on_training(repo: Repository, places: list[Place]) -> list[Place]:
    """Return places with those in files that train a model first."""
    training = training_files(repo)
    return apart(sorted(places, key=lambda one: (is_corner(one.path), one.path not in training)))


@practice("repro-deterministic-mode", looks_for="a switch for deterministic kernels")
def repro_deterministic_mode(repo: Repository) -> Iterator[Place]:
    """Deterministic kernels can be switched on.

    Why:
        Atomic additions and autotuned kernels make two runs with one seed differ.
    Fix:
        Offer an option that calls torch.use_deterministic_algorithms and sets
        CUBLAS_WORKSPACE_CONFIG.
    Good:
        import torch

        def deterministic():
            torch.use_deterministic_algorithms(True)
    Bad:
        import torch

        def fast():
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.deterministic = False
    Limits:
        Operations without a deterministic kernel are not known.
    Drop-in: codex_ml.training.use_deterministic_kernels
    """
    for site, library in called(repo, "deterministic-modes"):
        if argument(site, 0, "mode") != "False":
            yield at(site, f"{library} is switched to deterministic kernels")
    for module, one in repo.assigns(_SWITCHED):
        if one.value != "False" and ("XLA_FLAGS" not in one.target or "determini" in one.value):
            yield in_code(module, one.scope, one.line, "deterministic kernels are switched on")
    for site, value in repo.given("deterministic"):
        if site.method in _TRAINERS and value not in ("False", "None"):
            yield at(site, "the trainer is asked for deterministic kernels")
    yield from options(repo, "the trainer's {} is set", "deterministic_mode", "full_determinism")
    for file, key, _ in instantiated(repo, "trainers"):
        beside = repo.key(file.path, key.path.replace("_target_", "deterministic"))
        if beside is not None:
            yield of_key(file, beside, "configuration decides on deterministic kernels")
    for site in repo.methods("setdefault", "setattr"):
        if "CUBLAS_WORKSPACE_CONFIG" in argument(site, 0):
            yield at(site, "deterministic kernels are switched on")


_SWITCHED: Final = (
    r"cudnn\.deterministic$|CUBLAS_WORKSPACE_CONFIG|TF_(CUDNN_)?DETERMINIS|'XLA_FLAGS'"
)
_TRAINERS: Final = ("Trainer", "Fabric", "set_random_seed", "flags")


@practice("repro-worker-seed", looks_for="explicit seeds of loaders, workers or samplers")
def repro_worker_seed(repo: Repository) -> Iterator[Place]:
    """Data loading has seeds of its own.

    worker_init_fn or a generator for a loader, a seeded sampler or shuffle, set_epoch.

    Why:
        Workers are forked with one NumPy state: without seeds they all augment alike, and
        the order of the data changes with everything else that draws a number.
    Fix:
        Give the loader a generator and worker_init_fn, and call set_epoch on the sampler.
    Good:
        import torch
        from torch.utils.data import DataLoader

        def loader(dataset, seed):
            generator = torch.Generator().manual_seed(seed)
            return DataLoader(dataset, shuffle=True, generator=generator)
    Bad:
        from torch.utils.data import DataLoader

        def loader(dataset):
            return DataLoader(dataset, shuffle=True)
    Limits:
        That the seed differs between workers and epochs is not proved.
    """
    yield from central(repo, _worker_seeds(repo), "sampler|dataset|loader|datamodule|worker")


def _worker_seeds(repo: Repository) -> Iterator[Place]:
    yield from options(repo, "loader workers are seeded", "worker_init_fn")
    given = [site for site, value in repo.given("generator", "seed") if value != "None"]
    for site in sorted(given, key=lambda site: "Loader" not in site.method):
        named = (*site.names, (site.call.keyword("type") or "").strip("'"))
        if any(_LOADER.search(one) and not _SEARCHES.match(one) for one in named):
            yield at(site, "the order of the data has its own seed")
    for site, value in repo.given("shuffle_seed"):
        if value != "None":
            yield at(site, "the order of the data has its own seed")
    for site, value in repo.given("workers"):
        if site.method == "seed_everything" and value == "True":
            yield at(site, "the loader's workers are seeded")
    for site in repo.methods("shuffle", "permutation"):
        about = (*site.scope.params, *site.call.args, site.module.dotted, site.scope.name.lower())
        own = site.receivers[0].removesuffix("()") in _GENERATORS and _is_seeded(repo, site)
        if own and any(map(_EXAMPLES.search, about)):
            yield at(site, "the order is drawn with a seed of its own")
    for site in repo.methods("set_epoch"):
        yield at(site, "the sampler is told the epoch")
    for site in (*repo.methods("manual_seed"), *(one for one, _ in called(repo, "seeders"))):
        if argument(site, 0, "seed") not in ("", "None") and _of_data(repo, site):
            yield at(site, "the sampler has its own generator")


def _is_seeded(repo: Repository, site: Site) -> bool:
    """Tell whether the generator of a call is made in the same function, with a seed."""
    maker = site.receivers[0].removesuffix("()")
    beside = repo.by_scope.get(site.node, ())
    return any(
        one.names[0] == maker and argument(one, 0, "seed") not in ("", "None") for one in beside
    )


def _of_data(repo: Repository, site: Site) -> bool:
    """Tell whether a call stands in a class that gives the data, by its name or its bases."""
    if _ORDERS.search(site.scope.name.rpartition(".")[2]):
        return True
    own = any(site.names[0].startswith(one) for one in _GENERATORS)
    if own and _OF_DATA.search(site.module.dotted):
        return True
    for place, one in classes_around(site.module, site.call.scope):
        names = (one.name, *repo.program.ancestry(site.module.first + place))
        if any(map(_DATA.search, names)) and not any(map(_DRAWS_NUMBERS.search, names)):
            return True
    return False


_DATA: Final = re.compile(
    r"Sampler|Dataset|Loader(?!Mixin)|DataModule|Shuffl|Batcher|Corpus|Buffer"
)
_DRAWS_NUMBERS: Final = re.compile(
    r"nn\.(modules\.\w+\.)?Module$|(^|[.:])(MC|Ray|Posterior)\w*Sampler$"
)
"""Samplers of numbers, not of examples."""
_EXAMPLES: Final = re.compile(
    r"(?<![a-z])(data|dataset|loader|file|sample|example|record|shard|url|path|line|document|batch|split)"
    r"(es|s)?(?![a-z])"
)
_GENERATORS: Final = ("numpy.random.RandomState", "numpy.random.default_rng", "random.Random")
_OF_DATA: Final = re.compile(r"(^|[._])(data|dataset|sampler|buffer|dataloader)s?([._]|$)")
_ORDERS: Final = re.compile(r"shuffle|few_?shot|(^|_)index_mapping|split_data|_order(_|$)")
_LOCKS: Final = (
    "uv.lock", "poetry.lock", "pdm.lock", "pipfile.lock", "conda-lock.yml", "pixi.lock",
    "pylock.toml", "requirements*.lock", "*.lock.txt",
)  # fmt: skip
_REQUIREMENTS: Final = ("requirements*.txt", "constraints*.txt", "requirements/*.txt")
_COMPILED: Final = re.compile(r"constraint|lock|frozen|freeze|pinned|compiled")
_ENTRY: Final = re.compile(r"^[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*(?P<pin>==\s*[^*\s]+)?")
_ASIDE: Final = re.compile(
    r"(^|[/_.-])(doc|docs|dev|test|tests|lint|fmt|format|style|example|examples)", re.IGNORECASE
)


@practice("repro-lockfile", looks_for="a lock file or fully pinned requirements", code=False)
def repro_lockfile(repo: Repository) -> Iterator[Place]:
    """Exact dependency versions are committed.

    A lock file with entries, or requirements or constraints in which every entry has ``==``.

    Why:
        A range that was fine last month resolves to another set of packages today.
    Fix:
        Commit uv.lock, or a constraints file made by pip-compile.
    Good:
        # file: requirements.txt
        torch==2.5.1
        numpy==2.1.3
    Bad:
        # file: requirements.txt
        torch>=2.0
        numpy==2.1.3
    Limits:
        Whether the lock is in step with the project's declared ranges is not checked.
    """
    for file in repo.find(*_LOCKS):
        if file.path.rpartition("/")[0] in ("", "requirements") and _entries(file):
            yield in_file(file, 1, "dependencies are locked")
    for file in repo.named("environment.yml", "environment.yaml"):
        if "/" not in file.path and _is_exact(file):
            yield in_file(file, 1, "every entry of the environment has an exact version")
    found = [file for file in repo.find(*_REQUIREMENTS) if not _ASIDE.search(file.path)]
    main = [file for file in found if file.name in ("requirements.txt", "base.txt", "main.txt")]
    ranges = bool(main) and not any(map(_all_pinned, main))
    for file in found:
        if _all_pinned(file) and (not ranges or _COMPILED.search(file.path)):
            yield in_file(file, 1, "every entry has an exact version")


def _entries(file: File) -> bool:
    if file.problem.startswith("larger"):
        return True  # than what is read: no empty lock
    match file.facts:
        case DataFacts(keys=keys):
            return any("package" in key.path or "default" in key.path for key in keys)
        case TextFacts(lines=lines):
            return len(lines) > 2
    return False


def _is_exact(file: File) -> bool:
    """Tell whether all packages of a conda environment have one version each."""
    keys = file.facts.keys if isinstance(file.facts, DataFacts) else ()
    entries = [one.value for one in keys if _PACKAGE.match(one.path) and one.value]
    return len(entries) > 1 and all(_EXACT.match(one) for one in entries)


_PACKAGE: Final = re.compile(r"dependencies\[\d+\](\.pip\[\d+\])?$")
_EXACT: Final = re.compile(r"[\w.:/-]+(\[[\w,-]+\])? ?={1,2} ?\d[^*,<>]*$|-e \.|pip$")


def _all_pinned(file: File) -> bool:
    if not isinstance(file.facts, TextFacts):
        return False
    rows = [row.partition("#")[0].strip() for row in file.facts.lines]
    entries = [found for row in rows if row and (found := _ENTRY.match(row))]
    return len(entries) > 1 and all(found["pin"] for found in entries)
