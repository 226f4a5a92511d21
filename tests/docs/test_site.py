"""The built site as a reader meets it: navigation, search, phone, dark; nothing from elsewhere."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import Browser, started

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PAGES = (
    "", "tutorials/first-audit/", "how-to/write-a-plugin/", "reference/codex-ml/",
    "reference/api/codex_ml.checkpointing/", "reference/capability-matrix/",
    "practices/checkpoint-atomic/", "validation/Validation_Matrix/", "explanation/accuracy/",
)  # fmt: skip
LOCAL = ("data:", "about:", "blob:")


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a line on stderr for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""


class Parts(HTMLParser):
    """What a page loads, as paths or addresses, and the code and style that stand in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.loaded: set[str] = set()
        self.code: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what is loaded without a click, and code in attributes."""
        found = {name: value or "" for name, value in attrs}
        link = tag == "link" and found.get("rel") not in ("prev", "next", "canonical")
        for name in ("src", "srcset", "data", "poster", *(["href"] if link else [])):
            if name in found:
                self.loaded.add(os.path.normpath(urljoin(f"{self.path}", found[name])))
        self.code |= {found[name] for name in found if name.startswith("on") or name == "style"}

    def handle_data(self, data: str) -> None:
        """Keep scripts and styles; their paths differ by how deep a page lies."""
        if self.cdata_elem:
            self.code.add(re.sub(r'"\.[./]*"', '"."', re.sub(r"(\.\./)+", "", data)))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build with MkDocs."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def site(browser: Browser, folder: Path) -> Iterator[str]:
    """Serve; the address ends with a slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nobody_else_logs_nothing_and_fits_a_phone(
    browser: Browser, site: str, page: str
) -> None:
    browser.requests()
    browser.errors()
    for width, dark in ((1280, False), (390, True)):
        browser.open(site + page, width, dark=dark)
        assert browser.overflow() == 0
    asked = browser.requests()
    assert any(one.startswith(site) for one in asked)
    assert [one for one in asked if not one.startswith((site, *LOCAL))] == []
    assert browser.errors() == []


def test_every_page_is_made_of_what_those_in_the_browser_are_made_of(folder: Path) -> None:
    pages = {str(path.parent.relative_to(folder)): path for path in folder.rglob("index.html")}
    assert len(pages) > 150
    seen = [Parts(pages[one.rstrip("/") or "."]) for one in PAGES]
    loaded = set().union(*(one.loaded for one in seen))
    code = set().union(*(one.code for one in seen))
    for page in map(Parts, pages.values()):
        assert (page.loaded - loaded, page.code - code) == (set(), set()), page.path


def test_navigation_leads_from_home_to_a_tutorial(browser: Browser, site: str) -> None:
    browser.open(site)
    browser.driver.find_element(By.LINK_TEXT, "Tutorials").click()
    assert browser.js("document.querySelector('h1').innerText").startswith("Your first audit")
    browser.driver.find_element(By.LINK_TEXT, "Your first training run").click()
    assert browser.js("document.querySelector('h1').innerText").startswith("Your first training")


def test_search_finds_a_page_by_its_words(browser: Browser, site: str) -> None:
    browser.open(site)
    box = browser.driver.find_element(By.CSS_SELECTOR, "input.md-search__input")
    box.click()
    box.send_keys("Feistel")
    results = ".md-search-result__item a"
    WebDriverWait(browser.driver, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, results)
    )
    found = browser.js(f"[...document.querySelectorAll({results!r})].map(e => e.href)")
    assert any("/explanation/determinism/" in one for one in found)


def test_dark_follows_the_reader(browser: Browser, site: str) -> None:
    colours = []
    for dark in (False, True):
        browser.open(site, dark=dark)
        browser.js("localStorage.clear()")  # which keeps the scheme of the first visit
        browser.driver.refresh()
        colours.append(browser.js("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]
