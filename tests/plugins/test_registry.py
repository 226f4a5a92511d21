"""Registering, looking up, disabling, overriding: who owns a name is never a guess."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from codex_ml import plugins
from codex_ml.errors import CodexError
from codex_ml.plugins.errors import (
    DisabledPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    PluginLoadError,
    UnknownPluginError,
)
from codex_ml.plugins.metadata import Entry
from codex_ml.plugins.registry import Registry
from codex_ml.plugins.settings import Settings, read


def registry(*declared: Entry, **environ: str) -> Registry:
    return Registry(lambda: list(declared), lambda: read(environ, "no-such-file"))


def entry(name: str, target: str = "json:dumps", owner: str = "pkg") -> Entry:
    return Entry("metrics", name, target, owner, "1.0")


def one() -> int:
    """Return 1."""
    return 1


def two() -> int:
    return 2


@pytest.fixture
def module() -> Iterator[ModuleType]:
    found = sys.modules["plugin_under_test"] = ModuleType("plugin_under_test")
    yield found
    del sys.modules["plugin_under_test"]


def test_registered_by_call_and_by_decorator() -> None:
    mine = registry()
    assert mine.register("metrics", "One", one) is one
    assert mine.register("metrics", "two")(two) is two
    assert mine.names("metrics") == ("one", "two")
    assert mine.get("metrics", "ONE") is one


def test_the_package_s_functions_are_one_registry() -> None:
    plugins.register("trackers", "registered-by-a-test", one)
    assert plugins.get("trackers", "registered_by_a_test") is one
    assert "registered-by-a-test" in plugins.names("trackers")


def test_an_installed_plugin_is_imported_when_it_is_got() -> None:
    import json

    mine = registry(entry("dumps"))
    assert mine.get("metrics", "dumps") is json.dumps
    assert mine.get("codex_ml.metrics", "dumps") is json.dumps


def test_listing_and_naming_import_nothing() -> None:
    mine = registry(entry("absent", "no_such_module:x"))
    assert mine.names("metrics") == ("absent",)
    assert [row.name for row in mine.entries()] == ["absent"]


def test_two_registrations_of_one_name_name_both() -> None:
    mine = registry()
    mine.register("metrics", "x", one)
    with pytest.raises(DuplicatePluginError, match=r"two.* is registered by .*one already"):
        mine.register("metrics", "X", two)
    assert mine.get("metrics", "x") is one


def test_two_instances_or_lambdas_are_two_plugins() -> None:
    mine = registry()
    mine.register("metrics", "x", Settings())
    with pytest.raises(DuplicatePluginError):
        mine.register("metrics", "x", Settings((("metrics", "y", "me"),)))
    mine.register("metrics", "y", lambda: 1)
    with pytest.raises(DuplicatePluginError):
        mine.register("metrics", "y", lambda: 2)


def test_defining_a_plugin_again_replaces_it() -> None:
    def define() -> Any:
        def metric() -> None: ...

        metric.__qualname__ = "metric"  # as at the top of a reloaded module
        return metric

    mine = registry()
    mine.register("metrics", "x", define())
    again = mine.register("metrics", "x", define())
    assert mine.get("metrics", "x") is again


def test_override_replaces_a_registration_and_an_installed_plugin() -> None:
    mine = registry(entry("x"))
    mine.register("metrics", "x", one, override=True)
    assert mine.get("metrics", "x") is one
    states = {row.target: row.state for row in mine.entries()}
    assert states == {f"{__name__}:one": "available", "json:dumps": "overridden"}


@pytest.mark.parametrize("owners", [("a", "b"), ("b", "a")])
def test_two_distributions_of_one_name_name_both(owners: tuple[str, str]) -> None:
    mine = registry(*(entry("x", f"{owner}:x", owner) for owner in owners))
    with pytest.raises(DuplicatePluginError, match=r"a \(a:x\) and b \(b:x\)"):
        mine.get("metrics", "x")
    assert mine.names("metrics") == ()
    assert [row.state for row in mine.entries()] == ["conflict", "conflict"]


def test_code_and_distribution_of_one_name_conflict() -> None:
    mine = registry(entry("x"))
    mine.register("metrics", "x", one)
    with pytest.raises(DuplicatePluginError, match="json:dumps"):
        mine.get("metrics", "x")


def test_a_module_may_declare_and_register_its_plugin() -> None:
    mine = registry(entry("x", f"{__name__}:one"))
    mine.register("metrics", "x", one)
    assert mine.get("metrics", "x") is one


def test_the_environment_settles_a_conflict() -> None:
    rows = entry("x", "a:x", "a"), entry("x", "b:x", "b")
    mine = registry(*rows, CODEX_ML_PLUGINS_OVERRIDE="metrics.x=json:loads")
    assert mine.get("metrics", "x").__name__ == "loads"


@pytest.mark.parametrize("pattern", ["metrics.x", "metrics.*", "codex_ml.metrics.x"][:2])
def test_a_disabled_plugin_says_who_disabled_it(pattern: str) -> None:
    mine = registry(entry("x"), CODEX_ML_PLUGINS_DISABLE=pattern)
    with pytest.raises(DisabledPluginError, match="by CODEX_ML_PLUGINS_DISABLE"):
        mine.get("metrics", "x")
    assert mine.names("metrics") == ()


def test_disabling_beats_overriding() -> None:
    mine = registry(
        CODEX_ML_PLUGINS_DISABLE="metrics.x", CODEX_ML_PLUGINS_OVERRIDE="metrics.x=json:loads"
    )
    with pytest.raises(DisabledPluginError):
        mine.get("metrics", "x")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownPluginError, match="did you mean 'rouge-l'"):
        registry(entry("rouge-l")).get("metrics", "rogue_l")
    with pytest.raises(UnknownPluginError, match="there is none"):
        registry().get("metrics", "x")


@pytest.mark.parametrize("group", ["metric", "", "codex_ml.", "codex_audit.practices"])
def test_an_unknown_group_is_refused(group: str) -> None:
    with pytest.raises(UnknownPluginError):
        registry().get(group, "x")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("no_such_module:x", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:no_such", "AttributeError"),
    ],
)
def test_a_broken_plugin_is_an_error_with_its_owner_and_the_cure(target: str, says: str) -> None:
    mine = registry(entry("x", target), entry("good"))
    with pytest.raises(PluginLoadError, match=says) as caught:
        mine.get("metrics", "x")
    assert "of pkg" in str(caught.value)
    assert "CODEX_ML_PLUGINS_DISABLE=metrics.x" in str(caught.value)
    assert isinstance(caught.value, CodexError)
    assert mine.get("metrics", "good")


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_another_api_version_is_refused(module: ModuleType, version: object) -> None:
    vars(module).update(x=one, CODEX_ML_API=version)
    with pytest.raises(IncompatiblePluginError, match=f"plugin API {version!r}"):
        registry(entry("x", "plugin_under_test:x")).get("metrics", "x")


def test_the_plugin_s_own_marker_beats_its_module_s(module: ModuleType) -> None:
    class Plugin:
        CODEX_ML_API = 1

    vars(module).update(x=Plugin, CODEX_ML_API=2)
    assert registry(entry("x", "plugin_under_test:x")).get("metrics", "x") is Plugin


def test_what_a_plugin_prints_at_import_stays_off_stdout(
    capfd: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noisy_plugin.py").write_text(
        "import os\nprint('printed')\nos.write(1, b'raw\\n')\nx = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    print("before")
    assert registry(entry("x", "noisy_plugin:x")).get("metrics", "x") == 1
    print("after")
    out, err = capfd.readouterr()
    assert out == "before\nafter\n"
    assert sorted(err.split()) == ["printed", "raw"]


def test_describe_gives_signature_and_documentation() -> None:
    mine = registry(entry("one", f"{__name__}:one"), entry("value", "sys:maxsize"))
    assert mine.describe("metrics", "one").signature == "() -> int"
    assert mine.describe("metrics", "one").doc == "Return 1."
    assert mine.describe("metrics", "value").signature == ""
