"""The decision as a terminal shows it, to the letter."""

from audit.gate import policy
from audit.model import Blame, Broken, Decision, Evidence, Waived, Waiver

SUBJECT = "Simplify the training loop by removing what is not needed when the run is short"
LONG = "src/package/training/engines/with_a_long_name/gradient_clipping_and_scaling.py"

CLIPPING = Broken(
    "no regression",
    f"train-grad-clipping was present at {LONG}:309 and is absent",
    f"restore {LONG}:309 clips with torch",
    "train-grad-clipping",
    (Evidence(LONG, 309, "train", "clips with torch"),),
    Blame("f99bc8bebf1e" + "0" * 28, SUBJECT, (f"changed {LONG}",)),
)
SLACK = Broken("strict baseline", "base.json is slack", "`codex-audit gate --tighten`")
WAIVER = Waiver("checkpoint-async", "the new cluster's storage decides how", "team", "2027-03-01")
DECISION = Decision(
    (CLIPPING, SLACK),
    (Waived("required practice checkpoint-async is absent", WAIVER),),
    ("origin/main has gone on: compared with 3adf61e154c3, where the two parted: see the page",),
)

SHOWN = f"""\
note: origin/main has gone on: compared with 3adf61e154c3, where the two parted:
    see the page
required practice checkpoint-async is absent: waived until 2027-03-01 by team:
    the new cluster's storage decides how
broken: no regression: train-grad-clipping was present at
        {LONG}:309
        and is absent
    by f99bc8bebf1e Simplify the training loop by removing what is not needed
        when the run is short:
        changed {LONG}
    smallest change: restore
        {LONG}:309
        clips with torch
broken: strict baseline: base.json is slack
    smallest change: `codex-audit gate --tighten`
gate broken by 2 rules
"""


def test_a_decision_is_80_columns_wide_and_cuts_no_path() -> None:
    assert policy.text(DECISION) == SHOWN


def test_one_rule_is_one_rule() -> None:
    assert policy.text(Decision((SLACK,), ())).endswith("\ngate broken by 1 rule\n")


def test_a_file_name_writes_no_line_of_its_own() -> None:
    lost = Blame("a" * 40, "subject", ("changed x\ngate holds",))
    rule = Broken("no regression", "lost at x\ngate holds:1", "restore it", blame=lost)
    assert "gate holds" not in policy.text(Decision((rule,), ())).splitlines()
