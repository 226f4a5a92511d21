"""What a site, a class or another program decides: skipped, where its near miss is found."""

import pytest

from audit.docs_truth import engine
from audit.docs_truth.model import Report
from audit.docs_truth.world import Release, World
from tests.audit.build import repository
from tests.audit.docs_truth.sample import world

PROJECT = '[project]\nname = "kit"\ndependencies = ["kit-net>=1"]\n[project.scripts]\nkit = "kit.cli:app"\n'
APP = "from typer import Typer\n\nfrom kit import net\n\napp = Typer()\napp.add_typer(net.app, name='net')\n"
TYPER = {
    "pyproject.toml": PROJECT,
    "kit/__init__.py": "import os\n\nHOME = os.environ['KIT_HOME']\n",
    "kit/cli.py": f"{APP}\n\n@app.command()\ndef build(out: str = 'dist'):\n    pass\n",
    "kit/net.py": (
        "from typer import Typer\n\napp = Typer()\n\n\n@app.command()\ndef get(url: str = ''):\n"
        "    pass\n\n\n@app.command()\ndef put(url: str = ''):\n    pass\n"
    ),
}
META = (
    "class Meta(type):\n    def __call__(cls, *args, backend='', **kwargs):\n"
    "        return super().__call__(*args, **kwargs)\n\n\n"
    "class Base(metaclass=Meta):\n    pass\n\n\nclass Plain:\n    pass\n\n\n"
)
SPHINX = {
    "docs/conf.py": "project = 'Kit'\nextensions = []\n",
    "docs/index.rst": "Kit\n===\n\n.. toctree::\n\n   api/kit\n   guide\n",
    "docs/guide.rst": "Guide\n=====\n",
}
BUILDER = {
    "docs/source/en/_toctree.yml": "- sections:\n  - local: index\n    title: Kit\n",
    "docs/source/en/index.md": "# Kit\n\n## KIT_HOME\n\n## Über uns\n",
}


def found(*parts: dict[str, str]) -> list[str]:
    """Return the kinds of what is found in files; a later part's files count."""
    return [one.kind for one in report(*parts).findings]


def report(*parts: dict[str, str]) -> Report:
    files: dict[str, str] = {"kit/__init__.py": ""}
    for part in parts:
        files |= part
    return engine.check(world(files))


def page(text: str) -> dict[str, str]:
    return {"docs/a.md": f"# A\n\n{text}\n"}


@pytest.mark.parametrize(
    ("line", "kinds"),
    [("kit net get", []), ("kit build --out x", []), ("kit net gut", ["command"])],
)
def test_an_added_application_is_found_by_its_module(line: str, kinds: list[str]) -> None:
    assert found(TYPER, page(f"```console\n$ {line}\n```")) == kinds


@pytest.mark.parametrize(
    ("app", "kinds"),
    [(APP, ["command"]), (f"{APP}app.add_typer(make(), name='more')\n", [])],
    ids=["all followed", "one that is not followed"],
)
def test_an_application_that_is_not_followed_may_have_any_command(
    app: str, kinds: list[str]
) -> None:
    cli = f"{app}\n\n@app.command()\ndef build(out: str = 'dist'):\n    pass\n"
    files = TYPER | {"kit/cli.py": cli}
    assert found(files, page("```console\n$ kit more\n```")) == kinds


def test_a_declared_command_that_is_not_read_may_have_any_flag() -> None:
    script = "import argparse\n\n\ndef main():\n    p = argparse.ArgumentParser()\n"
    script += "    p.add_argument('--out')\n    p.parse_args()\n\n\nif __name__ == '__main__':\n    main()\n"
    text = page("Use `kit --out x`, or `--dry` with `--out`.")
    files = TYPER | {"kit/cli.py": "app = make()\n", "kit/tool.py": script}
    assert found(files, text) == []
    closed = files | {"pyproject.toml": '[project]\nname = "kit"\n'}
    assert "flag" in found(closed, page("kit-tool has `--dry` and `--out`."))


@pytest.mark.parametrize(
    ("anchor", "kinds"),
    [("#install-", []), ("#install", []), ("#inst", ["anchor"]), ("#plain-", ["anchor"])],
)
def test_a_tag_after_a_heading_leaves_a_dash(anchor: str, kinds: list[str]) -> None:
    headings = '## Install <a name="here"></a>\n\n## Plain\n'
    assert found({"README.md": f"# Kit\n\n{headings}\n[x]({anchor})\n"}) == kinds


