"""Inference: models for other runtimes, and containers around them."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Command, ScriptFacts
from audit.practices.loops import library_calls, own_name, spread
from audit.practices.registry import Place, at, in_code, in_file, of_key, practice
from audit.repository import Repository
from audit.sites import File, Site

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
_CONTAINERS: Final = ("*dockerfile*", "*containerfile", "*.dockerfile", "*apptainer.def")
_FOREIGN: Final = re.compile(
    r"(^|/)(\.[\w-]+|ci|cicd|ci_cd|tests?|testing|examples?|docs?|benchmarks?|third_party)/",
    re.IGNORECASE,
)
_INSTALLS: Final = re.compile(r"^(RUN|COPY|ADD|CMD|ENTRYPOINT)\s+\S", re.IGNORECASE)


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
