"""What a person does on the page on input optimization, in a real browser."""

from __future__ import annotations

import re
import time
from dataclasses import asdict

import numpy as np
import pytest

from engine.methods.input_optimization.settings import SweepSettings, alone
from engine.toolkit.tables import from_csv
from engine.workbench import Workbench
from tests.browser.conftest import LONG_MS, choose, downloaded, serving, settled, watched
from tests.browser.test_app import wait_for_text

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, tmp_path):
    """The page on the built-in digits, where rotation and blur have been asked for."""
    bench = Workbench(tmp_path / "home")
    opened = bench.open_demo("digits")
    bench.remember_opened(opened)
    settings = SweepSettings((alone("rotation", 4), alone("gaussian_blur", 4)), images=60)
    asked = {"settings": asdict(settings), "selection": []}
    bench.store.shelf.remember(f"asked sweep {bench.subject(opened).fingerprint}", asked)
    bench.worker.close()
    with serving(tmp_path / "home") as server, watched(browser, LONG_MS) as tab:
        tab.goto(f"{server.url}/input_optimization")
        settled(tab)
        start_what_waits(tab)
        yield tab


def test_from_the_whole_picture_to_one_image_and_back(page):
    wait_for_text(page, "It breaks first under")
    choose(page, "Maps")
    wait_for_text(page, "PCA, n = 50")
    choose(page, "t-SNE")
    wait_for_text(page, "t-SNE, n = 50")
    settled(page)
    drag(page, "Images as points")
    wait_for_text(page, "Brushed on the maps below")
    brushed = int(re.search(r"(\d+) images", page.get_by_text("Brushed on the maps below").inner_text()).group(1))
    assert 0 < brushed < 50
    wait_for_text(page, f"n = {brushed} images")
    choose(page, "Images")
    tile = page.locator('path[aria-label*="image: data:"]').nth(12)
    tile.scroll_into_view_if_needed()
    tile.click()
    settled(page)
    tried = page.get_by_text(re.compile("· diagnosis$")).first
    before = tried.inner_text()
    page.get_by_role("button", name="Try this image above").click()
    settled(page)
    assert tried.inner_text() != before
    page.get_by_role("button", name="Show all again").click()
    settled(page)
    assert page.get_by_text("Brushed on the maps below").count() == 0


def test_what_was_found_is_taken_out_and_read_back(page, tmp_path):
    choose(page, "Take out")
    breakpoints = from_csv(downloaded(page, "Breakpoints"))
    everywhere = [row for row in breakpoints if row["scope"] == "all"]
    assert [(row["family"], row["side"]) for row in everywhere] == [
        ("rotation", "counter-clockwise"),
        ("rotation", "clockwise"),
        ("gaussian_blur", "more"),
    ]
    (tmp_path / "pairs.npz").write_bytes(downloaded(page, "Pairs with images"))
    with np.load(tmp_path / "pairs.npz", allow_pickle=False) as pairs:
        assert pairs["transformed"].shape == (50 * 12, 3, 32, 32)
    failing = from_csv(downloaded(page, "Error CSV"))
    assert {row["source"] for row in failing} == {"transformed"}
    assert downloaded(page, "SVG").startswith(b"<svg")


def start_what_waits(page) -> None:
    """On a machine that is busy with other things a step may wait to be started, knowing how long it will take."""
    end = time.time() + LONG_MS / 1000
    while page.get_by_text("transformed images").count() == 0 and time.time() < end:
        button = page.get_by_role("button", name=re.compile("^Run (sweep|bringing back|breakpoints)$"))
        if button.count():
            button.first.click()
        page.wait_for_timeout(500)
    settled(page)
    page.get_by_text("transformed images").first.wait_for()


def drag(page, says: str) -> None:
    """Drag over the left half of a chart."""
    chart = page.locator(f'[aria-label="{says}"]').first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] - 12, steps=6)
    page.mouse.up()
    settled(page)
