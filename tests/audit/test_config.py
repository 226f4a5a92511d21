"""Configuration: what is wrong is named with file, line and the nearest right thing."""

import pytest

from audit.config import Config, load, nearest
from audit.errors import ConfigError

IDS = frozenset({"checkpoint-save", "docs-site"})
CAPABILITIES = frozenset({"checkpointing", "documentation"})


def read(text: str, name: str = "codex-audit.toml") -> Config:
    return load({name: text.encode()}, IDS, CAPABILITIES)


def test_without_a_table_the_defaults_hold() -> None:
    assert load({}, IDS, CAPABILITIES) == Config()
    assert read('[project]\nname = "x"\n', "pyproject.toml") == Config()


def test_a_table_of_pyproject_is_read() -> None:
    found = read(
        "[tool.codex-audit]\nthresholds = {mean = 0.5}\n"
        '[tool.codex-audit.not_applicable]\ndocs-site = "one page is enough"\n',
        "pyproject.toml",
    )
    assert found.thresholds == {"mean": 0.5}
    assert found.not_applicable == {"docs-site": "one page is enough"}


def test_its_own_file_comes_before_pyproject() -> None:
    files = {
        "codex-audit.toml": b"thresholds = {mean = 0.1}",
        "pyproject.toml": b"[tool.codex-audit]\nthresholds = {mean = 0.9}",
    }
    assert load(files, IDS, CAPABILITIES).thresholds == {"mean": 0.1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\nweigths = {}", r"codex-audit.toml:2: unknown key 'weigths': did you mean 'weights'\?"),
        ("[weights]\ntest = 1", r":2: weights: unknown component 'test': did you mean 'tests'\?"),
        ("[weights]\ntests = -1", r":2: weights.tests is negative"),
        ("[weights]\ntests = 0", r"the weights are all zero"),
        ("[thresholds]\nmean = 2", r":2: thresholds.mean is 2.0, not from 0 to 1"),
        ("[thresholds]\ncheckpointin = 0.5", r"did you mean 'checkpointing'\?"),
        ('required = ["checkpoint-sav"]', r"unknown practice 'checkpoint-sav': did you mean 'checkpoint-save'\?"),
        ('[not_applicable]\ndocs-site = ""', r":2: not_applicable.docs-site needs a reason"),
        ('[[waivers]]\npractice = "docs-site"\nowner = "a"\nexpires = "2030-01-01"', r":1: a waiver needs 'reason'"),
        ('[[waivers]]\npractice = "docs-site"\nreasn = "a"', r"unknown key 'reasn' in a waiver: did you mean 'reason'"),
        ('profile = "libary"', r"unknown profile 'libary': did you mean 'library'"),
        ("[paths]\nprodukt = []", r"paths"),
        ("thresholds = 3", r":1: thresholds: Expected `object`, got `int`"),
        ("a = ]", r"codex-audit.toml: .*line 1"),
    ],
    ids=lambda one: one.replace("\n", " ")[:40],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_broken_pyproject_is_a_finding_not_our_configuration() -> None:
    assert read("a = ", "pyproject.toml") == Config()


def test_the_digest_is_of_the_meaning() -> None:
    assert (
        read("required = ['docs-site']").digest()
        == read('# why\nrequired = [\n"docs-site",\n]\n').digest()
    )
    assert read("required = ['docs-site']").digest() != Config().digest()


WAIVER = '[[waivers]]\npractice = "docs-site"\nreason = "a"\nowner = "b"\nexpires = "{}"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('required = ["docs-site"]\n[not_applicable]\ndocs-site = "no"\n', r":1: 'docs-site' is required and not_applicable"),
        ('required = ["docs-site"]\n[not_applicable]\ndocumentation = "no"\n', r":1: 'docs-site' is required and not_applicable"),
        (WAIVER.format("2030-01-01") + '[not_applicable]\ndocs-site = "no"\n', r"'docs-site' is waived and not_applicable"),
        (2 * WAIVER.format("2030-01-01"), r"'docs-site' is waived twice"),
        (WAIVER.format("soon"), r"expires = 'soon': write YYYY-MM-DD"),
        (WAIVER.format("2030-02-30"), r"expires = '2030-02-30': write YYYY-MM-DD"),
        ('[thresholds]\ndocumentation = 0.5\n[not_applicable]\ndocumentation = "no"\n', r":2: 'documentation' has a bar and is not_applicable"),
        ("[caps]\ntests = 0.0\n[thresholds]\nmean = 0.9\n", r":4: thresholds.mean is 0.9, and the caps allow 0.75 at most"),
    ],
    ids=[
        "required, n/a", "required, its capability n/a", "waived, n/a", "waived twice", "no date",
        "no such day", "a bar, n/a", "a bar above the caps",
    ],
)  # fmt: skip
def test_a_policy_that_contradicts_itself_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_bar_that_the_caps_just_allow_is_none() -> None:
    assert read("[caps]\ntests = 0.0\n[thresholds]\nmean = 0.75\n").thresholds == {"mean": 0.75}


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("chekpointing", "checkpointing"),
        ("tokeniser", "tokenization"),
        ("ci", "ci-cd"),
        ("hceckpointing", "checkpointing"),
        ("nothing", ""),
        ("x", ""),
    ],
)
def test_what_is_not_alike_is_not_suggested(word: str, hint: str) -> None:
    known = ("checkpointing", "tokenization", "ci-cd", "fine-tuning", "documentation")
    assert nearest(word, known) == (f": did you mean {hint!r}?" if hint else "")
