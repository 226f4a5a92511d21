"""Inference: predictions on request, by a function, a command or a server."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module, is_public
from audit.facts.model import Definition
from audit.practices import entries
from audit.practices.evaluations import evaluations, gradients_off
from audit.practices.loops import (
    backward_calls,
    derives,
    learns,
    library_calls,
    own_name,
    spread,
)
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import of_model, weights
from audit.repository import Repository
from audit.sites import Site

_PREDICTS: Final = re.compile(
    r"^(predict|generate|transcribe|translate|infer|inference|chat|classify|caption|synthesi[sz]e|"
    r"forecast|greedy|encode|embed|complete|separate|enhance|denoise|segment|detect|sample|answer)"
    r"(_(\w+_)?(text|batch|file|image|images|audio|until|proba|step|one|all|tokens?|next_token|"
    r"sequence|samples?|response|action|completion|speech|document|query|mask|masks|dataset))?$"
)
_SURE: Final = re.compile(
    r"^(predict|transcribe|translate|inference)_\w+$|"
    r"^(run|batch|make|write|dump|extract)_(\w+_)?(inference|generation|predict(ions?)?)(_main)?$"
)
"""What predicts whatever follows, where it runs a model without gradients."""
_SAMPLES: Final = re.compile(r"(^|_)(sample|sampling|decode|decoding|generate|generation)(_|$)")
"""What generates where it asks a model that it is given again and again."""
_ASKED: Final = re.compile(
    r"^(?!builtins\.)(.*[.:_@])?((predict|generate|infer|inference|transcribe|translate|chat|"
    r"complet\w*|embed\w*|encode|forward|classify|synthesi[sz]e)(_\w+)?|"
    r"(?<!_)(llm|engine|model|pipeline|pipe))(\(\))?$|[.:][A-Z]?\w*(Pipeline|Predictor|LLM)$|"
    r"^(self\.|@)(\w+\.)*\w*(model|llm|engine|pipe|pipeline|predictor)\.a?(chat|generate|predict|run)\w*$"
)
_ROUTE: Final = re.compile(
    r"^'/([\w/-]*/)?(predict|generate|completions?|chat|infer|embeddings?|transcri|translate|classify)"
)
_PIPELINE: Final = re.compile(r"(Pipeline|Predictor|Inferencer|Transcriber)\w*\.__call__$")
_MODULES: Final = r"nn\.(modules\.\w+\.)?Module$|LightningModule$"
_MODEL_CALL: Final = re.compile(
    r"^(self\.|@)(\w+\.)*(\w*_)?(model|net|network|policy|unet)(\.(apply|decode|forward_\w+))?$"
)
"""A model that is called, applied with its parameters, or decodes."""
_HANDLERS: Final = (
    r"^(litserve\.LitAPI|cog\.BasePredictor|ts\.torch_handler\b.*|mlserver\.MLModel)$"
)
"""Base classes of what a model server loads."""


@practice("serve-predict", looks_for="a public function or command that predicts or generates")
def serve_predict(repo: Repository) -> Iterator[Place]:
    """Predictions can be asked for.

    A public function or method that predicts, generates or transcribes and leads to a
    model, a sampler that asks a model which it is given again and again, or a script that
    runs one without gradients and neither trains nor evaluates.

    Why:
        A model that cannot be asked is of no use to anybody but its trainer.
    Fix:
        Offer `predict(inputs)` (or `generate(prompt)`) that loads, prepares and answers.
    Good:
        import torch
        class Model(torch.nn.Module):
            @torch.no_grad()
            def generate(self, tokens, steps):
                for _ in range(steps):
                    tokens = torch.cat([tokens, self(tokens).argmax(-1)], dim=1)
                return tokens
    Bad:
        def generate_device_map(model, memory):
            return {name: 0 for name in model}
    """
    off = gradients_off(repo)
    leading = repo.graph.within(off, 3, up=True)
    found = [
        in_code(module, place, one.line, f"{one.name} answers with predictions")
        for module, place, one in repo.definitions
        if one.kind == "function"
        and not one.stub
        and is_public(one.name)
        and (_asks(repo, module, place, one, leading) or _samples(repo, module, place, one))
    ]
    found += _inference_scripts(repo, off)
    found += [
        at(site, f"predicts with the engine of {what}")
        for site, what in library_calls(repo, "predictors")
    ]
    yield from central(repo, found, r"(^|[._])(predict|generate|transcribe|translate|infer|chat)")


def _asks(
    repo: Repository, module: Module, place: int, one: Definition, leading: Collection[int]
) -> bool:
    """Tell whether a function that is named for prediction leads to a model."""
    named_so = _PREDICTS.search(own_name(one)) or _PIPELINE.search(one.name) or _runs(module, one)
    if named_so:
        return _runs_model(repo, module, place, leading)
    return bool(_SURE.search(own_name(one))) and module.first + place in leading


def _samples(repo: Repository, module: Module, place: int, one: Definition) -> bool:
    """Tell whether a function generates: it asks a model that it is given in a loop."""
    return bool(_SAMPLES.search(own_name(one))) and any(
        site.names[0] == "@model" and any(block.kind in ("for", "while") for block in site.blocks())
        for site in repo.by_scope.get(module.first + place, ())
    )


def _runs(module: Module, one: Definition) -> bool:
    """Tell whether a function runs a module that is named for prediction: ``detect.py``."""
    stem = module.path.rpartition("/")[2].removesuffix(".py")
    return own_name(one) in ("run", "main") and bool(_PREDICTS.search(stem))


def _runs_model(repo: Repository, module: Module, scope: int, leading: Collection[int]) -> bool:
    """Tell whether a function leads to a model: without gradients, or as a part of one."""
    here = module.first + scope
    if here in leading or derives(repo, module, scope, _MODULES):
        return True
    return any(
        site.method in ("generate", "predict", "forward", "transcribe")
        or any(map(_MODEL_CALL.search, site.names))
        for near in repo.graph.within([here], 2, up=False)
        for site in repo.by_scope.get(near, ())
    )


def _inference_scripts(repo: Repository, off: dict[int, int]) -> Iterator[Place]:
    busy = {site.node for site in backward_calls(repo)}
    busy |= set(evaluations(repo))
    asked = dict(_asked_scripts(repo)) | off
    writing = {site.node for site in repo.methods("save_pretrained")} | weights(repo).saving
    for one in entries.started(repo) & asked.keys() - writing:
        if repo.graph.within([one], 3, up=False).isdisjoint(busy):
            module = repo.program.owner[one]
            yield in_code(module, one - module.first, asked[one], "a script that runs the model")


def _asked_scripts(repo: Repository) -> Iterator[tuple[int, int]]:
    """Yield the definitions that put stored weights into a model, ask it in a loop and write
    no weights, with the line where they ask."""
    for site in repo.methods("generate", "predict", "transcribe"):
        if site.call.args or site.call.kwargs:
            yield site.node, site.line
    known = weights(repo)
    for put in known.puts:
        one = put.node
        if of_model(put) and one not in known.saving:
            for site in repo.by_scope.get(one, ()):
                on_it = {*site.receivers, *site.names} & {*put.receivers}
                if on_it and any(block.kind in ("for", "while") for block in site.blocks()):
                    yield one, site.line


@practice("serve-http", looks_for="a server that answers requests with a model")
def serve_http(repo: Repository) -> Iterator[Place]:
    """A network server answers inference requests.

    An application of a web or RPC framework is made in a module that asks a model.

    Why:
        Other programs need predictions without loading the model themselves.
    Fix:
        Wrap the predict function in a FastAPI (or LitServe) application with one route.
    Good:
        import fastapi, torch
        def serve(model):
            app = fastapi.FastAPI()
            @app.post("/generate")
            def answer(prompt: str):
                return model.generate(prompt)
            return app
    Bad:
        import requests
        def ask(prompt):
            return requests.post("http://host/generate", json={"prompt": prompt}).json()
    """
    found = [
        at(site, f"serves with {what}")
        for site, what in library_calls(repo, "servers")
        if learns(repo) and _asks_a_model(repo, site.module, gradients_off(repo))
    ]
    found += [
        in_code(module, place, one.line, "a server of models runs the class")
        for module, place, one in repo.classes(bases=_HANDLERS)
    ]
    yield from spread(found)


def _asks_a_model(repo: Repository, module: Module, off: Collection[int]) -> bool:
    """Tell whether a module predicts, asks for predictions or runs anything without gradients."""
    nodes = range(module.first, module.first + len(module.facts.definitions))
    if any(one in off for one in nodes):
        return True
    called = [site for one in nodes for site in repo.by_scope.get(one, ())]
    return any(_ASKED.search(site.names[0]) or _is_route(site) for site in called) or any(
        _PREDICTS.search(own_name(one)) for one in module.facts.definitions[1:]
    )


def _is_route(site: Site) -> bool:
    """Tell whether a call declares the route of a prediction: ``app.post("/v1/completions")``."""
    declares = site.method in ("get", "post", "route", "websocket", "add_route", "add_api_route")
    return declares and any(_ROUTE.match(text) for text in site.call.args[:1])
