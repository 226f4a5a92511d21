"""The smallest change is found by scoring again."""

import pytest

from audit.config import Config
from audit.gate.cures import Cure
from audit.model import CapabilityResult, Decisions, Evidence, PracticeResult, SourceInfo
from audit.practices.catalogue import built_in
from audit.practices.registry import practices
from audit.stages.scoring import score_all

IDS = [one for one in built_in() if one.capability in ("checkpointing", "tokenization")]
PRACTICES = {one.id: one for one in practices()}


def cure(absent: set[str], *, tested: bool) -> tuple[Cure, tuple[CapabilityResult, ...]]:
    evidence = (Evidence("a.py", 1, "a:f", "does it", "wired", tested=tested, documented=tested),)
    rows: dict[str, list[PracticeResult]] = {}
    for one in IDS:
        there = one.id not in absent
        rows.setdefault(one.capability, []).append(
            PracticeResult(
                one.id, one.role, "present" if there else "absent", "wired" if there else "none",
                evidence if there else (), "", "",
            )
        )  # fmt: skip
    decided = tuple((name, tuple(found)) for name, found in rows.items())
    decisions = Decisions(SourceInfo("r", "", "", False), "library", "", decided, {}, ())
    return Cure(decisions, PRACTICES, Config()), score_all(decided, Config(), {})


def reaches(bar: float, capabilities: tuple[CapabilityResult, ...]) -> bool:
    return all(one.score >= bar for one in capabilities)


@pytest.mark.parametrize(
    ("more", "step"), [(0.01, "checkpoint-atomic"), (0.062, "checkpoint-async")]
)
def test_the_least_single_step_that_is_enough_is_chosen(more: float, step: str) -> None:
    found, (checkpointing, _) = cure({"checkpoint-async", "checkpoint-atomic"}, tested=True)
    bar = checkpointing.score + more
    steps = found.smallest((checkpointing,), lambda them: reaches(bar, them))
    assert steps.startswith(f"{step}: add: ")
    assert ";" not in steps


def test_steps_add_up_until_it_holds() -> None:
    found, (checkpointing, _) = cure({"checkpoint-async", "checkpoint-atomic"}, tested=True)
    steps = found.smallest((checkpointing,), lambda them: reaches(0.999, them)).split("; ")
    assert {one.partition(":")[0] for one in steps} == {"checkpoint-async", "checkpoint-atomic"}


def test_tests_and_pages_are_steps_too() -> None:
    found, (_, tokenization) = cure(set(), tested=False)
    steps = found.smallest((tokenization,), lambda them: reaches(0.999, them))
    assert "test the evidence that no test reaches in a:f" in steps
    assert "name the evidence in the docs in a:f" in steps


@pytest.mark.parametrize("bar", [1.5])
def test_what_cannot_be_reached_is_said(bar: float) -> None:
    found, capabilities = cure({"checkpoint-async"}, tested=True)
    steps = found.smallest(capabilities, lambda them: reaches(bar, them))
    assert steps == "no small change is enough: `codex-audit explain` shows the arithmetic"
