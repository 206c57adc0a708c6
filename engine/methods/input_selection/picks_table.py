"""Chosen images as a table, to be labelled, checked or trained on elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.methods.input_selection.result import Picks
from engine.subject.image_set import ImageSet
from engine.toolkit.error_table import rounded

PICK_COLUMNS = ("order", "file_name", "id", "label", "prediction", "chosen_by", "rank", "score", "label_issue", "run")


def pick_rows(picks: Picks, images: ImageSet, classes: Sequence[str], run: str) -> list[dict[str, Any]]:
    """One row for each pick, in their order; rank and score are empty where chance chose."""
    rows = []
    for place, sample_id in enumerate(picks.ids.tolist()):
        scored = bool(picks.scored[place])
        known = scored and not np.isnan(picks.score[place])
        rows.append(
            {
                "order": place + 1,
                "file_name": str(images.names[images.position[sample_id]]),
                "id": sample_id,
                "label": classes[picks.labels[place]] if picks.labels[place] >= 0 else "",
                "prediction": classes[picks.predictions[place]],
                "chosen_by": "strategy" if scored else "chance",
                "rank": int(picks.rank[place]) if scored else "",
                "score": rounded(picks.score[place]) if known else "",
                "label_issue": bool(picks.issue[place]),
                "run": run,
            }
        )
    return rows
