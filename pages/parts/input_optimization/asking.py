"""What is asked: which transforms, on which images, and when accuracy counts as broken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import streamlit as st

from engine.methods.input_optimization import SWEEP
from engine.methods.input_optimization.settings import (
    ROLES,
    BreakpointSettings,
    Grid,
    SweepSettings,
    alone,
    published,
    together,
)
from engine.runs.encoding import put_together
from engine.runs.run import Input, Outcome
from engine.subject.image_set import Role
from engine.subject.subject import Subject
from engine.toolkit.transforms.families import FAMILIES, family_named
from engine.workbench import Workbench
from pages.parts import selections
from pages.parts.text import duration, plain

ALONE, TOGETHER, PUBLISHED = "each alone", "two together", "published grid"
LEVELS, LEVELS_TOGETHER, IMAGES = 8, 4, 200


@dataclass(frozen=True)
class Wanted:
    """A sweep to ask for, with its inputs (a selection in place of a draw), and the rule for breakpoints.

    `pressed`: a person has just asked for it, knowing how long it takes.
    """

    settings: SweepSettings
    inputs: dict[str, Input]
    rule: BreakpointSettings
    pressed: bool = False


def asking(bench: Workbench, subject: Subject) -> Wanted | None:
    """What was asked last, the default sweep of everything at first; None where nothing can be asked."""
    key = f"asked sweep {subject.fingerprint}"
    if key not in st.session_state and (known := remembered(bench, key)):
        st.session_state[key] = known
    with st.expander("What is swept", expanded=False, icon=":material/tune:"):
        draft, pressed = drafted(bench, subject), False
        if draft is not None:
            said(bench, subject, draft)
            pressed = st.button("Sweep", type="primary", key="ask sweep")
            if pressed:
                st.session_state[key] = draft
                bench.store.shelf.remember(key, {"settings": asdict(draft[0]), "selection": ids_of(draft[1])})
    rule = the_rule()
    asked: tuple[SweepSettings, dict[str, Input]] | None = st.session_state.get(key) or draft
    if asked is None:
        return None
    st.session_state.setdefault(key, asked)
    return Wanted(*asked, rule, pressed)


def remembered(bench: Workbench, key: str) -> tuple[SweepSettings, dict[str, Input]] | None:
    """What was asked before the page was loaded anew, if it can still be asked."""
    known = bench.store.shelf.recall(key)
    if known is None:
        return None
    try:
        settings = put_together(SweepSettings, known["settings"], {})
    except (ValueError, KeyError, TypeError):  # of another version
        return None
    return settings, selected(tuple(known["selection"]))


def selected(ids: tuple[str, ...]) -> dict[str, Input]:
    """A selection as an input of the sweep; none where there are no ids."""
    if not ids:
        return {}
    return {"selection": Input(hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16], ids)}


def ids_of(inputs: Mapping[str, Input]) -> tuple[str, ...]:
    """The ids of the selection among the inputs, none where it isn't there."""
    return inputs["selection"].value if "selection" in inputs else ()


def channels(subject: Subject) -> int:
    """1 for grey images, 3 for colour."""
    return subject.images.frame.channels


