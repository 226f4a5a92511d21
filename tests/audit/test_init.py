"""``init``: adds, keeps what is there to the byte, and does nothing the second time."""

import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import config, init
from audit.model import TOOL, Matrix, SourceInfo
from audit.practices.catalogue import Catalogue, built_in
from tests.audit.conftest import Call, Git, write

HOOKS = (
    "# ours\nrepos:\n{indent}- repo: local\n{indent}  hooks:\n{indent}    - id: lint\n"
    "{indent}      name: lint\n{indent}      entry: lint  # quick\n{indent}      language: system\n"
)
FILES = ("pyproject.toml", ".pre-commit-config.yaml", ".github/workflows/codex-audit.yml")
MATRIX = Matrix(
    1, TOOL, SourceInfo("r", "", "", False), "", "", "", {}, {}, "library", "", 0.5, 0.5, (), (), ()
)


def parsed(root: Path) -> config.Config:
    catalogue = Catalogue(built_in())
    files = {
        p: (root / p).read_bytes()
        for p in ("pyproject.toml", "codex-audit.toml")
        if (root / p).exists()
    }
    return config.load(files, catalogue.ids, catalogue.capabilities)


def test_what_it_writes_works_and_a_second_run_writes_nothing(
    sample: Path, call: Call, git: Git
) -> None:
    before = (sample / "pyproject.toml").read_bytes()
    done = call("init", sample)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["wrote"] * 3
    assert (sample / "pyproject.toml").read_bytes().startswith(before)
    assert 0 < parsed(sample).thresholds["mean"] < 1
    assert call("gate", sample).returncode == 0
    for name in FILES[1:]:
        assert isinstance(yaml.safe_load((sample / name).read_text()), dict)
    written = {name: (sample / name).read_bytes() for name in FILES}
    again = call("init", sample)
    assert [line.split()[0] for line in again.stdout.splitlines()] == ["kept"] * 3
    assert written == {name: (sample / name).read_bytes() for name in FILES}


def test_the_workflow_is_one_that_the_audit_accepts(sample: Path, call: Call) -> None:
    call("init", sample)
    for practice in ("security-pinned-actions", "security-workflow-permissions"):
        assert f"{practice} (safeguard): present" in call("explain", practice, sample).stdout


def test_without_a_pyproject_it_writes_its_own_file(sample: Path, call: Call) -> None:
    (sample / "pyproject.toml").unlink()
    assert "wrote codex-audit.toml" in call("init", sample).stdout
    assert parsed(sample).thresholds["mean"] > 0
    assert "kept  codex-audit.toml" in call("init", sample).stdout


@pytest.mark.parametrize("indent", ["", "  ", "    "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_hook_joins_the_others(indent: str, end: str, tmp_path: Path) -> None:
    old = HOOKS.format(indent=indent).replace("\n", end).encode()
    (tmp_path / ".pre-commit-config.yaml").write_bytes(old)
    step = init.plan(tmp_path, MATRIX)[2]
    assert step.content.startswith(old)
    repos = yaml.safe_load(step.content)["repos"]
    assert [hook["id"] for repo in repos for hook in repo["hooks"]] == ["lint", "codex-audit"]
    assert step.content.count(b"\n") == step.content.count(end.encode())


@pytest.mark.parametrize(
    "old",
    ["repos: []\n", HOOKS.format(indent="") + "fail_fast: true\n"],
    ids=["an inline list", "another key is last"],
)
def test_a_hook_that_cannot_join_is_left_to_the_user(old: str, tmp_path: Path) -> None:
    (tmp_path / ".pre-commit-config.yaml").write_text(old)
    step = init.plan(tmp_path, MATRIX)[2]
    assert (step.kept, step.content) == (True, old.encode())
    assert "add a hook" in step.says


def test_an_inline_tool_table_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = {ruff = {line-length = 100}}\n")
    step = init.plan(tmp_path, MATRIX)[0]
    assert (step.kept, step.says) == (
        True,
        "cannot take [tool.codex-audit]: write codex-audit.toml",
    )


WORDS = st.sampled_from(["", "a", "é ☃", "x # y", "[z]", " = 1"])
KEYS = st.sampled_from(["a", "b-c", "key", "zz"])


@given(
    st.dictionaries(KEYS, WORDS, max_size=4),
    st.sampled_from(
        [
            "",
            "# a comment\n",
            "[project]\nname = 'x'\n",
            "[tool.other]\na = 1",
            "[[tool.list.rows]]\nb = 2\n",
        ]
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_everything_else_stays_to_the_byte(
    tmp_path: Path, keys: dict[str, str], rest: str, end: str, mark: bool
) -> None:
    lines = "".join(
        f"{key} = '{value.replace(chr(39), '')}' # note\n" for key, value in keys.items()
    )
    old = (lines + rest).replace("\n", end).encode("utf-8-sig" if mark else "utf-8")
    (tmp_path / "pyproject.toml").write_bytes(old)
    step = init.plan(tmp_path, MATRIX)[0]
    assert step.content.startswith(old)
    before, after = (tomllib.loads(one.decode("utf-8-sig")) for one in (old, step.content))
    ours = after["tool"].pop("codex-audit")
    assert ours == {"required": [], "thresholds": {"mean": 0.5}}
    assert after == before | {"tool": before.get("tool", {})}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"pyproject.toml": "a = ]"}, "pyproject.toml: "),
        ({".pre-commit-config.yaml": "repos: [\n"}, ".pre-commit-config.yaml: no list of repos"),
        ({".pre-commit-config.yaml": "- a\n"}, ".pre-commit-config.yaml: no list of repos"),
        ({"codex-audit.toml": "required-practices = []\n"}, "codex-audit.toml:1: unknown key 'required-practices': did you mean 'required'"),
    ],
    ids=["broken TOML", "broken YAML", "not a mapping", "a wrong configuration"],
)  # fmt: skip
def test_a_damaged_file_stops_it_before_anything_is_written(
    files: dict[str, str], says: str, sample: Path, call: Call
) -> None:
    write(sample, files)
    before = {p: p.read_bytes() for p in sample.rglob("*") if p.is_file() and ".git/" not in str(p)}
    done = call("init", sample)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    after = {p: p.read_bytes() for p in sample.rglob("*") if p.is_file() and ".git/" not in str(p)}
    assert before == after


def test_a_link_out_of_the_repository_is_not_written_through(
    sample: Path, call: Call, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (sample / ".github").symlink_to(outside)
    done = call("init", sample)
    assert done.returncode == 2
    assert "leads out of the repository" in done.stderr
    assert list(outside.iterdir()) == []
