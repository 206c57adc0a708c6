"""Was the selection worth it? Every arm retrained over seeds, against chance and chance of the same labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from engine.methods.input_selection import RETRAINING
from engine.methods.input_selection.arena import CONTROLS
from engine.methods.input_selection.result import LabelIssues
from engine.methods.input_selection.settings import (
    CHOSEN_LAYER,
    RECOMMENDED,
    RETRAININGS,
    SEEDS,
    STRATEGIES,
    RetrainingSettings,
    SelectionSettings,
    arm_settings,
    reads_layers,
)
from engine.methods.input_selection.titles import arm_title
from engine.runs.run import Input
from engine.workbench import DEMOS, Opened
from pages.parts.command import input_selection_command
from pages.parts.input_selection.arena_results import results
from pages.parts.input_selection.keeping import keeping
from pages.parts.input_selection.pace import seconds_of_arena
from pages.parts.input_selection.scene import Scene
from pages.parts.input_selection.words import RETRAINING_TITLES
from pages.parts.many_runs import Question, answered_so_far
from pages.parts.text import plain

FROM_SCRATCH = 600  # steps of a round, where weights are drawn anew


@dataclass(frozen=True)
class Comparison:
    """What is compared: `settings` but for each arm's choice, and the built-in example drawn anew, "" for none."""

    settings: RetrainingSettings
    arms: tuple[str, ...]
    seeds: int
    anew: str


def arena(scene: Scene, selection: SelectionSettings, judged: LabelIssues) -> None:
    """Ask for the retrainings, which begin from these taps and likely wrong labels, and show what they say together."""
    wanted = asked(scene, selection)
    if wanted is None:
        return
    st.caption(plain(what_is_asked(scene, wanted)))
    questions = questions_of(scene, wanted, {**scene.tapped, **scene.judged(judged)})
    estimate = partial(seconds_of_arena, scene, [each.settings for each in questions], wanted.anew)
    found = answered_so_far(scene.bench, RETRAINING, scene.subject, questions, estimate, "Retrain and compare")
    if found:
        results(scene, found)
        keeping(scene, [each for each in questions if not drawn_anew(wanted, each.settings.selection.seed)], found)
    the_command(scene, wanted)


def asked(scene: Scene, selection: SelectionSettings) -> Comparison | None:
    """The comparison that the widgets describe; None, and the reason shown, where they describe none."""
    usual = selection if scene.probes is not None else replace(selection, mode="pixel")
    arms = arms_of(scene, usual)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Strategies", arms, default=[each for each in RECOMMENDED if each in arms], format_func=arm_title,
            key=f"arena strategies {scene.run_id}", wrap=True,
            help="those that look at a layer come twice: at the last layer, and at the one that explains the label",
        )  # fmt: skip
        seeds = st.number_input("Seeds", 1, 50, SEEDS, key="arena seeds", width=100)
    settings, anew = how_retrained(scene, usual)
    if not set(CONTROLS) & set(chosen):
        st.info("Choose random, or random of the label, among the strategies: without them nothing can be said.")
        return None
    if usual.budget < settings.rounds:
        st.warning(
            f"{usual.budget} images can't be dealt out to {settings.rounds} rounds; choose more, or fewer rounds."
        )
        return None
    return Comparison(settings, tuple(chosen), int(seeds), anew)


def arms_of(scene: Scene, usual: SelectionSettings) -> list[str]:
    """The arms there are: each strategy, and where it looks at a layer, each layer that it can be tried at."""
    layers = ("", f"@{CHOSEN_LAYER}", *([f"@{scene.asked_layer}"] if scene.overruled else []))
    found = []
    for strategy in STRATEGIES:
        looks = reads_layers(arm_settings(usual, strategy))
        if not looks or scene.probes is not None:
            found += [f"{strategy}{layer}" for layer in (layers if looks else ("",))]
    return found


