"""When in the training which term counts."""

from __future__ import annotations

from engine.methods.cam_training.settings import TeachingSettings

PUBLISHED = ("published", "published_as_it_was")
THIRDS = (5 / 15, 10 / 15)  # of the published 15 epochs, in which five with the CAM term alone lie between the others


def check_schedule(settings: TeachingSettings, steps: int) -> None:
    """ValueError where the arm has a CAM term that is on in none of so many steps."""
    if (
        settings.arm == "cam"
        and settings.weight > 0
        and not any(weights_at(settings, step, steps)[1] for step in range(steps))
    ):
        raise ValueError(
            f"the CAM term is on in none of the {steps:,} steps: let it be on for a larger share of them, or train for "
            "more epochs"
        )


def weights_at(settings: TeachingSettings, step: int, steps: int) -> tuple[float, float]:
    """What cross-entropy and CAM term are multiplied by at this step of so many, counted from 0.

    All arms but `cam` have no CAM term. It is on from the share `begin` of the steps to the share `end`; the two
    published losses stand alone in the middle third and are off in the others. The margin has its weight within.
    """
    if settings.arm != "cam" or settings.weight == 0:
        return 1.0, 0.0
    if settings.loss in PUBLISHED:
        alone = THIRDS[0] * steps <= step < THIRDS[1] * steps
        return (0.0, settings.weight) if alone else (1.0, 0.0)
    on = settings.begin * steps <= step < settings.end * steps
    weight = 1.0 if settings.loss == "margin" else settings.weight
    return 1.0, weight if on else 0.0
