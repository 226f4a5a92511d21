"""`codex-ml plugins list|check|describe` and the text listing."""

import json

import pytest

from tests.plugins.site import ROOT, Site


def test_the_text_listing_has_a_line_per_plugin_and_problem(site: Site) -> None:
    site.metric("good")
    (site.metric("broken") / "entry_points.txt").write_text("[codex_ml.metrics]\nno\n")
    done = site.run("codex_ml", "plugins", "list", "--check", "--group", "metrics")
    lines = [line for line in done.stdout.splitlines() if "codex-ml" not in line]
    assert lines[0].split() == ["group", "name", "from", "target", "state"]
    assert lines[1].split()[:6] == ["metrics", "good", "good", "1.0", "good:plugin", "ok,"]
    assert lines[2].startswith("problem: broken: ")
    assert (done.returncode, done.stderr) == (0, "")


def test_names_only_as_text(site: Site) -> None:
    site.metric("good")
    done = site.run("codex_ml.cli.list_plugins", "--names-only", "--group", "metrics")
    assert "metrics.good" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("plugin = 1\n", 0),
        ("raise OSError\n", 1),
        ("print('noise')\nplugin = 1\n", 1),
        ("CODEX_ML_API = 2\nplugin = 1\n", 1),
    ],
    ids=["good", "broken", "noisy", "incompatible"],
)
def test_check_fails_where_a_plugin_cannot_be_used(site: Site, code: str, status: int) -> None:
    site.metric("x", code)
    assert site.run("codex_ml", "plugins", "check", "--group", "metrics").returncode == status


def test_check_fails_on_a_conflict(site: Site) -> None:
    site.metric("a")
    site.install("b", "[codex_ml.metrics]\na = b:plugin\n", "plugin = 1\n")
    done = site.run("codex_ml", "plugins", "check", "--group", "metrics")
    assert done.returncode == 1
    assert "declared by a (a:plugin) and b (b:plugin)" in done.stdout


def test_describe(site: Site) -> None:
    site.pip_install(ROOT / "examples/codex-ml-plugin-example")
    done = site.run("codex_ml", "plugins", "describe", "trackers", "csv")
    assert done.returncode == 0
    assert done.stdout.startswith("trackers.csv(path: str = 'metrics.csv')")
    assert "Appends one line" in done.stdout
    done = site.run("codex_ml", "plugins", "describe", "trackers", "csv", "--format", "json")
    assert json.loads(done.stdout)["entry"]["owner"] == "codex-ml-plugin-example"


def test_describing_what_is_not_there_is_exit_2(site: Site) -> None:
    done = site.run("codex_ml", "plugins", "describe", "trackers", "no-such-tracker")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no plugin 'no-such-tracker' in group trackers")


def test_the_example_s_tracker_works(site: Site) -> None:
    site.pip_install(ROOT / "examples/codex-ml-plugin-example")
    code = (
        "from codex_ml import plugins\n"
        "tracker = plugins.get('trackers', 'csv')()\n"
        "tracker.log(1, {'loss': 2.5})\ntracker.close()\n"
    )
    (site.work / "use.py").write_text(code)
    site.run("use")
    assert (site.work / "metrics.csv").read_text().strip() == "1,loss,2.5"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("command", ["list", "check"])
def test_a_time_limit_that_is_none_is_refused(site: Site, command: str, seconds: str) -> None:
    done = site.run("codex_ml", "plugins", command, "--timeout", seconds)
    assert (done.returncode, done.stdout) == (2, "")
    assert seconds in done.stderr


def test_a_plugin_that_lacks_an_extra_names_it(site: Site) -> None:
    (site.folder / "numpy.py").write_text("raise ModuleNotFoundError(name='numpy')\n")
    done = site.run("codex_ml", "plugins", "describe", "datasets", "text")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("run pip install 'codex-ml[eval]'")
