"""Commands of scripts and targets of Makefiles."""

from audit.facts import script
from audit.facts.model import Command, Target


def test_targets_name_what_they_need() -> None:
    facts = script.make(b"check: style | types\n\nstyle:\n\truff check .\n")
    assert facts.targets == (Target(1, "check", ("style", "types")), Target(3, "style"))


def test_recipe_lines_are_joined_at_continuations() -> None:
    facts = script.make(b"test:\n\t@pytest -q \\\n\t  tests\n")
    assert facts.commands == (Command(2, "pytest -q tests"),)


def test_a_variable_is_no_target() -> None:
    assert script.make(b"dirs := src\nPYTHON ?= python\n").targets == ()
