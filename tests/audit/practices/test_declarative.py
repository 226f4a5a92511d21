"""Practices that a configuration declares: found by what names resolve to, or refused."""

from pathlib import Path

import pytest

from audit.cli import main
from audit.config import load
from audit.errors import ConfigError
from audit.plugins import catalogue
from audit.practices.catalogue import Catalogue
from audit.practices.declarative import extended
from audit.stages.capabilities import decide
from tests.audit.build import parts, repository
from tests.audit.conftest import Run, write

HEAD = (
    'id = "team-rule"\ncapability = "checkpointing"\nrole = "safeguard"\n'
    'title = "The team does it"\nwhy = "because"\nfix = "do it"\n'
)
CODE = """\
# file: pkg/io.py
from safetensors.torch import save_file as keep
import torch

class Net(torch.nn.Module):
    pass

def store(tensors, path):
    \"\"\"Calls torch.jit.save, says this docstring.\"\"\"
    keep(tensors, path, metadata={})
# file: pyproject.toml
[tool.ruff]
line-length = 90
# file: .github/workflows/ci.yml
on: [push]
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: ruff check .
"""


def status(query: str) -> tuple[str, list[str]]:
    text = f"[[rules]]\n{HEAD}{query}\n"
    own = catalogue()
    config = load({"codex-audit.toml": text.encode()}, own.ids, own.capabilities)
    (practice,) = extended(own, config.rules, "the configuration").extra[len(own.extra) :]
    (result,) = decide(repository(parts(CODE)), [practice])
    return result.status, [f"{one.path}:{one.line}" for one in result.evidence]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ('calls = ["safetensors.torch.save_file"]', "pkg/io.py:9"),
        ('calls = ["safetensors.*"]', "pkg/io.py:9"),
        ('keywords = ["metadata"]', "pkg/io.py:9"),
        ('bases = ["torch.nn.Module"]', "pkg/io.py:4"),
        ('files = ["PyProject.toml"]', "pyproject.toml:1"),
        ('keys = ["pyproject.toml:tool.ruff.line-*"]', "pyproject.toml:2"),
        ('commands = ["ruff check"]', ".github/workflows/ci.yml:6"),
    ],
)
def test_a_query_finds_its_place(query: str, place: str) -> None:
    assert status(query) == ("present", [place])


@pytest.mark.parametrize(
    "query",
    [
        'calls = ["torch.jit.save"]', 'calls = ["keep"]', 'keywords = ["meta"]',
        'bases = ["torch.nn.Sequential"]', 'files = ["*.lock"]',
        'keys = ["pyproject.toml:tool.black.*"]', 'commands = ["ruff format"]',
    ],
)  # fmt: skip
def test_a_mention_or_another_name_is_nothing(query: str) -> None:
    assert status(query) == ("absent", [])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (HEAD + 'call = ["x"]', r"codex-audit.toml:8: unknown key 'call' in a rule: did you mean 'calls'\?"),
        (HEAD, "codex-audit.toml:1: a rule needs one of calls, keywords"),
        (HEAD.replace('why = "because"\n', "") + 'calls = ["x"]', "a rule needs 'why'"),
        (HEAD.replace("team-rule", "Team Rule") + 'calls = ["x"]', "'Team Rule' is no id"),
        (HEAD.replace("team-rule", "checkpoint-save") + 'calls = ["x"]', "'checkpoint-save' already"),
        (HEAD.replace("safeguard", "nice") + 'calls = ["x"]', "codex-audit.toml:1: rules: Invalid enum"),
        (HEAD.replace("because", " ") + 'calls = ["x"]', "codex-audit.toml:1: a rule needs 'why'"),
        (HEAD + 'calls = ["x", ""]', "codex-audit.toml:8: calls: '': write one line"),
        (HEAD + 'keys = ["tool.ruff"]', "codex-audit.toml:8: keys: 'tool.ruff' finds nothing: write 'file glob:key"),
        (HEAD + 'keys = ["a.toml:b["]', r"keys: 'a.toml:b\[' finds nothing: .* brackets closed"),
        (HEAD + 'files = ["["]', r"codex-audit.toml:8: files: '\[' finds nothing: write a glob"),
        (HEAD + 'files = ["/etc/*"]', "files: '/etc/.*' finds nothing"),
        (HEAD + 'files = ["../*"]', "files: '../.*' finds nothing"),
        (HEAD + 'commands = ["$(("]', r"codex-audit.toml:8: commands: '\$\(\(' finds nothing: write a program"),
        (HEAD + 'commands = ["ruff check | tee"]', "commands: .* such as .ruff check"),
        (HEAD + 'calls = ["torch.save("]', "calls: .* such as .torch.save"),
        (HEAD + 'calls = ["*.save"]', "calls: .* finds nothing"),
        (HEAD + 'bases = ["nn Module"]', "bases: .* finds nothing"),
        (HEAD + 'keywords = ["weights_only="]', "keywords: .* such as .weights_only"),
        (HEAD.replace("does it", r"does\n::error::it") + 'calls = ["x"]', "codex-audit.toml:5: title: "),
        (HEAD.replace("because", r"\u001b[2J") + 'calls = ["x"]', "codex-audit.toml:6: why: "),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_its_line(rule: str, says: str) -> None:
    own = catalogue()
    with pytest.raises(ConfigError, match=says):
        load({"codex-audit.toml": f"[[rules]]\n{rule}\n".encode()}, own.ids, own.capabilities)