def drafted(bench: Workbench, subject: Subject) -> tuple[SweepSettings, dict[str, Input]] | None:
    """The sweep that the widgets describe; None, and the reason shown, where they describe none."""
    how = st.segmented_control(
        "Transforms", [ALONE, TOGETHER, PUBLISHED], default=ALONE, required=True, key="sweep how"
    )
    grids = {ALONE: grids_alone, TOGETHER: grids_together, PUBLISHED: grids_published}[how](subject)
    if misfits := [family for family in FAMILIES if family.misfit(channels(subject))]:
        listed = "; ".join(f"{family.title}: {family.misfit(channels(subject))}" for family in misfits)
        st.caption(f"Not for these images: {plain(listed)}.")
    roles = [role for role in ROLES if len(subject.images.indices(role))]
    carried = selections.in_hand(bench, subject.dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if carried is not None:
            use = st.checkbox(f"only the selection in hand: {plain(carried.name)} ({len(carried.ids):,})", value=True)
            carried = carried if use else None
        role, count = roles[0] if roles else "", IMAGES
        if carried is None and roles:
            role = st.selectbox("Images of", roles, key="sweep role", width=150)
            most = len(subject.images.indices(role))
            count = st.number_input("How many", 1, most, min(IMAGES, most), key=f"sweep images {role}", width=130)
    if not roles and carried is None:
        st.warning("There is nothing to look at but `test`, which decides nothing. Load data with other roles.")
        return None
    if not grids:
        st.warning("Choose at least one transform.")
        return None
    inputs = selected(carried.ids if carried is not None else ())
    return SweepSettings(grids, role or Role.DIAGNOSIS.value, int(count)), inputs


def grids_alone(subject: Subject) -> tuple[Grid, ...]:
    """One grid a family that is chosen, at first every one that fits."""
    fitting = fitting_names(subject)
    names = st.multiselect(
        "Which", fitting, default=fitting, format_func=lambda name: family_named(name).title, key="sweep families"
    )
    levels = st.slider("Steps on each side", 2, 16, LEVELS, key="sweep levels", width=300)
    return tuple(alone(name, levels) for name in fitting if name in names)


def grids_together(subject: Subject) -> tuple[Grid, ...]:
    """One grid of all combinations of two families."""
    fitting = fitting_names(subject)
    with st.container(horizontal=True):
        first = st.selectbox("First", fitting, 0, format_func=lambda name: family_named(name).title, key="sweep first")
        rest = [name for name in fitting if name != first]
        usual = rest.index("gaussian_blur") if "gaussian_blur" in rest else 0
        second = st.selectbox(
            "Second", rest, usual, format_func=lambda name: family_named(name).title, key="sweep second"
        )
    levels = st.slider("Steps on each side", 2, 8, LEVELS_TOGETHER, key="sweep levels together", width=300)
    return (together((first, second), levels),)


def grids_published(subject: Subject) -> tuple[Grid, ...]:
    """ProactiV's grid."""
    st.caption("15 angles x 3 blurs x 10 levels of noise: the 450 combinations of the ProactiV paper's letters.")
    try:
        return (published(min(subject.images.frame.height, subject.images.frame.width)),)
    except ValueError as error:  # its blur is in pixels, too many for very small images
        st.warning(plain(str(error)))
        return ()


def fitting_names(subject: Subject) -> list[str]:
    """The families that fit the images."""
    return [family.name for family in FAMILIES if not family.misfit(channels(subject))]


def said(bench: Workbench, subject: Subject, draft: tuple[SweepSettings, dict[str, Input]]) -> None:
    """How large the sweep is, and how long it will take."""
    from engine.methods.input_optimization.estimate import count_of_sweep

    settings, inputs = draft
    selection = ids_of(inputs) or None
    try:
        images, combinations, evaluations = count_of_sweep(subject.images, settings, selection)
        entry = bench.store.register.entry(bench.question(SWEEP, subject, settings, inputs).fingerprint)
        known = entry is not None and entry.outcome == Outcome.FINISHED
        takes = "known already" if known else duration(estimated(bench, subject, settings, inputs)())
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    missing = len(selection or ()) - images
    left_out = f" ({missing:,} of the selection are left out: of test, or without a label)" if missing > 0 else ""
    st.caption(
        f"{images:,} images{left_out}, {combinations:,} changes of each: "
        f"{evaluations:,} questions to the network, {takes}."
    )


def estimated(
    bench: Workbench, subject: Subject, settings: SweepSettings, inputs: dict[str, Input]
) -> Callable[[], float]:
    """How long the sweep will take, measured once on a few images."""
    key = f"estimate {bench.question(SWEEP, subject, settings, inputs).fingerprint}"

    def seconds() -> float:
        from engine.methods.input_optimization.estimate import seconds_of_sweep

        if key not in st.session_state:
            with bench.quick(subject) as quick:
                st.session_state[key] = seconds_of_sweep(quick, settings, ids_of(inputs) or None)
        return st.session_state[key]

    return seconds


def the_rule() -> BreakpointSettings:
    """When accuracy counts as broken."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = st.segmented_control(
            "It is broken where accuracy",
            ["drop", "level"],
            default="drop",
            required=True,
            format_func=lambda each: {"drop": "drops by", "level": "falls below"}[each],
            key="break rule",
        )
        default = BreakpointSettings.drop if rule == "drop" else BreakpointSettings.level
        share = st.slider(
            "points" if rule == "drop" else "accuracy",
            0.02,
            0.9,
            default,
            0.01,
            key=f"break {rule}",
            width=260,
            label_visibility="collapsed",
            format="percent",
        )
    return BreakpointSettings(rule, drop=share) if rule == "drop" else BreakpointSettings(rule, level=share)
