"""The CAM training page's first gallery, in headless Chromium: from the click on the page, and from its address.

python -m benchmarks.cam_page

Each time a server that was just started on a data folder in which the built-in backgrounds are open and no map is
known. `from the address` counts all that the first request of a server loads.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.pages import serving, tab, told
from engine.workbench import Workbench
from tests.browser.conftest import CHROMIUM, QUIET, settled

STARTS = 5
GALLERY = "() => document.querySelectorAll('path[aria-label*=\"image: data:\"]').length > 12"


def opened(home: Path) -> Path:
    """A data folder with the built-in backgrounds open."""
    bench = Workbench(home)
    bench.remember_opened(bench.open_demo("backgrounds"))
    bench.worker.close()
    return home


def from_the_click(browser: Browser, home: Path) -> float:
    """Seconds from the click on the page's name, the Overview having been drawn."""
    with serving(home) as server, tab(browser) as page:
        page.goto(server.url)
        settled(page)
        begin = time.perf_counter()
        page.get_by_role("link", name="CAM training").first.click()
        page.get_by_role("heading", name="Where it looks").wait_for()
        page.wait_for_function(GALLERY)
        return time.perf_counter() - begin


def from_the_address(browser: Browser, home: Path) -> float:
    """Seconds from opening the page's address."""
    with serving(home) as server, tab(browser) as page:
        begin = time.perf_counter()
        page.goto(f"{server.url}/cam_training", wait_until="commit")
        page.wait_for_function(GALLERY)
        return time.perf_counter() - begin


def main() -> None:
    """Both, several times."""
    with tempfile.TemporaryDirectory(prefix="cam-page-") as temporary, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name, measure in (("from the click on the page", from_the_click), ("from the address", from_the_address)):
            seconds = [measure(browser, opened(Path(temporary) / f"{name} {start}")) for start in range(STARTS)]
            told(f"first gallery, {name}", seconds)
        browser.close()


if __name__ == "__main__":
    main()
