"""The call graph: what leads where."""

import pytest

from tests.audit.properties.audits import repository

COMMANDS = {
    "src/app/__init__.py": "",
    "src/app/cli/__init__.py": "",
    "src/app/cli/train.py": "def command(): pass\ndef _private(): pass\n",
    "src/app/cli/evaluate.py": "def command(): pass\n",
    "src/app/cli/deep/__init__.py": "",
    "src/app/cli/deep/inner.py": "def command(): pass\n",
    "src/app/other.py": "def command(): pass\n",
}
CHOICES = [
    "app.cli.train",
    "app.cli.train:command",
    "app.cli.evaluate",
    "app.cli.evaluate:command",
    "app.cli.deep",
]


@pytest.mark.parametrize(
    ("path", "importer"),
    [
        ("src/app/main.py", "import_module(f'app.cli.{name}').command"),
        ("src/app/main.py", "getattr(import_module('app.cli.' + name), 'command')"),
        ("src/app/main.py", "import_module('app.cli.%s' % name)"),
        ("src/app/main.py", "__import__('app.cli.' + name)"),
        ("src/app/cli/__init__.py", "import_module(f'{__name__}.{name}')"),
        ("src/app/cli/__init__.py", "import_module('.' + name, __package__)"),
        ("src/app/cli/__init__.py", "import_module(f'.{name}', __name__)"),
    ],
)
def test_an_import_by_a_computed_name_leads_to_every_module_of_the_package(
    path: str, importer: str
) -> None:
    code = f"from importlib import import_module\n\ndef get(name):\n    return {importer}\n"
    assert _reached(path, code) == sorted(CHOICES)


@pytest.mark.parametrize(
    "importer",
    [
        "import_module(name)",
        "import_module('app.cli')",
        "import_module('json.' + name)",
        "print(f'app.cli.{name}')",
    ],
)
def test_other_imports_lead_nowhere_near(importer: str) -> None:
    code = f"from importlib import import_module\n\ndef get(name):\n    return {importer}\n"
    assert not set(_reached("src/app/main.py", code)) & set(CHOICES)


def _reached(path: str, code: str) -> list[str]:
    repo = repository(COMMANDS | {path: code})
    program, graph = repo.program, repo.graph
    get = next(n for n in range(len(program.owner)) if program.definition(n).name == "get")
    return sorted(program.symbol(one) for one in graph.edges[get])
