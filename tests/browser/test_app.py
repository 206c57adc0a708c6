"""What a person does on the first day, in a real browser."""

from __future__ import annotations

import io
import re
import shutil
import time
import zipfile
from pathlib import Path

import pytest
import torch

from engine.loading.architectures import build
from engine.loading.data_options import DataOptions
from engine.loading.open_checkpoint import CheckpointOptions
from engine.runs.run import Outcome
from engine.runs.store import Store
from engine.toolkit.tables import from_csv
from engine.workbench import Opened, Workbench
from tests.browser.conftest import serve, settled
from tests.made import colour_folder, colour_weights

pytestmark = pytest.mark.browser


def wait_for_text(page, text: str) -> None:
    page.get_by_text(text).first.wait_for()


def click_cell(page, label: str, prediction: str) -> None:
    """Click a cell of the confusion matrix."""
    cell = page.locator(f'path[aria-label*="prediction: {prediction}; label (truth): {label};"]').last
    cell.scroll_into_view_if_needed()
    cell.click()
    settled(page)


def click_tile(page, place: int) -> None:
    """Click an image of the grid."""
    tile = page.locator('path[aria-label*="image: data:"]').nth(place)
    tile.scroll_into_view_if_needed()
    tile.click()
    settled(page)


def upload(page, section: str, file) -> None:
    """Open a section of the sidebar and give a file to its uploader."""
    box = page.locator('[data-testid="stSidebar"] [data-testid="stExpander"]').filter(
        has=page.locator("summary", has_text=re.compile(f"{section}$"))
    )
    box.locator("summary").click()
    box.locator('input[type="file"]').set_input_files(file)
    settled(page)


def downloaded(page, button: str) -> bytes:
    """What a download button gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path()).read_bytes()


def test_the_built_in_classifier_is_examined_and_a_cell_s_errors_are_taken_out(tab):
    wait_for_text(tab, "It is right on")
    click_cell(tab, label="0", prediction="9")
    wait_for_text(tab, "0 taken for 9. Click images")
    rows = from_csv(downloaded(tab, "Download CSV"))
    assert {(row["label"], row["prediction"], row["is_error"]) for row in rows} == {("0", "9", "true")}
    assert tab.get_by_text("0 taken for 9. Click images").inner_text().startswith(f"{len(rows)} images")


def test_images_are_picked_over_two_pages_kept_and_found_after_a_reload(tab):
    wait_for_text(tab, "It is right on")
    click_tile(tab, 0)
    click_tile(tab, 5)
    wait_for_text(tab, "2 picked images")
    tab.locator('[data-testid="stPagination"]').get_by_text("2", exact=True).click()
    settled(tab)
    click_tile(tab, 1)
    wait_for_text(tab, "3 picked images")
    click_tile(tab, 1)
    wait_for_text(tab, "2 picked images")
    tab.get_by_label("Name", exact=True).last.fill("two of them")
    tab.get_by_label("Name", exact=True).last.press("Enter")
    settled(tab)
    bundle = zipfile.ZipFile(io.BytesIO(downloaded(tab, "Download with images")))
    assert len([name for name in bundle.namelist() if name.endswith(".png")]) == 2
    tab.get_by_role("button", name="Keep as selection").click()
    settled(tab)
    wait_for_text(tab, "2 images: all, in two of them")
    tab.reload()
    settled(tab)
    wait_for_text(tab, "279 images: wrong")
    tab.get_by_label("Selection in hand").click()
    tab.get_by_role("option", name="two of them (2 images)").click()
    settled(tab)
    wait_for_text(tab, "2 images: all, in two of them")


def test_a_person_loads_their_own_classifier_and_data_and_sees_what_it_gets_wrong(tab, tmp_path):
    torch.save({"state_dict": {f"module.{k}": v for k, v in colour_weights().items()}}, tmp_path / "colours.pth")
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", colour_folder(tmp_path / "photos", each=12))
    wait_for_text(tab, "It is right on")
    upload(tab, "Classifier", tmp_path / "colours.pth")
    tab.get_by_label("Class names, in the order of the outputs").last.fill("red, green, blue")
    tab.get_by_role("button", name="Load classifier").click()
    settled(tab)
    wait_for_text(tab, "don't fit yet")  # three classes, and the data open has ten
    assert tab.get_by_text("1,432 labelled images").count()  # what was open stays open
    upload(tab, "Data", archive)
    tab.get_by_role("button", name="Load data").click()
    settled(tab)
    tab.get_by_text("train (36)").click()
    settled(tab)
    wait_for_text(tab, "It is right on 100.0% of 36 train images")
    assert tab.get_by_text("don't fit yet").count() == 0


def test_a_bad_checkpoint_is_one_sentence_and_nothing_is_lost(tab, tmp_path):
    (tmp_path / "notes.pth").write_text("these are notes, not weights")
    wait_for_text(tab, "It is right on")
    upload(tab, "Classifier", tmp_path / "notes.pth")
    wait_for_text(tab, "a file that can be opened is saved with")
    assert tab.get_by_text("1,432 labelled images").count()


def test_a_job_is_found_again_after_a_reload_stopped_and_asked_for_again(browser, tmp_path):
    slow_subject(tmp_path)
    server = serve(tmp_path / "home")
    try:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(server.url)
        run = page.get_by_role("button", name="Run evaluation")  # on a slow machine it waits to be asked for
        page.get_by_text("classifying").or_(run).first.wait_for()
        if run.count():
            run.click()
        page.get_by_text("classifying").first.wait_for()
        page.reload()
        page.get_by_text("classifying").first.wait_for()
        page.get_by_text("At work").wait_for()
        page.locator('[data-testid="stMain"]').get_by_role("button", name="Stop").click()
        wait_for_text(page, "was stopped")
        page.get_by_role("button", name=re.compile("^(Resume|Run again)$")).click()
        page.get_by_text("classifying").first.wait_for()
        page.close()  # the job goes on without anybody looking
        store = Store(tmp_path / "home")
        end = time.time() + 120
        while store.register.entries()[0].outcome != Outcome.FINISHED and time.time() < end:
            time.sleep(0.5)
        assert store.register.entries()[0].outcome == Outcome.FINISHED
    finally:
        server.process.kill()
        server.process.wait()


def slow_subject(folder) -> None:
    """A data folder in which a ResNet-18 and 1,200 pictures are open: half a minute of work."""
    bench = Workbench(folder / "home")
    torch.manual_seed(0)
    torch.save(build("resnet18", 3, 3).state_dict(), folder / "slow.pth")
    dataset = bench.add_images(colour_folder(folder / "photos", each=400, splits=("train",)), DataOptions())
    options = CheckpointOptions(architecture="resnet18", height=160, width=160, crop_share=1.0)
    model = bench.add_checkpoint(folder / "slow.pth", options, bench.images(dataset))
    bench.remember_opened(Opened(model, dataset))
    bench.worker.close()
