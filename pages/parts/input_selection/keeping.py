"""One training of the comparison, made again with its weights and kept as a Fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from engine.methods.input_selection import RETRAINING
from engine.methods.input_selection.result import Retrained
from engine.methods.input_selection.seen_ids import CHOSEN_ON, seen_ids
from engine.methods.input_selection.settings import RetrainingSettings
from engine.methods.input_selection.titles import arm_title
from pages.parts.fixes import keep_fix
from pages.parts.input_selection.pace import seconds_of_retraining
from pages.parts.input_selection.scene import Scene
from pages.parts.many_runs import Question
from pages.parts.run_panel import Asked, answered, start


def keeping(scene: Scene, questions: Sequence[Question[RetrainingSettings]], answers: Mapping[str, Retrained]) -> None:
    """Choose one of the trainings that began with the open classifier, by arm and seed, and keep its classifier."""
    bench, subject, known = scene.bench, scene.subject, {}
    for each in questions:
        run = answers.get(bench.question(RETRAINING, subject, each.settings, each.inputs).fingerprint)
        if run is not None:
            known[run.strategy, run.seed] = each
    if not known:
        return
    arms = list(dict.fromkeys(arm for arm, _ in known))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = st.selectbox(
            "Keep the classifier of",
            arms,
            len(arms) - 1,
            format_func=arm_title,
            key=scene.key(f"keep arm {len(arms)}"),
            width=340,
        )
        seeds = [seed for each, seed in known if each == arm]
        seed = st.selectbox(
            "Seed", seeds, key=scene.key(f"keep seed {len(seeds)}"), width=100,
            help="those that begin with the classifier that is open",
        )  # fmt: skip
    one = known[arm, seed]
    settings = replace(one.settings, keep_weights=True)
    asked = Asked(bench, RETRAINING, subject, settings, one.inputs)
    if bench.store.register.entry(asked.fingerprint) is None:
        st.caption("A comparison keeps figures, no weights; the same training, made once more, gives them.")
        if st.button("Train it once more", key=f"once more {asked.fingerprint}", icon=":material/replay:"):
            start(asked)
        return
    estimate = partial(seconds_of_retraining, bench, subject, settings)
    found = answered(bench, RETRAINING, subject, settings, estimate, inputs=one.inputs)
    if found is not None:
        name = f"{subject.blueprint.name}, {arm_title(arm)}"
        seen = seen_ids(subject.images, settings.how, found)
        keep_fix(bench, subject, found.weights, asked.fingerprint, name, seen, CHOSEN_ON)
