"""Python facts: what a name stands for, whatever the code calls it."""

from textwrap import dedent

import pytest

from audit.facts.model import PythonFacts
from audit.facts.python import extract


def facts(source: str) -> PythonFacts:
    return extract(dedent(source).encode())


def names(source: str) -> list[tuple[str, ...]]:
    return [call.names for call in facts(source).calls]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("import torch\ntorch.save(x)", "torch.save", id="a plain import"),
        pytest.param("import torch as t\nt.save(x)", "torch.save", id="a module alias"),
        pytest.param("from torch import save as s\ns(x)", "torch.save", id="a function alias"),
        pytest.param("import torch.nn.functional as F\nF.relu(x)", "torch.nn.functional.relu", id="a dotted alias"),
        pytest.param("from ..io import save\nsave(x)", "..io.save", id="a relative import"),
        pytest.param("from . import io\nio.save(x)", ".io.save", id="an import from the package"),
        pytest.param("def f(): pass\nf()", ":f", id="a function of the module"),
        pytest.param("open('x')", "builtins.open", id="a builtin"),
        pytest.param("def f(model): model.fit()", "@model.fit", id="a parameter"),
        pytest.param(
            "import torch\ndef f():\n    import torch as q\n    q.save(1)", "torch.save", id="an import in a function"
        ),
        pytest.param(
            "try:\n    import a as m\nexcept ImportError:\n    m = None\nm.go()", "a.go", id="an optional import"
        ),
        pytest.param(
            "import json\ndef f():\n    global json\n    import simplejson as json\njson.loads('')",
            "json.loads",
            id="a global that a function rebinds",
        ),
    ],
)  # fmt: skip
def test_a_callee_resolves_to_its_origin(source: str, expected: str) -> None:
    assert names(source)[0][0] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "import torch\nopt = torch.optim.AdamW(p)\nopt.step()", "torch.optim.AdamW().step", id="an instance"
        ),
        pytest.param(
            "import torch\nclass T:\n    def __init__(self):\n        self.o = torch.optim.SGD(p)\n"
            "    def go(self):\n        self.o.step()",
            "torch.optim.SGD().step",
            id="an attribute set in another method",
        ),
        pytest.param(
            "import torch\ndef f(m: torch.nn.Module): m.state_dict()", "torch.nn.Module().state_dict",
            id="an annotated parameter",
        ),
        pytest.param(
            "import torch\ndef f(m: torch.nn.Module | None = None): m.state_dict()",
            "torch.nn.Module().state_dict",
            id="an optional parameter",
        ),
        pytest.param(
            "import torch\nwith torch.profiler.profile() as p:\n    p.step()", "torch.profiler.profile().step",
            id="a context",
        ),
        pytest.param("import a, b\nx, y = a.f(), b.g()\ny.go()", "b.g().go", id="a tuple assignment"),
        pytest.param("import a\nx, y = a.f()\ny.go()", "a.f()[1].go", id="an unpacked result"),
        pytest.param(
            "import torch\nm = make()\nm = torch.nn.parallel.DistributedDataParallel(m)\nm.module.state_dict()",
            "torch.nn.parallel.DistributedDataParallel().state_dict",
            id="a wrapped model",
        ),
        pytest.param("import a\nm = a.M().to('cpu').eval()\nm.go()", "a.M().go", id="fluent methods"),
        pytest.param("import a, b\nm = a.f() if q else b.g()\nm.go()", "b.g().go", id="either of two values"),
        pytest.param(
            "class A:\n    def f(self): pass\n    def g(self): self.f()", ":A.f", id="a method of the same class"
        ),
    ],
)  # fmt: skip
def test_a_value_carries_what_it_was_made_by(source: str, expected: str) -> None:
    assert any(expected in call for call in names(source)), names(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("# torch.save(model)", id="a comment"),
        pytest.param("'''torch.save(model)'''", id="a docstring"),
        pytest.param("x = 'torch.save(model)'", id="a string"),
        pytest.param("import torch\nclass torch_: \n  pass", id="an unused import"),
    ],
)
def test_text_is_no_call(source: str) -> None:
    assert names(source) == []


def test_a_local_name_never_shows_in_a_fact() -> None:
    one = facts("import torch\ndef f(a):\n    checkpoint = torch.load(a)\n    g(checkpoint['x'])\n")
    other = facts("import torch\ndef f(a):\n    zebra = torch.load(a)\n    g(zebra['x'])\n")
    assert one.calls == other.calls
    assert one.blocks == other.blocks


def test_class_scope_does_not_leak_into_methods() -> None:
    found = names("import a\nclass C:\n    m = a.f()\n    def go(self):\n        m.x()\n")
    assert ("%m.x",) in found


def test_a_dict_shows_the_keys_set_on_it_later() -> None:
    (call,) = (c for c in facts(
        "import torch\ndef f(m, o):\n    d = {'model': m.state_dict()}\n    d['optim'] = o.state_dict()\n"
        "    torch.save(d, 'x')\n"
    ).calls if c.names[0] == "torch.save")  # fmt: skip
    assert call.args[0] == "{'model': @m.state_dict(), 'optim': @o.state_dict()}"


def test_blocks_tell_what_guards_a_call() -> None:
    found = facts("import torch\ndef f(loss, best):\n    if loss < best:\n        torch.save(1)\n")
    (call,) = found.calls
    assert found.blocks[call.block].text == "@loss < @best"
    assert found.blocks[call.block].kind == "if"


