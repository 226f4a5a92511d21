"""Whatever the bytes are, extraction ends: with facts, or with a reason."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.facts import extraction
from audit.facts.model import FileKind

HOSTILE: list[tuple[FileKind, str, bytes]] = [
    ("python", "nested operators", b"x = " + b"-" * 10_000 + b"1"),
    ("python", "nested parentheses", b"x = " + b"(" * 10_000 + b")" * 10_000),
    ("python", "a long chain of attributes", b"x = a" + b".b" * 10_000),
    ("python", "a long chain of calls", b"x = a" + b"()" * 10_000),
    ("python", "a long sum", b"x = " + b"+".join([b"a"] * 10_000)),
    ("python", "twenty thousand elifs", b"if a: pass\n" + b"elif a: pass\n" * 20_000),
    ("python", "NUL bytes", b"a\0b"),
    ("python", "not UTF-8", b"\xff\xfe bad"),
    ("python", "a merge conflict", b"<<<<<<< HEAD\nx = 1\n=======\n"),
    ("yaml", "nested flow", b"[" * 10_000),
    ("yaml", "nested sequences", b"- " * 20_000 + b"x"),
    ("yaml", "an open bracket", b"a: ["),
    ("yaml", "a tag that would run code", b"!!python/object/apply:os.system ['true']"),
    ("json", "nested arrays", b"[" * 100_000 + b"]" * 100_000),
    ("json", "half an object", b'{"a":'),
    ("jsonc", "comments that do not end", b"/*" * 50_000),
    ("jsonc", "commas and blanks", b", " * 50_000),
    ("jsonc", "a string that does not end", b'"' + b"\\\\" * 50_000),
    ("toml", "nested arrays", b"a = " + b"[" * 10_000 + b"]" * 10_000),
    ("toml", "a key without a value", b"a = "),
    ("markdown", "nested quotes", b"> " * 5_000 + b"x"),
    ("markdown", "unmatched brackets", b"[" * 50_000),
    ("rst", "an endless underline", b"x\n" + b"=" * 100_000),
    ("ini", "no section", b"a = 1\n[b\nc"),
    ("make", "a lone tab", b"\t\n\tx"),
    ("shell", "an open continuation", b"echo \\"),
]


@pytest.mark.parametrize(
    ("kind", "title", "content"), HOSTILE, ids=[f"{k}: {t}" for k, t, _ in HOSTILE]
)
def test_hostile_input_ends_with_facts_or_a_reason(
    kind: FileKind, title: str, content: bytes
) -> None:
    (payload,) = extraction.extract_all([("key", kind, content)], 1).values()
    found = extraction.decode(kind, payload)
    if isinstance(found, str):
        assert found
        assert "\n" not in found


def test_an_alias_bomb_costs_nothing() -> None:
    rows = [b"a: &a [x,x,x,x,x,x,x,x,x]"]
    rows += [
        b"%c: &%c [%s]" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdefghijklmnop"
    ]
    found = extraction.decode("yaml", extraction.encode("yaml", b"\n".join(rows)))
    assert not isinstance(found, str)
    assert len(found.keys) < 500  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(extraction._TYPES)), st.binary(max_size=400))
def test_any_bytes_end_with_facts_or_a_reason(kind: FileKind, content: bytes) -> None:
    found = extraction.decode(kind, extraction.encode(kind, content))
    assert found is not None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["markdown", "rst", "yaml", "toml", "json", "jsonc", "ini", "make", "shell"]),
    st.text(max_size=400),
)
def test_any_text_ends_with_facts_or_a_reason(kind: FileKind, content: str) -> None:
    found = extraction.decode(kind, extraction.encode(kind, content.encode("utf-8", "ignore")))
    assert found is not None


def test_the_recursion_limit_is_left_as_it_was() -> None:
    before = sys.getrecursionlimit()
    extraction.extract_all([("key", "python", b"x = 1")], 1)
    assert sys.getrecursionlimit() == before


def test_two_processes_give_what_one_gives() -> None:
    source = b"import torch\n" + b"def f(x):\n    return torch.load(x)\n" * 20_000
    jobs: list[extraction.Job] = [(str(n), "python", source + b"# %d" % n) for n in range(4)]
    assert extraction.extract_all(jobs, 2) == extraction.extract_all(jobs, 1)
