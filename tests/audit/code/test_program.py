"""Names across modules and what reaches what."""

import pytest

from audit.code.graph import Graph
from audit.code.modules import dotted_names
from tests.audit.build import repository

PACKAGE = {
    "src/pkg/__init__.py": "from .core import Trainer as Trainer\nfrom .io import *\n",
    "src/pkg/core.py": "from .base import Base\nclass Trainer(Base):\n    def step(self): self.hook()\n",
    "src/pkg/base.py": "class Base:\n    def fit(self): self.step()\n    def hook(self): pass\n",
    "src/pkg/io.py": "from torch import save as write\ndef dump(x): write(x)\n",
    "tests/test_core.py": "import pkg\ndef test_fit():\n    pkg.Trainer().fit()\n",
    "run.py": "import pkg\npkg.dump(1)\npkg.write(2)\n",
}


def test_a_package_is_named_from_its_top_folder() -> None:
    named = dotted_names(
        ["src/pkg/__init__.py", "src/pkg/a/__init__.py", "src/pkg/a/b.py", "x/run.py"]
    )
    assert named["src/pkg/a/b.py"] == "pkg.a.b"
    assert named["src/pkg/__init__.py"] == "pkg"
    assert named["x/run.py"] == "run"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pkg.Trainer", "pkg.core:Trainer"),
        ("pkg.Trainer.fit", "pkg.base:Base.fit"),
        ("pkg.dump", "pkg.io:dump"),
        ("pkg.write", "torch.save"),
        ("pkg.nothing", "pkg:nothing"),
        ("numpy.array", "numpy.array"),
    ],
    ids=["re-export", "inherited method", "star import", "library behind it", "unknown", "outside"],
)
def test_a_name_resolves_through_re_exports(name: str, expected: str) -> None:
    program = repository(PACKAGE).program
    (run,) = (one for one in program.modules if one.path == "run.py")
    assert program.resolve(run, name)[0] == expected


def test_tests_reach_through_inheritance_and_overriding() -> None:
    repo = repository(PACKAGE)
    graph = Graph(repo.program)
    reached = {repo.program.symbol(node) for node in graph.reach(graph.tests())}
    assert {"pkg.base:Base.fit", "pkg.core:Trainer.step", "pkg.base:Base.hook"} <= reached
    assert "pkg.io:dump" not in reached


def test_what_only_dead_private_code_calls_is_not_public() -> None:
    repo = repository(
        {
            "pkg/__init__.py": "",
            "pkg/a.py": "def _dead(): _deader()\ndef _deader(): pass\ndef live(): _used()\ndef _used(): pass\n",
        }
    )
    graph = Graph(repo.program)
    reached = {repo.program.symbol(node) for node in graph.reach(graph.public)}
    assert {"pkg.a:live", "pkg.a:_used"} <= reached
    assert not {"pkg.a:_dead", "pkg.a:_deader"} & reached


def test_a_value_is_followed_through_the_functions_that_make_it() -> None:
    repo = repository(
        {
            "pkg/__init__.py": "",
            "pkg/make.py": "import torch\ndef build(p):\n    return torch.optim.AdamW(p)\n",
            "pkg/run.py": "from .make import build\ndef go(p):\n    build(p).step()\n",
        }
    )
    (site,) = (one for one in repo.methods("step"))
    assert "torch.optim.AdamW().step" in repo.kinds(site)


def test_a_star_import_brings_a_library() -> None:
    repo = repository(
        {
            "pkg/__init__.py": "",
            "pkg/a.py": "from .b import *\ndef f(x):\n    torch.save(x)\n",
            "pkg/b.py": "import torch\n",
        }
    )
    assert [one.names for one in repo.calls("torch.save")] == [("torch.save",)]


def test_a_cycle_of_imports_and_bases_ends() -> None:
    repo = repository(
        {
            "pkg/__init__.py": "",
            "pkg/a.py": "from .b import x\nclass A(A): pass\ndef f(): return f()\nx()\nf().g()\n",
            "pkg/b.py": "from .a import x\n",
        }
    )
    graph = Graph(repo.program)
    assert graph.reach(graph.public)
