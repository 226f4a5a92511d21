"""Names decide nothing: folders, modules and local variables are renamed in real code."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from tests.audit.properties import audits
from tests.audit.properties.audits import Files

_WORD = re.compile(r"[A-Za-z_]\w*")


def renamed(files: Files, words: dict[str, str]) -> dict[str, str]:
    """Return the files with words renamed in paths and texts."""

    def swap(text: str) -> str:
        return _WORD.sub(lambda found: words.get(found[0], found[0]), text)

    return {swap(path): swap(text) for path, text in files.items()}


def same(after: Files) -> None:
    """Assert that a repository is judged like the real code."""
    old, new = audits.own_matrix(), audits.audited(after)
    status = {one: row.status for one, row in audits.practices(old).items()}
    assert {one: row.status for one, row in audits.practices(new).items()} == status
    assert audits.moved(old, new, 1e-6) == {}


def test_renaming_the_package_changes_nothing() -> None:
    same(renamed(audits.own(), {"codex_ml": "zebra"}))


def test_renaming_modules_changes_nothing() -> None:
    words = {one: f"m{place}_{one[::-1]}" for place, one in enumerate(_module_words(audits.own()))}
    assert len(words) >= 20
    same(renamed(audits.own(), words))


def _module_words(files: Files) -> Iterator[str]:
    """Yield the names of modules and folders of the package that are words for nothing else."""
    paths = [path for path in files if path.startswith("codex_ml/")]
    stems = {part.removesuffix(".py") for path in paths for part in path.split("/")[1:]}
    uses: Counter[str] = Counter()
    in_imports: Counter[str] = Counter()
    for path, text in files.items():
        if path.endswith(".py"):
            uses.update(one for one in _WORD.findall(_code(text)) if one in stems)
            for dotted in _imported(text):
                in_imports.update(one for one in dotted.split(".") if one in stems)
    return (one for one in sorted(stems) if uses[one] and uses[one] == in_imports[one])


def _code(text: str) -> str:
    """Return a module without its strings and comments."""
    return ast.unparse(_Bare().visit(ast.parse(text)))


class _Bare(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def _imported(text: str) -> Iterator[str]:
    """Yield the dotted names that a module imports, once a place."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=module, names=names):
                yield from [module or "", *(one.name for one in names)]


def test_renaming_local_variables_changes_nothing() -> None:
    files, count = {}, 0
    for path, text in audits.own().items():
        files[path] = text
        if path.startswith("codex_ml/") and path.endswith(".py"):
            files[path], some = _other_locals(text)
            count += some
    assert count >= 1000
    same(files)


def _other_locals(text: str) -> tuple[str, int]:
    """Return a module whose functions' local variables have other names, and how many uses."""
    rows = text.split("\n")
    spots = {spot for function in _flat_functions(ast.parse(text)) for spot in _spots(function)}
    for line, column, name in sorted(spots, reverse=True):
        raw = rows[line - 1].encode()
        assert raw[column : column + len(name)] == name.encode()
        new = f"v{sum(map(ord, name)) % 97}{name[::-1].strip('_')}"
        rows[line - 1] = (raw[:column] + new.encode() + raw[column + len(name) :]).decode()
    return "\n".join(rows), len(spots)


_NESTED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.JoinedStr, ast.Global,
    ast.Nonlocal, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.match_case,
)  # fmt: skip


def _flat_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def _spots(function: ast.FunctionDef) -> Iterator[tuple[int, int, str]]:
    """Yield the places of plain locals: what an inner scope, a string or an import names stays."""
    kept = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    names: list[ast.Name] = []
    queue: list[ast.AST] = list(function.body)
    while queue:
        node = queue.pop()
        if isinstance(node, _NESTED):
            kept |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                kept.add(node.name)
            if isinstance(node, ast.Global | ast.Nonlocal):
                kept |= set(node.names)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            kept |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        if isinstance(node, ast.ExceptHandler) and node.name:
            kept.add(node.name)
        if isinstance(node, ast.Name):
            names.append(node)
        queue += ast.iter_child_nodes(node)
    stored = {one.id for one in names if isinstance(one.ctx, ast.Store)} - kept
    yield from ((one.lineno, one.col_offset, one.id) for one in names if one.id in stored)
