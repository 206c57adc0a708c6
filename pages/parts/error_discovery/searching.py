"""The search for errors: how much noise, which filters, and how many draws were left after each."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.methods.error_discovery import IDENTIFICATION
from engine.methods.error_discovery.region_sentences import what_is_not_searched
from engine.methods.error_discovery.result import Errors
from engine.methods.error_discovery.settings import NOISES, IdentificationSettings
from engine.runs.run import Input
from pages.parts.draw import draw
from pages.parts.error_discovery.calibrating import calibrating
from pages.parts.error_discovery.pace import seconds_of_search
from pages.parts.error_discovery.scene import Made
from pages.parts.error_discovery.search_charts import funnel_chart
from pages.parts.error_discovery.words import NOISE_TITLES
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain

AT_ONCE = 60.0  # seconds, for nothing below can be shown without it


def searching(made: Made) -> tuple[Input, IdentificationSettings] | None:
    """The errors that the search found, as a step's input, and what was asked."""
    st.caption(
        "Images that are classified correctly are changed a little by the generator. Where the answer changes, though "
        "the image still seems to show the same, an error is found."
    )
    settings = asked(made)
    if settings is None:
        return None
    with st.expander("How much noise?", icon=":material/experiment:", key="error noise"):
        calibrating(made, settings)
    estimate = seconds_of_search(made, settings)
    found = answered(made.bench, IDENTIFICATION, made.subject, settings, estimate, AT_ONCE, made.input)
    if found is None:
        return None
    run_id = made.bench.question(IDENTIFICATION, made.subject, settings, made.input).fingerprint
    results(found, run_id)
    not_searched(made, settings)
    return Input(run_id, found), settings


def asked(made: Made) -> IdentificationSettings | None:
    """The search that the widgets describe; None, and the reason shown, where they describe none."""
    usual = IdentificationSettings()
    roles = [role for role in ("train", "pool", "diagnosis") if len(made.subject.images.indices(role))]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = st.segmented_control(
            "Around images of", roles, default=roles[0] if usual.role not in roles else usual.role, required=True,
            key=f"search role {made.subject.fingerprint}",
        )  # fmt: skip
        noise = st.selectbox("Noise", NOISES, format_func=NOISE_TITLES.__getitem__, key="search noise", width=230)
        scale = usual.scale
        if noise == "gaussian":
            scale = st.number_input(
                "Scale", 0.01, 5.0, usual.scale, 0.05, key="search scale", width=110,
                help="of the standard deviation of each dimension of the codes",
            )  # fmt: skip
        draws = st.number_input("Draws an image", 1, 10_000, usual.draws, key="search draws", width=130)
    with st.expander("Filters and limits", icon=":material/filter_alt:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            rebuilt = st.checkbox("its reconstruction is right", value=usual.reconstruction, key="search rebuilt")
            manifold = st.checkbox(
                "as near to real codes as these are to each other", value=usual.manifold, key="search manifold"
            )
            agreement = st.slider(
                "Neighbours that have its label, at least", 0.0, 1.0, usual.agreement, 0.05, format="percent",
                key="search agreement", width=280,
                help="of the latent neighbours; 0 switches this filter off. It matters most: without it, many a "
                "found error is the classifier being right about an image whose class has changed.",
            )  # fmt: skip
            neighbours = st.number_input("Neighbours", 1, 200, usual.neighbours, key="search neighbours", width=110)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            each = st.number_input("Kept of an image", 1, 1000, usual.per_image, key="search each", width=140)
            pair = st.number_input(
                "Kept of a label and answer", 1, 100_000, usual.per_pair, key="search pair", width=190
            )
            images = st.number_input("Images at most", 1, 1_000_000, usual.images, 500, key="search images", width=140)
    try:
        return replace(
            usual, role=role, noise=noise, scale=scale, draws=int(draws), reconstruction=rebuilt, manifold=manifold,
            agreement=agreement, neighbours=int(neighbours), per_image=int(each), per_pair=int(pair),
            images=int(images),
        )  # fmt: skip
    except ValueError as error:
        st.warning(plain(str(error)))
        return None


def results(found: Errors, run_id: str) -> None:
    """How many errors, of what, and what each filter did."""
    aside = int(found.aside.sum())
    if len(found.ids):
        said = (
            f"{len(found.ids):,} errors around {len(set(found.ids.tolist())):,} images, of "
            f"{len(set(zip(found.labels.tolist(), found.predictions.tolist(), strict=True))):,} kinds by label and "
            f"answer; {aside:,} of them are kept aside to try the regions on."
        )
        st.markdown(f"**{plain(said)}**")
    for note in found.notes:
        st.info(plain(note))
    with st.expander("What each filter did", icon=":material/filter_alt:", key="error funnel"):
        chart, key = funnel_chart(found.funnel), f"funnel {run_id}"
        draw(chart, key, "How many draws were left after each filter")
        said = "Images to search around, their draws, and the draws left after each filter; the axis is logarithmic."
        captioned(chart, key, said, "funnel")


def not_searched(made: Made, settings: IdentificationSettings) -> None:
    """The labels of whose errors the search can say little."""
    from engine.methods.error_discovery.identification import few_seeds

    said = what_is_not_searched(few_seeds(made.generator, settings), settings, made.classes)
    if said:
        st.warning(f"{plain(said)} Choose *real errors* below to see them.")
