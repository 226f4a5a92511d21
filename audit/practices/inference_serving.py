"""Inference: prediction, servers, export and containers."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module, is_public
from audit.facts.model import Command, Definition, ScriptFacts
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
from audit.practices.registry import Place, at, in_code, in_file, of_key, practice
from audit.practices.weights import of_model, weights
from audit.repository import Repository
from audit.sites import File, Site

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
_PIPELINE: Final = re.compile(r"(Pipeline|Predictor|Inferencer|Transcriber)\w*\.__call__$")
_MODULES: Final = r"nn\.(modules\.\w+\.)?Module$|LightningModule$"
_MODEL_CALL: Final = re.compile(
    r"^(self\.|@)(\w+\.)*(\w*_)?(model|net|network|policy|unet)(\.(apply|decode|forward_\w+))?$"
)
"""A model that is called, applied with its parameters, or decodes."""
_FORMATS: Final = (
    r"(onnx|torchscript|gguf|tflite|coreml|openvino|tensorrt|hf|huggingface|transformers|executorch|"
    r"saved_model|aoti|mlx|ncnn|mnn|diffusers|fastertransformer)"
)
_LIBRARIES: Final = r"(torchvision|timm|detectron2|mmdet|classy_vision|fairseq|megatron|nemo)"
"""Libraries whose checkpoints other models are converted to."""
_EXPORTS: Final = re.compile(
    rf"^_?(export|save|dump|write)_(\w+_)?{_FORMATS}(_(model|checkpoint|weights|format))?$|"
    rf"((^|_)to_|[a-z]2_?){_FORMATS}(_(model|checkpoint|weights|format))?$|^onnx_export"
)
_CONVERTER: Final = re.compile(rf"_(to|2)_({_FORMATS}|{_LIBRARIES})\.py$")
_HF_NAMES: Final = re.compile(r": '(model\.(embed_tokens|layers)|gpt_neox)\.")
_HANDLERS: Final = (
    r"^(litserve\.LitAPI|cog\.BasePredictor|ts\.torch_handler\b.*|mlserver\.MLModel)$"
)
"""Base classes of what a model server loads."""
_CONTAINERS: Final = ("*dockerfile*", "*containerfile", "*.dockerfile", "*apptainer.def")
_FOREIGN: Final = re.compile(
    r"(^|/)(\.[\w-]+|ci|cicd|ci_cd|tests?|testing|examples?|docs?|benchmarks?|third_party)/",
    re.IGNORECASE,
)
_INSTALLS: Final = re.compile(r"^(RUN|COPY|ADD|CMD|ENTRYPOINT)\s+\S", re.IGNORECASE)


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
    called = (site for one in nodes for site in repo.by_scope.get(one, ()))
    return any(_ASKED.search(name) for site in called for name in site.names[:1]) or any(
        _PREDICTS.search(own_name(one)) for one in module.facts.definitions[1:]
    )


@practice("serve-export", looks_for="export of models to another runtime or format")
def serve_export(repo: Repository) -> Iterator[Place]:
    """Models can be exported to another runtime or format.

    A call of an exporter on a model, a function that is named for such an export, or a
    mapping of the own weights onto the names of Hugging Face models, or a script that is
    named as a converter and writes what another format needs.

    Why:
        Serving stacks rarely run the training framework.
    Fix:
        Add an export command: `torch.onnx.export`, `torch.export`, or a converter to the
        Hugging Face layout, with a check that outputs agree.
    Good:
        import torch
        def export(model, example, path):
            torch.onnx.export(model, (example,), path)
    Bad:
        import torch
        @torch.jit.script
        def fused_gelu(x):
            return x * torch.sigmoid(1.702 * x)
    """
    found = [
        at(site, f"exports with {what}")
        for site, what in library_calls(repo, "exporters")
        if site.call.scope
    ]
    found += [
        at(site, "saves the model as TorchScript")
        for site in repo.methods("save")
        if any(
            one.startswith(("torch.jit.script()", "torch.jit.trace()")) for one in site.receivers
        )
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} exports the model")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _exports(own_name(one))
    ]
    found += [at(site, "maps weights onto Hugging Face names") for site in _renames(repo)]
    found += [
        at(site, "writes the converted weights")
        for site in repo.calls("torch.save", "safetensors.torch.save_file")
        if _CONVERTER.search(site.path)
    ]
    found += [
        at(site, "writes the model in the Hugging Face format")
        for site in repo.methods("save_pretrained")
        if re.match(r"_?(convert|export|write)(_|$)", own_name(site.scope))
        or re.search(r"(^|[/_])(convert|converter|export)\w*\.py$", site.path)
        if not _NO_WEIGHTS.search(site.names[0])
    ]
    yield from spread(found)


_NO_WEIGHTS: Final = re.compile(
    r"((?i:tokenizer)|(?i:processor)|(?<!from_)config|Config)\w*(\.from_\w+)?(\(\))?\.save_pretrained$"
)


def _exports(name: str) -> bool:
    return bool(_EXPORTS.search(name)) and not _OTHERS.match(name)


_OTHERS: Final = re.compile(
    r"_?(upload|push|submit|publish|apply|fix|send|add|log|sync|move|update|should|can|is|has|"
    r"check|needs)_"
)
"""What else is done to or with something of another format."""


def _renames(repo: Repository) -> Iterator[Site]:
    """Yield calls that are given a mapping to the parameter names of Hugging Face models."""
    for site in repo.methods("update", "items", "dict"):
        if any(_HF_NAMES.search(one) for one in site.arguments()):
            yield site


@practice("serve-container", looks_for="a Dockerfile or container definition", code=False)
def serve_container(repo: Repository) -> Iterator[Place]:
    """The product can be built as a container.

    A container definition outside of development and CI folders that starts from an
    image and does something in it, or the description from which Cog builds one.

    Why:
        It pins the system around the package and is what clusters run.
    Fix:
        Add a Dockerfile that installs the package and names its command.
    Good:
        # file: Dockerfile
        FROM python:3.12-slim
        COPY . /app
        RUN pip install /app
        CMD ["serve"]
    Bad:
        # file: Dockerfile
        FROM python:3.12-slim
    """
    plain_first = sorted(repo.find(*_CONTAINERS), key=lambda file: len(file.name))
    found = [
        in_file(file, first.line, f"builds from {first.text[5:60]}", "FROM")
        for file in plain_first
        if not _FOREIGN.search(file.path) and file.name[0] != "." and not _is_deep(repo, file)
        for first in _container(file)
    ]
    found += [
        of_key(file, key, "describes the container of the model server")
        for file, key in repo.keys_of("cog.yaml")
        if key.path == "build" and "/" not in file.path
    ]
    yield from spread(found)


def _is_deep(repo: Repository, file: File) -> bool:
    """Tell whether a file lies below the parts of a package: a resource of one of them."""
    parts = file.path.split("/")[:-1]
    inside = [n for n in range(1, len(parts)) if f"{'/'.join(parts[:n])}/__init__.py" in repo.files]
    return bool(inside) and len(parts) - inside[0] > 1


def _container(file: File) -> Iterator[Command]:
    """Yield the base image of a definition that adds something to it."""
    if isinstance(file.facts, ScriptFacts):
        commands = file.facts.commands
        base = [one for one in commands if one.text.upper().startswith("FROM ")]
        if base and any(_INSTALLS.match(one.text) for one in commands):
            yield base[0]
