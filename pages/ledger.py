"""Ledger: every run, every model and data set that is kept, what they take up, and forgetting them."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from engine.runs.run import Outcome
from engine.workbench import Workbench
from pages.parts import thumbnails
from pages.parts.bench import framed, opened, workbench
from pages.parts.fixes import as_files
from pages.parts.text import briefly, duration, plain, size

MARK = {
    Outcome.WAITING: "🕒",
    Outcome.RUNNING: "▶",
    Outcome.FINISHED: "✓",
    Outcome.CANCELLED: "■",
    Outcome.FAILED: "✗",
    Outcome.INTERRUPTED: "⚡",
}


def page() -> None:
    """The whole page."""
    bench = workbench()
    st.title("Ledger")
    used, quota = bench.store.database.bytes_used(), bench.store.quota_bytes
    st.markdown(f"**{size(used)}** of {size(quota)} are used in `{bench.store.database.home}`.")
    st.progress(min(1.0, used / quota))
    st.caption(
        "Past the quota, results used longest ago are dropped and computed again when asked for; "
        "models, data sets and selections stay until you forget them."
    )
    runs(bench)
    left, right = st.columns(2, gap="large")
    with left:
        models(bench)
    with right:
        datasets(bench)


def runs(bench: Workbench) -> None:
    """All runs, newest first, with what became of them."""
    st.subheader("Runs")
    entries = bench.store.register.entries()
    if not entries:
        st.info("Nothing has been run yet. Open the Overview.")
        return
    names = {row.fingerprint: row.name for row in bench.store.shelf.models()}
    sets = {row.fingerprint: row.name for row in bench.store.shelf.datasets()}
    st.dataframe(
        [
            {
                "outcome": f"{MARK[entry.outcome]} {entry.outcome}",
                "step": entry.title,
                "settings": ", ".join(f"{name} {briefly(value)}" for name, value in entry.run.settings.items()),
                "builds on": ", ".join(f"{name} {run[:6]}" for name, run in entry.run.inputs.items()),
                "classifier": names.get(entry.model, "forgotten"),
                "data": sets.get(entry.dataset, "forgotten"),
                "asked": datetime.fromtimestamp(entry.asked_at).astimezone(),
                "took": duration(entry.seconds) if entry.seconds else "",
                "message": entry.message,
                "run": entry.fingerprint,
            }
            for entry in entries
        ],
        hide_index=True,
        column_config={"asked": st.column_config.DatetimeColumn(format="distance")},
        key="runs",
        alt="All runs with their outcome",
    )
    made = {row.run for row in bench.store.shelf.models()}
    ended = [each for each in entries if each.outcome not in (Outcome.WAITING, Outcome.RUNNING)]
    with st.popover("Forget all results"):
        st.markdown("They are computed again when asked for; runs that made a classifier stay.")
        if st.button("Forget them for good", key="forget all", type="primary"):
            for entry in ended:
                if entry.fingerprint not in made:
                    bench.store.forget_run(entry.fingerprint)
            st.rerun()


def models(bench: Workbench) -> None:
    """The kept classifiers."""
    st.subheader("Classifiers")
    for row in bench.store.shelf.models():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            said = row.blueprint
            st.markdown(
                f"**{plain(row.name)}**  \n{plain(said['architecture'])}, {len(said['classes'])} classes, "
                f"{plain(row.origin)}",
                width="stretch",
            )
            as_files(bench, row)
            forget_button(bench, "model", row.fingerprint, row.fingerprint == opened().model)


def datasets(bench: Workbench) -> None:
    """The known data sets."""
    st.subheader("Data")
    for row in bench.store.shelf.datasets():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            where = row.source.get("path") or ("built in" if "demo" in row.source else "uploaded")
            st.markdown(f"**{plain(row.name)}**  \n{plain(where)}", width="stretch")
            forget_button(bench, "data", row.fingerprint, row.fingerprint == opened().dataset)


def forget_button(bench: Workbench, what: str, fingerprint: str, is_open: bool) -> None:
    """Forget a model or data set with all its runs, after a second press."""
    with st.popover("Forget", disabled=is_open, help="It is open now; open another first." if is_open else None):
        st.markdown(f"Removes this {what}, its runs and results from the data folder. Your own files stay.")
        if st.button("Forget it for good", key=f"forget {what} {fingerprint}", type="primary"):
            (bench.forget_model if what == "model" else bench.forget_dataset)(fingerprint)
            thumbnails.forget()
            st.rerun()


framed("pages/ledger.py")
page()
