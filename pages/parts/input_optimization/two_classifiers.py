"""Another classifier of the same classes put through the same sweep: which of the two breaks later?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import numpy as np
import streamlit as st

from engine.methods.input_optimization import SWEEP
from engine.methods.input_optimization.comparison import BreakpointDifference, compare
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.sentences import where, which_breaks_later
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.subject.subject import Subject
from engine.toolkit.tables import to_csv
from engine.toolkit.transforms.families import family_named
from engine.workbench import Opened
from pages.parts.charts import RIGHT, WRONG
from pages.parts.draw import draw
from pages.parts.input_optimization.asking import Wanted, estimated
from pages.parts.input_optimization.scene import Scene
from pages.parts.run_panel import answered
from pages.parts.saving import captioned
from pages.parts.text import plain


def two_classifiers(scene: Scene, wanted: Wanted) -> None:
    """Choose the other one, have it swept, and see the differences of the breakpoints."""
    others = others_of(scene)
    if not others:
        st.info(
            "There is no other classifier of the same classes. Load one in the sidebar, choose this one again there, "
            "and come back to compare."
        )
        return
    chosen = st.selectbox(
        "Compare with", list(others), format_func=others.__getitem__, key=scene.key("other"), width=320
    )
    try:
        other = scene.bench.subject(Opened(chosen, scene.subject.dataset))
    except (ValueError, KeyError) as error:
        st.warning(plain(str(error.args[0])))
        return
    estimate = estimated(scene.bench, other, wanted.settings, wanted.inputs)
    found = answered(scene.bench, SWEEP, other, wanted.settings, estimate, inputs=wanted.inputs)
    if found is None:
        return
    differences = compared(f"{scene.run_id} {chosen} {scene.rule}", scene.sweep, found, scene.rule)
    names = told_apart(scene.subject, other)
    st.markdown(plain(which_breaks_later(differences, *names)))
    chart, key = dumbbells(differences, names), scene.key(f"dumbbells {chosen}")
    draw(chart, key, "Breakpoints of both classifiers")
    said = (
        "Where each breaks, as a share of the range; a mark at the end of what was swept has not broken there. "
        "Thick lines: beyond chance."
    )
    captioned(chart, key, said, "two-classifiers")
    show_table(scene, differences, other)


def told_apart(first: Subject, second: Subject) -> tuple[str, str]:
    """The two classifiers' names, with the beginning of their fingerprints where they are the same."""
    names = first.blueprint.name, second.blueprint.name
    if names[0] != names[1]:
        return names
    return f"{names[0]} · {first.model[:6]}", f"{names[1]} · {second.model[:6]}"


def others_of(scene: Scene) -> dict[str, str]:
    """The kept classifiers that tell the same classes apart, by fingerprint."""
    ours = scene.bench.model(scene.subject.model).blueprint
    return {
        row.fingerprint: row.name
        for row in scene.bench.store.shelf.models()
        if row.fingerprint != scene.subject.model and row.blueprint["classes"] == ours["classes"]
    }


@st.cache_data(show_spinner=False, max_entries=8)
def compared(name: str, _first: Sweep, _second: Sweep, _rule: BreakpointSettings) -> tuple[BreakpointDifference, ...]:
    """The differences, worked out once."""
    del name
    return compare(_first, _second, _rule)


def dumbbells(differences: Sequence[BreakpointDifference], names: tuple[str, str]) -> alt.LayerChart | alt.FacetChart:
    """Both breakpoints of every side, joined where they differ."""
    rows = []
    for each in differences:
        family = family_named(each.family)
        side = f"{family.title}, {family.side(each.sign).name}" if len(family.sides) > 1 else family.title
        values = [each.end if np.isnan(severity) else severity for severity in (each.first, each.second)]
        for name, value in zip(names, values, strict=True):
            rows.append(
                {
                    "side": side,
                    "classifier": name,
                    "breaks": value,
                    "other": values[1],
                    "significant": each.significant,
                    "difference": each.difference,
                    "interval": f"{each.low:+.2f} to {each.high:+.2f}",
                }
            )
    order = list(
        dict.fromkeys(str(row["side"]) for row in sorted(rows, key=lambda row: -abs(float(str(row["difference"])))))
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("side:N", sort=order, title=None, axis=alt.Axis(labelLimit=220))
    )
    lines = base.mark_rule().encode(
        x=alt.X("breaks:Q", title="breaks at, share of the range", scale=alt.Scale(domain=[0, 1])),
        x2="other:Q",
        strokeWidth=alt.condition("datum.significant", alt.value(4), alt.value(1)),
        color=alt.value("#999999"),
    )
    dots = base.mark_circle(size=90, opacity=1).encode(
        x="breaks:Q",
        color=alt.Color("classifier:N", scale=alt.Scale(domain=list(names), range=[RIGHT, WRONG]), title=None),
        tooltip=[
            alt.Tooltip("side:N"),
            alt.Tooltip("classifier:N"),
            alt.Tooltip("breaks:Q", format=".0%"),
            alt.Tooltip("difference:Q", format="+.2f"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )
    return alt.layer(lines, dots).properties(height=alt.Step(20))


def show_table(scene: Scene, differences: Sequence[BreakpointDifference], other: Subject) -> None:
    """The numbers, and their CSV."""
    rows = [
        {
            "transform": family_named(each.family).title,
            "direction": family_named(each.family).side(each.sign).name,
            "this one breaks at": where(each, each.first),
            "the other breaks at": where(each, each.second),
            "difference": each.difference,
            "95 % from": each.low,
            "to": each.high,
            "beyond chance": "✓" if each.significant else "",
        }
        for each in differences
    ]
    st.dataframe(
        rows,
        hide_index=True,
        key=scene.key("differences"),
        column_config=dict.fromkeys(
            ("difference", "95 % from", "to"), st.column_config.NumberColumn(format="percent", help="of the range")
        ),
        alt="Differences of breakpoints",
    )
    st.caption("Paired over the same images; beyond chance: at 5 % over all rows together (Holm).")
    st.download_button(
        "Download CSV",
        data=lambda: to_csv([asdict(each) for each in differences], list(asdict(differences[0]))),
        file_name=f"breakpoints-compared-with-{other.blueprint.fingerprint[:6]}.csv",
        mime="text/csv",
        key="download differences",
        on_click="ignore",
    )
