"""``practices``: a practice's page in the terminal."""

from tests.audit.conftest import Call


def test_prose_is_80_columns_wide_and_code_stands_as_written(call: Call) -> None:
    lines = call("practices", "checkpoint-save").stdout.splitlines()
    assert lines[0] == "checkpoint-save: Model weights are written to storage"
    assert max(map(len, lines)) <= 80
    assert "      torch.save(model.state_dict(), path)" in lines
    assert "  A helper that is handed an object without any telling name is not followed" in lines
    assert lines[lines.index("Limits") + 2] == "  further than its direct callers."
