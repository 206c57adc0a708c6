"""The app as a person meets it, in headless Chromium: a click with 10,000 samples, and the first page of a warm start.

python -m benchmarks.pages [MNIST FOLDER]

A server on a temporary data folder, a browser on the same machine. The server's time of a click goes from the request
leaving the browser to the message that the script has finished, by the browser's own clock on the WebSocket.
"""

from __future__ import annotations

import base64
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from engine.loading.architectures import build, default_preprocessing
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.methods.evaluation import EVALUATION, FEATURES
from engine.methods.evaluation.result import Evaluation
from engine.methods.evaluation.settings import EvaluationSettings, FeatureSettings
from engine.runs.progress import Progress
from engine.runs.run import Step
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.image_set import ImageSet
from engine.subject.subject import Subject
from engine.toolkit.training import TrainingSettings, train
from engine.workbench import Opened, Workbench
from tests.browser.conftest import CHROMIUM, IDLE, QUIET, Server, serve, settled

STARTS = 5
MOST_SECONDS = 60  # to wait for a script's end
CELLS = 10  # right ones, and as many wrong ones
TRAIN_IMAGES = 10_000  # what the neighbours come from
TILE = 'path[aria-label*="image: data:"]'
READY = f"""() => document.querySelector('{IDLE}') && document.querySelector('{TILE}')"""


def digits(folder: Path, into: Path) -> Path:
    """MNIST's 10,000 test images, all of them to be looked at, and some of those for training, as one .npz."""
    images = load_images(folder, DataOptions())
    train, held = np.flatnonzero(images.roles == "train")[:TRAIN_IMAGES], np.flatnonzero(images.roles != "train")
    path = into / "digits.npz"
    np.savez(
        path,
        x_train=images.read(train)[:, 0],
        y_train=images.labels[train],
        x_val=images.read(held)[:, 0],
        y_val=images.labels[held],
    )
    return path


def lenet(images: ImageSet) -> Classifier:
    """LeNet-5 after one epoch: good enough for a confusion matrix as people have them."""
    torch.manual_seed(0)
    network = build("lenet5", 10, 1)
    blueprint = Blueprint(
        "lenet5", "lenet5", 10, 1, images.classes, default_preprocessing("lenet5", 1), weights_hash(network)
    )
    classifier = Classifier(network, blueprint)
    own = images.indices("train")
    pixels, labels = torch.from_numpy(images.read(own)), torch.from_numpy(images.labels[own])
    train(classifier, pixels, labels, TrainingSettings(epochs=1), 0, Progress())
    classifier.blueprint = replace(blueprint, weights=weights_hash(network))
    return classifier


def wait_for(bench: Workbench, step: Step, subject: Subject, settings: object) -> object:
    """Ask, and wait for the answer."""
    job = bench.ask(step, subject, settings)
    if job.future is not None:
        job.future.result()
    return bench.answer(step, subject, settings)


def prepare(home: Path, mnist: Path, folder: Path) -> Subject:
    """A data folder with the digits and the network open, and their evaluation stored."""
    bench = Workbench(home)
    dataset = bench.add_images(digits(mnist, folder), DataOptions(seen="yes"))
    model = bench.add_model(lenet(bench.images(dataset)), "trained for one epoch")
    opened = Opened(model, dataset)
    bench.remember_opened(opened)
    subject = bench.subject(opened)
    wait_for(bench, EVALUATION, subject, EvaluationSettings())
    bench.worker.close()
    return subject


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A ready server, stopped at the end."""
    server = serve(home)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """An empty tab of a browser that has seen nothing yet."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


class Wire:
    """The times, in seconds of the browser's clock, at which scripts were asked for and finished."""

    def __init__(self, page: Page) -> None:
        self.asked: list[float] = []
        self.finished: list[float] = []
        self.page = page
        session: CDPSession = page.context.new_cdp_session(page)
        session.on("Network.webSocketFrameSent", self._sent)
        session.on("Network.webSocketFrameReceived", self._received)
        session.send("Network.enable")

    def _sent(self, event: dict) -> None:
        message = BackMsg.FromString(base64.b64decode(event["response"]["payloadData"]))
        if message.WhichOneof("type") == "rerun_script":
            self.asked.append(event["timestamp"])

    def _received(self, event: dict) -> None:
        message = ForwardMsg.FromString(base64.b64decode(event["response"]["payloadData"]))
        if message.WhichOneof("type") == "script_finished":
            self.finished.append(event["timestamp"])

    def seconds(self) -> float:
        """From the first request to the last end since this was last asked, which it waits for; forgets them."""
        end = time.perf_counter() + MOST_SECONDS
        while len(self.finished) < max(1, len(self.asked)):
            if time.perf_counter() > end:
                raise TimeoutError(f"no script had finished after {MOST_SECONDS} seconds")
            self.page.wait_for_timeout(50)
        taken = self.finished[-1] - self.asked[0]
        self.asked.clear()
        self.finished.clear()
        return taken


