"""Inference: weights and activations in fewer bits."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.loops import library_calls, own_name
from audit.practices.options import options
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository

_QUANTIZES: Final = re.compile(
    r"^_?(de)?quantize_?(model|weights?|tensor|linear|layers?|module|state_dict|params?|blockwise|"
    r"(to_)?(u?int|fp|nf)\d+\w*|and_\w+|_?dynamic|checkpoint)$|"
    r"(^|_)(int8|int4|nf4|fp8|4bit|8bit)_(linear|quantiz\w+|weight_only)|(linear|quantize)_?(int|nf|fp)(4|8)"
)
_QUANTIZATION: Final = (
    "load_in_4bit",
    "load_in_8bit",
    "quantization_config",
    "quantization",
    "weight_quantization",
)


@practice("serve-quantize", looks_for="quantization of weights or activations")
def serve_quantize(repo: Repository) -> Iterator[Place]:
    """Weights or activations can be quantized.

    A quantization library is called, its option is passed on, or own code quantizes.

    Why:
        4 or 8 bits a weight let a model fit on hardware that it otherwise would not.
    Fix:
        Offer an option that loads the model through torchao or bitsandbytes.
    Good:
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig
        def load(name):
            options = BitsAndBytesConfig(load_in_4bit=True)
            return AutoModelForCausalLM.from_pretrained(name, quantization_config=options)
    Bad:
        import bitsandbytes as bnb
        def optimizer(model):
            return bnb.optim.AdamW8bit(model.parameters())
    """
    found = [
        at(site, f"quantizes with {what}")
        for site, what in library_calls(repo, "quantizers")
        if "Embedding" not in site.call.names[-1]  # optimizers in 8 bits ask for stable ones
        or not any(one.startswith("bitsandbytes") for one in site.names)
    ]
    found += options(repo, "passes {}", *_QUANTIZATION)
    found += [
        in_code(module, scope, line, "replaces layers by quantized ones")
        for module, scope, line in repo.references(r"^bitsandbytes\.nn\.(?!\w*Embedding)")
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} quantizes")
        for module, place, one in repo.definitions
        if one.kind != "module" and not one.stub and _QUANTIZES.search(own_name(one))
    ]
    yield from central(repo, found, "quantiz")
