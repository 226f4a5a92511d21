"""The listing's contract: stdout is one JSON document, stderr is empty, exit 0."""

import json
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import Any

import jsonschema
import pytest

from tests.plugins.site import ROOT, Site

SCHEMA = json.loads((ROOT / "docs/schemas/plugins.schema.json").read_text())
COMMANDS = {
    "module": ("codex_ml.cli.list_plugins",),
    "subcommand": ("codex_ml", "plugins", "list"),
}

PRINTS = "print('hello from', __name__)\nplugin = 1\n"
RAISES = "raise RuntimeError('no such GPU')\n"
SLEEPS = "import time\ntime.sleep(3)\nplugin = 1\n"
DESCRIPTOR = "import os\nos.write(1, b'raw\\xff')\nplugin = 1\n"
EXITS = "import os\nos._exit(0)\n"
QUITS = "import sys\nsys.exit('bye')\n"
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
OTHER_API = "CODEX_ML_API = 99\nplugin = 1\n"
FLOODS = "import sys\nfor _ in range(3000): print('x' * 1000)\nplugin = 1\n"
DAEMON = (
    "import subprocess, sys\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nplugin = 1\n"
)


def listing(site: Site, *options: str, command: str = "module", **variables: str) -> dict[str, Any]:
    """Run the command, hold it to its contract and return the document."""
    done = site.run(*COMMANDS[command], "--format", "json", *options, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return document


def third_party(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in document["plugins"] if row["owner"] != "codex-ml"]


def checked(site: Site, name: str, code: str, *options: str) -> dict[str, Any]:
    """Install one plugin and return what --check says of it."""
    site.metric(name, code)
    (row,) = third_party(listing(site, "--check", "--group", "metrics", *options))
    check: dict[str, Any] = row["check"]
    return check


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "check", [(), ("--check", "--group", "metrics")], ids=["metadata", "check"]
)
def test_no_plugins(site: Site, command: str, check: tuple[str, ...]) -> None:
    assert third_party(listing(site, *check, command=command)) == []


def test_every_plugin_of_our_own_is_good_or_names_the_library_that_it_misses(site: Site) -> None:
    # With the bytecode that is there: compiling torch anew takes longer than the test.
    rows = listing(site, "--check", "--timeout", "60", PYTHONPYCACHEPREFIX="")["plugins"]
    own = {row["name"]: row["check"] for row in rows if row["owner"] == "codex-ml"}
    assert own.keys() == {row["name"] for row in rows}
    for name, check in own.items():
        missing = re.search(r"(\w+) is not installed: run pip install", check["error"] or "")
        assert (check["outcome"] == "ok") is not (
            missing is not None and find_spec(missing[1]) is None
        ), (name, check)


@pytest.mark.parametrize("command", COMMANDS)
def test_500_plugins(site: Site, command: str) -> None:
    for number in range(500):
        site.metric(f"plugin-{number:03}")
    rows = third_party(listing(site, command=command))
    assert [row["name"] for row in rows] == [f"plugin-{number:03}" for number in range(500)]
    assert {row["state"] for row in rows} == {"available"}


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_of_a_plugin_is_imported_without_check(site: Site, command: str) -> None:
    for name, code in [("prints", PRINTS), ("raises", RAISES), ("raw", DESCRIPTOR)]:
        site.metric(name, f"open('imported', 'w')\n{code}")
    start = time.perf_counter()
    site.metric("sleeps", SLEEPS)
    rows = third_party(listing(site, command=command))
    assert time.perf_counter() - start < 3
    assert [row["name"] for row in rows] == ["prints", "raises", "raw", "sleeps"]
    assert list(site.work.iterdir()) == []


def test_check_captures_what_a_plugin_prints(site: Site) -> None:
    check = checked(site, "prints", PRINTS)
    assert (check["outcome"], check["output"]) == ("ok", "hello from prints\n")


def test_check_captures_what_goes_to_file_descriptor_1(site: Site) -> None:
    assert checked(site, "raw", DESCRIPTOR)["output"] == "raw\N{REPLACEMENT CHARACTER}"


def test_check_cuts_a_flood(site: Site) -> None:
    check = checked(site, "floods", FLOODS)
    assert (check["outcome"], len(check["output"])) == ("ok", 10_000)


def test_check_reports_what_a_plugin_raises(site: Site) -> None:
    check = checked(site, "raises", RAISES)
    assert check["outcome"] == "broken"
    assert "RuntimeError: no such GPU" in check["error"]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (EXITS, "status 0"),
        (DIES, "SIGSEGV"),
        (QUITS, "SystemExit: bye"),
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("", "has no attribute 'plugin'"),
    ],
    ids=["exits", "is killed", "quits", "syntax error", "missing import", "missing attribute"],
)
def test_check_reports_how_a_plugin_fails(site: Site, code: str, says: str) -> None:
    check = checked(site, "fails", code)
    assert check["outcome"] == "broken"
    assert says in check["error"]


def test_check_times_a_slow_plugin(site: Site) -> None:
    check = checked(site, "sleeps", SLEEPS)
    assert check["outcome"] == "ok"
    assert check["seconds"] >= 3


