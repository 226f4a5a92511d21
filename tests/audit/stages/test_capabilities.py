"""S3: which evidence counts as documented."""

import pytest

from audit.model import Evidence
from tests.audit.properties.audits import audited, practices

PUBLIC = """
from torch import save

def save_model(model, path):
    {body}
"""
PRIVATE = """

def _write(model, path):
    save(model.state_dict(), path)
"""
PACKAGE = {"src/pkg/__init__.py": ""}
HELPER = PACKAGE | {"src/pkg/io.py": PUBLIC.format(body="_write(model, path)") + PRIVATE}


def evidence(files: dict[str, str], practice: str) -> tuple[Evidence, ...]:
    found = practices(audited(files))[practice].evidence
    assert found
    return found


@pytest.mark.parametrize(
    ("page", "documented"),
    [
        ("Call `save_model`.", True),
        ("Call `pkg.io.save_model(model, path)`.", True),
        ("See `src/pkg/io.py`.", True),
        ("Call `torch.save_model`.", False),
        ("Call save_model.", False),
        ("Call `load_model`.", False),
    ],
)
def test_code_is_documented_where_docs_show_its_name_as_code(page: str, documented: bool) -> None:
    code = {"src/pkg/io.py": PUBLIC.format(body="save(model.state_dict(), path)")}
    found = evidence(PACKAGE | code | {"README.md": page}, "checkpoint-save")
    assert [one.documented for one in found] == [documented]


def test_a_private_helper_is_documented_with_all_that_use_it() -> None:
    found = evidence(HELPER | {"README.md": "Call `save_model`."}, "checkpoint-save")
    assert [(one.symbol, one.documented) for one in found] == [("pkg.io:_write", True)]


def test_a_private_helper_that_something_unnamed_uses_is_not_documented() -> None:
    other = {
        "src/pkg/export.py": "from pkg.io import _write\n\ndef export(m):\n    _write(m, 'x')\n"
    }
    found = evidence(HELPER | other | {"README.md": "Call `save_model`."}, "checkpoint-save")
    assert not any(one.documented for one in found)


def test_private_functions_that_only_call_each_other_are_not_documented() -> None:
    code = HELPER["src/pkg/io.py"].replace(
        "save(model.state", "_write(model, path)\n    save(model.state"
    )
    found = evidence(PACKAGE | {"src/pkg/io.py": code, "README.md": "Nothing."}, "checkpoint-save")
    assert not any(one.documented for one in found)


CI = "on: push\npermissions: {}\njobs:\n  test:\n    steps:\n      - run: pytest tests\n"


@pytest.mark.parametrize(
    ("page", "documented"),
    [
        ("CI is `.github/workflows/ci.yml`.", True),
        ("CI is `ci.yml`.", True),
        ("CI is in `.github/workflows`.", True),
        ("CI is ci.yml.", False),
        ("CI is `ci.yaml`, see `github.com/x`.", False),
    ],
)
def test_a_file_is_documented_by_its_name_or_its_folders(page: str, documented: bool) -> None:
    files = {".github/workflows/ci.yml": CI, "README.md": page, "pkg/a.py": "x = 1\n"}
    assert [one.documented for one in evidence(files, "ci-workflow")] == [documented]


def test_what_a_page_says_is_documented() -> None:
    files = {
        "train.py": "import torch.distributed as dist\ndist.init_process_group()\n",
        "docs/run.md": "# Run\n\n```sh\ntorchrun --nproc_per_node 2 train.py\n```\n",
    }
    found = evidence(files, "distributed-launch")
    assert [(one.path, one.documented) for one in found] == [("docs/run.md", True)]


SAVING = PACKAGE | {"src/pkg/io.py": PUBLIC.format(body="save(model.state_dict(), path)")}
WRONG = "Run:\n\n```python\nfrom pkg.io import save_model\n\nsave_model(model, where='x')\n```\n"


@pytest.mark.parametrize(
    ("pages", "documented", "misnamed"),
    [
        ({"README.md": WRONG.replace("where", "path")}, True, ""),
        ({"README.md": WRONG}, False, "README.md:6: python-name: pkg.io.save_model: "),
        ({"README.md": f"See `src/pkg/io.py`.\n\n{WRONG}"}, True, ""),
        ({"README.md": WRONG, "docs/io.md": "Call `save_model`."}, True, ""),
        ({"README.md": f"Call `save_model`.\n\n{WRONG}"}, False, "README.md:8: python-name: "),
        ({"README.md": WRONG.replace("Run:", "<!-- claim: example -->")}, True, ""),
        ({"README.md": "See `src/pkg/ios.py` and `save_model`."}, True, ""),
        ({"README.md": "Call `pkg.io.save_modell`."}, False, "README.md:1: symbol: "),
    ],
    ids=[
        "right", "wrong", "the file, too", "another page", "elsewhere on the page", "marked",
        "wrong about something else", "another name",
    ],
)  # fmt: skip
def test_a_page_that_is_wrong_about_a_thing_does_not_document_it(
    pages: dict[str, str], documented: bool, misnamed: str
) -> None:
    (found,) = evidence(SAVING | pages, "checkpoint-save")
    assert found.documented is documented
    assert found.misnamed.startswith(misnamed)
    assert bool(found.misnamed) is bool(misnamed)


def test_a_wrong_claim_lowers_the_documentation_component() -> None:
    found = {}
    for page in (WRONG.replace("where", "path"), WRONG):
        rows = audited(SAVING | {"README.md": page}).capabilities
        (found[page],) = (one for one in rows if one.id == "checkpointing")
    right, wrong = found.values()
    assert wrong.components.documentation < right.components.documentation
    assert wrong.score < right.score
    (term,) = (one for one in wrong.arithmetic if one.component == "documentation")
    assert term.because.endswith(" and are wrong about 1 places")