def test_prose_of_many_lines_stays_in_its_section() -> None:
    why = '"""\nfirst\nFix:\n  - second: \\u00e9\n"""'
    text = "[[rules]]\n" + HEAD.replace('"because"', why) + "calls = ['x']\n"
    config = load({"codex-audit.toml": text.encode()}, frozenset(), frozenset())
    (practice,) = extended(Catalogue(()), config.rules, "the configuration").extra
    assert (practice.prose.why, practice.prose.fix) == ("first\nFix:\n  - second: é", "do it")


def test_a_report_made_with_rules_verifies_and_an_edited_rule_is_named(
    sample: Path, tmp_path: Path, audit: Run
) -> None:
    out, rules = tmp_path / "out", f'[[rules]]\n{HEAD}calls = ["nobody.calls"]\n'
    write(sample, {"codex-audit.toml": rules})
    assert audit("run", sample, "--out", out).returncode == 0
    assert audit("verify", out, sample, "--rerun").returncode == 0
    write(sample, {"codex-audit.toml": rules.replace("nobody", "somebody")})
    done = audit("verify", out, sample, "--rerun")
    assert done.returncode == 1
    assert "catalogue_hash: " in done.stdout


def test_a_rule_is_in_the_matrix_and_gated_on(sample: Path, audit: Run) -> None:
    rule = f'required = ["team-rule"]\n[[rules]]\n{HEAD}calls = ["nobody.calls"]\n'
    write(sample, {"codex-audit.toml": rule})
    done = audit("gate", sample)
    assert done.returncode == 1
    assert "add: The team does it in sample/loop.py (sample.loop:train)\n" in done.stdout
    assert "calls of nobody.calls" in audit("explain", "team-rule", sample).stdout


def test_the_practices_of_the_current_folder_have_pages_too(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(sample, {"codex-audit.toml": f'[[rules]]\n{HEAD}calls = ["nobody.calls"]\n'})
    monkeypatch.chdir(sample)
    assert main(["practices", "team-rule"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("team-rule: ")
    assert "calls of nobody.calls" in page
    monkeypatch.chdir(sample.parent)
    assert main(["practices", "team-rule"]) == 2
    assert main(["practices", "team-rule", "--config", str(sample / "codex-audit.toml")]) == 0
    assert main(["practices", "--config", "nowhere.toml"]) == 2
