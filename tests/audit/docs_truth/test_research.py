"""What pages of research code do: skipped with a reason, where its near miss is found."""

import pytest

from audit.docs_truth import engine
from audit.docs_truth.model import Report
from tests.audit.docs_truth.sample import world

BASE = {"pyproject.toml": '[project]\nname = "kit"\n', "kit/__init__.py": ""}


def report(*parts: dict[str, str]) -> Report:
    files = dict(BASE)
    for part in parts:
        files |= part
    return engine.check(world(files))


def found(*parts: dict[str, str]) -> list[str]:
    """Return the kinds of what is found in files; a later part's files count."""
    return [one.kind for one in report(*parts).findings]


def page(text: str) -> dict[str, str]:
    return {"docs/a.md": f"# A\n\n{text}\n"}


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("Args:\n        steps: a dict with the following keys:\n        depth: one.", False),
        ("Args:\n        steps: a dict.\n        depth: one.", True),
        (":param steps - how many, eg: 3\n    :param steps - a count\n    :return a map of: x", False),
        (":param int depth: how deep", True),
        (":param steps count: how many", True),
        ("Parameters\n    ----------\n    steps : int\n\n    Returns:\n\n    depth : int", False),
        ("Parameters\n    ----------\n    steps : int\n\n    depth : int", True),
        ("Args:\n        steps: many.\n\n    Parameters:\n        depth: of the settings.", False),
        ("Parameters:\n        depth: of the settings.", True),
    ],
)  # fmt: skip
def test_a_docstring_says_what_is_a_parameter(said: str, wrong: bool) -> None:
    code = f'def run(steps):\n    """Run.\n\n    {said}\n    """\n    return steps\n'
    assert found({"kit/core.py": code}, page("Run.")) == ["docstring-parameter"] * wrong


@pytest.mark.parametrize(
    ("made", "kinds"),
    [("argparse.ArgumentParser()", []), ("argparse.Namespace()", ["docstring-parameter"])],
)
def test_what_reads_a_command_line_may_describe_its_options(made: str, kinds: list[str]) -> None:
    text = '"""Read.\n\n    Args:\n        shard: which one.\n    """'
    code = f"import argparse\n\n\ndef read():\n    {text}\n    return {made}\n"
    assert found({"kit/core.py": code}, page("Run.")) == kinds


OPTIONS = ("--size", "--rate", "--seed", "--deep")
SCRIPT = (
    "import argparse\n\nif __name__ == '__main__':\n    parser = argparse.ArgumentParser()\n"
    + "".join(f"    parser.add_argument('{one}', default=None)\n" for one in OPTIONS)
    + "    parser.parse_args()\n"
)
SHOWN = "```bash\npython train.py --size 1 \\\n  --rate 2 --seed 3\n```\n"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (SHOWN, []),
        (f"{SHOWN}\n`--size` is the size.", []),
        (f"{SHOWN}\n- `--size` is the size\n- `--rate` is the rate", ["--deep"]),
        (
            "```text\ntrain.py\n  --size N  the size\n  --rate N  the rate\n```",
            ["--seed", "--deep"],
        ),
        (f"{SHOWN}\n`--size`, `--rate`: see `python train.py --help`.", []),
        (f"{SHOWN}\n`--size`, `--rate`: see `python other.py --help`.", ["--deep"]),
        (f"{SHOWN}\n`--size`, `--rate`: see `python train.py --seed 3 -h`.", ["--deep"]),
        ("```bsh\ntrain.py \\ \n--size 1 \\ \n--rate 2\n```", []),
    ],
)
def test_an_example_of_a_command_is_no_list_of_its_options(text: str, missing: list[str]) -> None:
    findings = report({"train.py": SCRIPT}, page(text)).findings
    assert sorted(one.claim for one in findings) == sorted(missing)


def test_what_another_page_describes_is_no_list_of_a_script() -> None:
    other = {"docs/b.md": "# B\n\n`eval.py` has `--size` and `--rate`.\n"}
    assert found({"train.py": SCRIPT}, page(SHOWN), other) == []


