"""Adapters, frozen parts, merging."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "finetune-adapters": {
        "an adapter is added": """
            from peft import LoraConfig
            def f(unet): unet.add_adapter(LoraConfig(r=4))
        """,
        "a low-rank module": """
            import torch, torch.nn as nn
            class LoRALinear(nn.Module):
                def __init__(self, d, r):
                    super().__init__()
                    self.A = nn.Parameter(torch.randn(d, r))
                    self.B = nn.Parameter(torch.zeros(r, d))
                def forward(self, x): return x @ self.A @ self.B
        """,
        "a bottleneck module": """
            import torch.nn as nn
            class Adapter(nn.Module):
                def __init__(self, d, r):
                    super().__init__()
                    self.down_proj = nn.Linear(d, r)
                    self.up_proj = nn.Linear(r, d)
                def forward(self, x): return x + self.up_proj(self.down_proj(x).relu())
        """,
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
        "an option of the run": """
            class M:
                def __init__(self):
                    self.backbone = build()
                    for param in self.backbone.parameters():
                        param.requires_grad = not self.hparams.freeze
        """,
        "a flag switches all parameters of a net": """
            def set_requires_grad(nets, requires_grad=False):
                for net in nets:
                    for param in net.parameters():
                        param.requires_grad = requires_grad
        """,
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
        "a function merges a model": """
            def merge_lora_weights(model):
                for m in model.modules(): m.merge()
        """,
        "a layer merges itself": """
            import torch.nn as nn
            class LoRALinear(nn.Linear):
                def merge(self):
                    if not self.merged:
                        self.weight.data += self.get_lora_AB()
                        self.merged = True
        """,
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
        "a transport adapter": """
            from requests.adapters import HTTPAdapter
            class Adapter(HTTPAdapter):
                def __init__(self): self.pool = 3
            def f(session): session.mount("x", Adapter())
        """,
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
        "a constant parameter": """
            import torch, torch.nn as nn
            class M(nn.Module):
                def __init__(self):
                    self.pos = nn.Parameter(torch.zeros(1), requires_grad=False)
        """,
        "flags are copied": """
            def f(a, b):
                for p, q in zip(a.parameters(), b.parameters()): p.requires_grad = q.requires_grad
        """,
        "a parameter is made like another": """
            import torch
            def f(p): return torch.nn.Parameter(p.data, requires_grad=p.requires_grad)
        """,
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
        "a question": """
            def is_lora_merged(m): return m.flag
        """,
        "configurations are merged": """
            def merge_lora_config(a, b): return {**a, **b}
        """,
        "two configurations of adapters are merged": """
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
