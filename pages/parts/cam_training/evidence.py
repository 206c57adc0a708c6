"""What the trainings of a comparison say together: sentences, accuracies, differences, maps side by side, a table."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from engine.methods.cam_training.evidence import FEWEST_FOR_P, Evidence, compare
from engine.methods.cam_training.result import Taught
from engine.methods.cam_training.teaching_sentences import what_it_shows
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench
from pages.parts.cam_training.evidence_charts import accuracy_chart, gap_chart
from pages.parts.cam_training.looks import looks
from pages.parts.draw import draw
from pages.parts.fixes import keep_fix, train_ids
from pages.parts.saving import captioned
from pages.parts.text import plain


def evidence(bench: Workbench, subject: Subject, answers: Mapping[str, Taught]) -> None:
    """The comparison as far as it has come; the trainings by their runs."""
    runs = list(answers.values())
    key, found = next(iter(answers)), compare(runs)
    for sentence in what_it_shows(found):
        st.markdown(plain(sentence))
    seeds = max(len(arm.seeds) for arm in found.arms)
    left, right = st.columns(2, gap="large")
    with left:
        chart = accuracy_chart(accuracy_rows(found))
        draw(chart, f"accuracies {key} {len(runs)}", "Accuracy of each arm on each part of the test images")
        said = f"Diamonds: means over up to {seeds} seeds with 95 % intervals; dots: single seeds."
        captioned(chart, f"accuracies {key}", said, "accuracies")
    with right:
        if found.gaps:
            chart = gap_chart(gap_rows(found))
            draw(chart, f"gaps {key} {len(runs)}", "Differences of accuracy to plain training")
            said = "Paired by seed, with 95 % intervals (Student's t)"
            said += "." if seeds >= FEWEST_FOR_P else f"; no p-value, for that needs {FEWEST_FOR_P} seeds."
            captioned(chart, f"gaps {key}", said, "gaps")
    table(found, key)
    for run_id, run in answers.items():
        if len(run.weights):
            keep_fix(bench, subject, run.weights, run_id, f"{subject.blueprint.name}, CAM-trained", train_ids(subject))
    first = min(run.seed for run in runs)
    looks(bench, subject, [run for run in runs if run.seed == first], key)


def accuracy_rows(found: Evidence) -> list[dict[str, object]]:
    """One row an arm and part."""
    return [
        {"arm": arm.arm, "part": part, "mean": each.mean, "low": each.low, "high": each.high, "seeds": each.values}
        for arm in found.arms
        for part, each in arm.accuracy.items()
    ]


def gap_rows(found: Evidence) -> list[dict[str, object]]:
    """One row an arm and part that plain training has, too."""
    return [
        {
            "arm": each.arm,
            "part": each.part,
            "mean": each.difference.mean,
            "low": each.difference.low,
            "high": each.difference.high,
            "wins": each.wins,
            "seeds": each.n,
            "p": each.p,
        }
        for each in found.gaps
    ]


def table(found: Evidence, key: str) -> None:
    """All numbers, to read and to take away."""
    gaps = {(each.arm, each.part): each for each in found.gaps}
    rows = []
    for row in accuracy_rows(found):
        gap = gaps.get((str(row["arm"]), str(row["part"])))
        arm = found.arm(str(row["arm"]))
        rows.append(
            {
                **{name: value for name, value in row.items() if name != "seeds"},
                "difference": gap.difference.mean if gap else None,
                "difference low": gap.difference.low if gap else None,
                "difference high": gap.difference.high if gap else None,
                "wins": f"{gap.wins} of {gap.n}" if gap else "",
                "p": gap.p if gap else None,
                "energy inside": arm.energy_inside.mean if arm else None,
                "never learned": len(arm.failed) if arm else None,
            }
        )
    shares = ("mean", "low", "high", "difference", "difference low", "difference high", "energy inside")
    with st.expander("All numbers", icon=":material/table:", key="evidence numbers"):  # stays open as answers come in
        st.dataframe(
            rows,
            hide_index=True,
            column_config={name: st.column_config.NumberColumn(format="percent") for name in shares},
            key=f"evidence table {key}",
            alt="Accuracies and differences of every arm and part",
        )
        st.download_button(
            "Comparison as CSV", data=lambda: to_csv(rows, tuple(rows[0])), file_name="cam-training.csv",
            mime="text/csv", key=f"evidence csv {key}", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
