"""What strategies and arms are called."""

from __future__ import annotations

from engine.methods.input_selection.settings import CHOSEN_LAYER

STRATEGY_TITLES = {
    "random": "random choice",
    "class_random": "random choice of the same labels",
    "highest_loss": "highest loss",
    "misclassified": "misclassified images",
    "gini": "least certain (Gini)",
    "margin": "smallest margin",
    "pool_gini": "least certain of the whole pool (Gini)",
    "mode": "MODE by a heat map",
    "mode_published": "MODE as published",
    "mode_dhwi": "highest loss and DHWI together",
}


def arm_title(arm: str) -> str:
    """A strategy's title, with its layer where that is not the last; `arm` as in `arm_settings`."""
    strategy, _, layer = arm.partition("@")
    title = STRATEGY_TITLES.get(strategy, strategy)
    if not layer:
        return title
    return f"{title}, at {'the chosen layer' if layer == CHOSEN_LAYER else layer}"
