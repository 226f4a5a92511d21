"""A history as table, JSON, CSV and chart, hostile commits included."""

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import templates
from audit.history import trend
from audit.history.scores import History, Point
from audit.model import TOOL

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> & \"quoted\", line"


def point(number: int, mean: float, **more: object) -> Point:
    scores = {"checkpointing": mean, "tokenization": None}
    values = {"commit": f"{number:040x}", "time": "2026-01-02T03:04:05Z", "subject": HOSTILE, "mean": mean,
              "minimum": mean / 2, "scores": scores, "present": number}  # fmt: skip
    return Point(**values | more)  # type: ignore[arg-type]


HISTORY = History(
    1, TOOL, "<b>name</b>", "c" * 64, "d" * 64,
    (
        point(1, 0.25),
        point(2, 0.5, moved=(("checkpointing", 0.25, 0.5),), gained=("checkpoint-save",), files=("added <i>.py",)),
        point(3, 0.4, moved=(("checkpointing", 0.5, 0.4),), lost=("checkpoint-load",)),
    ),
)  # fmt: skip


def rendered(form: str) -> str:
    return trend.FORMATS[form](HISTORY, templates.load())


def test_the_table_fits_a_terminal_and_names_changes() -> None:
    lines = rendered("text").splitlines()
    assert max(map(len, lines)) <= 80
    assert any("+ checkpoint-save" in line for line in lines)
    assert any("- checkpoint-load" in line for line in lines)
    assert any("0.500 +0.250" in line for line in lines)


def test_json_is_the_value() -> None:
    assert json.loads(rendered("json"))["points"][2]["lost"] == ["checkpoint-load"]


def test_csv_is_read_back_and_holds_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(rendered("csv"))))
    assert [float(row["mean"]) for row in rows] == [0.25, 0.5, 0.4]
    assert [row["tokenization"] for row in rows] == ["", "", ""]
    assert rows[0]["subject"] == "'" + HOSTILE


def test_the_svg_is_well_formed_and_shows_every_change() -> None:
    root = ET.fromstring(rendered("svg"))  # noqa: S314 - our own output
    space = {"s": "http://www.w3.org/2000/svg"}
    marks = root.findall(".//s:circle", space)
    assert [one.get("class") for one in marks] == ["better", "worse"]
    assert "+ checkpoint-save" in (marks[0][0].text or "")
    assert len(root.findall(".//s:path", space)) == 4
    assert root.findall(".//s:script", space) == []


@pytest.mark.parametrize("form", ["svg", "html"])
def test_what_a_commit_says_is_no_markup(form: str) -> None:
    page = rendered(form)
    assert "<script" not in page
    assert "<b>name" not in page
    assert "<i>.py" not in page
    assert "src=" not in page
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")


SCORES = st.one_of(st.none(), st.floats(0, 1))


@settings(deadline=None)
@given(st.lists(SCORES, min_size=1, max_size=30))
def test_a_path_stays_in_its_box_and_starts_anew_after_a_gap(scores: list[float | None]) -> None:
    words = trend.path(scores, (100.0, 40.0)).replace("M", "M ").replace("L", "L ").split()
    starts = sum(
        one is not None and (place == 0 or scores[place - 1] is None)
        for place, one in enumerate(scores)
    )
    assert words.count("M") == starts
    numbers = [float(one) for one in words if one[0] not in "MLH"]
    assert all(0 <= one <= 100 for one in numbers)
