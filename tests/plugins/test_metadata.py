"""Entry points are read like the packaging standard says, and nothing stops the reader."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.plugins.errors import PluginError
from codex_ml.plugins.groups import normalise
from codex_ml.plugins.metadata import installed, is_target
from tests.plugins.site import Site


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("Rouge_L", "rouge-l"), ("a.b--c", "a-b-c"), (" My Metric ", "my-metric"), ("é", "é")],
)
def test_names_have_one_spelling(written: str, canonical: str) -> None:
    assert normalise(written) == canonical


@pytest.mark.parametrize("name", ["", "--", " . "])
def test_a_name_without_letters_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match="no plugin name"):
        normalise(name)


@given(st.text())
def test_normalising_twice_changes_nothing(name: str) -> None:
    try:
        once = normalise(name)
    except PluginError:
        return
    assert normalise(once) == once


@pytest.mark.parametrize("target", ["a", "a.b", "a:b", "a.b:c.d", "_a:B1"])
def test_targets(target: str) -> None:
    assert is_target(target)


@pytest.mark.parametrize("target", ["", ":", "a:", ":b", "a b:c", "a..b:c", "1a:b", "a:b:c", "a-b"])
def test_near_targets(target: str) -> None:
    assert not is_target(target)


def test_comments_blanks_extras_and_other_groups(site: Site) -> None:
    text = """
    # comment
    [console_scripts]
    x = not:ours
    ; comment
    [ codex_ml.models ]
      Tiny_Model=pkg.mod:Class.method [gpu]
    """
    site.install("pkg", text)
    ((entry,), problems) = installed([str(site.folder)])
    assert entry[:5] == ("models", "tiny-model", "pkg.mod:Class.method", "pkg", "1.0")
    assert problems == []


def test_the_first_of_two_installations_counts(tmp_path: Path) -> None:
    first, second = Site(tmp_path / "first"), Site(tmp_path / "second")
    first.install("pkg", "[codex_ml.models]\na = pkg:one\n")
    second.install("Pkg", "[codex_ml.models]\na = pkg:two\n")
    entries, _ = installed([str(first.folder), str(second.folder)])
    assert [entry.target for entry in entries] == ["pkg:one"]


def test_legacy_egg_info(site: Site) -> None:
    info = site.folder / "old_pkg-2.0-py3.11.egg-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[codex_ml.models]\na = pkg:one\n")
    ((entry,), _) = installed([str(site.folder)])
    assert (entry.owner, entry.version) == ("old-pkg", "2.0")


def test_a_path_that_is_no_folder_is_passed_over(tmp_path: Path) -> None:
    assert installed([str(tmp_path / "no"), str(Path(__file__))]) == ([], [])


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_entries_or_problems(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    info = tmp_path_factory.mktemp("any") / "pkg-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_bytes(b"[codex_ml.metrics]\n" + data)
    entries, problems = installed([str(info.parent)])
    assert all(is_target(entry.target) and entry.owner == "pkg" for entry in entries)
    assert all(problem.where.startswith("pkg: ") for problem in problems)
