"""What a person does on the page on CAM training, in a real browser."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from engine.toolkit.tables import from_csv
from engine.workbench import Workbench
from tests.browser.conftest import LONG_MS, choose, downloaded, serving, settled, watched
from tests.browser.test_app import wait_for_text

pytestmark = pytest.mark.browser

TILE = 'path[aria-label*="image: data:"]'


@pytest.fixture
def page(browser, tmp_path):
    """The page on the built-in backgrounds."""
    bench = Workbench(tmp_path / "home")
    bench.remember_opened(bench.open_demo("backgrounds"))
    bench.worker.close()
    with serving(tmp_path / "home") as server, watched(browser, LONG_MS) as tab:
        tab.goto(f"{server.url}/cam_training")
        wait_for_text(tab, "less than by chance")
        settled(tab)
        yield tab


def set_number(page, label: str, value: int) -> None:
    """Type a number into a field."""
    field = page.get_by_label(label)
    field.fill(str(value))
    field.press("Enter")
    settled(page)


def test_from_the_gallery_to_one_image_to_a_selection_and_out(page):
    tile = page.locator(TILE).nth(9)
    tile.scroll_into_view_if_needed()
    tile.click()
    settled(page)
    wait_for_text(page, "1 picked images")
    name = re.search(r"diagnosis/\S+\.png", page.get_by_text(re.compile("energy inside")).inner_text()).group()
    page.get_by_text("The same image by every rule").click()
    wait_for_text(page, "Ablation-CAM")
    picked = from_csv(downloaded(page, "Download CSV"))
    assert [row["file_name"] for row in picked] == [name]
    choose(page, "Groups")
    wait_for_text(page, "maps are of one kind")
    choose(page, "Take out")
    with np.load(io.BytesIO(downloaded(page, "Maps as arrays")), allow_pickle=False) as arrays:
        assert arrays["maps"].shape == (200, 8, 8)
    assert downloaded(page, "Contact sheet, worst first").startswith(b"\x89PNG")


def test_it_is_taught_kept_and_opened(page):
    page.get_by_text("How it is taught").click()
    set_number(page, "Epochs", 3)
    page.get_by_role("button", name="Run training").click()
    wait_for_text(page, "Keep as a Fix")
    settled(page)
    assert page.locator('[aria-label="Where its evidence lies, by step"]').count()
    page.get_by_role("button", name="Keep as a Fix").click()
    wait_for_text(page, "Kept as")
    assert downloaded(page, ".safetensors")
    page.get_by_role("button", name="Open it").click()
    settled(page)
    wait_for_text(page, "planted backgrounds, CAM-trained")


def test_arms_are_compared_over_seeds_and_seen_side_by_side(page):
    page.get_by_text("How it is taught").click()
    set_number(page, "Epochs", 2)
    page.get_by_text("Compare over seeds", exact=True).click()
    settled(page)
    set_number(page, "Seeds", 2)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("button", name="Stop all").wait_for()
    page.get_by_role("button", name="Stop all").wait_for(state="detached")
    wait_for_text(page, "of the answers change when only the background is swapped")
    settled(page)
    page.get_by_role("button", name="Open the test images").click()
    wait_for_text(page, "Blue speaks for the label")
    settled(page)
    page.get_by_text("All numbers", exact=True).click()
    settled(page)
    rows = from_csv(downloaded(page, "Comparison as CSV"))
    assert len(rows) == 4 * 4
