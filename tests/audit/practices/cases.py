"""Tables of example texts, as parameters with ids that read as sentences."""

import pytest
from _pytest.mark import ParameterSet


def cases(table: dict[str, dict[str, str]]) -> list[ParameterSet]:
    """Return a parameter ``(practice, text)`` for every text of a table."""
    return [
        pytest.param(practice, text, id=f"{practice}: {name}")
        for practice, rows in table.items()
        for name, text in rows.items()
    ]
