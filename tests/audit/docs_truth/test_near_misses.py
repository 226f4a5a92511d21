"""What may look like drift and is none: no finding, and the reason counted."""

import pytest

from audit.docs_truth import engine
from tests.audit.docs_truth.sample import project, world

PAGE = "docs/usage.md"
ANCHOR = "## Options\n"

SKIPPED = [
    pytest.param("Use `pip install --no-deps` there.\n", "a command of another program", id="another program"),
    pytest.param("Set `CUDA_VISIBLE_DEVICES`.\n", "an environment variable of another program", id="its variable"),
    pytest.param("`torch.nn.Lineal` is no name of ours.\n", "", id="a name of another package"),
    pytest.param("See [x](https://example.org/usages.md).\n", "", id="a link elsewhere"),
    pytest.param("Pass `--no-cache-dir` to pip.\n", "the flag may be another program's", id="its flag"),
    pytest.param("Write `sample/mine.py`, for example.\n", "a path that may be made or meant as an example", id="an example"),
    pytest.param("```json\n{\"a\": 1, \"b\": 2, ...}\n```\n", "a block that is no JSON as it stands", id="shortened JSON"),
    pytest.param("```python\nfrom sample import (\n```\n", "a block that is no Python as it stands", id="no Python"),
    pytest.param("```toml\n[tool.other]\ndepths = 3\n```\n", "", id="another tool's table"),
    pytest.param("```bash\nsample <command> --jobs 2\n```\n", "a placeholder for a command", id="placeholder"),
    pytest.param("Runner has `sample.core.Runner.steps.real`.\n", "attribute of a value whose type is not known", id="deep"),
    pytest.param("pip says `pip install other[faster]`.\n", "", id="another project's extra"),
    pytest.param("`sample.Walker` did it and was removed.\n", "a sentence about what is gone", id="the past"),
    pytest.param("Write `sample.my_module.Thing`.\n", "a name that may be made up", id="a made-up name"),
    pytest.param("Write `src/other_tool/main.py`.\n", "", id="a path of a made-up project"),
    pytest.param("`sample.Runner.v1` is registered.\n", "", id="a name of a registry"),
    pytest.param("```bash\nSAMPLE_DIR=x\nls $SAMPLE_DIR\n```\n", "", id="the shell's own variable"),
    pytest.param("Run `pip install sample[extra]`.\n", "", id="a placeholder for an extra"),
    pytest.param("Fill the entry-point group `pytest11.more`.\n", "an entry-point group of another project", id="its group"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), SKIPPED)
def test_what_nobody_can_decide_is_skipped_with_its_reason(text: str, reason: str) -> None:
    report = engine.check(world(project({PAGE: (ANCHOR, f"{ANCHOR}\n{text}\n")})))
    assert report.findings == ()
    if reason:
        assert report.skipped[reason] >= 1


OPEN = [
    pytest.param("sample/cli.py", "\n\n@main.command()", "\n\nplug(main)\n\n\n@main.command()", id="plug-ins add commands"),
    pytest.param("sample/__init__.py", "__all__", "from numpy import *\n__all__", id="a star import from outside"),
    pytest.param("sample/core.py", "class Runner:", "class Runner(torch.nn.Module):", id="a base from outside"),
]  # fmt: skip
DEAD = {
    "plug-ins add commands": "```bash\nsample audits .\n```\n",
    "a star import from outside": "`sample.Walker` walks.\n",
    "a base from outside": "`sample.core.Runner.eval` evaluates.\n",
}


@pytest.mark.parametrize(("path", "old", "new"), OPEN)
def test_an_authority_that_is_not_whole_decides_nothing(
    path: str, old: str, new: str, request: pytest.FixtureRequest
) -> None:
    text = DEAD[request.node.callspec.id]
    dead = {PAGE: (ANCHOR, f"{ANCHOR}\n{text}\n")}
    assert len(engine.check(world(project(dead))).findings) == 1
    assert engine.check(world(project(dead | {path: (old, new)}))).findings == ()


