"""What the retrainings say together: one sentence on top, then the differences, the curves and the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from engine.methods.input_selection.arena import Arena, ArmOutcome, compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_varies, what_won
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.titles import STRATEGY_TITLES, arm_title
from engine.toolkit.tables import to_csv
from pages.parts.draw import draw
from pages.parts.input_selection.arena_charts import curve_chart, gap_chart
from pages.parts.input_selection.scene import Scene
from pages.parts.saving import captioned
from pages.parts.text import plain

FIGURES = {
    "target_recall": "target recall",
    "target_precision": "target precision",
    "accuracy": "overall accuracy",
    "worst_recall": "recall of the worst label",
    "broken": "newly broken images",
}
COUNTED = "broken"  # the others are shares


def results(scene: Scene, answers: Mapping[str, Retrained]) -> None:
    """The comparison as far as it has come; the trainings by their runs."""
    found = compare(list(answers.values()))
    st.markdown(f"**{plain(what_won(found))}**")
    if any(len(arm.seeds) > 1 for arm in found.arms):
        st.caption(plain(what_varies(found)))
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in what_each_did(found)))
    for note in notes_of(answers.values()):
        st.caption(plain(note))
    figure = st.segmented_control(
        "Figure", list(FIGURES), default="target_recall", required=True, format_func=FIGURES.__getitem__,
        key=scene.key("arena figure"),
    )  # fmt: skip
    key = scene.key(f"arena {figure} {len(answers)}")
    gaps, share = gap_rows(found, figure), figure != COUNTED
    left, right = st.columns([3, 2] if gaps else [2, 3], gap="large")
    if gaps:
        with left:
            chart = gap_chart(gaps, FIGURES[figure], share)
            draw(chart, f"gaps {key}", f"Differences in {FIGURES[figure]} to random choice")
            captioned(chart, f"gaps {key}", "Paired by seed, with 95 % intervals; p by Holm over the arms.", "gaps")
    with right if gaps else left:
        chart = curve_chart(curve_rows(found, figure), FIGURES[figure], share)
        draw(chart, f"curves {key}", f"{FIGURES[figure]} after each round")
        captioned(chart, f"curves {key}", "Means over the seeds with 95 % intervals, on test.", "curves")
    table(scene, found)


def notes_of(runs: Iterable[Retrained]) -> list[str]:
    """What had to be said of each arm's selections, each once with the seeds that it holds for."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for run in runs:
        for note in run.picks.notes:
            seeds.setdefault((run.strategy, note), []).append(run.seed)
    return [
        f"{arm_title(arm)}, seed{'s' if len(those) > 1 else ''} {', '.join(map(str, those))}: {note}"
        for (arm, note), those in seeds.items()
    ]


def gap_rows(found: Arena, figure: str) -> list[dict[str, object]]:
    """One row an arm and control."""
    rows = []
    for arm in found.arms:
        for control, gaps in (("random", arm.vs_random), ("class_random", arm.vs_class_random)):
            if figure in gaps:
                gap = gaps[figure]
                rows.append(
                    {"arm": arm_title(arm.name), "control": STRATEGY_TITLES[control], "mean": gap.difference.mean,
                     "low": gap.difference.low, "high": gap.difference.high, "p": gap.adjusted,
                     "seeds": len(gap.difference.values)}
                )  # fmt: skip
    return rows


def curve_rows(found: Arena, figure: str) -> list[dict[str, object]]:
    """One row an arm and round."""
    return [
        {"arm": arm_title(arm.name), "round": number, "mean": each.mean, "low": each.low, "high": each.high}
        for arm in found.arms
        for number, each in enumerate(arm.curves[figure])
    ]


def number_rows(arm: ArmOutcome) -> list[dict[str, object]]:
    """One row a figure, with the gaps to both controls where they are known."""
    rows = []
    for figure, each in arm.final.items():
        row = {"arm": arm_title(arm.name), "figure": FIGURES[figure], "before": arm.curves[figure][0].mean}
        row |= {"mean": each.mean, "low": each.low, "high": each.high}
        for control, gaps in (("random", arm.vs_random), ("class_random", arm.vs_class_random)):
            gap = gaps.get(figure)
            named = f"vs {STRATEGY_TITLES[control]}"
            row |= {
                f"{named} {part}": getattr(gap.difference, part) if gap else None for part in ("mean", "low", "high")
            }
            row[f"{named} p"] = gap.adjusted if gap else None
        rows.append({**row, "seeds": len(arm.seeds)})
    return rows


def table(scene: Scene, found: Arena) -> None:
    """All numbers, to read and to take away."""
    rows = [row for arm in found.arms for row in number_rows(arm)]
    with st.expander("All numbers", icon=":material/table:", key="arena numbers"):  # stays open as answers come in
        st.dataframe(
            rows, hide_index=True, key=scene.key("arena table"), alt="All figures of all arms",
            column_config={
                name: st.column_config.NumberColumn(format="%.3g" if name.endswith(" p") else "%.4f")
                for name, value in rows[0].items() if name not in ("arm", "figure", "seeds")
            },
        )  # fmt: skip
        st.download_button(
            "Comparison as CSV", data=lambda: to_csv(rows, tuple(rows[0])), file_name="input-selection.csv",
            mime="text/csv", key=scene.key("arena csv"), on_click="ignore", icon=":material/download:",
        )  # fmt: skip
