"""What the page shows: maps by the run that made them, where they should lie, and how well they do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.methods.cam_training.colouring import full_colour
from engine.methods.cam_training.localisation import worst_first
from engine.methods.cam_training.result import Cams, Localisation
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.cam_training.mask import Mask


@dataclass(frozen=True)
class Scene:
    """Maps of a subject's images; `mask` and `places` are missing where no mask can be used."""

    bench: Workbench
    subject: Subject
    cams: Cams
    run_id: str
    mask: Mask | None
    places: Localisation | None

    def key(self, what: str) -> str:
        """A widget's name: other maps begin anew."""
        return f"{what} {self.run_id}"

    @cached_property
    def most(self) -> float:
        """The size of evidence, in logits, that has the full colour in every picture that is compared."""
        return full_colour(self.cams.maps)

    @cached_property
    def units(self) -> np.ndarray:
        """(N,) str, what counts as one independent observation."""
        images = self.subject.images
        return images.units()[[images.position[sample_id] for sample_id in self.cams.ids.tolist()]]

    def worst_first(self) -> np.ndarray:
        """(N,) the rows, least energy in the allowed part first, those without any energy last."""
        return np.arange(len(self.cams.ids)) if self.places is None else worst_first(self.places)