def test_a_marked_example_is_counted_and_no_finding() -> None:
    text = "<!-- claim: example -->\n```bash\nsample audits .\n```\n"
    report = engine.check(world(project({PAGE: (ANCHOR, f"{ANCHOR}\n{text}\n")})))
    assert report.findings == ()
    assert report.suppressed == 1


def test_a_changelog_may_name_what_is_gone() -> None:
    text = "# Changelog\n\n## 1.0\n\n- `sample.core.Walker` is gone, `sample audits` too.\n"
    assert engine.check(world(project({"CHANGELOG.md": text}))).findings == ()


def test_a_plugin_command_is_not_taken_for_words_of_the_default_command() -> None:
    cli = (
        "import click\nfrom click_default_group import DefaultGroup\n\n\n"
        '@click.group(cls=DefaultGroup, default="ask")\ndef main():\n    pass\n\n\n'
        '@main.command()\n@click.argument("words", nargs=-1)\ndef ask(words):\n    pass\n\n\nplug(main)\n'
    )
    page = "# Sample\n\n```console\n$ sample other --chat\n$ sample ask hello\n```\n"
    files = {
        "pyproject.toml": '[project]\nname = "sample"\n[project.scripts]\nsample = "sample.cli:main"\n',
        "sample/__init__.py": "",
        "sample/cli.py": cli,
        "docs/a.md": page,
    }
    report = engine.check(world(files))
    assert report.findings == ()
    assert report.skipped["a function adds subcommands"] == 1
    assert report.checked["command"] == 1


SPHINX = {
    "docs/conf.py": "project = 'Sample'\nextensions = []\n",
    "docs/index.rst": "Sample\n======\n\n.. toctree::\n\n   guide\n",
    "docs/guide.rst": "Guide\n=====\n",
    "sample/__init__.py": "class Runner:\n    pass\n",
}


MYST = "# Sample\n\n```{eval-rst}\n.. toctree::\n   :maxdepth: 1\n\n   guide\n\n.. note:: x\n```\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/alone.rst", ":orphan:\n\nAlone\n=====\n"),
        ("docs/guide.rst", ".. currentmodule:: sample\n\n:func:`torch.mean`, :meth:`start`.\n"),
        ("docs/guide.rst", ".. currentmodule:: sample\n\n:data:`SECRET_KEY`\n"),
        ("docs/guide.rst", ".. autoclass:: sample.Runner\n\n   .. automethod:: start\n"),
        ("docs/conf.py", "project = ''\nextensions = []\nexclude_patterns = ['alone*']\n"),
        ("docs/upgrade/1_4.rst", ":orphan:\n\nUse ``sample.Walker``.\n"),
        ("docs/index.rst", None),
    ],
    ids=["an orphan", "foreign", "a constant", "a member", "left out", "an upgrade guide", "MyST"],
)
def test_a_sphinx_site_has_its_own_ways(path: str, text: str | None) -> None:
    if text is None:  # the start is Markdown, with reStructuredText inside
        files = SPHINX | {"docs/index.md": MYST}
        del files[path]
        assert engine.check(world(files)).findings == ()
        return
    files = SPHINX | {path: text}
    if "exclude_patterns" in text:
        files |= {"docs/alone.rst": "Alone\n=====\n"}
    assert engine.check(world(files)).findings == ()


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("docs/alone.rst", "Alone\n=====\n", "navigation"),
        ("docs/guide.rst", ".. currentmodule:: sample\n\n:class:`Walker`\n", "cross-reference"),
        ("docs/guide.rst", "Guide\n=====\n\n:doc:`gide`\n", "cross-reference"),
        ("docs/guide.rst", "Use ``sample.Walker``.\n", "symbol"),
    ],
)
def test_and_its_own_faults(path: str, text: str, kind: str) -> None:
    (finding,) = engine.check(world(SPHINX | {path: text})).findings
    assert (finding.kind, finding.path) == (kind, path)


TOOL = """import argparse

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fast", action="store_true")
    {more}parser.parse_args()
"""
SCRIPTS = {
    "train.py": TOOL.format(more=""),
    "demo/chat.py": TOOL.format(more="").replace("--fast", "--path"),
    "chat.py": TOOL.format(more=""),
}


