"""Teach it to look elsewhere: one training with its curves live, then the comparison over seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from engine.methods.cam_training import TEACHING
from engine.methods.cam_training.settings import ARMS, BALANCES, LOSSES, SEEDS, STARTS, TeachingSettings
from engine.runs.run import Input
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.cam_training.evidence import evidence
from pages.parts.cam_training.mask import Mask
from pages.parts.cam_training.taught import live, taught
from pages.parts.cam_training.words import ARM_TITLES, BALANCE_TITLES, LOSS_TITLES, START_TITLES
from pages.parts.command import cam_training_command
from pages.parts.many_runs import Question, answered_so_far
from pages.parts.run_panel import answered
from pages.parts.text import plain

ONCE, COMPARE = "Train once", "Compare over seeds"
SLOWER = 0.1  # of the learning rate, where weights are given


def teaching(bench: Workbench, subject: Subject, mask: Mask, layer: str) -> None:
    """The settings, then one training or a comparison; `layer` is where the maps above were taken, "" for any."""
    if not len(subject.images.indices(Role.TRAIN)):
        st.info("There are no images of `train` to teach it with. Load data with a training part.")
        return
    settings = asked(subject, mask, layer)
    if settings is None:
        return
    what = st.segmented_control("What to do", [ONCE, COMPARE], default=ONCE, required=True, key="teach what")
    if what == ONCE:
        once(bench, subject, settings, mask)
    else:
        compare(bench, subject, settings, mask)


def asked(subject: Subject, mask: Mask, layer: str) -> TeachingSettings | None:
    """How it is trained; None, and the reason shown, where the widgets describe nothing."""
    default = TeachingSettings()
    with st.expander("How it is taught", icon=":material/tune:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            loss = st.selectbox("CAM term", LOSSES, format_func=LOSS_TITLES.__getitem__, key="teach loss", width=330)
            weight = st.number_input("Weight", 0.0, 1000.0, default.weight, 0.1, key="teach weight", width=120)
            begin, end = st.slider(
                "It is on, share of the steps", 0.0, 1.0, (default.begin, default.end), 0.05, key="teach on", width=260,
                help="On from the first step to the last is what works: switched on late it comes too late, switched "
                "off early the shortcut returns.",
            )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            start = st.selectbox(
                "Weights", STARTS, format_func=START_TITLES.__getitem__, key=f"teach start {subject.model}", width=230,
                help="A shortcut once learned stays: fine-tuning from it hardly helps, so draw the weights anew where "
                "the data are enough, else the last layer.",
            )  # fmt: skip
            epochs = st.number_input("Epochs", 1, 1000, default.epochs, key="teach epochs", width=110)
            batch = st.number_input("Images a step", 2, 1024, default.batch_size, key="teach batch", width=130)
            usual = default.learning_rate * (1 if start == "scratch" else SLOWER)
            rate = st.number_input(
                "Learning rate", 1e-6, 1.0, usual, 1e-4, format="%.4g", key=f"teach rate {start}", width=140
            )
            balance = st.selectbox(
                "Classes", BALANCES, format_func=BALANCE_TITLES.__getitem__, key="teach balance", width=280
            )
        st.caption(
            "No mask helps where the background shows through the object itself, nor where an allowed cell sees what "
            f"lies beside it. Maps are taken at {plain(layer) or 'the last layer that keeps one'}, as above."
        )
    try:
        return TeachingSettings(
            loss=loss, weight=weight, begin=begin, end=end, mask=mask.settings, layer=layer, start=start,
            balance=balance, epochs=int(epochs), batch_size=int(batch), learning_rate=rate,
        )  # fmt: skip
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def once(bench: Workbench, subject: Subject, settings: TeachingSettings, mask: Mask) -> None:
    """One CAM training, looked at on diagnosis; its weights can be kept as a Fix."""
    wanted = replace(settings, arm="cam", keep_weights=True, report=Role.DIAGNOSIS.value)
    estimate = estimated(bench, subject, wanted, mask)
    found = answered(bench, TEACHING, subject, wanted, estimate, -1.0, mask.inputs, live)
    if found is not None:
        run_id = bench.question(TEACHING, subject, wanted, mask.inputs).fingerprint
        taught(bench, subject, found, run_id)


def compare(bench: Workbench, subject: Subject, settings: TeachingSettings, mask: Mask) -> None:
    """Every arm with every seed, and what they say together of the test images."""
    demo = bench.demo_of(subject.dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seeds = st.number_input("Seeds", 1, 50, SEEDS, key="teach seeds", width=110)
        arms = st.multiselect(
            "Arms", ARMS, default=ARMS, format_func=ARM_TITLES.__getitem__, key="teach arms", width=520
        )
        anew = redrawable(bench, demo, mask) and st.checkbox(
            "draw the data anew for each seed", value=True, key="teach anew",
            help="Otherwise all seeds share the data, and the interval says only how much training varies. The usual "
            "settings were chosen on seeds 0 to 9 of this example; what ten fresh ones gave is in the README.",
        )  # fmt: skip
    if "default" not in arms or len(arms) < 2:
        st.info("Choose plain training and at least one arm to compare it with.")
        return
    wanted = range(int(seeds))
    given = [inputs_of(bench, demo, mask, seed if anew else 0) for seed in wanted]
    questions = [
        Question(
            f"{ARM_TITLES[arm]}, seed {seed}",
            replace(settings, arm=arm, seed=seed, keep_weights=arm == "cam" and seed == 0),
            inputs,
        )
        for seed, inputs in zip(wanted, given, strict=True)
        for arm in ARMS
        if arm in arms
    ]
    estimate = estimated(bench, subject, questions[0].settings, mask)
    found = answered_so_far(bench, TEACHING, subject, questions, estimate, "Compare")
    if found:
        evidence(bench, subject, found)
    command = cam_training_command(bench, subject, settings, int(seeds), arms) if anew or not demo else ""
    if command:
        with st.expander("The same on the command line", icon=":material/terminal:"):
            st.code(command, language="bash", wrap_lines=True)


def redrawable(bench: Workbench, demo: str, mask: Mask) -> bool:
    """Whether another seed's data can be drawn with its masks: for a built-in example, unless a person gave masks."""
    planted = bench.planted_masks(demo, 0) if demo and "masks" in mask.inputs else None
    return bool(demo) and (
        "masks" not in mask.inputs or (planted is not None and planted.fingerprint == mask.inputs["masks"].fingerprint)
    )


def inputs_of(bench: Workbench, demo: str, mask: Mask, seed: int) -> dict[str, Input]:
    """What a training is given: the masks, and for a seed but 0 of a built-in example its data with theirs."""
    inputs = dict(mask.inputs)
    if seed == 0:
        return inputs
    inputs["images"] = bench.demo_images(demo, seed)
    if "masks" in inputs and (planted := bench.planted_masks(demo, seed)) is not None:
        inputs["masks"] = planted
    return inputs


def estimated(bench: Workbench, subject: Subject, settings: TeachingSettings, mask: Mask) -> Callable[[], float]:
    """How long one training will take, measured on a few steps."""

    def seconds() -> float:
        from engine.methods.cam_training.step_cost import seconds_of_teaching

        with bench.quick(subject) as quick:
            return seconds_of_teaching(quick, settings, {name: each.value for name, each in mask.inputs.items()})

    return seconds
