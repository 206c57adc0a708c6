"""Can generated images be trusted? The generator's settings, its gate, its curves, and images in between."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.methods.error_discovery import GENERATOR
from engine.methods.error_discovery.gate import TRUSTED, how_far_to_trust, trust
from engine.methods.error_discovery.result import Generator
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.subject.subject import Subject
from engine.toolkit.statistics import Rate
from engine.workbench import Workbench
from pages.parts.draw import draw
from pages.parts.error_discovery.between import between
from pages.parts.error_discovery.generator_charts import REAL, REBUILT, gate_chart, loss_chart, used_chart
from pages.parts.error_discovery.pace import seconds_of_generator
from pages.parts.error_discovery.scene import Made
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain

GATE, CURVES, BETWEEN = "Real against rebuilt", "Its training", "In between two images"
MOST_CLASSES = 30  # in the chart, those that lose most
AT_ONCE = 60.0  # seconds: the page shows nothing without a generator
LOSSES = "Reconstruction and divergence of the images trained on; validation is their sum on images kept aside."


def generator(bench: Workbench, subject: Subject) -> Made | None:
    """The generator, trained where it isn't, and what is to be known before its images are believed."""
    st.caption(
        "A small generator learns from the images of train how to rebuild and change such images. Where the classifier "
        "does worse on images that were merely rebuilt, that is the generator's doing."
    )
    settings = asked(subject)
    if settings is None:
        return None
    estimate = seconds_of_generator(bench, subject, settings)
    found = answered(bench, GENERATOR, subject, settings, estimate, AT_ONCE, partly=live)
    if found is None:
        return None
    made = Made(bench, subject, settings, found, bench.question(GENERATOR, subject, settings).fingerprint)
    said = plain(how_far_to_trust(found))
    if trust(found) == TRUSTED:
        st.markdown(said)
    else:
        st.warning(said)
    for note in found.notes:
        st.warning(plain(note))
    closer(made)
    return made


def asked(subject: Subject) -> GeneratorSettings | None:
    """The generator that the widgets describe; None, and the reason shown, where they describe none."""
    usual = GeneratorSettings()
    with (
        st.expander("How images are generated", icon=":material/tune:"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        dimensions = st.number_input("Dimensions", 2, 256, usual.dimensions, key="generator dimensions", width=120)
        beta = st.number_input(
            "Weight of the divergence", 0.0, 100.0, usual.beta, 0.1, key="generator beta", width=180,
            help="higher: smoother between images, less like each of them",
        )  # fmt: skip
        epochs = st.number_input("Epochs at most", 1, 1000, usual.epochs, key="generator epochs", width=130)
        images = st.number_input("Images at most", 50, 200_000, usual.images, 1000, key="generator images", width=140)
        side = usual.side
        if max(subject.images.frame.height, subject.images.frame.width) > side:
            side = st.number_input(
                "Longer side, pixels", 16, 96, side, key="generator side", width=150,
                help="larger images are generated at this size and enlarged",
            )  # fmt: skip
        conditional = st.checkbox(
            "knows the label", value=usual.conditional, key="generator conditional",
            help="the label is given to it, so that a moved code more likely keeps its class",
        )  # fmt: skip
    try:
        return GeneratorSettings(
            side=int(side), dimensions=int(dimensions), beta=beta, epochs=int(epochs), images=int(images),
            conditional=conditional,
        )  # fmt: skip
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def live(curves: dict[str, Any]) -> None:
    """The loss so far."""
    if len(curves.get("validation", ())) > 1:
        draw(loss_chart(curves), "generator live", "Loss of the generator by epoch, so far")
        st.caption(f"{LOSSES} It stops when validation no longer falls.")


@st.fragment
def closer(made: Made) -> None:
    """A closer look at the generator; a click in it reruns nothing else."""
    look = st.segmented_control(
        "A closer look", [GATE, CURVES, BETWEEN], default=GATE, required=True, key="generator closer look",
        label_visibility="collapsed",
    )  # fmt: skip
    try:
        if look == GATE:
            gate(made)
        elif look == CURVES:
            curves_of(made)
        else:
            between(made)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


def gate(made: Made) -> None:
    """Accuracy on real images against their plain reconstructions, of all and of each class."""
    found = made.generator
    with st.container(horizontal=True):
        for name, share in (("Real images", found.gate_real), ("Their reconstructions", found.gate_reconstructed)):
            st.metric(
                name, f"{share.value:.1%}", f"{share.low:.1%} to {share.high:.1%}", delta_color="off",
                delta_arrow="off", help=f"accuracy on {share.n:,} images of {found.gate_role}", width=180,
            )  # fmt: skip
    rows = gate_rows(found)
    shown = rows[: 2 * MOST_CLASSES]
    chart, key = gate_chart(shown), made.key("gate")
    draw(chart, key, "Accuracy of each class on real images and on their reconstructions")
    fewer = f" Shown: the {MOST_CLASSES} classes that lose most." if len(rows) > len(shown) else ""
    said = f"Images of {found.gate_role} by class, what loses most first; bars are 95 % intervals.{fewer}"
    captioned(chart, key, said, "gate")


def gate_rows(found: Generator) -> list[dict[str, object]]:
    """Two rows a class that has images, those that lose most first."""
    pairs = [
        (name, real, rebuilt)
        for name, real, rebuilt in zip(found.classes, found.class_real, found.class_reconstructed, strict=True)
        if real.n
    ]
    pairs.sort(key=lambda each: each[2].value - each[1].value)
    return [
        {"class": name, "of": of, "value": share.value, "low": share.low, "high": share.high, "n": share.n}
        for name, real, rebuilt in pairs
        for of, share in named(real, rebuilt)
    ]


def named(real: Rate, rebuilt: Rate) -> tuple[tuple[str, Rate], tuple[str, Rate]]:
    """The two rates with what they are of."""
    return (REAL, real), (REBUILT, rebuilt)


def curves_of(made: Made) -> None:
    """The loss by epoch, and what each dimension carries."""
    found = made.generator
    curves = {name: getattr(found, name).tolist() for name in ("reconstruction", "divergence", "validation")}
    left, right = st.columns(2, gap="large")
    with left:
        chart, key = loss_chart(curves, found.best), made.key("loss")
        draw(chart, key, "Loss of the generator by epoch")
        captioned(chart, key, f"{LOSSES} Dashed: the epoch that is kept.", "loss")
    with right:
        chart, key = used_chart(found.used.tolist()), made.key("used")
        draw(chart, key, "What each dimension of the code carries")
        used = int((found.used >= 0.01).sum())
        said = f"{used} of {len(found.used)} dimensions carry more than 0.01 nats. "
        size = f"Images are generated at {found.height} x {found.width} pixels."
        captioned(chart, key, said + size, "dimensions")