def bash(line: str) -> str:
    return f"# Tool\n\n```bash\npython train.py --fast\n{line}\n```\n"


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        pytest.param("README.md", bash("python train.py --slow"), 1, id="its own script"),
        pytest.param("README.md", bash("python ./train.py --slow"), 1, id="from here"),
        pytest.param("demo/a.md", bash("python ../train.py --slow"), 1, id="from below"),
        pytest.param("README.md", bash("python /x/train.py --slow"), 1, id="from anywhere"),
        pytest.param("README.md", bash("python other/train.py --slow"), 0, id="another project's"),
        pytest.param("demo/a.md", bash("python chat.py --path x"), 0, id="beside the page"),
        pytest.param("demo/a.md", bash("python demo/chat.py --fast"), 1, id="by its folder"),
        pytest.param(
            "README.md",
            bash("torchrun --nproc 8 train.py --fast")
            + "\nThe size is `--fast` times `--nproc`.\n",
            0,
            id="the launcher's flag",
        ),
        pytest.param(
            "README.md",
            bash("torchrun train.py --slow --fast") + "\nThe size is `--fast` times `--slow`.\n",
            2,
            id="a flag after the script",
        ),
    ],
)
def test_a_script_is_the_one_that_its_path_leads_to(path: str, text: str, wrong: int) -> None:
    found = engine.check(world(SCRIPTS | {path: text})).findings
    kinds = [one.kind for one in found if not one.kind.startswith("undocumented")]
    assert len(kinds) == wrong
    assert {"command", "flag"} >= set(kinds)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("", 1),
        ("print(parser)\n    ", 1),
        ("parser = deepspeed.add_config_arguments(parser)\n    ", 0),
        ("for one in ACTIONS: one.fill(parser.add_subparsers())\n    ", 0),
        ("extend(parser)\n    ", 1),
    ],
    ids=["alone", "shown", "another library's", "a registry's", "followed"],
)
def test_a_parser_that_is_handed_out_may_have_any_option(more: str, wrong: int) -> None:
    code = TOOL.format(more=more).replace(
        "import argparse\n", "import argparse\nimport deepspeed\n\ndef extend(parser): pass\n"
    )
    files = {"train.py": code, "README.md": bash("python train.py --slow")}
    found = engine.check(world(files)).findings
    assert [one.kind for one in found] == ["command"] * wrong


@pytest.mark.parametrize(("link", "wrong"), [("-zoo", 0), ("zoo", 0), ("the-zoo", 1)])
def test_a_heading_after_a_tag_keeps_its_blank(link: str, wrong: int) -> None:
    page = f'# Sample\n\nSee [it](#{link}).\n\n## <a name="x"></a> Zoo\n'
    assert len(engine.check(world({"README.md": page})).findings) == wrong


def test_a_package_with_a_finder_of_its_own_has_any_module() -> None:
    files = {
        "sample/__init__.py": "import sys\nsys.meta_path.append(object())\n",
        "README.md": "# Sample\n\n`sample.extra.Thing` is there.\n",
    }
    assert engine.check(world(files)).findings == ()
    files["sample/__init__.py"] = "import sys\n"
    assert [one.kind for one in engine.check(world(files)).findings] == ["symbol"]


@pytest.mark.parametrize(
    ("option", "said", "wrong"),
    [
        ("'--jobs', default=4", "8", True),
        ("'--jobs', default=4", "`8`", True),
        ("'--jobs', default=4", "as many as there are cores", False),
        ("'--jobs', default=4", "*(required)*", False),
        ("'--jobs', default=4", "`8` / `16`", False),
        ("'--jobs', default=None", "`8`", False),
        ("'--fast', action='store_true'", "on", True),
        ("'--no-fast', dest='fast', action='store_false', default=True", "off", False),
    ],
)
def test_a_default_is_wrong_where_both_sides_give_a_value(
    option: str, said: str, wrong: bool
) -> None:
    flag = option.split("'")[1]
    code = TOOL.format(more="").replace('"--fast", action="store_true"', option)
    page = f"# Tool\n\n| option | default |\n|---|---|\n| `{flag}` | {said} |\n"
    found = engine.check(world({"train.py": code, "README.md": page})).findings
    assert [one.kind for one in found] == ["default"] * wrong
