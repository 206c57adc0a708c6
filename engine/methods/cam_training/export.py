"""Maps as a table and as arrays, to be kept, compared and worked on elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.methods.cam_training.result import Cams, Groups, Localisation
from engine.methods.cam_training.rules import RULES
from engine.subject.image_set import ImageSet
from engine.toolkit.error_table import rounded

MEASURED = ("energy", "corrected", "pointing", "iou", "outside")  # of Localisation
CAM_COLUMNS = ("file_name", "id", "label", "prediction", "confidence", "score", *MEASURED, "group")
ARRAYS = ("ids", "labels", "predictions", "confidence", "scores", "maps")


def cam_rows(
    cams: Cams, images: ImageSet, places: Localisation | None, groups: Groups | None, rows: Iterable[int]
) -> list[dict[str, Any]]:
    """One row with the columns of `CAM_COLUMNS` for each of these rows of the maps.

    Cells are empty where there is nothing to tell: no label, no mask, no evidence, no group, no share from outside by a
    rule that doesn't add up. Groups count from 1.
    """
    if places is not None and not RULES[cams.method].adds_up:
        places = replace(places, outside=np.full(len(places.outside), np.nan))
    found = []
    for row in rows:
        label, group = int(cams.labels[row]), int(groups.group[row]) if groups else -1
        found.append(
            {
                "file_name": str(images.names[images.position[str(cams.ids[row])]]),
                "id": str(cams.ids[row]),
                "label": cams.classes[label] if label >= 0 else "",
                "prediction": cams.classes[int(cams.predictions[row])],
                "confidence": rounded(cams.confidence[row]),
                "score": rounded(cams.scores[row]),
                **{name: cell(getattr(places, name)[row]) if places else "" for name in MEASURED},
                "group": group + 1 if group >= 0 else "",
            }
        )
    return found


def cell(value: float) -> float | str:
    """A figure in six digits, empty where there is none."""
    return "" if np.isnan(value) else rounded(value)


def cams_npz(cams: Cams) -> bytes:
    """The maps with what is known of them, as the bytes of an .npz that no pickle is needed to read."""
    names = (*ARRAYS, "method", "layer", "exact", "of", "against", "classes", "seen")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{name: np.array(getattr(cams, name)) for name in names})
    return buffer.getvalue()
