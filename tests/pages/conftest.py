"""The app without a browser: each test has a workbench on its own data folder, and small data whose answers are known.

The colours: 6 pictures each of blue, green and red in train, in val (which becomes `diagnosis`) and in test. Among the
images to look at, two are wrong: `val/red/green.png` is called green, surely, and `val/blue/unsure.png` green,
unsurely. In test, `test/red/green.png` is.
"""

from __future__ import annotations

import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from altair.utils.schemapi import SchemaBase
from PIL import Image
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from engine.loading.data_options import DataOptions
from engine.loading.open_checkpoint import CheckpointOptions
from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.settings import EvaluationSettings
from engine.workbench import Opened, Workbench
from pages.parts.bench import workbench
from tests.made import colour_folder, colour_weights

ROOT = Path(__file__).parents[2]
LEDGER, OVERVIEW = "pages/ledger.py", "pages/evaluation.py"
CLASSES = ("red", "green", "blue")
UNSURE = (96, 100, 90)  # a pixel that is green by a hair
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Prepared:
    """The folder of colours, and a data folder in which it and its classifier are open."""

    photos: Path
    home: Path
    opened: Opened


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Prepared:
    """The colours, loaded once for all tests."""
    folder = tmp_path_factory.mktemp("colours")
    photos = colour_folder(folder / "photos", splits=("train", "val", "test"))
    (photos / "val" / "green" / "0.png").rename(photos / "val" / "red" / "green.png")
    Image.new("RGB", (16, 16), UNSURE).save(photos / "val" / "blue" / "unsure.png")
    bench = Workbench(folder / "home")
    opened = open_folder(bench, photos)
    bench.worker.close()
    return Prepared(photos, folder / "home", opened)


@pytest.fixture(autouse=True)
def bench(home, request) -> Iterator[Workbench]:
    """The app's workbench, on this test's data folder; its worker ends with the test."""
    if "colours" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("prepared").home, home)
    workbench.clear()
    yield workbench()
    workbench.clear()


class OnlyOurPages(PagesManager):
    """Streamlit's list of pages, without its automatic one of a folder called `pages`, which each AppTest asks for."""


@pytest.fixture(autouse=True)
def framed(request, monkeypatch) -> None:
    """`app.py` runs around every page, as it does in the browser from the second visit on."""
    if "automatic_pages" not in request.fixturenames:
        monkeypatch.setattr(PagesManager, "uses_pages_directory", False)
        monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", OnlyOurPages)


@pytest.fixture(autouse=True)
def charts_unchecked(request, monkeypatch) -> None:
    """Altair's check of each chart takes half the time of a page; the tests of the charts leave it on."""
    if not request.module.__name__.endswith("_charts"):
        monkeypatch.setattr(SchemaBase, "validate", classmethod(lambda *arguments: None))


@pytest.fixture
def automatic_pages() -> None:
    """Streamlit looks for pages by itself, as it does at the first visit."""


@pytest.fixture
def photos(prepared, tmp_path) -> Path:
    """A copy of the folder of colours."""
    return Path(shutil.copytree(prepared.photos, tmp_path / "photos"))


@pytest.fixture
def colours(prepared) -> Opened:
    """The colours and the classifier that names them, open."""
    return prepared.opened


@pytest.fixture(scope="session")
def prepared_demos(tmp_path_factory) -> Callable[[str], tuple[Path, Opened]]:
    """Gives a data folder in which a built-in example is open, made once for all tests."""

    @cache
    def prepared(name: str) -> tuple[Path, Opened]:
        home = tmp_path_factory.mktemp(name) / "home"
        bench = Workbench(home)
        opened = bench.open_demo(name)
        bench.remember_opened(opened)
        bench.worker.close()
        return home, opened

    return prepared


def demo_in(bench: Workbench, prepared: tuple[Path, Opened]) -> Opened:
    """A prepared example, open in this test's data folder."""
    shutil.copytree(prepared[0], bench.store.database.home, dirs_exist_ok=True)
    return prepared[1]


def open_folder(bench: Workbench, folder: Path, classes: tuple[str, ...] = CLASSES, **options: Any) -> Opened:
    """Load a folder of images and the classifier of colours, and open both."""
    dataset = bench.add_images(folder, DataOptions(**({"seen": "yes"} | options)))
    path = folder.parent / "colours.pth"
    torch.save(colour_weights(), path)
    said = CheckpointOptions(architecture="mlp", classes=classes)
    opened = Opened(bench.add_checkpoint(path, said, bench.images(dataset)), dataset)
    bench.remember_opened(opened)
    return opened


def started() -> AppTest:
    """The app as it is when it has just been opened."""
    return ran(AppTest.from_file(str(ROOT / "app.py"), default_timeout=WAIT_SECONDS))


