"""What a terminal shows: 80 columns, nothing that steers it, no word cut."""

from hypothesis import given
from hypothesis import strategies as st

from audit.screen import COLUMNS, fit, wrap
from audit.visible import visible

PATH = (
    "src/a_package_with_a_long_name/that_holds_modules/with_even_longer_names/checkpointing.py:286"
)


def test_a_word_wider_than_the_terminal_stands_alone_and_whole() -> None:
    assert wrap(f"    lost: {PATH} weights are written", 8) == [
        "    lost:",
        f"        {PATH}",
        "        weights are written",
    ]


def test_commands_and_paths_with_blanks_are_not_torn() -> None:
    words = "x" * 60
    assert wrap(f"{words} `codex-audit gate --tighten` now", 2)[1] == (
        "  `codex-audit gate --tighten` now"
    )
    assert wrap(f"{words} changed my files/the model.py", 2, ["my files/the model.py"]) == [
        f"{words} changed",
        "  my files/the model.py",
    ]


def test_what_would_steer_a_terminal_or_start_a_line_is_shown() -> None:
    hostile = "a\ngate holds\x1b[2J\x00"
    assert wrap(hostile, 2) == [r"a\x0agate holds\x1b[2J\x00"]
    assert fit(hostile) == r"a\x0agate holds\x1b[2J\x00"


@given(st.text(max_size=300), st.integers(0, 30))
def test_a_line_is_too_wide_only_for_a_single_word_and_nothing_is_lost(
    line: str, hang: int
) -> None:
    rows = wrap(line, hang)
    for row in rows:
        assert len(row) <= COLUMNS or len(row.split()) == 1 or "`" in row
    assert "".join("".join(rows).split()) == "".join(visible(line).split())