def how_retrained(scene: Scene, selection: SelectionSettings) -> tuple[RetrainingSettings, str]:
    """How each arm is retrained, and the built-in example that is drawn anew for each seed, "" for none."""
    usual, demo, ways = RetrainingSettings(), built_in(scene), RETRAININGS if scene.has_train else ("batch",)
    if not scene.has_train:
        st.caption("Without images of `train` none can be mixed in, so each is retrained on the chosen images alone.")
    with st.expander("How it is retrained", icon=":material/tune:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            how = st.selectbox(
                "With", ways, format_func=RETRAINING_TITLES.__getitem__, key=f"arena how {len(ways)}", width=250
            )
            rounds = st.number_input("Rounds", 1, 20, usual.rounds, key="arena rounds", width=110)
            enough = FROM_SCRATCH if how == "scratch" else usual.steps
            steps = st.number_input("Steps a round", 1, 100_000, enough, key=f"arena steps {how}", width=130)
            batch = st.number_input("Images a step", 2, 1024, usual.batch_size, key="arena batch", width=130)
            rate = st.number_input(
                "Learning rate", 1e-6, 1.0, usual.learning_rate, 1e-4, format="%.4g", key="arena rate", width=140
            )
        anew = bool(demo) and st.checkbox(
            "each seed but 0 draws images and classifier anew", value=True, key="arena anew",
            help="with buggy labels of its own, all of which are then to be mended; as the command does it",
        )  # fmt: skip
    settings = RetrainingSettings(
        selection, how=how, rounds=int(rounds), steps=int(steps), batch_size=int(batch), learning_rate=rate
    )
    return settings, demo if anew else ""


def built_in(scene: Scene) -> str:
    """The built-in example that is open with its own classifier and has buggy labels; "" where it is another."""
    opened = Opened(scene.subject.model, scene.subject.dataset)
    return next((demo for demo in DEMOS if scene.buggy and scene.bench.known_demo(demo) == opened), "")


def drawn_anew(wanted: Comparison, seed: int) -> bool:
    """Whether this seed has images and a classifier of its own."""
    return bool(wanted.anew and seed)


def what_is_asked(scene: Scene, wanted: Comparison) -> str:
    """For which labels the images are chosen, and what the seeds differ in."""
    names = " and ".join(scene.taps.classes[label] for label in targets_of(scene, wanted, 0))
    if wanted.anew:
        return (
            f"All labels that are found buggy are to be mended, here {names}. Each seed but 0 draws images and "
            "classifier anew, with buggy labels of its own."
        )
    shared = "All seeds share classifier, pool and test images, so the intervals are over seeds and test images."
    return f"To be mended: {names}. {shared}"


def targets_of(scene: Scene, wanted: Comparison, seed: int) -> tuple[int, ...]:
    """The labels that this seed's arms are to mend; none where the retraining finds its own."""
    if drawn_anew(wanted, seed):
        return ()
    return scene.buggy if wanted.anew else wanted.settings.selection.targets


def questions_of(scene: Scene, wanted: Comparison, opened: dict[str, Input]) -> list[Question[RetrainingSettings]]:
    """One question an arm and seed; `opened` are the inputs of those that begin with what is open."""
    found = []
    for seed in range(wanted.seeds):
        anew = drawn_anew(wanted, seed)
        inputs = scene.bench.demo_anew(wanted.anew, seed) if anew else opened
        usual = replace(wanted.settings.selection, seed=seed, targets=targets_of(scene, wanted, seed))
        usual = replace(usual, excluded=()) if anew else usual  # they are of other images
        for arm in wanted.arms:
            settings = replace(wanted.settings, selection=arm_settings(usual, arm))
            found.append(Question(f"{arm_title(arm)}, seed {seed}", settings, inputs))
    return found


def the_command(scene: Scene, wanted: Comparison) -> None:
    """The same headlessly, or why there is no command for it."""
    with st.expander("The same on the command line", icon=":material/terminal:"):
        command = input_selection_command(
            scene.bench, scene.subject, wanted.settings, wanted.arms, wanted.seeds, bool(wanted.anew)
        )
        if command:
            st.code(command, language="bash", wrap_lines=True)
        else:
            st.caption(
                "There is no command for this. It knows no images left out by hand, near copies, map set by hand, or "
                "other rate and batch; a built-in example it draws anew for each seed but 0, and combines with nothing."
            )
