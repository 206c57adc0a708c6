"""What is looked at: which images, by which rule, at which layer, and what the map speaks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from engine.methods.cam_training import CAMS
from engine.methods.cam_training.rules import RULES
from engine.methods.cam_training.settings import (
    ANSWERS,
    LABEL,
    METHODS,
    NOTHING,
    PREDICTION,
    REST,
    CamSettings,
)
from engine.runs.run import Input
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import selections
from pages.parts.cam_training.words import TARGET_TITLES
from pages.parts.images_of_test import test_is_open
from pages.parts.text import plain

IMAGES = 200  # drawn at first
FIRST_ROLES = (Role.DIAGNOSIS, Role.TRAIN, Role.POOL, Role.TEST)


@dataclass(frozen=True)
class Wanted:
    """The maps to ask for, and their inputs: a selection in place of a draw, where one is in hand."""

    settings: CamSettings
    inputs: dict[str, Input]


def asking(bench: Workbench, subject: Subject) -> Wanted | None:
    """What the widgets describe; None, with the reason shown, where they describe nothing."""
    with st.expander("What is looked at", icon=":material/tune:"):
        images = chosen_images(bench, subject)
        if images is None:
            return None
        wanted = with_rule(bench, subject, images)
    return wanted if not shows_test(subject, wanted) or test_is_open(bench, subject) else None


def shows_test(subject: Subject, wanted: Wanted) -> bool:
    """Whether images of test are among those asked for."""
    if "selection" not in wanted.inputs:
        return wanted.settings.role == Role.TEST
    images = subject.images
    chosen = [images.position[each] for each in wanted.inputs["selection"].value if each in images.position]
    return bool((images.roles[chosen] == Role.TEST).any())


def chosen_images(bench: Workbench, subject: Subject) -> Wanted | None:
    """The settings that say which images, with the usual rule, and the selection in hand as an input."""
    carried = selections.in_hand(bench, subject.dataset)
    roles = [role.value for role in FIRST_ROLES if len(subject.images.indices(role))]
    if not roles:
        st.warning("There are no images here. Load data in the sidebar.")
        return None
    if carried is not None and st.checkbox(
        f"only the selection in hand: {plain(carried.name)} ({len(carried.ids):,})", value=True, key="cam selection"
    ):
        fingerprint = hashlib.sha256("\n".join(carried.ids).encode()).hexdigest()[:16]
        return Wanted(CamSettings(), {"selection": Input(fingerprint, carried.ids)})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = st.selectbox("Images of", roles, key=f"cam role {subject.dataset}", width=150)
        most = len(subject.images.indices(role))
        count = st.number_input("How many", 1, most, min(IMAGES, most), key=f"cam images {role}", width=120)
        answers = st.selectbox("Answers", ANSWERS, key="cam answers", width=120)
        classes = subject.blueprint.classes
        labels = st.multiselect(
            "Labels",
            range(len(classes)),
            format_func=classes.__getitem__,
            key=f"cam labels {subject.model}",
            placeholder="all",
            width=300,
        )
    return Wanted(CamSettings(role=role, images=int(count), answers=answers, labels=tuple(sorted(labels))), {})


def with_rule(bench: Workbench, subject: Subject, images: Wanted) -> Wanted:
    """These images, with the settings that say what is drawn of them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.selectbox("Map", METHODS, format_func=rule_title, key="cam method", width=240)
        of = st.selectbox(
            "speaks for",
            speakers(subject, (PREDICTION, LABEL)),
            format_func=lambda name: word(subject, name),
            key=f"cam of {subject.model}",
            width=180,
        )
        against = st.selectbox(
            "against",
            [each for each in speakers(subject, (REST, NOTHING, PREDICTION, LABEL)) if each != of],
            format_func=lambda name: word(subject, name),
            key=f"cam against {subject.model}",
            width=210,
        )
        layer = chosen_layer(bench, subject)
    st.caption(plain(RULES[method].says))
    return replace(images, settings=replace(images.settings, method=method, of=of, against=against, layer=layer))


def rule_title(method: str) -> str:
    """A rule's name with its year."""
    rule = RULES[method]
    return f"{rule.title} ({rule.year})" if rule.year else rule.title


def speakers(subject: Subject, words: tuple[str, ...]) -> list[str]:
    """These words, then the classes by their numbers."""
    count = len(subject.blueprint.classes)
    return [*words, *map(str, range(count))]


def word(subject: Subject, name: str) -> str:
    """What a map speaks for, in words."""
    return TARGET_TITLES[name] if name in TARGET_TITLES else f"class {subject.blueprint.classes[int(name)]}"


def chosen_layer(bench: Workbench, subject: Subject) -> str:
    """A layer by hand, or "" for the one that is found."""
    if not st.checkbox("layer by hand", key=f"cam by hand {subject.model}"):
        return ""
    try:
        found = layers(subject.fingerprint, bench, subject)
    except ValueError as error:
        st.warning(plain(str(error)))
        return ""
    names = [name for name, _ in found]
    says = dict(found)
    return st.selectbox(
        "Layer", names, len(names) - 1, format_func=says.__getitem__, key=f"cam layer {subject.model}", width=260
    )


@st.cache_data(show_spinner=False, max_entries=8)
def layers(fingerprint: str, _bench: Workbench, _subject: Subject) -> list[tuple[str, str]]:
    """The layers that keep a map, first to last, with their shapes."""
    from engine.methods.cam_training.layers import map_layers
    from engine.toolkit.prediction import as_tensor

    del fingerprint
    with _bench.quick(_subject) as quick:
        example = as_tensor(quick.images.read(np.arange(min(2, len(quick.images)))), quick.classifier.device)
        return [
            (each.name, f"{each.name}: {each.channels} maps of {each.height} x {each.width}")
            for each in map_layers(quick.classifier, example)
        ]


def estimated(bench: Workbench, subject: Subject, wanted: Wanted) -> Callable[[], float]:
    """How long the maps will take, measured on a few images."""

    def seconds() -> float:
        from engine.methods.cam_training.estimate import seconds_of_cams

        selection = wanted.inputs["selection"].value if wanted.inputs else None
        with bench.quick(subject) as quick:
            return seconds_of_cams(quick, wanted.settings, selection)

    return seconds


def run_of(bench: Workbench, subject: Subject, wanted: Wanted) -> str:
    """The fingerprint of the run that makes these maps."""
    return bench.question(CAMS, subject, wanted.settings, wanted.inputs).fingerprint
