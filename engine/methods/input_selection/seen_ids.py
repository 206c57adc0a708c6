"""Which images a retrained classifier has seen."""

from __future__ import annotations

from engine.methods.input_selection.result import Retrained
from engine.subject.image_set import ImageSet, Role

CHOSEN_ON = "images of diagnosis decided what it was retrained on"  # to be said of it, though it didn't train on them


def seen_ids(images: ImageSet, how: str, run: Retrained) -> tuple[str, ...]:
    """The ids that it trained on beyond what the classifier it came from had seen; `how` as in `RetrainingSettings`.

    Its picks; unless it was the batch alone, the labelled images of train too.
    """
    picks = tuple(run.picks.ids.tolist())
    if how == "batch":
        return picks
    return (*images.ids[images.labelled(Role.TRAIN)].tolist(), *picks)