def test_check_ends_a_plugin_that_is_too_slow(site: Site) -> None:
    start = time.perf_counter()
    check = checked(site, "sleeps", "import time\ntime.sleep(60)\n", "--timeout", "0.5")
    assert (check["outcome"], check["seconds"]) == ("timeout", None)
    assert time.perf_counter() - start < 10


def test_check_ends_what_a_plugin_started(site: Site) -> None:
    start = time.perf_counter()
    assert checked(site, "daemon", DAEMON)["outcome"] == "ok"
    assert time.perf_counter() - start < 30


def test_check_refuses_another_api_version(site: Site) -> None:
    check = checked(site, "other", OTHER_API)
    assert check["outcome"] == "incompatible"
    assert "plugin API 99" in check["error"]


def test_one_bad_plugin_does_not_hide_the_others(site: Site) -> None:
    for name, code in [("aa", EXITS), ("bb", RAISES), ("cc", "plugin = 1\n")]:
        site.metric(name, code)
    rows = third_party(listing(site, "--check", "--group", "metrics"))
    assert [row["check"]["outcome"] for row in rows] == ["broken", "broken", "ok"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[codex_ml.metrics]\nbad line\n", "no entry point"),
        (b"[codex_ml.metrics]\nx = not a target\n", "no entry point"),
        (b"[codex_ml.metrics]\n... = a:b\n", "no plugin name"),
        (b"[codex_ml.metrics]\n\xff = a:b\n", "not UTF-8"),
    ],
    ids=["no equals sign", "bad target", "bad name", "bad bytes"],
)
def test_broken_metadata_is_a_problem_with_its_place(site: Site, data: bytes, problem: str) -> None:
    (site.metric("broken") / "entry_points.txt").write_bytes(data)
    site.metric("good")
    document = listing(site)
    assert [row["name"] for row in third_party(document)] == ["good"]
    (found,) = document["problems"]
    assert found["where"].startswith("broken: ")
    assert problem in found["message"]


def test_metadata_that_is_not_ours_is_not_our_problem(site: Site) -> None:
    (site.metric("broken") / "entry_points.txt").write_bytes(b"[console_scripts]\n\xff\n")
    (site.metric("odd") / "entry_points.txt").unlink()
    (site.folder / ".dist-info").mkdir()
    (site.folder / "file.dist-info").write_text("no directory")
    document = listing(site)
    assert (third_party(document), document["problems"]) == ([], [])


def test_names_only(site: Site) -> None:
    site.metric("good")
    site.metric("bad", RAISES)
    found = listing(site, "--names-only", "--group", "metrics")["names"]["metrics"]
    assert {"good", "bad"} <= set(found)
    found = listing(site, "--names-only", "--check", "--group", "metrics")["names"]["metrics"]
    assert {"good", "bad"} & set(found) == {"good"}


def test_the_audit_engine_s_practices_are_listed_beside(site: Site) -> None:
    site.install("rules", "[codex_audit.practices]\nmine = rules:practice\n")
    (row,) = listing(site, "--group", "codex_audit.practices")["plugins"]
    assert (row["name"], row["owner"], row["version"]) == ("mine", "rules", "1.0")


def test_an_unknown_group_is_one_line_and_exit_2(site: Site) -> None:
    done = site.run(*COMMANDS["module"], "--format", "json", "--group", "metricks")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no plugin group 'metricks'")


@pytest.mark.parametrize("command", COMMANDS)
def test_listing_takes_60_ms(site: Site, command: str) -> None:
    """With 137 distributions of which 40 have plugins, beside those of this environment.

    60 ms is promised where a bare interpreter takes 11 ms, as on the machine of the
    other figures; this machine's own bare interpreter is timed beside it, and the
    best of up to 40 rounds counts: what the program needs, not its neighbours.
    """
    for number in range(137):
        site.metric(f"plugin-{number}") if number < 40 else site.install(f"other-{number}", "")
    listing = bare = float("inf")
    for _ in range(40):
        bare = min(bare, seconds(site, "-c", "pass"))
        listing = min(listing, seconds(site, "-m", *COMMANDS[command], "--format", "json"))
        if listing <= 0.060 * max(1, bare / 0.011):
            return
    pytest.fail(f"{listing * 1000:.0f} ms, where a bare interpreter takes {bare * 1000:.0f} ms")


def seconds(site: Site, *arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        env=site.environment(),
        cwd=site.work,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def test_a_real_wheel_is_listed_and_checked(site: Site) -> None:
    """The example distribution, built and installed by pip."""
    site.pip_install(ROOT / "examples/codex-ml-plugin-example")
    rows = [
        row
        for group in ("metrics", "trackers")
        for row in third_party(listing(site, "--check", "--group", group))
    ]
    assert [(row["group"], row["name"], row["check"]["outcome"]) for row in rows] == [
        ("metrics", "length-ratio", "ok"),
        ("trackers", "csv", "ok"),
    ]
    assert {row["owner"] for row in rows} == {"codex-ml-plugin-example"}
    assert [row["check"]["output"] for row in rows] == ["", ""]
