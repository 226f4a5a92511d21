"""Reports to render: small, and as hostile as a repository can make them."""

from audit import templates
from audit.formats import Report
from audit.model import (
    SCHEMA_VERSION,
    TOOL,
    Broken,
    CapabilityResult,
    Components,
    Decision,
    Decisions,
    Evidence,
    Gap,
    Index,
    IndexedFile,
    Matrix,
    Outcome,
    PracticeResult,
    Problem,
    SourceInfo,
    Status,
    Term,
    Waived,
    Waiver,
)
from audit.practices.catalogue import Catalogue, built_in

HOSTILE = {
    "line ends": "a\nb\r\nc\rd",
    "workflow command": "\n::error::owned%0A::set-output name=x::y",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markup end": "]]> --> </script></style></title> ${{ x }} {{ 7 * 7 }}",
    "quotes": "\"'`&amp;\\",
    "markdown": "| [a](javascript:alert(1)) ![b](http://x/) # ``` *c* <b>",
    "controls": "a\0b\x1b[2J\x1b]0;owned\x07\x7f\x9b31m",
    "bidirectional": "a\u202eb\u2066c\u200b\u2028d",
    "surrogates": "a\ud800b\udfffc\ufffe\uffff",
    "not UTF-8": b"a\xffb".decode("utf-8", "backslashreplace"),
    "surrogate escape": b"a\xffb".decode("utf-8", "surrogateescape"),
}


def row(
    name: str, status: Status, words: str, *, role: str = "functionality", line: int = 3
) -> PracticeResult:
    evidence = (
        Evidence(words, line, words, words, "tested", tested=True, fingerprint="f"),
    ) * (status == "present")  # fmt: skip
    rung = "tested" if evidence else "none"
    return PracticeResult(name, role, status, rung, evidence, words, f"practices/{name}.md")  # type: ignore[arg-type]


def report(words: str = "src/a.py", *, gated: bool = False, line: int = 3) -> Report:
    """Return a report in which every text that a repository can choose is `words`."""
    rows = (
        row("checkpoint-save", "present", words, line=line),
        row("checkpoint-load", "absent", words),
        row("checkpoint-atomic", "absent", words, role="safeguard"),
        row("checkpoint-async", "unknown", words, role="safeguard"),
        row("checkpoint-remote", "not_applicable", words),
    )
    other = (row("docs-site", "absent", words),)
    terms = (Term("functionality", 0.5, 1.0, 1.0, words),)
    capabilities = (
        CapabilityResult(
            "checkpointing", "present", 0.5, (0.5, 0.75), Components(0.5, 1, 1, 0, 0), rows, terms
        ),
        CapabilityResult(
            "documentation", "absent", 0.0, (0.0, 0.0), Components(0, 0, 0, 0, 0), other, (), words
        ),
    )
    source = SourceInfo(words, "0123456789abcdef", "fedcba", dirty=False)
    matrix = Matrix(
        SCHEMA_VERSION, TOOL, source, "hash", "config", "catalogue", {}, {}, "library", words,
        0.25, 0.0, capabilities, (Problem(words, words),), (words,),
    )  # fmt: skip
    files = (IndexedFile(words, "product", "blob"), IndexedFile("README.md", "docs", "blob"))
    gap = Gap("checkpoint-load", "checkpointing", words, 0.1, 0.01, words, "page", words)
    outcome = Outcome(
        Index(source, files, matrix.problems),
        Decisions(source, "library", words, (), {}, ()), matrix, None, (gap,),
    )  # fmt: skip
    return Report(
        outcome, Catalogue(built_in()), templates.load(), decision(words) if gated else None
    )


def decision(words: str) -> Decision:
    lost = (Evidence(words, 3, words, words),)
    waiver = Waiver("checkpoint-atomic", words, words, "2999-01-01")
    return Decision(
        (
            Broken("required", words, words, "checkpoint-load", lost),
            Broken("mean", "mean 0.250 is below 0.900", words),
        ),
        (Waived(words, waiver),),
    )
