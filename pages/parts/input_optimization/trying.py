"""One image under one family, at once: a strip of severities, a slider, and the answer following."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from engine.methods.input_optimization.settings import steps
from engine.methods.input_optimization.wording import said_value, shown_number, shown_unit
from engine.subject.image_set import UNLABELLED, Role
from engine.subject.subject import Subject
from engine.toolkit.transforms.families import FAMILIES, family_named
from engine.workbench import Workbench
from pages.parts.charts import top_classes
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.pictures import as_image
from pages.parts.text import plain
from pages.parts.tiles import Picture, picture_table

if TYPE_CHECKING:
    from engine.methods.input_optimization.preview import Looks

TILE, LARGE, LEVELS, SHOWN = 84, 230, 4, 5
TRIED = "tried image"


@st.fragment
def trying(bench: Workbench, subject: Subject) -> None:
    """The preview; a change of its widgets reruns nothing else."""
    from engine.methods.input_optimization.preview import one_image

    st.subheader("Try it on one image")
    if not len(lookable(subject)):
        st.info("There is no image to look at but those of `test`.")
        return
    fitting = [family.name for family in FAMILIES if not family.misfit(subject.images.frame.channels)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Transform", fitting, format_func=lambda each: family_named(each).title, key="tried family", width=200
        )
        family = family_named(name)
        low = -1.0 if len(family.sides) == 2 else 0.0
        severity = st.slider(
            "Severity",
            low,
            1.0,
            0.5,
            0.01,
            key=f"severity {name}",
            help=f"{family.says}; 0 changes nothing, 1 is {said_value(name, 1.0)}",
            width=420,
        )
        st.button("Another image", key="another", on_click=another, args=(subject,), icon=":material/casino:")
    sample_id = tried(subject)
    strip = list(steps(name, LEVELS if low else 2 * LEVELS))
    try:
        with bench.quick(subject) as quick:
            seen = one_image(quick, sample_id, (name,), [[each] for each in (*strip, severity)], seed=0)
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    label = subject.images.labels[subject.images.position[sample_id]]
    draw_strip(subject, name, strip, seen, int(label))
    draw_large(subject, sample_id, name, severity, seen, int(label))


def tried(subject: Subject) -> str:
    """The id of the image that is tried: the one that was opened last, else the first to look at."""
    known = st.session_state.get(TRIED, "")
    if known in subject.images.position:
        return known
    indices = lookable(subject)
    return str(subject.images.ids[indices[len(indices) // 2]])


def another(subject: Subject) -> None:
    """Try the next image."""
    ids = np.sort(subject.images.ids[lookable(subject)])  # they are hashes, so neighbours have nothing in common
    st.session_state[TRIED] = str(ids[np.searchsorted(ids, tried(subject), side="right") % len(ids)])


def lookable(subject: Subject) -> np.ndarray:
    """The indices of the images that may be looked at: those of `diagnosis`, else any but `test`."""
    found = subject.images.indices(Role.DIAGNOSIS)
    return found if len(found) else np.flatnonzero(subject.images.roles != Role.TEST)


def draw_strip(subject: Subject, name: str, strip: list[float], seen: Looks, label: int) -> None:
    """The image at even steps of severity, with the answer to each."""
    classes = subject.blueprint.classes
    pictures = [
        Picture(
            row=0,
            column=place,
            url=data_url(as_image(seen.pixels[place]), TILE),
            caption=f"{classes[seen.prediction[place]]}, {seen.confidence[place]:.0%}",
            hint=f"{said_value(name, severity)}: {classes[seen.prediction[place]]}, {seen.confidence[place]:.0%}",
            wrong=label != UNLABELLED and int(seen.prediction[place]) != label,
        )
        for place, severity in enumerate(strip)
    ]
    family = family_named(name)
    heads = [shown_number(family, severity) for severity in strip]
    says = f"One image under {family.title} at {len(strip)} severities, with the answer to each"
    draw(picture_table(pictures, heads, [""], TILE), "tried strip", says)
    st.caption(f"{family.title}, {plain(shown_unit(family))}: {family.says}. Orange: a wrong answer.")


def draw_large(subject: Subject, sample_id: str, name: str, severity: float, seen: Looks, label: int) -> None:
    """The image at the slider's severity, large, and the likeliest classes."""
    classes, shares = subject.blueprint.classes, seen.shares[-1]
    order = np.argsort(-shares, kind="stable")[:SHOWN]
    truth = classes[label] if label != UNLABELLED else ""
    index = subject.images.position[sample_id]
    left, right = st.columns([1, 2], gap="medium")
    with left:
        st.image(data_url(as_image(seen.pixels[-1]), LARGE), alt=f"{name} at severity {severity:g}")
    with right:
        answer = classes[int(order[0])]
        at = said_value(name, severity)
        said = f"{family_named(name).title}, {at}" if severity else "Unchanged"
        verdict = (
            "" if not truth else (", which is right" if answer == truth else f", but its label is **{plain(truth)}**")
        )
        st.markdown(f"{plain(said)}: it says **{plain(answer)}** ({shares.max():.1%} sure){verdict}.")
        st.caption(f"{plain(str(subject.images.names[index]))} · {subject.images.roles[index]}")
        draw(
            top_classes([classes[i] for i in order], shares[order].tolist(), truth),
            "tried classes",
            "Likeliest classes",
        )
