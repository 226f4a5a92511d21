"""How repositories write a practice, and what only looks like it: ``idioms/PRACTICE.toml``."""

import tomllib
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from audit.practices import registry
from tests.audit.build import decided

IDIOMS = {
    file.stem: tomllib.loads(file.read_text())
    for file in sorted((Path(__file__).parent / "idioms").glob("*.toml"))
}


def idioms(status: str) -> list[ParameterSet]:
    """Return a parameter ``(practice, text)`` for every idiom with this status."""
    return [
        pytest.param(practice, one["text"], id=f"{practice}: {one['idiom']}")
        for practice, table in IDIOMS.items()
        for one in table[status]
    ]


@pytest.mark.parametrize(("practice", "text"), idioms("present"))
def test_an_idiom_is_recognised(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), idioms("absent"))
def test_a_near_miss_is_none(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result


def test_every_practice_has_three_idioms_and_three_near_misses() -> None:
    assert IDIOMS.keys() == {one.id for one in registry.declared()}
    for practice, table in IDIOMS.items():
        assert min(len(table["present"]), len(table["absent"])) >= 3, practice
