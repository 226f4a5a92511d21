"""Which programs a command line starts."""

import pytest

from audit.practices.shell import argvs


@pytest.mark.parametrize(
    ("text", "program"),
    [
        pytest.param("pytest -q", "pytest", id="plain"),
        pytest.param("CUDA_VISIBLE_DEVICES= python -m pytest -q", "pytest", id="module"),
        pytest.param("uv run --extra test pytest -q", "pytest", id="launcher with an option"),
        pytest.param("${PREFIX}pytest -q", "pytest", id="prefix in a variable"),
        pytest.param("$(PYTHON) -m pytest -q", "pytest", id="interpreter in a make variable"),
        pytest.param(
            "WANDB_DISABLED=true $(RUN) pytest tests", "pytest", id="launcher in a variable"
        ),
        pytest.param("$(RUFF) check src", "ruff", id="program in a make variable"),
        pytest.param("docker run image bash -c 'cd /src && pytest -q'", "pytest", id="quoted"),
        pytest.param("if true; then coverage run -m pytest; fi", "pytest", id="condition"),
    ],
)
def test_started(text: str, program: str) -> None:
    assert program in {argv[0] for argv in argvs(text)}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("pip install pytest", id="installed"),
        pytest.param("uv pip install pytest", id="installed by a launcher"),
        pytest.param("echo 'run pytest'", id="mentioned"),
        pytest.param("git add pytest", id="an argument"),
        pytest.param("$(PIP) install pytest", id="installed by a variable"),
        pytest.param("python -c 'import pytest'", id="code"),
        pytest.param("make check  # or (pytest alone)", id="a comment"),
        pytest.param("uv venv pytest", id="an environment"),
    ],
)
def test_not_started(text: str) -> None:
    assert "pytest" not in {argv[0] for argv in argvs(text)}
