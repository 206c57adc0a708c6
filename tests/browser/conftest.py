"""The real app in a real browser: a server on a free port with a data folder of its own, and headless Chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
START_SECONDS, WAIT_MS, LONG_MS = 90, 30_000, 120_000
TRY_MS, TRIES = 20_000, 4  # for a download


@dataclass
class Server:
    """A running app."""

    url: str
    home: Path
    process: subprocess.Popen


def serve(home: Path, **environment: str) -> Server:
    """Start the app on a data folder and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"FAULTLINE_HOME": str(home)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    end = time.time() + START_SECONDS
    while time.time() < end:
        try:
            urllib.request.urlopen(url + "/_stcore/health", timeout=2)  # noqa: S310
            return Server(url, home, process)
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise TimeoutError("the app did not answer")


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A running app, which is ended with the block."""
    running = serve(home)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving(tmp_path / "home") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the machine (Debian: apt install chromium)")
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@contextmanager
def watched(browser: playwright.Browser, milliseconds: int) -> Iterator[playwright.Page]:
    """An empty tab; fails at the end if the browser or the app reported an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(milliseconds)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "is not valid JSON" in said.text else None)
    try:
        yield page
        assert errors == []
        assert page.locator('[data-testid="stException"]').count() == 0
    finally:
        context.close()


@pytest.fixture
def tab(browser, server) -> Iterator[playwright.Page]:
    """A page that was opened on the app."""
    with watched(browser, WAIT_MS) as page:
        page.goto(server.url)
        settled(page)
        yield page


def settled(page: playwright.Page) -> None:
    """Wait until the script has stopped running and stayed so for a moment."""
    page.wait_for_selector(IDLE)
    quiet = 0
    while quiet < 5:
        page.wait_for_timeout(100)
        quiet = quiet + 1 if page.query_selector(IDLE) else 0


def downloaded(page, label: str) -> bytes:
    """What the first download button of this label gives.

    A file is made when its button is pressed; Streamlit drops it where the page is drawn anew meanwhile, as when a job
    ends, so a person presses again.
    """
    button = page.locator('[data-testid="stDownloadButton"] button').filter(has_text=re.compile(f"{label}$")).first
    for _ in range(TRIES):
        page.get_by_text("At work", exact=True).wait_for(state="detached")
        settled(page)
        button.scroll_into_view_if_needed()
        try:
            with page.expect_download(timeout=TRY_MS) as waiting:
                button.click()
            return Path(waiting.value.path()).read_bytes()
        except playwright.Error:
            continue
    raise AssertionError(f"{label!r} gave no file in {TRIES} tries")


def choose(page, what: str) -> None:
    """Another closer look."""
    page.get_by_text(what, exact=True).first.click()
    settled(page)
