"""What kinds of errors there are: a table of regions, a map of codes, generated beside real errors, how they arose."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.methods.error_discovery.labelling import LabelState
from engine.methods.error_discovery.region_sentences import what_was_grouped, what_was_tried
from engine.runs.run import Input
from pages.parts.error_discovery.deciding import open_region, state_of
from pages.parts.error_discovery.errors_map import errors_map
from pages.parts.error_discovery.kinds import kinds
from pages.parts.error_discovery.scene import Tried
from pages.parts.error_discovery.shown_images import shown
from pages.parts.error_discovery.words import KIND_TITLES
from pages.parts.text import plain

TABLE, MAP, KINDS, GROUPS = "Regions", "Map", "Generated and real", "How they were grouped"
THUMB, ROWS = 48, 12  # pixels; rows of the table in view
SHARES = ("aside: inside", "elsewhere")


@st.fragment
def regions(tried: Tried, generated: Input) -> None:
    """A closer look at the regions; only opening one reruns more than this."""
    st.markdown(f"**{plain(what_was_grouped(tried.found, tried.groups))}**")
    for sentence in what_was_tried(tried.groups, tried.again):
        st.markdown(plain(sentence))
    look = st.segmented_control(
        "A closer look", [TABLE, MAP, KINDS, GROUPS], default=TABLE, required=True, key="regions closer look",
        label_visibility="collapsed",
    )  # fmt: skip
    try:
        if look == TABLE:
            table(tried, state_of(tried))
        elif look == MAP:
            errors_map(tried)
        elif look == KINDS:
            kinds(tried.made, generated)
        else:
            strata(tried)
    except ValueError as error:  # a file that was there when the data was loaded, say
        st.warning(plain(str(error)))


def table(tried: Tried, state: LabelState) -> None:
    """One row a region; a click opens it below."""
    rows = [row_of(tried, region, state) for region in tried.alive.tolist()]
    event = st.dataframe(
        rows,
        hide_index=True,
        row_height=THUMB + 4,
        height=38 + (THUMB + 4) * min(len(rows), ROWS),
        column_config={
            "first": st.column_config.ImageColumn("", width=THUMB + 16),
            **{name: st.column_config.NumberColumn(format="%.0f %%") for name in SHARES},
            "error rate": st.column_config.NumberColumn(
                format="%.0f %%", help="how many of the images that it was tried on are not taken for its label"
            ),
            "purity": st.column_config.NumberColumn(
                format="%.0f %%", help="how many of its fresh draws get the same answer as its errors"
            ),
            "found again": st.column_config.Column(
                help="its answer is given more often inside than elsewhere on images kept aside: q is small enough"
            ),
            "around": st.column_config.NumberColumn(help="how many images these errors lie around"),
            "q": st.column_config.NumberColumn(
                format="%.2g", help="is its answer given more often inside than elsewhere, on images kept aside? "
                "Benjamini-Hochberg over regions",
            ),
        },
        key=tried.key(f"regions table {tried.tests.fingerprint}"),
        on_select="rerun",
        selection_mode="single-row",
        alt="Regions with their sizes, error rates and whether they were found again",
    )  # fmt: skip
    chosen = event["selection"]["rows"]
    before = st.session_state.get(tried.key("last row"), [])
    st.session_state[tried.key("last row")] = chosen
    if chosen and before != chosen:
        open_region(tried, tried.alive.tolist()[chosen[0]])
        st.rerun()  # the panel below, too
    st.caption(
        "Error rate and purity are of fresh draws; aside: of images that no region was made of, how often its answer "
        "is given within the region and elsewhere. Choose a row to open it below."
        if tried.source == "generated"
        else "Error rates are of images that no region was made of, within the region. Choose a row to open it below."
    )


def row_of(tried: Tried, region: int, state: LabelState) -> dict[str, object]:
    """One region's row."""
    again, groups, classes = tried.again, tried.groups, tried.made.classes
    first = shown(tried, region, THUMB, 1)
    error, inside, elsewhere = again.error[region], again.inside[region], again.elsewhere[region]
    decided = state.decisions.get(region)
    said = "" if decided is None else classes[decided.label] if decided.kind == "class" else KIND_TITLES[decided.kind]
    return {
        "first": first[0].url if first else None,
        "region": region,
        "label": classes[groups.label[region]],
        "answer": classes[groups.prediction[region]],
        "said to be": said,
        "errors": int(groups.size[region]),
        "around": int(groups.units[region]),
        "error rate": percent(error.value),
        "95 % interval": f"{error.low:.0%} to {error.high:.0%}" if error.n else "",
        "purity": percent(again.purity[region]),
        "found again": "yes" if again.reproduced[region] else "no",
        "q": float(again.q[region]) if np.isfinite(again.q[region]) else None,
        "aside: inside": percent(inside.value),
        "elsewhere": percent(elsewhere.value),
        "n inside": inside.n,
    }


def percent(share: float) -> float | None:
    """A share in per cent, nothing where it is not known."""
    return 100 * float(share) if np.isfinite(share) else None


def strata(tried: Tried) -> None:
    """Each label and answer with its errors, and how many components lived."""
    classes = tried.made.classes
    rows = [
        {
            "label": classes[each.label] if each.label >= 0 else "all",
            "answer": classes[each.prediction] if each.prediction >= 0 else "all",
            "errors": each.errors,
            "components": each.components,
            "alive": each.alive,
            "settled": "yes" if each.converged else "no",
        }
        for each in sorted(tried.groups.strata, key=lambda each: -each.errors)
    ]
    alive = sum(each.alive for each in tried.groups.strata)
    st.markdown(
        f"{len(rows)} kinds of errors by label and answer were grouped, into {alive} components that live in all; "
        f"{len(tried.at_first.alive)} of them are large enough to be regions."
    )
    st.dataframe(rows, hide_index=True, key=tried.key("strata"), alt="Errors and components of each label and answer")