def cells(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The right cells of the confusion matrix, and the wrong ones with the most images: (label, prediction)."""
    confusion = evaluation.summary.confusion
    wrong = confusion - np.diag(confusion.diagonal())
    most = np.argsort(-wrong, axis=None, kind="stable")[:CELLS]
    pairs = [(index, index) for index in range(CELLS)] + [divmod(int(place), len(confusion)) for place in most]
    return [(evaluation.classes[label], evaluation.classes[prediction]) for label, prediction in pairs]


def clicks(page: Page, wire: Wire, chosen: Sequence[tuple[str, str]]) -> tuple[list[float], list[float]]:
    """The server's seconds for choosing each cell alone, and for taking the choice back."""
    chose: list[float] = []
    took_back: list[float] = []
    for label, prediction in chosen:
        cell = page.locator(f'path[aria-label*="prediction: {prediction}; label (truth): {label};"]').last
        for seconds in (chose, took_back):
            cell.scroll_into_view_if_needed()
            page.wait_for_timeout(200)
            cell.click()
            seconds.append(wire.seconds())
            settled(page)
    return chose, took_back


def told(what: str, seconds: Sequence[float]) -> None:
    """Median and range."""
    print(
        f"{what}: {statistics.median(seconds):.3f} s "
        f"({min(seconds):.3f} to {max(seconds):.3f}, {len(seconds)} measured)",
        flush=True,
    )


def measure_clicks(browser: Browser, home: Path, subject: Subject) -> None:
    """Clicks on the confusion matrix, without neighbours in the image card and with them."""
    bench = Workbench(home)
    evaluation = bench.answer(EVALUATION, subject, EvaluationSettings())
    if evaluation is None:
        raise RuntimeError("the evaluation was not stored")
    n = len(evaluation.ids)
    for what in ("", ", nearest training images shown"):
        if what:
            wait_for(bench, FEATURES, subject, FeatureSettings())
        with serving(home) as server, tab(browser) as page:
            wire = Wire(page)
            page.goto(server.url)
            settled(page)
            first = wire.seconds()
            chose, took_back = clicks(page, wire, cells(evaluation))
        told(f"first page, n = {n:,}{what}, server's time", [first])
        told(f"a cell is clicked, n = {n:,}{what}, server's time", chose)
        told(f"and clicked again, n = {n:,}{what}, server's time", took_back)
    bench.worker.close()


def measure_starts(browser: Browser, home: Path) -> None:
    """The first page of a ready server whose store is warm: the built-in digits, from the address to the pictures."""
    with serving(home) as server, tab(browser) as page:
        page.goto(server.url)
        page.wait_for_function(READY)
    seen, served, again = [], [], []
    for _ in range(STARTS):
        with serving(home) as server, tab(browser) as page:
            wire = Wire(page)
            begin = time.perf_counter()
            page.goto(server.url, wait_until="commit")
            page.wait_for_function(READY)
            seen.append(time.perf_counter() - begin)
            settled(page)
            served.append(wire.seconds())
            begin = time.perf_counter()
            page.goto(server.url, wait_until="commit")
            page.wait_for_function(READY)
            again.append(time.perf_counter() - begin)
    told("warm start, the built-in digits, first page drawn", seen)
    told("of which from the browser's first request to the script's end", served)
    told("and again, on the server that has drawn it once", again)


def main() -> None:
    """Starts, then clicks."""
    mnist = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/mnist")
    if not mnist.is_dir():
        sys.exit(f"there is no folder {mnist}; give the one with MNIST's IDX files")
    with tempfile.TemporaryDirectory(prefix="pages-") as temporary, sync_playwright() as play:
        folder = Path(temporary)
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        measure_starts(browser, folder / "demo")
        subject = prepare(folder / "digits", mnist, folder)
        measure_clicks(browser, folder / "digits", subject)
        browser.close()


if __name__ == "__main__":
    main()
