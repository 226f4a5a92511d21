"""Practices of other distributions, really installed, and broken in every way."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audit.build import repository
from tests.audit.conftest import write
from tests.plugins.site import ROOT, Site

EXAMPLE = ROOT / "examples/codex-audit-plugin-example"

GOOD = '''
from audit.practices.registry import Place, Practice

def look(repository):
    """A readme is there.

    Why:
        w
    Fix:
        f
    Good:
        g
    Bad:
        b
    """
    {body}

PRACTICES = [Practice("{id}", "{capability}", "functionality", "p", "n", look, code=False, looks_for="a readme")]
'''


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def plugin(site: Site, name: str, code: str, value: str = "PRACTICES") -> None:
    module = name.replace("-", "_")
    site.install(name, f"[codex_audit.practices]\nrules = {module}:{value}\n", code)


def audit(site: Site, *arguments: object) -> subprocess.CompletedProcess[str]:
    return site.run("audit", *map(str, arguments), XDG_CACHE_HOME=str(site.folder / "cache"))


def matrix(site: Site, root: Path) -> dict[str, Any]:
    done = audit(site, "run", root, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {p["id"]: p | {"in": c["id"]} for c in found["capabilities"] for p in c["practices"]}


def test_the_example_is_in_the_matrix_and_gated_on_once_installed(site: Site, sample: Path) -> None:
    write(sample, {"codex-audit.toml": 'required = ["model-card"]\n'})
    before = audit(site, "gate", sample)
    assert before.returncode == 2
    assert "unknown practice 'model-card'" in before.stderr
    site.pip_install(EXAMPLE)
    assert "Released models are described by a card" in audit(site, "practices").stdout
    done = audit(site, "gate", sample)
    assert done.returncode == 1, done.stderr
    assert "required practice model-card is absent" in done.stdout
    write(sample, {"MODEL_CARD.md": "# Model\n\n## Intended use\n\nTexts.\n"})
    assert audit(site, "gate", sample).returncode == 0
    row = rows(matrix(site, sample))["model-card"]
    assert (row["in"], row["status"]) == ("documentation", "present")
    assert row["evidence"][0]["line"] == 3


def test_the_pages_examples_hold() -> None:
    """As for the built-in practices: the good one is present, the bad one is not."""
    sys.path.insert(0, str(EXAMPLE / "src"))
    try:
        from codex_audit_plugin_example import PRACTICES  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(EXAMPLE / "src"))
    (one,) = PRACTICES
    for text, count in ((one.prose.good, 1), (one.prose.bad, 0)):
        content = text.removeprefix("# file: MODEL_CARD.md\n")
        assert len(list(one.detect(repository({"MODEL_CARD.md": content})))) == count


def test_a_new_capability_and_a_plugin_that_prints(site: Site, sample: Path) -> None:
    body = "print('noise'); yield Place('README.md', 1, 'there')"
    plugin(
        site,
        "acme",
        "print('noise')\n" + GOOD.format(id="acme-readme", capability="acme", body=body),
    )
    found = matrix(site, sample)
    assert rows(found)["acme-readme"]["in"] == "acme"
    assert found["warnings"] == []


BROKEN = {
    "import": ("raise RuntimeError('no\\nlicence')", "RuntimeError: no licence"),
    "exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "syntax": ("def (", "SyntaxError: "),
    "missing": ("x = 1", "AttributeError: "),
    "no practices": ("PRACTICES = 1", "must name practices, not a int"),
    "other values": ("PRACTICES = ['a']", "'a' is no audit.practices.registry.Practice"),
    "no page": ("from audit.practices.registry import Practice\nPRACTICES = [Practice('a', 'b', 'safeguard', '', '', print)]", "ValueError: no"),
    "bad id": (GOOD.format(id="A b", capability="acme", body="yield"), "'A b' is no id"),
    "taken id": (GOOD.format(id="docs-site", capability="acme", body="yield"), "practice 'docs-site' is already in the built-in catalogue"),
}  # fmt: skip


def test_broken_plugins_are_named_warnings_and_the_rest_goes_on(site: Site, sample: Path) -> None:
    for number, (code, _) in enumerate(BROKEN.values()):
        plugin(site, f"broken-{number}", code)
    plugin(
        site,
        "whole",
        GOOD.format(id="acme-readme", capability="acme", body="yield Place('README.md', 1, 'x')"),
    )
    found = matrix(site, sample)
    assert len(found["warnings"]) == len(BROKEN)
    for number, (warning, (_, says)) in enumerate(
        zip(found["warnings"], BROKEN.values(), strict=True)
    ):
        assert warning.startswith(f"plugin broken-{number} 1.0: rules: ")
        assert says in warning
    assert rows(found)["acme-readme"]["status"] == "present"
    annotations = audit(site, "run", sample, "--format", "github").stdout
    assert annotations.count("title=audit-warning::plugin broken-") == len(BROKEN)


DETECTORS = {
    "raises": ("raise KeyError('x'); yield", "KeyError: 'x'"),
    "exits": ("import sys; sys.exit(); yield", "SystemExit"),
    "another path": ("yield Place('nope.py', 1, 'x')", "is no place in this repository"),
    "another node": ("yield Place('README.md', 1, 'x', 10 ** 6)", "is no place in this repository"),
    "no place": ("yield 7", "7 is no place in this repository"),
    "nothing to iterate": ("return 7", "TypeError: "),
}


def test_a_detector_that_fails_makes_its_practice_unknown(site: Site, sample: Path) -> None:
    for number, (body, _) in enumerate(DETECTORS.values()):
        plugin(
            site, f"acme-{number}", GOOD.format(id=f"acme-{number}", capability="acme", body=body)
        )
    found = rows(matrix(site, sample))
    for number, (_, says) in enumerate(DETECTORS.values()):
        row = found[f"acme-{number}"]
        assert row["status"] == "unknown"
        assert row["looked_for"].startswith(f"plugin acme-{number} 1.0: rules failed: ")
        assert says in row["looked_for"]


def test_a_gate_on_a_practice_of_a_broken_plugin_says_so(site: Site, sample: Path) -> None:
    plugin(site, "acme", "raise RuntimeError('no licence')")
    write(sample, {"codex-audit.toml": 'required = ["acme-readme"]\n'})
    done = audit(site, "gate", sample)
    assert done.returncode == 2
    assert "unknown practice 'acme-readme'" in done.stderr
    assert "plugin acme 1.0: rules: RuntimeError: no licence" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_edited_plugin_is_another_plugin(site: Site, sample: Path) -> None:
    body = "yield Place('README.md', 1, 'x')"
    plugin(site, "acme", GOOD.format(id="acme-readme", capability="acme", body=body))
    assert rows(matrix(site, sample))["acme-readme"]["status"] == "present"
    code = GOOD.format(id="acme-readme", capability="acme", body="return; yield")
    (site.folder / "acme.py").write_text(code)
    assert rows(matrix(site, sample))["acme-readme"]["status"] == "absent"


def good(name: str) -> str:
    body = "yield Place('README.md', 1, 'there')"
    return GOOD.format(id=name, capability="documentation", body=body)


def named(site: Site, root: Path, *references: str) -> subprocess.CompletedProcess[str]:
    options = [word for one in references for word in ("--plugin", one)]
    return audit(site, "run", root, "--format", "json", *options)


def test_a_module_is_named_on_the_command_line(site: Site, sample: Path) -> None:
    write(site.folder, {"mine.py": good("mine-a"), "other.py": good("mine-b")})
    done = named(site, sample, "mine", "other:PRACTICES")
    assert done.returncode == 0, done.stderr
    assert {"mine-a", "mine-b"} <= rows(json.loads(done.stdout)).keys()
    listed = audit(site, "practices", "mine-a", "--plugin", "mine")
    assert "mine-a: A readme is there" in listed.stdout
    assert audit(site, "practices", "mine-a").returncode == 2


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("absent", "--plugin absent: ModuleNotFoundError: No module named 'absent'"),
        ("mine:NOTHING", "--plugin mine:NOTHING: AttributeError: "),
        ("mine:__name__", "--plugin mine:__name__: TypeError: "),
        ("taken", "--plugin taken: practice 'train-loop' is already in the built-in catalogue"),
    ],
)
def test_a_named_module_that_cannot_be_used_is_one_line(
    site: Site, sample: Path, reference: str, message: str
) -> None:
    write(site.folder, {"mine.py": good("mine-a"), "taken.py": good("train-loop")})
    done = named(site, sample, reference)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"codex-audit: {message}"), done.stderr
    assert done.stderr.count("\n") == 1
