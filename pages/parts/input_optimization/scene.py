"""What the page shows: a sweep with all that was found on it, and what a person has chosen to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from engine.methods.input_optimization.result import Breakpoints, Differences, Map, Optimisation, Sweep
from engine.methods.input_optimization.settings import BreakpointSettings
from engine.subject.subject import Subject
from engine.workbench import Workbench


@dataclass(frozen=True)
class WayBack:
    """The optimisation, its differences, and the maps of transforms and of images; None what is not known yet.

    `run_id` is the optimisation's; `method` is the projection that was asked for.
    """

    run_id: str
    method: str
    optimisation: Optimisation
    differences: Differences | None = None
    transforms: Map | None = None
    images: Map | None = None

    def rows(self, image: int, grid: int, combinations: np.ndarray) -> np.ndarray:
        """(n,) the numbers of the pairs of an image and these combinations; empty where it was not optimised."""
        found = self.optimisation
        own = np.flatnonzero((found.image == image) & (found.grid == grid))
        place = dict(zip(found.combination[own].tolist(), own.tolist(), strict=True))
        return np.array([place[each] for each in combinations.tolist() if each in place], dtype=np.int64)


@dataclass(frozen=True)
class Scene:
    """A sweep by the run that made it, its breakpoints by the rule, and the way back as far as it is known."""

    bench: Workbench
    subject: Subject
    sweep: Sweep
    run_id: str
    rule: BreakpointSettings
    breakpoints: Breakpoints
    way_back: WayBack | None

    def key(self, what: str) -> str:
        """A widget's name: another sweep, or clearing what is brushed, begins anew."""
        return f"{what} {self.run_id} {st.session_state.get('brushes cleared', 0)}"

    @property
    def single(self) -> dict[str, int]:
        """The grids of one family, by the family's name."""
        return {swept.families[0]: n for n, swept in enumerate(self.sweep.grids) if len(swept.families) == 1}


def chosen_families(scene: Scene) -> list[str]:
    """The families whose strips were clicked; none where none was."""
    event = st.session_state.get(scene.key("strips")) or {}
    points = event.get("selection", {}).get("family", []) if event else []
    return [point["family"] for point in points if point.get("family") in scene.single]


def brush_key(scene: Scene, what: str) -> str:
    """Where it is kept what is brushed on a map; another optimisation has other points."""
    return scene.key(f"brushed {what} {scene.way_back.run_id if scene.way_back else ''}")


def brushed(scene: Scene, what: str) -> np.ndarray:
    """The numbers of the images, or of the transforms, that are brushed on their map; empty where none is."""
    return np.array(st.session_state.get(brush_key(scene, what), []), dtype=np.int64)


def clear_brushes() -> None:
    """Nothing is brushed or clicked any more."""
    st.session_state["brushes cleared"] = st.session_state.get("brushes cleared", 0) + 1
