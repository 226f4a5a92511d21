"""Scores: the arithmetic, and what it must never do."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audit.config import DEFAULT_WEIGHTS
from audit.model import COMPONENTS, CapabilityResult, Evidence, PracticeResult
from audit.stages.scoring import normalised, overall, score

WEIGHTS, _ = normalised(DEFAULT_WEIGHTS)


def practice(name: str, role: str, status: str, *evidence: Evidence) -> PracticeResult:
    row = {
        "id": name,
        "role": role,
        "status": status,
        "rung": "present",
        "looked_for": "",
        "page": "",
    }
    return msgspec.convert(row | {"evidence": evidence}, PracticeResult)


evidence = st.builds(
    Evidence, st.just("a.py"), st.just(1), st.sampled_from(["a:f", "a:g", "a:h"]), st.just(""),
    code=st.booleans(), tested=st.booleans(), documented=st.booleans(),
)  # fmt: skip
practices = st.lists(
    st.builds(
        lambda role, status, found: practice(
            "p", role, status, *(found if status == "present" else ())
        ),
        st.sampled_from(["functionality", "safeguard"]),
        st.sampled_from(["present", "absent", "not_applicable", "unknown"]),
        st.lists(evidence, min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=8,
).map(lambda rows: tuple(msgspec.structs.replace(row, id=f"p{n}") for n, row in enumerate(rows)))


def scored(rows: tuple[PracticeResult, ...], **duplicated: float) -> CapabilityResult:
    shares = {name.replace("_", ":"): value for name, value in duplicated.items()}
    return score("c", rows, WEIGHTS, {}, shares)


@given(practices)
def test_the_score_is_the_weighted_sum_of_its_components(rows: tuple[PracticeResult, ...]) -> None:
    found = scored(rows)
    total = sum(WEIGHTS[name] * getattr(found.components, name) for name in COMPONENTS)
    assert abs(found.score - total) < 1e-5
    assert 0 <= found.interval[0] <= found.score <= found.interval[1] <= 1


@given(practices)
def test_without_functionality_everything_is_zero(rows: tuple[PracticeResult, ...]) -> None:
    found = scored(tuple(row for row in rows if row.role == "safeguard") or rows)
    if not any(r.role == "functionality" and r.status == "present" for r in found.practices):
        assert found.score == 0
        assert all(getattr(found.components, name) == 0 for name in COMPONENTS)


@given(practices)
def test_losing_a_practice_never_raises_the_score(rows: tuple[PracticeResult, ...]) -> None:
    before = scored(rows)
    for place, row in enumerate(rows):
        if row.status == "present":
            lost = msgspec.structs.replace(row, status="absent", evidence=())
            after = scored((*rows[:place], lost, *rows[place + 1 :]))
            assert after.score <= before.score + 1e-5


def test_an_unknown_practice_widens_the_interval_and_counts_as_absent() -> None:
    code = Evidence("a.py", 1, "a:f", "", tested=True, documented=True)
    rows = (
        practice("a", "functionality", "present", code),
        practice("b", "functionality", "unknown"),
    )
    found = scored(rows)
    assert found.components.functionality == 0.5
    assert found.interval[1] > found.score


def test_duplicated_code_lowers_consistency() -> None:
    code = Evidence("a.py", 1, "a:f", "", tested=True, documented=True)
    rows = (practice("a", "functionality", "present", code),)
    assert scored(rows).components.consistency == 1
    assert scored(rows, a_f=0.4).components.consistency == 0.6


def test_a_cap_bounds_what_a_component_gives() -> None:
    code = Evidence("a.py", 1, "a:f", "", tested=True, documented=True)
    rows = (practice("a", "functionality", "present", code),)
    free, capped = score("c", rows, WEIGHTS, {}, {}), score("c", rows, WEIGHTS, {"tests": 0.5}, {})
    assert abs(free.score - capped.score - WEIGHTS["tests"] * 0.5) < 1e-6


def test_what_the_configuration_excludes_leaves_mean_and_minimum() -> None:
    code = Evidence("a.py", 1, "a:f", "", tested=True, documented=True)
    good = score("a", (practice("a", "functionality", "present", code),), WEIGHTS, {}, {})
    out = score("b", (practice("b", "functionality", "absent"),), WEIGHTS, {}, {}, "not what we do")
    assert out.status == "not_applicable"
    assert overall([good, out]) == (good.score, good.score)


def test_weights_that_do_not_sum_to_one_are_divided_with_a_warning() -> None:
    weights, warnings = normalised({"functionality": 2.0, "tests": 2.0})
    assert weights["functionality"] == weights["tests"] == 0.5
    assert warnings == ("weights sum to 4, not 1: they were divided by it",)
