"""The graph of a later tree, made from the one before, is the graph of that tree."""

import msgspec
import pytest

from audit.code.graph import Graph
from audit.repository import python
from tests.audit.build import repository

TREE = {
    "pkg/__init__.py": "from pkg.loop import train\n",
    "pkg/loop.py": (
        "from pkg.model import build\n\n\ndef train(steps):\n    model = build()\n"
        "    for _ in range(steps):\n        model.step()\n"
    ),
    "pkg/model.py": (
        "class Model:\n    def step(self):\n        return 1\n\n    def rest(self):\n        return 2\n"
        "\n\nclass Other:\n    def rest(self):\n        return 3\n\n\ndef build():\n    return Model()\n"
    ),
    "tests/test_loop.py": "import pkg\n\n\ndef test_it():\n    pkg.train(1)\n",
}
LOOP, MODEL = TREE["pkg/loop.py"], TREE["pkg/model.py"]
EDITS: dict[str, dict[str, str]] = {
    "nothing": {},
    "a page": {"README.md": "# Pkg\n"},
    "lines move": {"pkg/loop.py": "# first\n" + LOOP},
    "another call": {"pkg/loop.py": LOOP.replace("step()", "rest()")},
    "a call gone": {"pkg/loop.py": LOOP.replace("model.step()", "pass")},
    "another value returned": {"pkg/model.py": MODEL.replace("return Model()", "return Other()")},
    "another base": {"pkg/model.py": MODEL.replace("class Model:", "class Model(Other):")},
    "another import": {"pkg/loop.py": LOOP.replace("from pkg.model", "from .model")},
    "a definition more": {"pkg/model.py": "def first(): pass\n\n\n" + MODEL},
    "another name": {"pkg/model.py": MODEL.replace("step", "walk")},
    "a file more": {"pkg/alone.py": "from pkg.loop import train\ntrain(2)\n"},
    "another role": {"pkg/loop.py": "", "tests/loop.py": LOOP},
}
KEPT = {"nothing", "a page", "lines move", "another call", "a call gone"}
"""Edits after which every name stands for what it stood for."""


def seen(graph: Graph) -> tuple[object, ...]:
    return graph.edges, graph.guesses, graph.implied, graph.live, graph.callers, graph.public


@pytest.mark.parametrize("name", EDITS)
def test_a_later_graph_is_that_of_its_tree(name: str) -> None:
    before, now = repository(TREE), repository(TREE | EDITS[name])
    graph = before.graph
    seen(graph)  # what is known of the tree before must not show
    known = {one.blob: one for one in before.files.values()}
    files = python(
        msgspec.structs.replace(one, facts=known.get(one.blob, one).facts)  # as a history has them
        for one in now.files.values()
    )
    later = graph.later(files)
    assert seen(later) == seen(now.graph)
    assert [one.facts for one in later.program.modules] == [facts for _, _, facts in files]
    assert (graph.program.later(files) is not None) == (name in KEPT)
