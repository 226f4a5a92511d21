"""Data: which part each rank reads, and where reading goes on after a restart."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Block
from audit.practices.data_readers import HOLDS_DATA, derived, names_around, uses
from audit.practices.loops import own_name, scope_at, spread, words
from audit.practices.options import configured
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site, blocks_from

_RANK: Final = re.compile(r"rank|process_index|local_process|shard_id|worker_id", re.IGNORECASE)


_RANKS: Final = re.compile(
    r"world_size|num_replicas|num_process|num_shards|ranks|dp_size|parallel_size|num_parts",
    re.IGNORECASE,
)


_SAMPLER: Final = re.compile(r"(^|[.:])\w*(Sampler|Dataset|DataLoader)$")


_ENGINE: Final = re.compile(r"accelerator|Accelerator\(\)|fabric|Fabric\(\)")


_LOADERS: Final = re.compile(
    r"DataLoader\(\)|data_?loader|[@.]\w*dl$|\bloader|^\*|(loader|iterator|data_iter)\(\)",
    re.IGNORECASE,
)


_HOLDER: Final = re.compile(
    r"(^|_|\W)(\w*data_?loaders?|dataset|sampler|loader|data_iter|batch_iter|"
    r"data_stream|epoch_itr|train_iterator|data_iterator)s?$"
)


_RESUMES: Final = re.compile(
    r"^(\w+_)?(resume_state(_dict)?|start_(batch|index|sample|iter)\w*|skip_(batches|steps|rows|samples)|"
    r"data_state|offset_batches|initial_(iter|batch)|samples_seen|consumed_samples)$"
)


_POSITION: Final = (
    r"(sampler|loader|dataset|data_iter\w*)(\(\))?\.(start_(iter|batch|index|sample|step)\w*|"
    r"consumed_samples|samples_seen|skip_(batches|steps|samples))$"
)


_TRAINED: Final = re.compile(
    r"builtins\.enumerate\(\)\[\]\[0\] <=? [@.\w]*\.\w*(batch|sample|step)s?_(in|of)_\w+|"
    r"^[@.\w]*(global|trained|completed|current)_?steps? % .*> 0$"
)
"""A batch before the one at which a checkpoint was written: by its place in the epoch, or while
steps of the epoch are left over from what was trained."""
_BELOW_START: Final = re.compile(
    r"<=? [@.\w]*\b\w*(start|resume|skip)_?(from_)?\w*(iter\w*|step|batch\w*|idx|index)\b"
)


_REMAINS: Final = re.compile(
    r"(^|_)(missing|remaining|pending|unfinished|uncached|skip_(existing|done|completed|evaluated))_"
    r"(eval\w*|requests?|samples?|tasks?|docs?|examples?|instances?|predictions?)(_|$)|"
    r"^(sample|response|prediction|generation)s?_cache$|^(caching|cached)_(lm|llm|model|requests?|predictions?|responses?)$"
)


_STATE_PART: Final = re.compile(r"\['\w*(iterator|sampler|data_?loader|dataset)\w*'\]$")
_BEHIND: Final = re.compile(r"(start|resume|skip|consumed|seen)\w*$")
_STATE_KEY: Final = re.compile(r"'\w*(data_?loader|sampler|dataset|data_iter\w*|data_state)\w*':")


@practice("data-rank-sharding", looks_for="a sampler or slice that gives each rank its own part")
def data_rank_sharding(repo: Repository) -> Iterator[Place]:
    """Each rank reads its own part of the data.

    A distributed sampler, a split by node, or an index that strides by rank and size.

    Why:
        Ranks that read the same samples pay for parallelism without more data.
    Fix:
        Use `DistributedSampler` (and `set_epoch`), or `split_dataset_by_node` for streams.
    Good:
        from torch.utils.data import DataLoader
        from torch.utils.data.distributed import DistributedSampler
        def batches(dataset):
            return DataLoader(dataset, sampler=DistributedSampler(dataset))
    Bad:
        import torch.distributed as dist
        def log(text):
            if dist.get_rank() == 0:
                print(text, dist.get_world_size())
    Drop-in: codex_ml.data.BatchStream
    """
    found = [
        *uses(repo, "rank-sharding"),
        *derived(repo, r"DistributedSampler$", "splits by rank"),
    ]
    found += [at(site, "gives each rank its own slice") for site in _strides(repo)]
    found += [
        at(site, "configures a sampler that splits by rank")
        for site in configured(repo, r"^'(DefaultSampler|InfiniteSampler|Distributed\w*Sampler)'")
    ]
    found += [at(site, "the engine gives each rank its part") for site in _prepared(repo)]
    found += [
        in_code(module, place, one.line, f"{one.name} is given rank and size")
        for module, place, one in repo.definitions
        if one.kind == "function"
        and not one.stub
        and _takes_rank(one.params)
        and any(map(HOLDS_DATA.search, names_around(module, place)))
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} splits by rank")
        for module, place, one in repo.definitions
        if one.kind == "class" and re.match(r"distributed_\w*sampler", own_name(one))
    ]
    for module, _, one in repo.definitions:
        if one.name.endswith(".__init__") and _takes_rank(one.params):
            owner = module.first + one.parent
            named = module.facts.definitions[one.parent].name
            if any(map(_SAMPLER.search, (named, *repo.program.ancestry(owner)))):
                found.append(in_code(module, one.parent, one.line, "is given rank and size"))
    for module in repo.product:
        for block in module.facts.blocks:
            inside = block.parent >= 0 and module.facts.blocks[block.parent].kind == "for"
            if inside and " % " in block.text and _ranked(block.text):
                scope = scope_at(module, block.line)
                found.append(in_code(module, scope, block.line, "skips what other ranks read"))
        for step in module.facts.assigns:
            if step.operator == "+=" and _is_rank_count(step.value):
                found.append(in_code(module, step.scope, step.line, "strides by the rank count"))
    yield from spread(found)


def _prepared(repo: Repository) -> Iterator[Site]:
    """Yield calls that hand a loader to an engine, which splits it over the ranks."""
    for site in repo.methods("prepare", "prepare_data_loader", "setup_dataloaders"):
        if any(_ENGINE.search(one) for one in site.receivers) and (
            site.method != "prepare" or any(map(_LOADERS.search, site.arguments()))
        ):
            yield site


def _is_rank_count(text: str) -> bool:
    return bool(
        re.fullmatch(r"[@.\w]*(world_size|num_replicas|num_processes|num_shards)(\(\))?", text)
    )


def _ranked(text: str) -> bool:
    return bool(_RANK.search(text) and _RANKS.search(text))


def _takes_rank(params: tuple[str, ...]) -> bool:
    return any(map(_RANK.search, params)) and any(map(_RANKS.search, params))


def _strides(repo: Repository) -> Iterator[Site]:
    """Yield slices and shards whose arguments are a rank and a number of ranks."""
    for site, _ in repo.given("num_shards", "num_replicas", "num_parts"):
        keys = " ".join(name for name, _ in site.call.kwargs)
        if "shard_id" in keys or (_RANK.search(keys) and HOLDS_DATA.search(words(site.method))):
            yield site
    for site in repo.methods("shard"):
        if "process_index()" in " ".join(site.arguments()):
            yield site
    for site in (*repo.calls("itertools.islice"), *repo.methods("shard")):
        if _ranked(" ".join([*site.arguments(), *(name for name, _ in site.call.kwargs)])):
            yield site
    for site in repo.calls("builtins.range"):
        match site.call.args:
            case (start, _, step) if _RANK.search(start) and _RANKS.search(step):
                yield site


@practice("data-resume", looks_for="a saved position in the data, or batches that are skipped")
def data_resume(repo: Repository) -> Iterator[Place]:
    """The position in the data survives a restart.

    A loader, sampler or dataset has state that is saved and restored, batches that were
    seen are skipped, or an interrupted evaluation runs only what is missing.

    Why:
        A resumed run that starts the epoch again trains twice on its first part.
    Fix:
        Save the loader's `state_dict()` in the checkpoint (`StatefulDataLoader`), or skip
        the batches of the interrupted epoch.
    Good:
        class TokenLoader:
            def __init__(self): self.position = 0
            def state_dict(self): return {"position": self.position}
            def load_state_dict(self, state): self.position = state["position"]
    Bad:
        def resume(model, state):
            model.load_state_dict(state["model"])
            return state["epoch"]
    Drop-in: codex_ml.data.BatchStream
    """
    found = [*uses(repo, "data-resuming"), *_stateful(repo)]
    found += [
        at(site, "restores the position in the data")
        for site in repo.methods("load_state_dict", "set_state")
        if any(_HOLDER.search(words(one.rpartition(".")[2])) for one in site.receivers)
    ]
    found += [
        at(site, "skips batches that were seen") for site in repo.methods("skip_first_batches")
    ]
    found += [
        at(site, "restores the position in the data")
        for site in repo.methods("load_state_dict")
        if any(map(_STATE_PART.search, site.call.args[:1]))
    ]
    found += [
        at(site, "starts behind what was seen")
        for site in repo.calls("itertools.islice")
        if len(site.call.args) > 2 and _BEHIND.search(site.call.args[1])
    ]
    found += [
        at(site, "keeps the iterator in the training state")
        for site in repo.calls("tensorflow.train.Checkpoint")
        if site.call.keyword("iterator")
    ]
    found += [
        in_code(module, one.scope, one.line, "keeps the loader in the training state")
        for module in repo.product
        for one in module.facts.assigns
        if _STATE_KEY.search(one.value) and "'optimizer" in one.value
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} starts where it is told to")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _starts_late(module, place)
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} leaves out what was evaluated before")
        for module, place, one in repo.definitions
        if one.kind != "module" and not one.stub and _REMAINS.search(own_name(one))
    ]
    found += [
        in_code(module, one.scope, one.line, "sets the position in the data")
        for module, one in repo.assigns(_POSITION)
        if not one.value.isnumeric() and one.value != "None" and not one.target.startswith("self.")
    ]
    yield from spread([*found, *_skipped(repo)])


def _starts_late(module: Module, scope: int) -> bool:
    """Tell whether something that reads data takes the position to start at."""
    one = module.facts.definitions[scope]
    names = names_around(module, scope)
    return any(map(_RESUMES.match, one.params)) and any(map(HOLDS_DATA.search, names))


def _stateful(repo: Repository) -> Iterator[Place]:
    for module, place, one in repo.definitions:
        if one.kind == "class" and HOLDS_DATA.search(own_name(one)):
            methods = {
                d.name.rpartition(".")[2]: d
                for d in module.facts.definitions
                if d.parent == place and not d.stub
            }
            if "state_dict" in methods and methods.keys() & {"load_state_dict", "set_state"}:
                line = methods["state_dict"].line
                yield in_code(module, place, line, f"{one.name} saves its position")


def _while_resuming(module: Module, block: Block) -> bool:
    """Tell whether a condition stands in a loop over batches under the question of resuming."""
    around = list(blocks_from(module, block.parent))[:2]
    return (
        [one.kind for one in around] == ["if", "for"]
        and "resume" in around[0].text
        and bool(_BATCHES.search(around[1].text))
    )


_BATCHES: Final = re.compile(r"loader|data|batch|Loader", re.IGNORECASE)
_PASSED_OVER: Final = (_BELOW_START, _TRAINED)


def _skipped(repo: Repository) -> Iterator[Place]:
    """Yield batches that are passed over: drawn in a counted loop, or below where to start."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "if" and any(one.search(block.text) for one in _PASSED_OVER):
                around = list(blocks_from(module, block.parent))
                if around and around[0].kind == "for":
                    scope = scope_at(module, block.line)
                    yield in_code(module, scope, block.line, "skips batches that were seen")
            elif block.kind == "if" and " < " in block.text and _while_resuming(module, block):
                scope = scope_at(module, block.line)
                yield in_code(module, scope, block.line, "skips batches that were seen")
    for site in repo.calls("builtins.next"):
        if site.within("for", r"range\(\)") and not site.within("while"):
            resumed = " ".join(one.text for one in site.blocks() if one.kind == "if")
            if re.search(r"resum|start_|initial|skip", resumed):
                yield at(site, "skips batches that were seen")
