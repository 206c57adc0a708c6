"""What the classifier that was given looks at on the images that a trained one was shown on."""

from __future__ import annotations

import numpy as np

from engine.methods.cam_training.looking import label_cams, lookout
from engine.methods.cam_training.parts import with_pixels
from engine.methods.cam_training.result import Cams, PartOutcome
from engine.subject.subject import Subject


def given_looks(subject: Subject, part: PartOutcome, layer: str) -> Cams:
    """The subject's own maps, of the label against the rest at this layer, of the part's `pictures`."""
    images, ids = subject.images, part.looks.ids
    shown = with_pixels(images.take(np.array([images.position[each] for each in ids.tolist()])), part.pictures)
    place = lookout(subject.classifier, shown, layer)
    return label_cams(subject.classifier, place, shown, np.arange(len(ids)), ids)
