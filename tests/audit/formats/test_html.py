"""The HTML report as a reader meets it: in a browser, by mouse and keyboard, on any screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from audit.formats import render
from tests.audit.formats.reports import HOSTILE, report
from tests.browser import Browser, started

pytestmark = pytest.mark.browser

VISIBLE = "[...document.querySelectorAll('details.practice')].filter(e => e.checkVisibility())"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "matrix.html"
    path.write_text(render("html", report("src/package/save.py", gated=True)), encoding="utf-8")
    return path.as_uri()


def shown(browser: Browser) -> list[str]:
    """Return the practices that can be seen, by id."""
    found: list[str] = browser.js(f"{VISIBLE}.map(e => e.querySelector('summary code').innerText)")
    return found


def search(browser: Browser, words: str) -> None:
    browser.driver.find_element(By.ID, "search").send_keys(words)


def test_search_shows_what_holds_every_word(browser: Browser, page: str) -> None:
    browser.open(page)
    assert shown(browser) == []
    search(browser, "weights STORAGE read")
    assert shown(browser) == ["checkpoint-load"]
    assert browser.js("document.getElementById('count').innerText") == "1 practice"
    search(browser, " nonsense")
    assert shown(browser) == []
    assert browser.js("document.getElementById('nothing').checkVisibility()")
    browser.driver.find_element(By.ID, "search").send_keys(Keys.ESCAPE)
    assert browser.js("document.getElementById('count').innerText") == "6 practices"


def test_filters_narrow_what_search_found(browser: Browser, page: str) -> None:
    browser.open(page)
    Select(browser.driver.find_element(By.ID, "status")).select_by_value("absent")
    assert shown(browser) == ["checkpoint-load", "checkpoint-atomic", "docs-site"]
    Select(browser.driver.find_element(By.ID, "role")).select_by_value("safeguard")
    assert shown(browser) == ["checkpoint-atomic"]
    Select(browser.driver.find_element(By.ID, "status")).select_by_value("unknown")
    assert shown(browser) == ["checkpoint-async"]


def test_a_capability_drills_down_to_its_lines(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.driver.find_element(By.CSS_SELECTOR, ".heat a[href='#checkpointing']").click()
    assert shown(browser)[0] == "checkpoint-save"
    evidence = "document.querySelector('#checkpointing .evidence')"
    assert not browser.js(f"{evidence}.checkVisibility()")
    browser.driver.find_element(By.CSS_SELECTOR, "#checkpointing details.practice summary").click()
    assert browser.js(f"{evidence}.checkVisibility()")
    assert "src/package/save.py:3" in browser.js(f"{evidence}.innerText")


def test_a_link_to_a_capability_opens_it_though_a_filter_hides_it(
    browser: Browser, page: str
) -> None:
    browser.open(f"{page}#documentation")
    assert shown(browser) == ["docs-site"]
    search(browser, "checkpoint-save")
    assert shown(browser) == ["checkpoint-save"]
    browser.driver.find_element(By.CSS_SELECTOR, ".heat a[href='#checkpointing']").click()
    browser.js("location.hash = '#documentation'")
    browser.driver.implicitly_wait(1)
    assert browser.driver.find_element(By.CSS_SELECTOR, "#documentation[open]")
    assert "docs-site" in shown(browser)


def test_everything_can_be_done_by_keyboard(browser: Browser, page: str) -> None:
    browser.open(page)
    body = browser.driver.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert browser.driver.switch_to.active_element.get_attribute("id") == "search"
    browser.driver.switch_to.active_element.send_keys("docs-site")
    assert shown(browser) == ["docs-site"]
    seen = []
    for _ in range(8):  # search, status, role, open all, the capability, the practice
        seen.append(browser.driver.switch_to.active_element)
        seen[-1].send_keys(Keys.TAB)
    tags = [one.tag_name for one in seen]
    assert tags[:6] == ["input", "select", "select", "button", "summary", "summary"]
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    seen[5].send_keys(Keys.SHIFT)
    browser.js("arguments[0].focus({focusVisible: true})", seen[5])
    assert browser.js(outline) == "solid"
    seen[5].send_keys(Keys.ENTER)
    assert browser.js("document.querySelector('#documentation details.practice').open")


def test_dark_follows_the_reader_and_the_button(browser: Browser, page: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    browser.open(page)
    light = browser.js(colour)
    browser.open(page, dark=True)
    dark = browser.js(colour)
    assert brightness(light) > 200 > 60 > brightness(dark)
    browser.driver.find_element(By.ID, "theme").click()
    assert browser.js(colour) == light
    browser.driver.find_element(By.ID, "theme").click()
    assert browser.js(colour) == dark


def brightness(colour: str) -> float:
    import re

    numbers = [float(one) for one in re.findall(r"[\d.]+", colour)[:3]]
    return sum(numbers) / 3


CONTRAST = """(() => {
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.matches('script, option')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return poor;
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_asks_for(
    dark: bool, browser: Browser, page: str
) -> None:
    browser.open(page, dark=dark)
    browser.js("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert browser.js(CONTRAST) == []


@pytest.mark.parametrize("words", ["src/package/save.py", "x" * 300], ids=["usual", "long names"])
@pytest.mark.parametrize("width", [320, 768, 1920])
def test_nothing_scrolls_sideways(width: int, words: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "matrix.html"
    path.write_text(render("html", report(words, gated=True)), encoding="utf-8")
    browser.open(path.as_uri(), width)
    browser.js("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert browser.overflow() == 0


def test_no_request_leaves_the_file_and_the_console_is_silent(
    browser: Browser, tmp_path: Path
) -> None:
    every = list(HOSTILE.values())
    for number, words in enumerate(("".join(every), every[3])):
        path = tmp_path / f"{number}.html"
        path.write_text(render("html", report(words, gated=True)), encoding="utf-8")
        browser.open("about:blank")
        browser.requests(), browser.errors()
        browser.open(f"{path.as_uri()}#checkpointing")
        search(browser, "save")
        assert set(browser.requests()) <= {path.as_uri(), "about:blank", "data:,"}
        assert browser.errors() == []
        assert not browser.js("'owned' in window")


def test_the_page_may_neither_load_nor_send(browser: Browser, page: str) -> None:
    """The content policy holds: the test above could not pass by chance."""
    browser.open(page)
    blocked = browser.driver.execute_async_script(
        "const done = arguments[0]; document.addEventListener('securitypolicyviolation', "
        "(event) => done(event.effectiveDirective)); fetch('http://127.0.0.1:9/').catch(() => {})"
    )
    assert blocked == "connect-src"
    browser.errors()
