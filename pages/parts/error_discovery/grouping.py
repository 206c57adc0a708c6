"""From errors to regions that were tried again, as people left them after merging and splitting."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.methods.error_discovery import DISTILLATION, REAL_ERRORS, TESTS
from engine.methods.error_discovery.editing import edited
from engine.methods.error_discovery.labelling import LabelState, recorded, replayed
from engine.methods.error_discovery.result import Errors, Regions
from engine.methods.error_discovery.settings import (
    MIXTURES,
    DistillationSettings,
    IdentificationSettings,
    RealErrorSettings,
    TestSettings,
)
from engine.runs.encoding import content_fingerprint
from engine.runs.run import Input
from engine.subject.image_set import Role
from pages.parts.error_discovery.pace import seconds_of_a_pass
from pages.parts.error_discovery.scene import GENERATED, REAL, Grouped, Made, Tried
from pages.parts.error_discovery.words import MIXTURE_TITLES
from pages.parts.run_panel import answered
from pages.parts.text import plain

SHOWN_EDITS = 16


def grouping(made: Made, errors: Input, wanted: DistillationSettings, testing: TestSettings) -> Tried | None:
    """The errors in regions, tried again; None, and the reason shown, where there is nothing yet or no region."""
    if not len(errors.value.ids):
        return None
    inputs = {"errors": errors}
    regions = answered(made.bench, DISTILLATION, made.subject, wanted, lambda: 0.0, inputs=inputs)
    if regions is None:
        return None
    for note in regions.notes:
        st.info(plain(note))
    if not len(regions.alive):
        return None
    about = made.bench.question(DISTILLATION, made.subject, wanted, inputs).fingerprint
    state = replayed(recorded(made.bench.store.shelf, about))
    return tried_again(left_as(made, about, errors, regions, state), testing)


def left_as(made: Made, about: str, errors: Input, regions: Regions, state: LabelState) -> Grouped:
    """The regions after all that was merged and split by hand."""
    if not state.edits:
        return Grouped(made, about, errors, regions, Input(about, regions), ())
    changed = edited_once(f"{about} {state.edits}", regions, errors.value, state)
    return Grouped(made, about, errors, regions, Input(content_fingerprint(changed), changed), state.edits)


@st.cache_resource(show_spinner=False, max_entries=SHOWN_EDITS)
def edited_once(name: str, _regions: Regions, _errors: Errors, _state: LabelState) -> Regions:
    """The regions after these edits, worked out once."""
    del name
    return edited(_regions, _errors, _state.edits)


def tried_again(grouped: Grouped, testing: TestSettings) -> Tried | None:
    """The regions with what came of trying them again."""
    made, inputs = grouped.made, grouped.inputs
    testing = testing.of_real() if grouped.source == REAL else testing
    found = answered(made.bench, TESTS, made.subject, testing, lambda: 0.0, inputs=inputs)
    if found is None:
        return None
    run_id = made.bench.question(TESTS, made.subject, testing, inputs).fingerprint
    return Tried(
        made, grouped.about, grouped.errors, grouped.at_first, grouped.regions, grouped.edits, Input(run_id, found)
    )


def real_errors(made: Made) -> Input | None:
    """The classifier's own mistakes on images of diagnosis, as a step's input; None where there are none yet."""
    if not len(made.subject.images.indices(Role.DIAGNOSIS)):
        st.info("There are no images of `diagnosis` to find real errors on.")
        return None
    settings = RealErrorSettings()
    estimate = seconds_of_a_pass(made.bench, made.subject, settings.role)
    found = answered(made.bench, REAL_ERRORS, made.subject, settings, estimate)
    if found is None:
        return None
    return Input(made.bench.question(REAL_ERRORS, made.subject, settings).fingerprint, found)


def how_grouped(source: str, search: IdentificationSettings) -> tuple[DistillationSettings, TestSettings]:
    """How errors are grouped and regions tried again, as the widgets say: the draws filtered as the search was."""
    usual = DistillationSettings()
    testing = TestSettings(neighbours=search.neighbours, agreement=search.agreement)
    with st.expander("How errors are grouped and tried again", icon=":material/tune:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            method = st.selectbox(
                "Groups by", MIXTURES, format_func=MIXTURE_TITLES.__getitem__, key="regions method", width=300
            )
            components = st.number_input(
                "Components at most", 1, 100, usual.components, key="regions components", width=150,
                disabled=method != "mixture", help="of each label and answer; those that die out are left out",
            )  # fmt: skip
            least = st.number_input(
                "Errors of a region, at least", 2, 10_000, usual.least, key="regions least", width=190
            )
            full = st.checkbox(
                "full covariances", value=usual.full, key="regions full", disabled=method != "mixture",
                help="instead of diagonal ones; wants many more errors",
            )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            draws, spread, filtered = testing.draws, testing.spread, True
            if source == GENERATED:
                draws = st.number_input("Fresh draws of a region", 1, 10_000, draws, 50, key="regions draws", width=170)
                spread = st.number_input(
                    "Spread", 0.001, 10.0, spread, 0.05, key="regions spread", width=110,
                    help="the region's covariance times this; 0.01, as published, gives near copies",
                )  # fmt: skip
                filtered = st.checkbox(
                    "only draws whose neighbours have its label", value=True, key="regions filtered",
                    disabled=not search.agreement, help="as many of them as in the search",
                )  # fmt: skip
            fdr = st.number_input(
                "False discovery rate", 0.001, 0.5, testing.fdr, 0.01, format="%.3f", key="regions fdr", width=160,
                help="of the regions said to be found again on the images kept aside",
            )  # fmt: skip
    return (
        replace(usual, method=method, components=int(components), full=full, least=int(least)),
        replace(testing, draws=int(draws), spread=spread, agreement=search.agreement if filtered else 0.0, fdr=fdr),
    )
