"""Syntax of Python 3.12 to 3.14 gives the facts that older syntax gives, on every interpreter."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.facts.extractors import extract
from audit.facts.python.backport import backport

ROOT = Path(__file__).parents[3]
SAME = {
    "alias": ("type Pair = tuple[int, str]\nx: Pair = f()\n", "Pair = tuple[int, str]\nx: Pair = f()\n"),
    "generic alias": ("type Pairs[T: int = int] = list[T]\n", "Pairs = list[T]\n"),
    "alias in a class": ("class A:\n    type K = dict[str, int]\n", "class A:\n    K = dict[str, int]\n"),
    "alias after a colon": ("if x: type K = int\n", "if x: K = int\n"),
    "class": ("class Loop[T, *Ts, **P](Base[T]):\n    pass\n", "class Loop(Base[T]):\n    pass\n"),
    "function": ("def load[T: Model](kind: type[T]) -> T:\n    return kind()\n",
                 "def load(kind: type[T]) -> T:\n    return kind()\n"),
    "method": ("class A:\n    async def m[T](self, x: T): f(x)\n",
               "class A:\n    async def m(self, x: T): f(x)\n"),
    "parameters on lines of their own": ("def f[\n    T,  # ]\n    U: '['\n](x):\n    g()\nh()\n",
                                         "def f(\n\n\nx):\n    g()\nh()\n"),
    "quotes in a field": ('save(f"{folder["name"]}/model.pt")\n',
                          "save(f\"{folder['name']}/model.pt\")\n"),
    "a path in a call in a field": ('f(f"to {str(Path(a) / "checkpoints")}")\n',
                                    "f(f\"to {str(Path(a) / 'checkpoints')}\")\n"),
    "three strings in one another": ('x = f"{f"{g("a")}"}"\n', "x = f\"{f'''{g('a')}'''}\"\n"),
    "a field on lines of its own": ('x = f"{\n    g(1)  # why }\n}"\nh()\n',
                                    'x = f"""{\n    g(1)\n}"""\nh()\n'),
    "quotes in a format": ('x = f"{g():>{w["a"]}} {{no}}"\n', "x = f\"{g():>{w['a']}} {{no}}\"\n"),
    "exceptions": ("try:\n    f()\nexcept OSError, ValueError:\n    g()\n",
                   "try:\n    f()\nexcept (OSError, ValueError):\n    g()\n"),
    "a group of exceptions": ("try:\n    f()\nexcept* OSError, ValueError:\n    g()\n",
                              "try:\n    f()\nexcept* (OSError, ValueError):\n    g()\n"),
    "several at once": ('class A[T]:\n    def m[U](self):\n        return f"{self["a"]}"\n',
                        "class A:\n    def m(self):\n        return f\"{self['a']}\"\n"),
}  # fmt: skip


@pytest.mark.parametrize(("new", "old"), SAME.values(), ids=list(SAME))
def test_newer_syntax_gives_the_facts_of_older(new: str, old: str) -> None:
    assert extract("python", new.encode()) == extract("python", old.encode())


@pytest.mark.parametrize(("new", "_"), SAME.values(), ids=list(SAME))
def test_what_is_written_is_of_python_3_11_and_keeps_its_lines(new: str, _: str) -> None:
    older = backport(new.encode())
    assert older is not None
    ast.parse(older, feature_version=(3, 11))
    assert older != new.encode()
    assert older.count(b"\n") == new.count("\n")


def test_what_a_field_escapes_is_read() -> None:
    found = extract("python", b'print(f"{"\\n".join(rows)}")\nsave(t"{x}")\n')
    assert found == extract("python", b'print(f"{\' \'.join(rows)}")\nsave(f"{x}")\n')


def test_older_syntax_stays_as_it_is_to_the_byte() -> None:
    paths = [*(ROOT / "codex_ml").rglob("*.py"), *(ROOT / "audit/facts").rglob("*.py")]
    assert len(paths) > 100
    for path in paths:
        assert backport(path.read_bytes()) == path.read_bytes(), path


@pytest.mark.parametrize("source", [
    "type = 3\ntype (x)\ntype[0] = 1\nx = type\n",
    "kind: type = A\nlambda type: type\n",
    "x = a.except_, {'def f[T]': 1}\n",
    'x = rf"\\{{{name}\\b" + f"\\N{BULLET}{y!r:>{w}}" + f"{\'#\':<3}{{}}"\n',
    "x = f'''{\n    a['b']\n}'''\n",
    "x = b'{' + u'}' + R'\\\\'\n",
    "def f(x: \"[\" = '#'): ...  # class A[T]\n",
])  # fmt: skip
def test_what_looks_like_newer_syntax_stays(source: str) -> None:
    ast.parse(source, feature_version=(3, 11))
    assert backport(source.encode()) == source.encode()


@pytest.mark.parametrize("source", [
    "print 'x'\n", "def f(:\n", "x = 'open\n", 'x = f"{"\n', "class A[T:\n", "x = (\n",
    'x = f"{f"{f"{f"{f"{1}"}"}"}"}"\nprint 1\n',
])  # fmt: skip
def test_what_no_python_reads_is_refused_as_it_was(source: str) -> None:
    with pytest.raises(SyntaxError) as found:
        extract("python", source.encode())
    with pytest.raises(SyntaxError) as first:
        compile(source.encode(), "<blob>", "exec")
    assert (found.value.lineno, found.value.msg) == (first.value.lineno, first.value.msg)


TOKENS = st.sampled_from(
    ["f", "t", "r", '"', "'", '"""', "{", "}", "[", "]", "(", ")", ":", "!", "\\", "\n", "#", "type ",
     "def f", "class A", "except ", "x", "=", ",", "N", " ", "\xff", "0"]
)  # fmt: skip


@given(st.lists(TOKENS, max_size=40).map("".join))
def test_anything_gives_text_or_nothing_and_keeps_its_lines(text: str) -> None:
    source = text.encode("latin-1")
    older = backport(source)
    assert older is None or older.count(b"\n") == source.count(b"\n")


def test_braces_without_end_are_read_in_one_go() -> None:
    assert backport(b'f"' + b"{" * 100_000) is None
    assert backport(b"(" * 100_000) is None
    assert backport(b'f"{' * 100_000) is None  # a string in a string in a string ...
    assert backport(b'x = f"{' + b"1 + " * 100_000 + b'"a"}"') is not None
