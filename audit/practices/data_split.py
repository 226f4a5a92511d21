"""Data: what is held out from training."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign
from audit.practices.data_readers import uses
from audit.practices.loops import derives, library_calls, own_name, scope_at, spread
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository

_HELD_OUT: Final = r"(validation|valid|val|test|dev|eval|heldout|held_out)"


_SPLIT_TEST: Final = re.compile(
    rf"\b\w*(split|partition|subset|phase|fold|mode|stage|(?<!data)set)\w*\]? (==|in|!=) "
    rf"[\[(]?('\w+', )*'(train|training|{_HELD_OUT[1:]}'"
)


_SPLITS: Final = re.compile(
    rf"(^|_)(has_)?({_HELD_OUT})_(docs|examples|data|samples)$|(^|_)train\w*_(and_)?{_HELD_OUT}(_|$)|(^|_){_HELD_OUT}_split(_|$)"
)


_HOLDS_OUT: Final = re.compile(rf"(^|[@._'/]){_HELD_OUT}(_|'|\b|$)")


_REST: Final = re.compile(r"\[[^\]:]*\{?[^\]:]*%:\]")
"""A slice from a percentage to the end: what another slice leaves over."""


_HELD_LOADER: Final = re.compile(rf"(^|_){_HELD_OUT}_?(data|loader|set|ds)")


_HELD_NAME: Final = re.compile(_HELD_OUT)


_HELD_KEY: Final = re.compile(rf"load_dataset\(\)\['{_HELD_OUT}'\]")


_READS: Final = re.compile(r"data|load|Data|Load|corpus|Corpus")
_PART: Final = re.compile(rf"([\w.()]+)\[f?'(train\w*|{_HELD_OUT})'\]")
_SHARE: Final = re.compile(
    r"(?<![\d.])0\.[5-9]\d* \* .*len\(\)|len\(\) \* 0\.[5-9]\d*$|"
    r"len\(\).* \* .*\b(train|valid|val|test|eval)\w*_?(split|ratio|frac\w*|percent\w*|portion|size)\b"
)


_FIELDS: Final = (re.compile(r"train(ing)?"), re.compile(_HELD_OUT))
_NO_DATA: Final = re.compile(
    r"^$|^builtins\.(str|int|float|bool|type)\b|[Pp]ath|[Cc]onfig|[Cc]fg|[Aa]rg|[Ss]etting|[Mm]etric|[Ll]oss"
)


_KEYS: Final = re.compile(
    rf"(load|data)\w*(\(\))?\['train'\].*\['{_HELD_OUT}'\]|load_dataset\(\)\['{_HELD_OUT}'\]"
)


_PASSED: Final = re.compile(rf"[@.]\w*{_HELD_OUT}_?(data|loader|set|ds)\w*( |$)")


@practice("data-split", looks_for="separate training and held-out data")
def data_split(repo: Repository) -> Iterator[Place]:
    """Training and held-out data are kept apart.

    A split is made by a library or by hand, or one is selected by its name.

    Why:
        A metric on training data measures memory, not skill.
    Fix:
        Split once with a fixed seed (or load the published splits) and name the parts.
    Good:
        from torch.utils.data import random_split
        def parts(dataset):
            return random_split(dataset, [0.9, 0.1])
    Bad:
        from torch.utils.data import DataLoader
        def batches(dataset):
            return DataLoader(dataset, batch_size=8)
    """
    found = [*uses(repo, "splitters")]
    found += [
        at(s, "splits the data")
        for s in repo.methods("train_test_split", "random_split")
        if not any("jax.random" in text for text in s.call.args[:1])  # splits a key
    ]
    for keyword in ("split", "split_name", "subset", "data_split"):
        for site, value in repo.given(keyword):
            if _HOLDS_OUT.search(value) or _REST.search(value):
                found.append(at(site, f"selects {value[:40]}"))
    found += [
        at(site, f"selects {site.call.args[-1][:40]}")
        for site in repo.methods("load_dataset", "get_split", "load_split", "load_datasplit")
        if any(re.fullmatch(rf"'{_HELD_OUT}(\[.*\])?'", one) for one in site.call.args)
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} gives training and held-out data")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _gives_splits(own_name(one))
    ]
    found += [
        in_code(module, one.scope, one.line, f"makes {one.target}")
        for module, one in repo.assigns(rf"^self\._?{_HELD_OUT}_(data|loader|set|ds)\w*$")
        if "()" in one.value and not _is_handed(module, one)
    ]
    found += [*_both_folders(repo), *_both_flags(repo), *_both_keys(repo), *_by_share(repo)]
    found += [*_both_parts(repo), *_loaded_parts(repo)]
    found += [at(s, "holds out a share") for s, v in repo.given("validation_split") if v != "None"]
    found += [
        at(site, "hands held-out data to the trainer")
        for site, value in repo.given("eval_dataloader")
        if site.call.keyword("train_dataloader") and value != "None"
    ]
    found += [*_parted(repo), *_enumerated(repo), *_left_over(repo)]
    yield from spread([*found, *_compared_splits(repo), *_both_loaders(repo)])
    for site, value in repo.given("eval_dataset"):
        if site.call.keyword("train_dataset") and _MADE.search(value):
            yield at(site, "makes training and held-out data")


def _left_over(repo: Repository) -> Iterator[Place]:
    """Yield where rows are dropped that were sampled, and where one set gives several subsets."""
    for site in repo.methods("drop"):
        if any(".sample().index" in text for text in site.arguments()):
            yield at(site, "what is not sampled is held out")
    subsets: dict[tuple[int, str], int] = {}
    for site in repo.calls("torch.utils.data.Subset", "torch.utils.data.dataset.Subset"):
        key = (site.node, "".join(site.call.args[:1]))
        subsets[key] = subsets.get(key, 0) + 1
        if subsets[key] == 2:
            yield at(site, "takes several subsets of the data")
    for module, one in repo.assigns(rf"^:{_HELD_OUT}_dataloader$"):
        if any(other.target == ":train_dataloader" for other in module.facts.assigns):
            yield in_code(module, one.scope, one.line, "configures held-out data")


_MADE: Final = re.compile(r"[Dd]ata\w*\(\)")
_MODE: Final = re.compile(r"(^|_)(mode|state|status|event)s?$")
"""Enumerations of what a model or trainer does."""


def _enumerated(repo: Repository) -> Iterator[Place]:
    """Yield enumerations whose members are training and held-out data."""
    for module, place, one in repo.classes(r"(^|[.:])(Str|Int)?Enum$"):
        members = {m.target.lower() for m in module.facts.assigns if m.scope == place}
        named = not _MODE.search(own_name(one))
        if named and all(any(map(part.fullmatch, members)) for part in _FIELDS):
            yield in_code(module, place, one.line, f"{one.name} names the parts of the data")


def _parted(repo: Repository) -> Iterator[Place]:
    """Yield where an object is made that has a field of training and one of held-out data."""
    for module, place, one in repo.definitions:
        if one.kind != "class" or _NO_DATA.search(one.name):
            continue
        fields = {
            field.target: field.annotation
            for field in module.facts.assigns
            if field.scope == place and not _NO_DATA.search(field.annotation)
        }
        if all(any(map(part.fullmatch, fields)) for part in _FIELDS):
            for site in repo.calls(repo.program.symbol(module.first + place)):
                yield at(site, f"makes {one.name}, with training and held-out data")


def _is_handed(module: Module, one: Assign) -> bool:
    """Tell whether a held-out set is only made from one that the user passes in."""
    last = next((c.line for c in module.facts.calls if c.line > one.line + 3), one.line + 3)
    return any(
        _PASSED.search(text)
        for call in module.facts.calls
        if call.scope == one.scope and one.line <= call.line <= min(last, one.line + 3)
        for text in call.args
    )


def _both_folders(repo: Repository) -> Iterator[Place]:
    """Yield functions that join paths of training and of held-out data."""
    parts: dict[int, set[str]] = {}
    for site in repo.calls("os.path.join"):
        last = site.call.args[-1].strip("'") if site.call.args else ""
        node = site.node
        parts.setdefault(node, set()).add(last)
        if "train" in parts[node] and any(map(_HELD_NAME.fullmatch, parts[node])):
            yield at(site, "reads folders of training and held-out data")


def _both_flags(repo: Repository) -> Iterator[Place]:
    """Yield calls that are made once for training data and once for other data."""
    flags: dict[str, set[str]] = {}
    for site, value in repo.given("train", "is_train", "is_training"):
        if value in ("True", "False") and re.search(r"data|Data|MNIST|CIFAR", site.names[0]):
            known = flags.setdefault(site.names[0], set())
            known.add(value)
            if len(known) == 2:
                yield at(site, "makes training and held-out data")


def _both_keys(repo: Repository) -> Iterator[Place]:
    """Yield functions that take the training and a held-out part of loaded data."""
    for module, place, one in repo.definitions:
        if any(map(_KEYS.search, one.returns)):
            yield in_code(module, place, one.line, "takes the parts of loaded data")
    for site in repo.methods("get", "map", "select", "filter", "DataLoader", "with_format"):
        if any(map(_HELD_KEY.search, (*site.names, *site.arguments()))):
            yield at(site, "takes the held-out part of loaded data")


def _both_parts(repo: Repository) -> Iterator[Place]:
    """Yield where what reads data is made from the training part and from a held-out part."""
    parts: dict[tuple[int, str], set[str]] = {}
    for method in filter(_READS.search, repo.by_method):
        for site in repo.methods(method):
            for text in site.arguments() if site.scope.kind == "function" else ():
                for base, key, *_ in _PART.findall(text):
                    known = parts.setdefault((site.node, base), set())
                    known.add("train" if key.startswith("train") else key)
                    if "train" in known and len(known) > 1:
                        yield at(site, "reads the training and a held-out part")


def _loaded_parts(repo: Repository) -> Iterator[Place]:
    """Yield arrays that are cut in two where both parts are made into loaders."""
    loading = {site.node for site, _ in library_calls(repo, "data-loaders")}
    for site in repo.calls("numpy.split", "numpy.array_split", "torch.split", "torch.tensor_split"):
        node = site.node
        if node in loading and len(site.call.args) == 2 and site.call.args[1][:1] == "[":
            given = {text for one in repo.by_scope[node] for text in one.call.args}
            if {f"{site.names[0]}()[0]", f"{site.names[0]}()[1]"} <= given:
                yield at(site, "cuts the data in two parts")


def _by_share(repo: Repository) -> Iterator[Place]:
    """Yield numbers of examples that are a share of all: ``int(0.9 * len(data))``."""
    for site in repo.calls("builtins.int", "builtins.round"):
        if site.call.args and _SHARE.search(site.call.args[0]):
            yield at(site, "takes a share of the data for training")


def _gives_splits(name: str) -> bool:
    return bool(_SPLITS.search(name)) and not re.match(r"_*(verify|check|validate|has|is)_", name)


def _compared_splits(repo: Repository) -> Iterator[Place]:
    """Yield where the name of a split decides which data is taken."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "if" and "'" in block.text and _SPLIT_TEST.search(block.text):
                scope = scope_at(module, block.line)
                if "phase" in block.text and derives(repo, module, scope, r"nn\.\S*Module$"):
                    continue  # what a network does, no part of the data
                if _MODE.search(own_name(module.facts.definitions[scope])):
                    continue  # sets what a model does
                yield in_code(module, scope, block.line, "takes data by the name of the split")
        for one in module.facts.assigns:
            if " if " in one.value and "'" in one.value and _SPLIT_TEST.search(one.value):
                yield in_code(module, one.scope, one.line, "takes data by the name of the split")


def _takes_held(module: Module, place: int) -> bool:
    """Tell whether a function is given the held-out data that it loads."""
    return any(_PASSED.search(f"@{one}") for one in module.facts.definitions[place].params)


def _both_loaders(repo: Repository) -> Iterator[Place]:
    """Yield classes and functions that make loaders for training and for held-out data."""
    for module in repo.product:
        made = {
            own_name(one): place
            for place, one in enumerate(module.facts.definitions)
            if one.kind == "function" and not one.stub
        }
        held = [
            name
            for name in made
            if _HELD_LOADER.search(name) and not _takes_held(module, made[name])
        ]
        if held and any(
            re.search(r"(^|_)train(ing)?_?(data|loader|set|ds)", name) for name in made
        ):
            place = made[held[0]]
            line = module.facts.definitions[place].line
            yield in_code(module, place, line, "makes held-out data beside training data")
