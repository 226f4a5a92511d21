"""Generated pages are what the code says, and say all that there is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2]


def listed() -> set[str]:
    """Return the variables of tools/pages/environment.py."""
    spec = spec_from_file_location("environment", ROOT / "tools/pages/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name for name, _, _ in module.VARIABLES}


def test_no_generated_page_is_out_of_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_key_of_every_schema_says_what_it_means() -> None:
    rows = (ROOT / "docs/reference/json-schemas.md").read_text(encoding="utf-8").splitlines()
    keys = [one for one in rows if one.startswith("| `")]
    assert len(keys) > 100
    assert [one for one in keys if one.endswith("|  |")] == []


def test_every_variable_that_the_code_reads_is_listed_and_no_other() -> None:
    read = {
        name
        for package in ("audit", "codex_ml")
        for path in (ROOT / package).rglob("*.py")
        for name in variables(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert read == listed()


def variables(tree: ast.Module) -> Iterator[str]:
    """Yield the environment variables that a module reads, constants resolved."""
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    } | IMPORTED
    names = {"environ", "found"}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=base, attr="get" | "setdefault"), args=[key, *_]
            ) if last(base) in names:
                yield from words(key, constants)
            case ast.Subscript(value=base, slice=key) if last(base) in names:
                yield from words(key, constants)
            case ast.Compare(left=key, comparators=[base]) if last(base) in names:
                yield from words(key, constants)
            case ast.Call(func=ast.Name(id="_flag" | "_integer"), args=[base, key, *_]):
                yield from words(key, constants)
            case ast.BinOp(left=ast.Set() as key, right=ast.Call(func=ast.Attribute(attr="keys"))):
                yield from words(key, constants)


IMPORTED = {
    node.targets[0].id: node.value
    for path in ("codex_ml/plugins/groups.py", "codex_ml/distributed/environment.py")
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
}


def last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def words(key: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    match constants.get(key.id, key) if isinstance(key, ast.Name) else key:
        case ast.Constant(value=str(name)) if name.isupper():
            yield name
        case ast.Set(elts=several):
            for one in several:
                yield from words(one, constants)