@pytest.mark.parametrize(
    ("target", "kinds"),
    [
        ("index#kithome", []),
        ("index#ber-uns", []),
        ("index#kithouse", ["anchor"]),
        ("../reference/kit", []),
        ("./reference/kit", ["link"]),
    ],
)
def test_doc_builder_has_slugs_and_addresses_of_its_own(target: str, kinds: list[str]) -> None:
    text = BUILDER["docs/source/en/index.md"] + f"\n[x]({target})\n"
    assert found(BUILDER | {"docs/source/en/index.md": text}) == kinds


@pytest.mark.parametrize(
    ("item", "kinds"),
    [
        ("See :class:`Plain` for more.", []),
        ("sea: More.", ["docstring-parameter"]),
        ("\n    Keyword Args:\n        image: a key.", []),
    ],
)
def test_a_role_is_no_parameter(item: str, kinds: list[str]) -> None:
    code = f'def run(steps):\n    """Run.\n\n    Args:\n        steps: how many.\n        {item}\n    """\n    return steps\n'
    assert found({"kit/core.py": code}, page("Run.")) == kinds


@pytest.mark.parametrize(("base", "kinds"), [("Base", []), ("Plain", ["python-name"])])
def test_a_metaclass_may_take_arguments(base: str, kinds: list[str]) -> None:
    code = f"{META}class Log({base}):\n    def __init__(self, name):\n        pass\n"
    text = page("```python\nfrom kit import Log\n\nLog(name='x', backend='process')\n```")
    assert found({"kit/__init__.py": code}, text) == kinds


@pytest.mark.parametrize(
    ("conf", "kinds"),
    [
        (
            "from sphinx.ext import apidoc\n\n\ndef setup(app):\n    apidoc.main(['-o', 'api'])\n",
            [],
        ),
        ("", ["navigation"]),
    ],
    ids=["made by apidoc", "made by nothing"],
)
def test_apidoc_makes_pages(conf: str, kinds: list[str]) -> None:
    assert found(SPHINX, {"docs/conf.py": SPHINX["docs/conf.py"] + conf}) == kinds


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("404", "Nothing here", []),
        ("moved", "<html>Moved</html>", []),
        ("alone", "Alone", ["navigation"]),
    ],
)
def test_a_page_that_sends_on_needs_no_menu(name: str, text: str, kinds: list[str]) -> None:
    index = {"docs/index.rst": "Kit\n===\n\n.. toctree::\n\n   guide\n"}
    assert found(SPHINX, index, {f"docs/{name}.md": f"# Page\n\n{text}\n"}) == kinds


@pytest.mark.parametrize(
    ("name", "kinds"), [("KIT_NET_PROXY", []), ("KIT_PROXY", ["environment"]), ("KIT_HOME", [])]
)
def test_a_variable_of_a_requirement_is_not_ours(name: str, kinds: list[str]) -> None:
    assert found(TYPER, page(f"`{name}` is read; `KIT_HOME` too.")) == kinds


def test_a_class_that_is_documented_whole_documents_its_members() -> None:
    code = (
        "class Api:\n    def get(self):\n        pass\n\n\ndef put():\n    pass\n\n\n"
        "get = Api().get\n\n__all__ = ['Api', 'get', 'put']\n"
    )
    text = "# Kit\n\n[[autodoc]] Api\n"
    files = {"kit/__init__.py": code, "docs/source/en/index.md": text}
    (finding,) = report(BUILDER, files).findings
    assert (finding.kind, finding.claim) == ("undocumented-symbol", "put")


@pytest.mark.parametrize(
    ("block", "kinds"),
    [("```python\nload('kit.models.relu')\n```\n", []), ("", ["symbol"])],
    ids=["given as a value", "named alone"],
)
def test_a_name_that_the_reader_is_to_write_is_no_claim(block: str, kinds: list[str]) -> None:
    assert found(page(f"{block}\n`kit.models.relu` is the module.")) == kinds


INVENTORY = "intersphinx_mapping = {'pandas': ('https://pandas.pydata.org/', None)}\n"


