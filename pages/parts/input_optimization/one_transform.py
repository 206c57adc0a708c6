"""One transform closely: accuracy by label, and where the wrong answers go."""

from __future__ import annotations

import streamlit as st

from engine.methods.input_optimization.curves import by_class, flow
from engine.toolkit.transforms.families import family_named
from pages.parts.draw import draw
from pages.parts.input_optimization.scene import Scene, brushed, chosen_families
from pages.parts.input_optimization.sweep_charts import answer_flow, class_heat
from pages.parts.saving import captioned


def one_transform(scene: Scene) -> None:
    """Class x severity, and the flow of wrong answers, of one family."""
    if not scene.single:
        st.info("Sweep transforms each alone to look at one closely.")
        return
    name = choose_family(scene)
    grid, key = scene.single[name], scene.key(f"class heat {name}")
    st.markdown("##### Accuracy by label")
    images = brushed(scene, "image")
    shown = scene.sweep.take(images) if len(images) else scene.sweep
    chart = class_heat(name, scene.sweep.classes, *by_class(shown, grid))
    draw(chart, key, f"Accuracy of each label under {name} at each severity")
    said = "Share of the label's images that are recognised; hover for n."
    captioned(chart, key, said, f"{name}-by-label")
    st.markdown("##### Where the wrong answers go")
    signs = family_named(name).signs
    for sign, column in zip(signs, st.columns(len(signs), gap="medium"), strict=True):
        with column:
            wrong_answers(scene, name, sign)


def wrong_answers(scene: Scene, name: str, sign: int) -> None:
    """Which classes wrong answers name, on one side of a family."""
    family, images = family_named(name), brushed(scene, "image")
    found = flow(scene.sweep, scene.single[name], sign, images if len(images) else None)
    chart, key = answer_flow(name, sign, scene.sweep.classes, found), scene.key(f"flow {name} {sign}")
    draw(chart, key, f"Wrong answers under {name} by class")
    said = f"{family.title}, {family.side(sign).name}; n = {found.n:,} images at each severity."
    captioned(chart, key, said, f"{name}-wrong-answers")


def choose_family(scene: Scene) -> str:
    """One family that was swept alone: at first the one whose strip was clicked last, else the worst."""
    options = list(scene.single)
    clicked = [name for name in chosen_families(scene) if name in options]
    first = clicked[-1] if clicked else worst_of(scene, options)
    return st.selectbox(
        "Transform",
        options,
        index=options.index(first),
        format_func=lambda name: family_named(name).title,
        key=scene.key(f"family closely {first}"),
        width=240,
    )


def worst_of(scene: Scene, options: list[str]) -> str:
    """The family of the lowest average accuracy."""
    return min(options, key=lambda name: float(scene.sweep.right(scene.single[name]).mean()))
