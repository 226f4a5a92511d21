"""What the user says about plugins, in pyproject.toml and in the environment."""

from pathlib import Path

import pytest

from codex_ml.plugins.errors import PluginError
from codex_ml.plugins.resolve import idle, resolve
from codex_ml.plugins.settings import read
from tests.plugins.site import Site


@pytest.fixture
def pyproject(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


@pytest.mark.parametrize(
    "text",
    [
        '[tool.codex-ml.plugins]\ndisable = ["metrics.Slow_One"]\n',
        '[tool.codex-ml]\nplugins.disable = ["metrics.Slow_One"]\n',
        '[tool."codex-ml".plugins]\ndisable = ["metrics.Slow_One"]\n',
        'tool.codex-ml.plugins.disable = ["metrics.Slow_One"]\n',
        '[tool]\ncodex-ml = { plugins = { disable = ["metrics.Slow_One"] } }\n',
    ],
)
def test_every_spelling_of_the_table_is_read(pyproject: Path, text: str) -> None:
    pyproject.write_text(text)
    settings = read({}, str(pyproject))
    assert settings.disabled_by("metrics", "slow-one") == str(pyproject)
    assert settings.disabled_by("metrics", "other") is None


def test_the_environment_beats_the_file(pyproject: Path) -> None:
    pyproject.write_text('[tool.codex-ml.plugins.override]\n"metrics.x" = "a:b"\n')
    assert [row.target for row in read({}, str(pyproject)).overrides] == ["a:b"]
    environ = {"CODEX_ML_PLUGINS_OVERRIDE": "metrics.X=c:d, models.y=e:f,"}
    assert [row.target for row in read(environ, str(pyproject)).overrides] == ["c:d", "e:f"]


@pytest.mark.parametrize(
    "text",
    [
        "[tool.codex-ml.plugins]\ndisabled = []\n",
        "[tool.codex-ml.plugins]\ndisable = 'metrics.x'\n",
        "[tool.codex-ml.plugins]\ndisable = ['metrics']\n",
        "[tool.codex-ml.plugins]\ndisable = ['metricks.x']\n",
        "[tool.codex-ml.plugins]\noverride = ['metrics.x']\n",
        "[tool.codex-ml.plugins.override]\n'metrics.x' = 'not a target'\n",
        "[tool.codex-ml]\nplugins = 1\n",
        "[tool.codex-ml.plugins\n",
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_file(pyproject: Path, text: str) -> None:
    pyproject.write_text(text)
    with pytest.raises(PluginError, match=r"pyproject\.toml"):
        read({}, str(pyproject))


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "codex-ml = not even TOML"])
def test_a_file_without_the_table_says_nothing(pyproject: Path, text: str) -> None:
    pyproject.write_text(text)
    assert read({}, str(pyproject)) == ((), ())


def test_a_setting_that_matches_nothing_is_reported() -> None:
    settings = read({"CODEX_ML_PLUGINS_DISABLE": "metrics.typo"}, "no-such-file")
    (problem,) = idle(resolve([], [], settings), settings)
    assert "metrics.typo, which nobody declares" in problem.message


def test_the_commands_hear_the_settings(site: Site) -> None:
    site.metric("x")
    done = site.run("codex_ml.cli.list_plugins", CODEX_ML_PLUGINS_DISABLE="metrics.x")
    assert "disabled by CODEX_ML_PLUGINS_DISABLE" in done.stdout
    (site.work / "pyproject.toml").write_text("[tool.codex-ml.plugins]\nx = 1\n")
    done = site.run("codex_ml.cli.list_plugins", "--format", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: pyproject.toml: [tool.codex-ml.plugins] has no key 'x': "
        "write `disable` or `override`\n"
    )