@pytest.mark.parametrize(("conf", "kinds"), [(INVENTORY, []), ("", ["cross-reference"])])
def test_an_inventory_may_know_a_name_that_the_module_lacks(conf: str, kinds: list[str]) -> None:
    index = SPHINX["docs/index.rst"].replace("   api/kit\n", "")
    index += "\n.. currentmodule:: kit\n\n:class:`pandas.Frame`\n"
    files = {"docs/conf.py": SPHINX["docs/conf.py"] + conf, "docs/index.rst": index}
    assert found(SPHINX, files, {"kit/pandas.py": ""}) == kinds
    own = {"docs/index.rst": index.replace("pandas.Frame", "kit.pandas.Frame")}
    assert found(SPHINX, files, own, {"kit/pandas.py": ""}) == ["cross-reference"]


@pytest.mark.parametrize(
    ("link", "kinds"), [("`Kit <home_>`_", []), ("`Kit <hom.html>`_", ["link"])]
)
def test_a_link_may_name_another_target(link: str, kinds: list[str]) -> None:
    text = f"Kit\n===\n\n{link}\n\n.. _home: https://example.org\n"
    assert found({"README.rst": text}) == kinds


@pytest.mark.parametrize(
    ("sentence", "kinds"),
    [
        ("Remove `kit/pins-XYZ.txt`.", []),
        ("Omit the `kit/__main__.py` file.", []),
        ("You could use this `kit/wheels.yml`:", []),
        ("The workflow is `kit/wheels.yml`.", ["path"]),
    ],
)
def test_a_path_may_be_shown_left_out_or_filled_in(sentence: str, kinds: list[str]) -> None:
    assert found(page(sentence)) == kinds


@pytest.mark.parametrize(("status", "kinds"), [("Draft", []), ("Done", ["symbol"])])
def test_a_draft_tells_what_may_be(status: str, kinds: list[str]) -> None:
    assert found(page(f"> **Status:** {status} of `kit`\n\n`kit.soon` does it.")) == kinds


@pytest.mark.parametrize(
    ("after", "change"),
    [
        ("self, name, /", "parameter name is positional only now"),
        ("self, other", "parameter name is gone"),
        ("self, /, name", ""),
    ],
)
def test_nobody_passes_the_object_of_a_method_by_name(after: str, change: str) -> None:
    code = "class Runner:\n    def start({}):\n        return 1\n"
    before = {"kit/__init__.py": "", "kit/core.py": code.format("self, name")}
    now = before | {"kit/core.py": code.format(after)}
    released = Release("v1", repository(before), frozenset())
    kit = World(repository(now), lambda paths: [now[one] for one in paths], lambda: released)
    truths = [one.truth for one in engine.check(kit).findings if one.kind == "signature"]
    assert truths == [change] * bool(change)


@pytest.mark.parametrize(("ignored", "kinds"), [("docs/draft.rst\n", []), ("", ["snippet"])])
def test_an_included_file_may_be_made_first(ignored: str, kinds: list[str]) -> None:
    files = {
        "docs/changes.rst": "Changes\n=======\n\n.. include:: ../CHANGELOG.rst\n",
        "CHANGELOG.rst": "1.0\n===\n\n.. include:: draft.rst\n",
        ".gitignore": ignored,
    }
    assert found(files) == kinds


@pytest.mark.parametrize(
    ("name", "kinds"), [("extra1", []), ("extra", []), ("extras", []), ("fast", ["extra"])]
)
def test_a_numbered_extra_is_a_placeholder(name: str, kinds: list[str]) -> None:
    assert found(TYPER, page(f"```bash\npip install 'kit[{name}]'\n```")) == kinds


@pytest.mark.parametrize(
    ("owner", "kinds"),
    [("Options", []), ("argparse.ArgumentParser", ["undocumented-option"])],
    ids=["of a browser", "of a program"],
)
def test_an_option_of_a_browser_is_not_one_of_the_program(owner: str, kinds: list[str]) -> None:
    code = (
        "import argparse\nfrom selenium.webdriver import Options\n\n\ndef main():\n"
        "    p = argparse.ArgumentParser()\n    p.add_argument('--out')\n"
        f"    b = {owner}()\n    b.add_argument('--size=1')\n    p.parse_args()\n"
    )
    project = PROJECT.replace("kit.cli:app", "kit.cli:main")
    assert found({"pyproject.toml": project, "kit/cli.py": code}, page("`kit --out x`")) == kinds


def test_a_conf_that_runs_files_may_make_pages() -> None:
    conf = (
        "import importlib.util as u\n\nspec = u.spec_from_file_location('make', '../make.py')\n"
        "module = u.module_from_spec(spec)\nspec.loader.exec_module(module)\nmodule.main()\n"
    )
    assert found(SPHINX, {"docs/conf.py": SPHINX["docs/conf.py"] + conf}) == []
