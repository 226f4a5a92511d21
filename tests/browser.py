"""A real headless browser for tests of pages: Debian's Chromium and its driver."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


class Browser:
    """A page in a window, with what it logged and what it asked the network for."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Open a page in a window of a size; the size is the page's own, in CSS pixels."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.driver.get("about:blank")  # a mere change of the fragment would load nothing
        self.driver.get(url)

    def command(self, name: str, **arguments: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def js(self, code: str, *arguments: Any) -> Any:
        """Return what an expression of JavaScript gives."""
        return self.driver.execute_script(f"return {code}", *arguments)

    def errors(self) -> list[str]:
        """Return what the page wrote to the console as warnings and errors, and clear it."""
        return [row["message"] for row in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call, and clear them."""
        import json

        rows = [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]
        sent = "Network.requestWillBeSent"
        return [row["params"]["request"]["url"] for row in rows if row["method"] == sent]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return int(self.js(f"{root}.scrollWidth - {root}.clientWidth"))


def missing() -> str:
    """Say what a browser test lacks on this machine, or nothing."""
    lacks = [one for one in ("chromium", "chromedriver") if shutil.which(one) is None]
    return f"{' and '.join(lacks)} not on PATH: apt-get install chromium-driver" if lacks else ""


@contextmanager
def started(profile: Path) -> Iterator[Browser]:
    """Start a browser with a fresh profile.

    Where there is none the test is skipped with the reason; in CI (`CI` is set) it fails.
    """
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
