"""Images of regions as tables: one of our own, and the one that all methods share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.region_table import cell
from engine.methods.error_discovery.shown import shown_draws
from engine.toolkit.error_table import rounded
from engine.toolkit.tables import to_csv

IMAGE_COLUMNS = (
    "image_id",
    "region_id",
    "file",
    "seed_image_id",
    "seed_label",
    "predicted_label",
    "p_pred",
    "p_seed",
    "assigned_label",
    "excluded",
    "noise_norm",
    "knn_agreement",
    "use",
    "sha256",
)


@dataclass(frozen=True)
class RegionImage:
    """An image of a region: the error of row `error`, or the fresh draw `draw`; the other one is -1."""

    region: int
    error: int = -1
    draw: int = -1

    @property
    def name(self) -> str:
        """A name that no other image of the same regions has."""
        return f"r{self.region:03d}-{f'e{self.error:05d}' if self.error >= 0 else f'd{self.draw:04d}'}"

    @property
    def file(self) -> str:
        """Where its picture lies in the bundle."""
        return f"images/{self.name}.png"


def images_of(found: Discovery, chosen: Sequence[int] | None = None) -> list[RegionImage]:
    """All errors of the regions, and the fresh draws that a person is shown."""
    images = []
    for region in found.living(chosen):
        images += [RegionImage(region, error=int(row)) for row in np.flatnonzero(found.regions.member == region)]
        images += [RegionImage(region, draw=int(draw)) for draw in shown_draws(found.tests, region)]
    return images


def images_csv(found: Discovery, images: Sequence[RegionImage], hashes: Sequence[str]) -> bytes:
    """One row for each image with the columns of `IMAGE_COLUMNS`; `hashes` are the SHA-256 of their pictures."""
    rows = ({**image_row(found, image), "sha256": name} for image, name in zip(images, hashes, strict=True))
    return to_csv(rows, IMAGE_COLUMNS)


def image_row(found: Discovery, image: RegionImage) -> dict[str, Any]:
    """One image without the hash of its picture; cells are empty where there is nothing to tell."""
    classes, errors, region = found.subject.images.classes, found.errors, image.region
    _, label = found.decision(region)
    common = {
        "image_id": image.name,
        "region_id": region,
        "file": image.file,
        "seed_label": classes[found.regions.label[region]],
        "assigned_label": classes[label] if label >= 0 else "",
        "excluded": str((image.draw if image.draw >= 0 else image.error) in found.excluded(region)).lower(),
    }
    if image.draw >= 0:
        held = found.held is not None and region in found.held
        return {
            **common,
            "seed_image_id": "",
            "predicted_label": classes[found.tests.predictions[region, image.draw]],
            "p_pred": cell(float(found.tests.confidence[region, image.draw])),
            "p_seed": "",
            "noise_norm": "",
            "knn_agreement": "",
            "use": "" if found.held is None else "heldout" if held else "train",
        }
    return {
        **common,
        "seed_image_id": str(errors.ids[image.error]),
        "predicted_label": classes[errors.predictions[image.error]],
        "p_pred": cell(float(errors.p_prediction[image.error])),
        "p_seed": cell(float(errors.p_label[image.error])),
        "noise_norm": cell(float(errors.noise[image.error])),
        "knn_agreement": cell(float(errors.agreement[image.error])),
        "use": "",
    }


def error_rows(found: Discovery, images: Sequence[RegionImage]) -> list[dict[str, Any]]:
    """The errors among the images as rows of the table that every method writes alike."""
    own = found.subject.images
    rows = []
    for image in (each for each in images if each.error >= 0):
        row, region = image.error, image.region
        _, label = found.decision(region)
        index = own.position[str(found.errors.ids[row])]
        p_label, p_prediction = float(found.errors.p_label[row]), float(found.errors.p_prediction[row])
        real = found.errors.source == "real"
        rows.append(
            {
                "sample_id": str(found.errors.ids[row]) if real else image.name,
                "file_name": str(own.names[index]) if real else image.file,
                "split": str(own.roles[index]),
                "label": own.classes[found.errors.labels[row]],
                "prediction": own.classes[found.errors.predictions[row]],
                "confidence": cell(p_prediction),
                "corrected_label": own.classes[label] if label >= 0 else "",
                "cluster_id": region,
                "cluster_name": found.name(region),
                "is_error": "true",
                "loss": rounded(-log(p_label)) if p_label > 0 else "",
                "margin": rounded(log(p_label / p_prediction)) if p_label > 0 else "",
                "cluster_size": int(found.regions.size[region]),
                "cluster_error_rate": cell(found.tests.error[region].value),
                "source": found.errors.source,
                "method": "error_discovery",
                "run_id": found.run,
                "model_sha256": found.subject.blueprint.weights,
                "dataset_sha256": own.fingerprint,
                "note": found.state.notes.get(region, "") if real else f"around {found.errors.ids[row]}",
            }
        )
    return rows