def ran(at: Any) -> AppTest:
    """The app (or the app of a widget that was set) after a run, in which nothing was raised."""
    at = at.run()
    assert [each.message for each in at.exception] == []
    assert len(at.title) == 1
    return at


def settled(at: Any, bench: Workbench) -> AppTest:
    """The app once nothing is at work any more, drawn after the last of it was done."""
    over = [job for job in bench.worker.jobs.values() if job.is_over]
    at = ran(at)
    while (jobs := list(bench.worker.jobs.values())) != over:
        for job in jobs:
            assert job.future is not None
            job.future.result(WAIT_SECONDS)
        over, at = jobs, ran(at)
    return at


def overview(bench: Workbench) -> AppTest:
    """The Overview with its evaluation done."""
    at = settled(started(), bench)
    assert at.title[0].value == "Overview"
    return at


def ledger(at: AppTest) -> AppTest:
    """The Ledger, in the same tab."""
    at = ran(at.switch_page(LEDGER))
    assert at.title[0].value == "Ledger"
    return at


def labelled(elements: Any, label: str) -> Any:
    """The one widget with this label."""
    found = [each for each in elements if each.label == label]
    assert len(found) == 1, f"{len(found)} with the label {label!r} among {[each.label for each in elements]}"
    return found[0]


def words(at: Any) -> str:
    """All text of the page, without the backslashes that keep Markdown from reading it."""
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error, at.subheader)
    return "\n".join(each.value for kind in kinds for each in kind).replace("\\", "")


def key_of(at: AppTest, what: str) -> str:
    """The full key of a widget of the browser, which begins with `what`."""
    found = [key for key in at.session_state.keys() if key.startswith(what)]  # noqa: SIM118
    assert len(found) == 1, found
    return found[0]


def charts(at: AppTest) -> dict[str, list[dict[str, Any]]]:
    """The rows of each chart shown, those of all its layers, by its key."""
    return {each.key: chart_rows(each.proto) for each in at.get("vega_lite_chart") if each.key}


def drawn(at: AppTest) -> dict[str, list[dict[str, Any]]]:
    """The rows of each chart shown, by what a screen reader is told; those without selections have no key."""
    return {each.proto.alt: chart_rows(each.proto) for each in at.get("vega_lite_chart")}


def chart_rows(proto: Any) -> list[dict[str, Any]]:
    """The rows that go with a chart as a table, or that stand in its layers."""
    if proto.data.data:
        return convert_arrow_bytes_to_pandas_df(proto.data.data).to_dict("records")
    return inline_rows(json.loads(proto.spec))


def inline_rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that stand in a chart's specification, of all its layers."""
    own = spec.get("data", {}).get("values", [])
    return [*own, *(row for layer in spec.get("layer", []) for row in inline_rows(layer))]


def grid_key(at: AppTest) -> str:
    """The key of the grid of images that is shown."""
    (key,) = [key for key in charts(at) if key.startswith("grid ")]
    return key


def tiles(at: AppTest) -> list[dict[str, Any]]:
    """The tiles of the grid, in order; none where there is no grid."""
    return next((rows for key, rows in charts(at).items() if key.startswith("grid ")), [])


def names(at: AppTest) -> list[str]:
    """The file names of the tiles, in order."""
    return [tile["hint"].split(": ")[0] for tile in tiles(at)]


def select(at: AppTest, key: str, **selection: Any) -> AppTest:
    """The app after a selection was made in a chart or a table."""
    at.session_state[key] = {"selection": selection}
    return ran(at)


def evaluate(bench: Workbench, opened: Opened, role: str = "diagnosis") -> str:
    """Have a role evaluated; returns the run's fingerprint."""
    job = bench.ask(EVALUATION, bench.subject(opened), EvaluationSettings(role))
    assert job.future is not None
    job.future.result(WAIT_SECONDS)
    return job.fingerprint


class Gate:
    """In place of prediction: half done, it waits until it is let on or stopped."""

    def __init__(self, predict: Callable) -> None:
        self.predict, self.halfway, self.open = predict, threading.Event(), threading.Event()

    def __call__(self, classifier: Any, images: Any, indices: Any, progress: Any, *more: Any) -> Any:
        while not self.open.wait(0.01):
            progress.report(0.5, "classifying slowly")
            self.halfway.set()
        return self.predict(classifier, images, indices, progress, *more)


@pytest.fixture
def gate(monkeypatch, bench) -> Iterator[Gate]:
    """Evaluations wait halfway until the gate is opened."""
    from engine.methods.evaluation import evaluate

    waiting = Gate(evaluate.predict)
    monkeypatch.setattr(evaluate, "predict", waiting)
    yield waiting
    for job in bench.worker.current():
        job.cancel()
    waiting.open.set()


def zipped(folder: Path) -> bytes:
    """The folder as a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def saved(content: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()
