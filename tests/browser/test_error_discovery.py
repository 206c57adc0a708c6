"""What a person does on the page on error discovery, in a real browser, with a small search prepared."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from engine.methods.error_discovery.labelling import recorded, replayed
from engine.toolkit.tables import from_csv
from engine.workbench import Workbench
from tests.browser.conftest import LONG_MS, downloaded, serving, settled, watched
from tests.browser.test_app import wait_for_text
from tests.browser.test_cam_training import set_number
from tests.small_discovery import small_discovery

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The app on the built-in digits, with a small search kept as the answer to the page's first questions."""
    home = tmp_path_factory.mktemp("discovery") / "home"
    bench = Workbench(home)
    opened = bench.open_demo("digits")
    bench.remember_opened(opened)
    found = small_discovery(bench, opened)
    bench.worker.close()
    with serving(home) as server:
        yield server, found


@pytest.fixture
def page(browser, running):
    with watched(browser, LONG_MS) as tab:
        tab.goto(f"{running[0].url}/error_discovery")
        wait_for_text(tab, "What they really are")
        settled(tab)
        yield tab


def state(running):
    """What was said of the regions, as it lies in the data folder."""
    server, found = running
    bench = Workbench(server.home)
    said = replayed(recorded(bench.store.shelf, found.about))
    bench.worker.close()
    return said


def chart_of(page, says):
    """The chart of which a screen reader is told this, in view."""
    chart = page.get_by_label(says, exact=True).first
    chart.scroll_into_view_if_needed()
    return chart


def press(page, key: str, then: str) -> None:
    """Press a key, and wait for what must follow."""
    page.keyboard.press(key)
    wait_for_text(page, then)
    settled(page)


def test_regions_are_labelled_by_keys_kept_taken_out_brought_in_and_corrected(page, running):
    regions = running[1].inputs["regions"].value
    first, second, third = regions.alive.nonzero()[0][:3].tolist()
    classes = [next(label for label in range(10) if label != regions.prediction[each]) for each in range(third + 1)]
    press(page, str(classes[first]), "1 of ")
    press(page, str(classes[second]), "2 of ")
    press(page, "n", "3 of ")
    press(page, "u", "2 of ")
    page.reload()
    wait_for_text(page, "2 of ")
    settled(page)
    said = state(running)
    assert {region: event.label for region, event in said.decisions.items()} == {
        first: classes[first], second: classes[second]
    }  # fmt: skip

    with zipfile.ZipFile(io.BytesIO(downloaded(page, "All with images"))) as archive:
        table = archive.read("regions.csv")
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
        assert archive.read(pictures[0]).startswith(b"\x89PNG")
    rows = from_csv(table)
    assert [row["status"] for row in rows[:3]] == ["error", "error", ""]
    assert len(pictures) == len(from_csv(downloaded(page, "Images as CSV")))

    filled = table.decode().splitlines()
    filled[3] = filled[3].replace(f",{third},,,", f",{third},unrecognisable,,", 1)
    upload = {"name": "regions.csv", "mimeType": "text/csv", "buffer": "\n".join(filled).encode()}
    page.locator('input[type="file"]').last.set_input_files([upload])
    page.get_by_role("button", name="Take over 3 labels").click()
    wait_for_text(page, "3 of ")
    settled(page)
    assert state(running).decisions[third].kind == "unreadable"

    page.get_by_role("button", name="Take a snapshot of the labels").click()
    wait_for_text(page, "How it is trained on")
    settled(page)
    page.get_by_text("How it is trained on").click()
    for label, value in (("Steps", 3), ("Seeds", 1), ("Fresh perturbations an image", 1)):
        set_number(page, label, value)
    for weight in ("1", "0.3", "0.03"):  # one is enough
        page.get_by_role("button", name=f"Remove {weight}", exact=True).click()
        settled(page)
    page.get_by_role("button", name="Correct and compare").click()
    wait_for_text(page, "Accuracy on test went from")
    page.get_by_role("button", name="Stop all").wait_for(state="detached")
    settled(page)
    page.get_by_role("button", name="Keep as a Fix").click()
    wait_for_text(page, "Kept as")


def test_an_image_is_left_out_by_a_click_and_a_brush_shows_what_it_holds(page, running):
    before = state(running).excluded
    chart_of(page, re.compile(r"^\d+ images of region \d+$")).click(position={"x": 40, "y": 40})
    wait_for_text(page, "1 left out")
    settled(page)
    assert len(state(running).excluded - before) == 1
    page.get_by_text("Map", exact=True).click()
    wait_for_text(page, "errors (diamonds)")
    settled(page)
    box = chart_of(page, "Errors among real images, as points").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 400, steps=5)
    page.mouse.up()
    wait_for_text(page, "real images are brushed")