SPHINX = {
    "docs/conf.py": "project = 'Kit'\nextensions = []\n",
    "docs/index.rst": "Kit\n===\n\n.. toctree::\n\n   guide\n",
    "docs/alone.rst": ".. _apart:\n\nAlone\n=====\n",
}
MKDOCS = {
    "mkdocs.yml": "site_name: Kit\nnav:\n  - index.md\n",
    "docs/index.md": "# Kit\n",
    "docs/alone.md": "# Alone\n",
}
BUILDER = {
    "docs/source/_toctree.yml": "- sections:\n  - local: index\n    title: Kit\n",
    "docs/source/index.md": "# Kit\n",
    "docs/source/alone.md": "# Alone\n",
}


@pytest.mark.parametrize(
    ("site", "path", "text", "held"),
    [
        (SPHINX, "docs/guide.rst", "See :ref:`apart`.", True),
        (SPHINX, "docs/guide.rst", "See :doc:`alone`.", True),
        (SPHINX, "docs/guide.rst", "See :doc:`/alone`.", True),
        (SPHINX, "docs/guide.rst", "See alone.", False),
        (SPHINX, "docs/guide.rst", "See `it <alone.rst>`_.", True),
        (MKDOCS, "README.md", "See [it](docs/alone.md#alone).", True),
        (MKDOCS, "README.md", "See alone.md.", False),
        (BUILDER, "README.md", "See [it](docs/source/alone.md).", True),
        (BUILDER, "README.md", "See alone.", False),
    ],
)
def test_a_page_that_another_leads_to_needs_no_menu(
    site: dict[str, str], path: str, text: str, held: bool
) -> None:
    files = site | {path: f"Guide\n=====\n\n{text}\n"}
    assert found({"docs/guide.rst": "Guide\n=====\n"} if site is SPHINX else {}, files) == (
        [] if held else ["navigation"]
    )


@pytest.mark.parametrize(("name", "kinds"), [("kit_README", []), ("kit_notes", ["navigation"])])
def test_a_readme_beside_the_pages_is_none(name: str, kinds: list[str]) -> None:
    files = BUILDER | {"docs/source/alone.md": "# A\n\n[[autodoc]] Kit\n"}
    del files["docs/source/alone.md"]
    assert found(files, {f"docs/source/{name}.md": "# Notes\n"}) == kinds


@pytest.mark.parametrize(
    ("path", "text", "kinds"),
    [
        ("docs/a.md", "Tools will live under `kit/tools.py`.", []),
        ("docs/a.md", "Tools live under `kit/tools.py`.", ["path"]),
        ("docs/design/a.md", "Tools live under `kit/tools.py`.", []),
        ("docs/designer.md", "Tools live under `kit/tools.py`.", ["path"]),
        ("docs/a.md", "```bash\ncp kit/core.py kit/mine.py\n```\n\nEdit `kit/mine.py`.", []),
        ("docs/a.md", "```bash\ncp kit/mine.py kit/core.py\n```\n\nEdit `kit/mine.py`.", ["path"]),
        ("docs/a.md", "Run `kit/scripts/run.sh`.", []),
        ("docs/a.md", "Run `kit/scripts/walk.sh`.", ["path"]),
        ("docs/a.md", "It is `kit/page-to-be-edited.md`.", []),
        ("docs/a.md", "It is `kit/2018-05-21-New-Post.md`.", []),
        ("docs/a.md", "It is `kit/2018-05-21-Renewed.md`.", ["path"]),
    ],
)  # fmt: skip
def test_a_path_may_be_planned_made_or_counted_from_outside(
    path: str, text: str, kinds: list[str]
) -> None:
    files = {"scripts/run.sh": "true\n", "kit/core.py": ""}
    assert found(files, {path: f"# A\n\n{text}\n"}) == kinds


FORM = "from dataclasses import dataclass\n\n\n@dataclass\nclass Rates:\n    low: int | None = {}\n    high: int = 2\n"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [("None", []), ("7", []), ("8", ["default"])],
    ids=["later", "same", "other"],
)
def test_what_is_none_in_a_class_the_program_may_choose(value: str, kinds: list[str]) -> None:
    table = "| name | default |\n|---|---|\n| `low` | `7` |\n| `high` | `2` |\n"
    assert found({"kit/core.py": FORM.format(value)}, page(table)) == kinds