def test_definitions_carry_bases_decorators_and_returns() -> None:
    found = facts(
        "import torch\nfrom functools import cache\n"
        "class M(torch.nn.Module):\n    @cache\n    def f(self):\n        return torch.zeros(1)\n"
    )
    module, cls, method = found.definitions
    assert (module.kind, cls.kind, method.kind) == ("module", "class", "function")
    assert cls.bases == ("torch.nn.Module",)
    assert method.decorators == ("functools.cache",)
    assert method.returns == ("torch.zeros()",)
    assert (method.name, method.line, method.end) == ("M.f", 5, 6)


@pytest.mark.parametrize(
    "body", ["pass", "...", "'''doc'''", "raise NotImplementedError", "return None"]
)
def test_a_body_that_does_nothing_is_a_stub(body: str) -> None:
    assert facts(f"def f():\n    {body}\n").definitions[1].stub


def test_a_coding_cookie_and_a_byte_order_mark_are_honoured() -> None:
    assert extract("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")).lines == 2
    assert extract(b"\xef\xbb\xbfprint(1)\n").calls[0].names == ("builtins.print",)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("{'_target_': 'torch.optim.AdamW', 'lr': 0.1}", (("lr", "0.1"),), id="Hydra"),
        pytest.param(
            "{'class_path': 'torch.optim.AdamW', 'init_args': {'lr': 0.1}}",
            (("lr", "0.1"),),
            id="LightningCLI",
        ),
        pytest.param("{'target': 'torch.optim.AdamW'}", (), id="latent diffusion"),
    ],
)
def test_a_description_of_an_object_is_the_call_that_makes_it(
    source: str, expected: tuple[tuple[str, str], ...]
) -> None:
    (call,) = facts(f"made = {source}").calls
    assert (call.names, call.kwargs) == (("torch.optim.AdamW",), expected)


@pytest.mark.parametrize(
    ("made", "origin"),
    [
        ('found = importlib.import_module("wandb")', "wandb"),
        ('found, ok = optional_import("fire")', "fire"),
        ('found, _ = utils.optional_import("torch.utils", name="data")', "torch.utils.data"),
        (
            'found, ok = safe_import_from("apex.optimizers", "FusedAdam")',
            "apex.optimizers.FusedAdam",
        ),
        ('found = LazyLoader("tf", globals(), "tensorflow")', "tensorflow"),
        ('found, _ = optional_import("ignite", "0.4.11")', "ignite"),
    ],
)
def test_what_is_imported_by_name_is_the_module(made: str, origin: str) -> None:
    facts = extract(f"import importlib\nimport utils\n{made}\nfound.run()".encode())
    assert [one.names for one in facts.calls if one.line == 4] == [(f"{origin}.run",)]


@pytest.mark.parametrize(
    "made",
    [
        "found = importlib.import_module(name)",
        'found = importlib.import_module(".inner", package)',
        'found = lazy_import("a sentence")',
    ],
)
def test_what_is_not_known_to_be_imported_is_the_result_of_a_call(made: str) -> None:
    facts = extract(
        f"import importlib\nfrom utils import lazy_import\n{made}\nfound.run()".encode()
    )
    (names,) = (one.names for one in facts.calls if one.line == 4)
    assert names[0].endswith("_import().run") or names[0] == "importlib.import_module().run"


@pytest.mark.parametrize("target", ["'a sentence. With Capitals'", "'lib.module'", "name", "3"])
def test_a_target_that_names_no_class_is_no_call(target: str) -> None:
    assert facts(f"made = {{'target': {target}}}").calls == ()


@pytest.mark.parametrize("written", ['"Writer"', "Writer | None", "'Writer'"])
def test_a_property_stands_for_what_its_annotation_names(written: str) -> None:
    found = facts(f"""
        class Log:
            @property
            def writer(self) -> {written}:
                return self.kept
        class Writer: ...
    """)
    (returns,) = (one.returns for one in found.definitions if one.name == "Log.writer")
    assert ":Writer()" in returns


def test_an_optional_attribute_is_what_it_may_hold() -> None:
    source = """
        import csv
        from typing import Optional
        class Log:
            def __init__(self):
                self.writer: Optional[csv.DictWriter] = None
            def save(self):
                self.writer.writerow({})
    """
    assert any("csv.DictWriter().writerow" in one for one in names(source))


def test_an_object_that_is_a_mapping_keeps_under_itself() -> None:
    found = facts("""
        class Registry(dict):
            def register(self, name, cls):
                self[name] = cls
    """)
    assert [one.target for one in found.assigns] == ["self[@name]"]


@pytest.mark.parametrize(
    "made",
    [
        "TABLE: Dict[str, type] = {}",
        "TABLE = defaultdict(dict)",
        'TABLE = {"adam": Adam}',
        "TABLE = {name: Adam for name in NAMES}",
    ],
)
def test_a_module_s_mapping_is_read_by_its_name(made: str) -> None:
    found = facts(f"""
        from collections import defaultdict
        from typing import Dict
        NAMES = ("adam",)
        class Adam: ...
        {made}
        def names():
            return list(TABLE.keys())
    """)
    assert [one.args for one in found.calls if one.names[0] == "builtins.list"] == [
        (":TABLE.keys()",)
    ]
