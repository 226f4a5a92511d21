"""Where a repository writes and reads model weights: the ground that checkpoint rules stand on."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from audit.practices import learners
from audit.practices.background import started
from audit.practices.engines import deepspeed_engines, engines
from audit.practices.handing import api, argument, handed
from audit.practices.origins import called_anywhere, called_on
from audit.practices.ranking import owner
from audit.repository import Repository, once
from audit.sites import Site

MODEL: Final = re.compile(
    r"state_dict|model|module|network|\bnet\b|weight|param|adapter|policy|generator|encoder|"
    r"checkpoint|ckpt|\bema\b|\bstate\b|backbone|actor|critic|learner|agent",
    re.IGNORECASE,
)
"""Words of an API (attributes, parameters, keys, classes) that name weights."""
OPTIMIZER: Final = re.compile(r"optim|\bopt_state", re.IGNORECASE)
_OPT: Final = re.compile(r"(^@|\.)(\w+_)?opt(_\w+)?$")
_AUXILIARY: Final = re.compile(
    r"optim|sched|scaler|sampler|loader|token|dataset|lr\b|metric|callback|loss_fn|criterion|"
    r"rng|generator\b",
    re.IGNORECASE,
)
CHECKPOINTS: Final = r"checkpoint|ckpt|(^|\.)_?(save|load|resume|restore)"
"""Classes and functions that a maintainer would name first when asked for checkpoints."""
_STORED: Final = re.compile(r"(torch\.load|load_file|safe_open|get_tensor|numpy\.load)\(")
SAVES: Final = re.compile(r"(^|\.)_*(save|write|store|checkpoint|ckpt)[a-z_]*$")
"""Names of functions that write something for good."""
_ROOM: Final = re.compile(
    r"(^|\.)((dist|distributed|model)_)?(checkpoint|ckpt)(s|ing|er|ers|_?(manager|io|utils|saver|"
    r"callback|engine|hook)s?)?(\.|$)"
)
"""Modules and packages that are named for checkpoints."""
_READ: Final = re.compile(r"(\b|_)load\w*\(|read\w*\(|restore\w*\(|fetch\w*\(", re.IGNORECASE)
_READER: Final = re.compile(
    r"^(torch_load|load_(torch_)?(state_dict|checkpoint|ckpt|weights|safetensors)(_from_\w+|_file)?)$"
)
"""Functions by which other libraries read weights."""
_NOT_MODELS: Final = re.compile(r"token|processor|config|extractor|feature", re.IGNORECASE)
_DUMPS: Final = (
    "pickle.dump", "joblib.dump", "cloudpickle.dump", "dill.dump", "numpy.savez", "numpy.save",
    "numpy.savez_compressed",
)  # fmt: skip
_FOREIGN: Final = re.compile(
    r"(?!builtins\.|self\.)(?!.*\b[A-Z]\w*\.load_state_dict$)[A-Za-z_][\w.]*$"
)
"""A function of another library: no method of a value or class, none of the repository."""
_PARAMETERS: Final = re.compile(r"state_dict\(|\.parameters\(|@\w*params\b|\.params\b")
_ESTIMATOR: Final = re.compile(
    r"^(sklearn|xgboost|lightgbm|catboost)\.(?!preprocessing|feature)[\w.]+\(\)$|"
    r"^(@|self\.)(\w+\.)*(model|clf|classifier|estimator)$"
)
"""What is fitted as a whole and pickled as a whole."""
_KERAS_MODEL: Final = re.compile(r"(^[@%]|\.)(\w+_)?(model|network|net)\.(save|load_weights)$")
_KERAS_FILE: Final = re.compile(r"\.(keras|h5|hdf5|npz|safetensors)'$")
_WRITERS: Final = ("torch.save", "torch.serialization.save", "torch_xla.core.xla_model.save")
PUTS: Final = ("load_state_dict", "load_sharded_state_dict", "load_weights", "set_state_dict")
GETS: Final = ("state_dict", "get_state_dict", "sharded_state_dict", "local_state_dict")


def _writes_weights(repo: Repository, site: Site) -> bool:
    payload = argument(site, 0, "obj", "state", "state_dict")
    return any(MODEL.search(api(text)) for text in handed(repo, site, payload)) or any(
        MODEL.search(api(text))
        for start, target, _ in started(repo)
        if repo.program.resolve(start.module, target)[1] == site.node
        for text in start.arguments()
        if text != target
    )


def _is_sent(repo: Repository, site: Site) -> bool:
    """Tell whether what is written goes into memory, from there to other processes."""
    return argument(site, 1, "f").startswith("io.BytesIO()") and any(
        one.names[0].startswith("torch.distributed.") for one in repo.by_scope[site.node]
    )


def _handed_on(repo: Repository) -> Iterator[Site]:
    """Yield calls that are handed a writer to run: ``pool.submit(torch.save, state, path)``."""
    for module in repo.product:
        scopes = {one.scope for one in module.facts.references if one.name in _WRITERS}
        for scope in sorted(scopes):
            for site in repo.by_scope.get(module.first + scope, ()):
                if any(text in _WRITERS for text in site.arguments()):
                    yield site


def _hands_weights(repo: Repository, site: Site) -> bool:
    given = [text for text in site.arguments() if text not in _WRITERS]
    return any(MODEL.search(api(one)) for text in given for one in handed(repo, site, text))


def _is_model(site: Site) -> bool:
    """Tell whether what ``save_pretrained`` is called on is a model, as far as names say."""
    receiver = api(site.receivers[0])
    return bool(receiver) and not _NOT_MODELS.search(" ".join(map(api, site.receivers)))


def _is_pickled_model(site: Site) -> bool:
    """Tell whether parameters, or a whole model, are pickled: judged with what is called on
    the way, as in ``pickle.dump(jax.device_get(state.params), file)``."""
    given = [*site.arguments()]
    if any(text.endswith("()") for text in given):
        given += (
            text
            for call in site.module.facts.calls
            if call.line == site.line and call.scope == site.call.scope
            for text in call.args
        )
    whole = site.names[0].endswith(".dump") and bool(_ESTIMATOR.search(given[0] if given else ""))
    return whole or any(map(_PARAMETERS.search, given))


def _is_keras(site: Site) -> bool:
    """Tell whether a method is one of a Keras or MLX model: by the name in an API, or the
    format of the file, in a module that imports the library."""
    named_so = _KERAS_MODEL.search(site.names[0]) or any(map(_KERAS_FILE.search, site.call.args))
    return bool(named_so) and any(
        one.target.partition(".")[0] in ("tensorflow", "keras", "tf_keras", "mlx")
        for one in site.module.facts.imports
    )


class Weights:
    """The calls that write and read weights, and the functions around them."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo

    @cached_property
    def writes(self) -> tuple[Site, ...]:
        """Calls that write model weights, those that show it best first."""
        repo = self.repo
        saved = [site for site in repo.calls(*_WRITERS) if _writes_weights(repo, site)]
        saved = [site for site in saved if not _is_sent(repo, site)]
        saved += [site for site in _handed_on(repo) if _hands_weights(repo, site)]
        shown = [site for site in saved if "state_dict" in argument(site, 0, "obj")]
        pickled = [site for site in repo.calls(*_DUMPS) if _is_pickled_model(site)]
        rest = [site for site, _ in called_anywhere(repo, "weight-writers")]
        models = [site for site in repo.methods("save_pretrained") if _is_model(site)]
        models += repo.methods("save_weights", "save_pretrained_merged")
        models += [site for site, _ in repo.given("state_dict") if site.method == "_save"]
        models += [site for site in repo.methods("save") if _is_keras(site)]
        models += [site for site in repo.methods("save_model") if called_on(site, "trainers")]
        models += [site for site, _ in learners.called(repo, *learners.SAVES)]
        hosts = [*engines(repo, "save_state", "save_checkpoint")]
        if not any(repo.functions("^save_checkpoint$")):
            hosts += [s for s in repo.methods("save_checkpoint") if s.names[0][0] in "@s%"]
        return tuple(dict.fromkeys([*shown, *rest, *saved, *pickled, *models, *hosts]))

    @cached_property
    def reads(self) -> tuple[Site, ...]:
        """Calls that read files of weights."""
        known = (site for site, _ in called_anywhere(self.repo, "weight-readers"))
        others = (
            site
            for method in filter(_READER.search, self.repo.by_method)
            for site in self.repo.methods(method)
            if _FOREIGN.match(site.names[0])
        )
        fetched = (
            site
            for site, _ in self.repo.given("progress", "check_hash")
            if site.method == "get_state_dict"
        )
        return (*known, *others, *fetched, *deepspeed_engines(self.repo, "load_checkpoint"))

    @cached_property
    def restores(self) -> tuple[Site, ...]:
        """Calls that make a model from its stored weights, by the library that trained it."""
        made = [site for site, _ in learners.called(self.repo, *learners.LOADS)]
        made += self.repo.methods("load_from_checkpoint")
        made += [site for site in self.repo.methods("load_weights") if _is_keras(site)]
        return (*made, *(site for site, _ in called_anywhere(self.repo, "weight-restorers")))

    @cached_property
    def puts(self) -> tuple[Site, ...]:
        """Calls that put a state into something, where the state comes from storage."""
        return tuple(
            site
            for site in self.repo.methods(*PUTS)
            if self._from_storage(site) and not self._extends(site)
        )

    def _extends(self, site: Site) -> bool:
        """Tell whether a method only hands the state on to the one that it overrides."""
        owner = self.owner(site.node)
        return (
            site.scope.name.rpartition(".")[2] == site.method
            and owner >= 0
            and (
                site.call.args[:1] == ("self",)
                or any(
                    one.removesuffix("()") in self.repo.program.ancestry(owner)
                    for one in site.receivers
                )
            )
        )

    def _from_storage(self, site: Site) -> bool:
        state = argument(site, 0, "state_dict")
        first = state.partition(" | ")[0]
        if re.search(r"(^|\.)state_dict\(\)$", first) and not _READ.search(api(first)):
            return False  # a copy from one model to another
        return site.node in self.loading or any(
            _READ.search(api(text)) for text in handed(self.repo, site, state)
        )

    @cached_property
    def copies(self) -> tuple[Site, ...]:
        """Calls that copy a tensor from storage into a parameter."""
        into = (*self.repo.methods("copy_"), *self.repo.calls("torch.nn.Parameter"))
        found = [site for site in into if self._is_stored(site)]
        found += [site for site in self.repo.methods("copy_") if site.node in self._reading_arrays]
        for site in self.repo.calls("mlx.utils.tree_unflatten"):
            if site.node in self.loading:
                found.append(site)
        for site in self.repo.methods("set_module_tensor_to_device"):
            if any(map(_READ.search, api(site.call.keyword("value") or "").split(" | "))):
                found.append(site)
        return tuple(found)

    @cached_property
    def _reading_arrays(self) -> frozenset[int]:
        """Functions that read arrays of weights by their names: ``np.load(path)["kernel"]``."""
        readers = ("numpy.load", "h5py.File", "tensorflow.train.load_variable")
        return frozenset(one.node for one in self.repo.calls(*readers))

    def _is_stored(self, site: Site) -> bool:
        texts = site.call.args[:1]
        return any(
            _STORED.search(text)
            for given in texts
            for text, _ in self.repo.program.follow(site.module, given)
        )

    @cached_property
    def saving(self) -> frozenset[int]:
        """Functions that lead to a write: within a few calls, or through functions of the
        repository that are named for saving."""
        graph, program = self.repo.graph, self.repo.program
        found = graph.within((one.node for one in self.writes), 3, up=True)
        front = found
        while front:
            named_so = {one for one in front if SAVES.search(program.definition(one).name)}
            front = graph.within(named_so, 1, up=True) - found
            found |= front
        return found

    @cached_property
    def loading(self) -> frozenset[int]:
        """Functions that lead to a read within a few calls, and what those call."""
        graph = self.repo.graph
        above = graph.within((one.node for one in self.reads), 3, up=True)
        return above | graph.within(above, 1, up=False)

    @cached_property
    def around(self) -> frozenset[int]:
        """Functions that lead to a write, and what those call within a few calls."""
        return self.saving | self.rooms | self.repo.graph.within(self.saving, 2, up=False)

    @cached_property
    def rooms(self) -> frozenset[int]:
        """Functions in the modules that are named for checkpoints, where any weights are
        written: there a layered code base does the rest."""
        if not self.writes:
            return frozenset()
        rooms = {one.first for one in self.repo.product if _ROOM.search(one.dotted)}
        return frozenset(
            module.first + place
            for module, place, _ in self.repo.definitions
            if module.first in rooms
        )

    @cached_property
    def managers(self) -> frozenset[int]:
        """Functions about checkpoints: they write, read, or stand in a class that does."""
        graph = self.repo.graph
        close = self.saving | graph.within((one.node for one in self.reads), 2, up=True)
        owners = {owner for one in close if (owner := self.owner(one)) >= 0}
        beside = {
            module.first + place
            for module, place, one in self.repo.definitions
            if one.kind == "function" and self.owner(module.first + place) in owners
        }
        return close | beside | self.rooms

    def in_optimizer(self, site: Site) -> bool:
        """Tell whether a call stands in a class that is itself an optimizer or scheduler."""
        program, owner = self.repo.program, self.owner(site.node)
        names = (program.definition(owner).name, *program.ancestry(owner)) if owner >= 0 else ()
        return any(re.search(r"Optim|LRScheduler|Scheduler$", one) for one in names)

    def owner(self, one: int) -> int:
        """Return the class around a function, -1 for none."""
        return owner(self.repo, one)


@once
def weights(repo: Repository) -> Weights:
    """Return what is known about the weights of a repository."""
    return Weights(repo)


def of_optimizer(site: Site) -> bool:
    """Tell whether a method is called on an optimizer, by origin, name or a check beside it."""
    receivers = [api(one) for one in site.receivers]
    return any(OPTIMIZER.search(one) or _OPT.search(one) for one in receivers) or _is_checked(site)


def _is_checked(site: Site) -> bool:
    """Tell whether the call stands under ``isinstance(x, torch.optim.Optimizer)``."""
    lines = {block.line for block in site.blocks() if "isinstance" in block.text}
    return bool(lines) and any(
        call.line in lines and "torch.optim." in argument.partition(" ")[0]
        for call in site.module.facts.calls
        if call.scope == site.call.scope and call.names[0] == "builtins.isinstance"
        for argument in call.args[1:]
    )


def of_model(site: Site) -> bool:
    """Tell whether a method is called on something that may hold weights."""
    return not any(_AUXILIARY.search(api(one)) for one in site.receivers)