@pytest.mark.parametrize(
    ("others", "kinds"),
    [(("--path", "--port", "--name"), []), (("--rate", "--seed"), ["default"])],
)
def test_a_table_of_unknown_options_is_of_another_program(
    others: tuple[str, ...], kinds: list[str]
) -> None:
    rows = "".join(f"| `{one}` | |\n" for one in others)
    script = SCRIPT.replace("'--size', default=None", "'--size', default='4'")
    table = f"| option | default |\n|---|---|\n| `--size` | auto |\n{rows}"
    assert found({"train.py": script}, page(table)) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("```python\nfrom kit.myrobot import MyRobot\n```", []),
        ("```python\nfrom kit.path_to_model import Model\n```", []),
        ("```python\nfrom kit.mysql import Model\n```", ["python-name"]),
        ("```bash\npip install 'kit[mybenchmark]'\n```", []),
        ("```bash\npip install 'kit[bench]'\n```", ["extra"]),
        ("Build `kit:latest`.", []),
        ("Call `kit:later`.", ["symbol"]),
    ],
)
def test_a_name_may_stand_for_the_readers_own(text: str, kinds: list[str]) -> None:
    declared = {
        "pyproject.toml": BASE["pyproject.toml"] + "[project.optional-dependencies]\nx = []\n"
    }
    assert found(declared, page(text)) == kinds


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("os.environ['KIT_RANK'] = str(1)\n", []),
        ("same = os.environ['KIT_RANK'] == '1'\n", ["undocumented-environment"]),
    ],
)
def test_a_variable_that_the_program_sets_is_no_setting(code: str, kinds: list[str]) -> None:
    read = "import os\n\nhome = os.environ['KIT_HOME']\nrank = os.environ['KIT_RANK']\n"
    assert found({"kit/core.py": read + code}, page("`KIT_HOME` is the home.")) == kinds


@pytest.mark.parametrize(
    ("line", "kinds"),
    [("import kit.tools as tools", []), ("from kit.core import tools", ["undocumented-symbol"])],
)
def test_a_submodule_is_no_public_object(line: str, kinds: list[str]) -> None:
    start = f"from kit.core import run\n{line}\n\n__all__ = ['run', 'tools']\n"
    files = {
        "kit/core.py": "def run():\n    pass\n\n\ndef tools():\n    pass\n",
        "kit/tools.py": "",
    }
    assert found({"kit/__init__.py": start} | files, page("`kit.run` runs.")) == kinds


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ("\n\ndef read(text):\n    return [re.match(r'w (\\d+)', one) for one in text.split(' --')]\n", []),
        ("\n\ndef read(text):\n    return [one == 'w' for one in text.split('--')]\n", []),
        ("\n\ndef read(text):\n    return [one == 'width' for one in text.split('--')]\n", ["flag"]),
        ("\n\ndef read(text):\n    return [one == 'w' for one in text.split(',')]\n", ["flag"]),
    ],
)  # fmt: skip
def test_a_flag_inside_a_prompt_is_read_by_hand(more: str, kinds: list[str]) -> None:
    text = page("train.py takes `--size`, and `--w` in a prompt.")
    assert found({"train.py": SCRIPT + more}, text) == kinds


@pytest.mark.parametrize(
    ("line", "kinds"),
    [("cd other", []), ("cd kit", ["make-target"]), ("cd docs", ["make-target"])],
)
def test_a_target_after_leaving_is_of_another_project(line: str, kinds: list[str]) -> None:
    text = f"```bash\ngit clone https://example.org/x\n{line}\nmake binary\n```"
    assert found({"Makefile": "check:\n\ttrue\n"}, page(text)) == kinds


@pytest.mark.parametrize(
    ("words", "kinds"), [("<name of the run>", []), ("name of the run", ["command"])]
)
def test_a_placeholder_of_several_words_is_one_word(words: str, kinds: list[str]) -> None:
    cli = (
        "import click\n\n\n@click.group()\n@click.option('--run')\ndef main(run):\n    pass\n\n\n"
        "@main.command()\ndef go():\n    pass\n"
    )
    project = BASE["pyproject.toml"] + '[project.scripts]\nkit = "kit.cli:main"\n'
    line = page(f"```bash\nkit --run {words} go\n```")
    assert found({"pyproject.toml": project, "kit/cli.py": cli}, line) == kinds
