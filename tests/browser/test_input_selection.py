"""What a person does on the page on input selection, in a real browser."""

from __future__ import annotations

import pytest

from engine.methods.input_selection import ISSUES, PROBES, TAPS
from engine.methods.input_selection.settings import IssueSettings, ProbeSettings, TapSettings
from engine.runs.run import Input
from engine.toolkit.tables import from_csv
from engine.workbench import Workbench
from tests.browser.conftest import LONG_MS, choose, downloaded, serving, settled, watched
from tests.browser.test_app import wait_for_text

pytestmark = pytest.mark.browser

TILE = 'path[aria-label*="image: data:"]'
ARMS = ("highest loss and DHWI together, at the chosen layer", "highest loss and DHWI together", "highest loss")


def looked_into(home) -> None:
    """The built-in digits with their blocks, final probes and likely wrong labels known."""
    bench = Workbench(home)
    opened = bench.open_demo("digits")
    bench.remember_opened(opened)
    subject = bench.subject(opened)
    bench.ask(TAPS, subject, TapSettings()).future.result()
    run = bench.question(TAPS, subject, TapSettings()).fingerprint
    inputs = {"taps": Input(run, bench.answer(TAPS, subject, TapSettings()))}
    for step, settings in ((PROBES, ProbeSettings()), (ISSUES, IssueSettings())):
        bench.ask(step, subject, settings, inputs).future.result()
    bench.worker.close()


@pytest.fixture
def page(browser, tmp_path):
    """The page on the built-in digits."""
    looked_into(tmp_path / "home")
    with serving(tmp_path / "home") as server, watched(browser, LONG_MS) as tab:
        tab.goto(f"{server.url}/input_selection")
        wait_for_text(tab, "Retrain and compare")
        settled(tab)
        yield tab


def set_number(page, label: str, value: int) -> None:
    """Type a number into a field."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settled(page)


def press(page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()
    settled(page)


def test_from_the_labels_to_a_selection_and_out(page):
    wait_for_text(page, "Under-fitted: 0")
    labels = from_csv(downloaded(page, "Labels as CSV"))
    assert {row["label"]: row["verdict"] for row in labels}["3"] == "over-fitted"
    choose(page, "The nine metrics")
    assert page.locator('[aria-label="Rank correlation of each two metrics"]').count()
    choose(page, "Heat maps")
    first = next(row["id"] for row in from_csv(downloaded(page, "Selection as CSV")))
    tile = page.locator(f'[aria-label*="chosen images in their order"] {TILE}').first
    tile.scroll_into_view_if_needed()
    tile.click()
    settled(page)
    press(page, "Leave out the 1 picked")
    wait_for_text(page, "Left out by hand")
    assert first not in [row["id"] for row in from_csv(downloaded(page, "Selection as CSV"))]
    press(page, "Take all back")
    assert first in [row["id"] for row in from_csv(downloaded(page, "Selection as CSV"))]
    press(page, "Keep as selection")
    wait_for_text(page, "Selection in hand")


def test_strategies_are_compared_and_one_is_kept(page):
    for arm in ARMS:
        page.get_by_role("button", name=f"Remove {arm}", exact=True).click()
        settled(page)
    page.get_by_text("How it is retrained", exact=True).click()
    set_number(page, "Rounds", 1)
    set_number(page, "Steps a round", 5)
    set_number(page, "Seeds", 1)
    page.get_by_role("button", name="Retrain and compare").click()
    page.get_by_role("button", name="Stop all").wait_for()
    page.get_by_role("button", name="Stop all").wait_for(state="detached")
    settled(page)
    wait_for_text(page, "Only random choice was run")
    page.get_by_text("All numbers", exact=True).click()
    settled(page)
    assert len(from_csv(downloaded(page, "Comparison as CSV"))) == 2 * 5
    press(page, "Train it once more")
    wait_for_text(page, "Keep as a Fix")
    settled(page)
    press(page, "Keep as a Fix")
    wait_for_text(page, "Kept as")
    assert downloaded(page, ".safetensors")
