"""Was the selection worth it? Every strategy retrained over seeds, against chance and chance of the same labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from engine.methods.input_selection import RETRAINING
from engine.methods.input_selection.arena import CONTROLS, Arena, compare
from engine.methods.input_selection.arena_sentences import what_each_did, what_won
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.settings import (
    RECOMMENDED,
    RETRAININGS,
    SEEDS,
    STRATEGIES,
    RetrainingSettings,
    SelectionSettings,
)
from engine.methods.input_selection.strategies import reads_layers
from engine.runs.run import Input
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.workbench import Workbench
from pages.parts.draw import draw
from pages.parts.fixes import keep_fix
from pages.parts.input_selection.arena_charts import curve_chart, gap_chart
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import RETRAINING_TITLES, STRATEGY_TITLES
from pages.parts.many_runs import Question, answered_so_far
from pages.parts.saving import captioned
from pages.parts.text import plain

FROM_SCRATCH = 600  # steps of a round, where weights are drawn anew
FIGURES = {
    "target_recall": "target recall",
    "target_precision": "target precision",
    "accuracy": "overall accuracy",
    "worst_recall": "recall of the worst label",
    "broken": "newly broken images",
}


def arena(scene: Scene, selection: SelectionSettings, chosen_layer: str, inputs: dict[str, Input]) -> None:
    """Ask for the retrainings, which begin from these taps and likely wrong labels, and show what they say together."""
    settings, strategies, seeds, both = asked()
    if not set(CONTROLS) & set(strategies):
        st.info("Choose random, or random of the label, among the strategies: without them nothing can be said.")
        return
    questions = [
        Question(
            f"{STRATEGY_TITLES[strategy]}{', chosen layer' if layer else ''}, seed {seed}",
            replace(
                settings,
                selection=replace(selection, strategy=strategy, layer=layer, seed=seed),
                keep_weights=seed == 0 and strategy not in CONTROLS,
            ),
            inputs,
        )
        for seed in range(seeds)
        for strategy in strategies
        for layer in layers_of(replace(selection, strategy=strategy), chosen_layer, both, scene.taps.taps[-1].name)
    ]
    estimate = partial(seconds_of, scene.bench, scene.subject, questions[-1].settings)
    found = answered_so_far(scene.bench, RETRAINING, scene.subject, questions, estimate, "Retrain and compare")
    if found:
        results(scene, found)


def asked() -> tuple[RetrainingSettings, list[str], int, bool]:
    """How each is retrained, which strategies, how many seeds, and whether each with the chosen layer as well."""
    usual = RetrainingSettings()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strategies = st.multiselect(
            "Strategies", STRATEGIES, default=RECOMMENDED, format_func=STRATEGY_TITLES.__getitem__,
            key="arena strategies", width=640,
        )  # fmt: skip
        seeds = st.number_input("Seeds", 1, 50, SEEDS, key="arena seeds", width=100)
    with st.expander("How it is retrained", icon=":material/tune:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            how = st.selectbox(
                "With", RETRAININGS, format_func=RETRAINING_TITLES.__getitem__, key="arena how", width=250
            )
            rounds = st.number_input("Rounds", 1, 20, usual.rounds, key="arena rounds", width=100)
            enough = FROM_SCRATCH if how == "scratch" else usual.steps
            steps = st.number_input("Steps a round", 1, 100_000, enough, key=f"arena steps {how}", width=130)
            batch = st.number_input("Images a step", 2, 1024, usual.batch_size, key="arena batch", width=130)
            rate = st.number_input(
                "Learning rate", 1e-6, 1.0, usual.learning_rate, 1e-4, format="%.4g", key="arena rate", width=140
            )
        both = st.checkbox("strategies with a map: at the last layer and at the one that explains", key="arena layers")
    settings = RetrainingSettings(
        how=how, rounds=int(rounds), steps=int(steps), batch_size=int(batch), learning_rate=rate
    )
    return settings, strategies, int(seeds), both


def layers_of(selection: SelectionSettings, chosen: str, both: bool, last: str) -> tuple[str, ...]:
    """The layers that a strategy is tried at: the last, and the chosen one if it is another and makes a difference."""
    return ("", chosen) if both and chosen != last and reads_layers(selection) else ("",)


def seconds_of(bench: Workbench, subject: Subject, settings: RetrainingSettings) -> float:
    """How long one retraining will take, measured on a few steps."""
    from engine.methods.input_selection.estimate import seconds_of_retraining

    with bench.quick(subject) as quick:
        return seconds_of_retraining(quick, settings)


def results(scene: Scene, answers: Mapping[str, Retrained]) -> None:
    """One sentence on top, then the differences, the curves and the table."""
    found = compare(list(answers.values()))
    st.markdown(f"**{plain(what_won(found))}**")
    st.caption(
        "The seeds vary the order of training and what chance chooses; classifier, pool and test images are the same, "
        "so the intervals say how sure this is for them, not for other data."
    )
    for sentence in what_each_did(found):
        st.caption(plain(sentence))
    figure = st.segmented_control(
        "Figure", list(FIGURES), default="target_recall", required=True, format_func=FIGURES.__getitem__,
        key=scene.key("arena figure"),
    )  # fmt: skip
    key = scene.key(f"arena {figure} {len(answers)}")
    left, right = st.columns(2, gap="large")
    with left:
        gaps = gap_rows(found, figure)
        if gaps:
            chart = gap_chart(gaps, FIGURES[figure])
            draw(chart, f"gaps {key}", f"Differences in {FIGURES[figure]} to random choice")
            captioned(chart, f"gaps {key}", "Paired by seed, with 95 % intervals (Student's t); p by Holm.", "gaps")
    with right:
        chart = curve_chart(curve_rows(found, figure), FIGURES[figure])
        draw(chart, f"curves {key}", f"{FIGURES[figure]} after each round")
        captioned(chart, f"curves {key}", "Means over the seeds with 95 % intervals, on test.", "curves")
    table(scene, found)
    for run_id, run in answers.items():
        if len(run.weights):
            name = f"{scene.subject.blueprint.name}, {STRATEGY_TITLES[run.strategy.partition('@')[0]]}"
            keep_fix(scene.bench, scene.subject, run.weights, run_id, name, run.picks.ids.tolist())


def gap_rows(found: Arena, figure: str) -> list[dict[str, object]]:
    """One row an arm and control."""
    rows = []
    for arm in found.arms:
        for control, gaps in (("random", arm.vs_random), ("class_random", arm.vs_class_random)):
            if figure in gaps:
                gap = gaps[figure]
                rows.append(
                    {"arm": named(arm.name), "control": STRATEGY_TITLES[control], "mean": gap.difference.mean,
                     "low": gap.difference.low, "high": gap.difference.high, "p": gap.adjusted,
                     "seeds": len(gap.difference.values)}
                )  # fmt: skip
    return rows


def curve_rows(found: Arena, figure: str) -> list[dict[str, object]]:
    """One row an arm and round."""
    return [
        {"arm": named(arm.name), "round": number, "mean": each.mean, "low": each.low, "high": each.high}
        for arm in found.arms
        for number, each in enumerate(arm.curves[figure])
    ]


def named(arm: str) -> str:
    """An arm's name for people."""
    strategy, _, layer = arm.partition("@")
    return STRATEGY_TITLES.get(strategy, strategy) + (f" at {layer}" if layer else "")


def table(scene: Scene, found: Arena) -> None:
    """All numbers."""
    rows = [
        {"arm": named(arm.name), "figure": FIGURES[figure], "mean": each.mean, "low": each.low, "high": each.high,
         **{f"vs {name} {part}": getattr(gap, part) for name, gaps in (("random", arm.vs_random),
            ("class_random", arm.vs_class_random)) for gap in [gaps[figure].difference if figure in gaps else None]
            for part in ("mean", "low", "high") if gap is not None},
         "seeds": len(arm.seeds)}
        for arm in found.arms
        for figure, each in arm.final.items()
    ]  # fmt: skip
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    with st.expander("All numbers", icon=":material/table:", key="arena numbers"):  # stays open as answers come in
        st.dataframe(rows, hide_index=True, key=scene.key("arena table"), alt="All figures of all arms")
        st.download_button(
            "Comparison as CSV",
            data=lambda: to_csv([{name: row.get(name) for name in columns} for row in rows], columns),
            file_name="input-selection.csv", mime="text/csv", key=scene.key("arena csv"), on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
