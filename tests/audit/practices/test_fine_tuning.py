"""Adapters, frozen parts, merging."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "finetune-adapters": {
        "peft under an alias": """
            import peft as p
            def wrap(model):
                return p.get_peft_model(model, p.LoraConfig(r=4))
        """,
        "own low-rank parameters": """
            import torch
            from torch import nn
            class Linear(nn.Module):
                def __init__(self, size, rank):
                    self.lora_A = nn.Parameter(torch.zeros(rank, size))
                    self.lora_B = nn.Parameter(torch.zeros(size, rank))
        """,
        "own low-rank layers": """
            from torch import nn
            class Layer(nn.Module):
                def __init__(self, size, rank):
                    self.lora_a = nn.Linear(size, rank, bias=False)
        """,
    },
    "finetune-freeze": {
        "parameters of one part": """
            def freeze(model):
                for parameter in model.encoder.parameters():
                    parameter.requires_grad = False
        """,
        "the method that works in place": """
            def freeze(model, names):
                for name, parameter in model.named_parameters():
                    if name in names:
                        parameter.requires_grad_(False)
        """,
        "a whole part at once": """
            def freeze(model):
                model.backbone.requires_grad_(False)
        """,
    },
    "finetune-merge": {
        "peft merges and unloads": """
            def merge(model):
                return model.merge_and_unload()
        """,
        "an own layer merges": """
            class Layer:
                def merge_lora(self):
                    self.weight += self.lora_b @ self.lora_a
        """,
        "diffusers fuses": """
            def fuse(pipeline):
                pipeline.fuse_lora()
        """,
    },
}
MISSES = {
    "finetune-adapters": {
        "adapters are only loaded": """
            from peft import PeftModel
            def load(model, path):
                return PeftModel.from_pretrained(model, path)
        """,
        "an exploration schedule": """
            class Agent:
                def __init__(self, steps):
                    self.exploration_schedule = Linear(steps)
            class Linear:
                pass
        """,
        "an adapter of a request": """
            class Client:
                def __init__(self, session):
                    self.adapter = session.adapter
        """,
    },
    "finetune-freeze": {
        "gradients of an input": """
            def saliency(image):
                image.requires_grad = True
        """,
        "parameters are only filtered": """
            def trainable(model):
                return [p for p in model.parameters() if p.requires_grad]
        """,
        "a tensor without gradient": """
            import torch
            def constant():
                return torch.zeros(3).requires_grad_(False)
        """,
    },
    "finetune-merge": {
        "configurations are merged": """
            def merge(base, other):
                return base.merge(other)
        """,
        "a stub": """
            class Layer:
                def merge_lora(self):
                    raise NotImplementedError
        """,
        "batch norm is folded": """
            def fuse(conv, norm):
                return conv.fuse(norm)
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
