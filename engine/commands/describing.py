"""What every summary says alike."""

from __future__ import annotations

import math
from typing import Any

from engine.subject.subject import Subject


def described(subject: Subject) -> dict[str, Any]:
    """What was examined, so that the files can stand alone."""
    return {
        "classifier": subject.blueprint.to_json() | {"fingerprint": subject.blueprint.fingerprint},
        "data": {
            "name": subject.images.name,
            "fingerprint": subject.images.fingerprint,
            "images": len(subject.images),
            "remarks": list(subject.images.remarks),
            "skipped": [{"file_name": each.file_name, "reason": each.reason} for each in subject.images.skipped],
        },
        "classes": list(subject.blueprint.classes),
    }


def without_nan(value: Any) -> Any:
    """The value with None for what is not a number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
