"""Three regions with made-up tests, labels and images, for tables and sentences."""

from __future__ import annotations

import numpy as np

from engine.methods.error_discovery.discovery import Discovery
from engine.methods.error_discovery.labelling import Event, replayed, snapshot
from engine.methods.error_discovery.result import RegionTests
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.subject.subject import joined
from engine.toolkit.statistics import rate
from tests.conftest import colour_images, rgb_blueprint
from tests.methods.error_discovery.made_errors import made_errors, made_regions

CLASSES = ("cat", "=dog", "fox")
PLACES = [(0, 1, -2.0), (0, 2, 2.0), (1, 0, 0.0)]
DRAWS = 20
EVENTS = [
    Event("class", 0, 0, by="ada", seconds=2.5, at=1000.0),
    Event("class", 0, 2, by="bo", seconds=1.5, at=2000.0),
    Event("exclude", 0, draw=3),
    Event("exclude", 0, draw=11),
    Event("note", 1, note="=HYPERLINK(1)"),
    Event("model_right", 2, by="ada", at=3000.0),
]


def made_tests(regions, wrong=(1.0, 0.3, 0.95)) -> RegionTests:
    """Twenty draws of each region, of which such a share gets the region's prediction; every fifth doesn't count."""
    count = len(regions.label)
    order = np.arange(DRAWS)
    hits = [order < share * DRAWS for share in wrong]
    return RegionTests(
        codes=np.repeat(regions.mean[:, None], DRAWS, axis=1) + order[None, :, None].astype(np.float32) / 100,
        predictions=np.where(np.stack(hits), regions.prediction[:, None], regions.label[:, None]),
        confidence=np.full((count, DRAWS), 0.5, np.float32),
        kept=np.tile(order % 5 > 0, (count, 1)),
        error=tuple(rate(each, order) for each in hits),
        purity=np.array(wrong),
        inside=tuple(rate(each, order) for each in hits),
        elsewhere=tuple(rate(~each, order) for each in hits),
        p=np.array([0.0005, 0.9, np.nan]),
        q=np.array([0.001, 0.9, np.nan]),
        reproduced=np.array([True, False, False]),
        notes=("A note.",),
    )


def made_subject(count: int):
    """Images of one colour each, made out of the numbers 0, 1, 2 and so on; their classes are `CLASSES`."""
    blueprint = rgb_blueprint(classes=CLASSES)
    colours, labels = [(10 * place % 250, 7, 9) for place in range(count)], [place % 3 for place in range(count)]
    images = colour_images(colours, labels, role="train", classes=CLASSES)
    return joined(blueprint, images, lambda _: None)


def made_discovery(events=EVENTS, source="generated", **changed) -> Discovery:
    """The regions around `PLACES`, labelled by these events."""
    subject = made_subject(60)
    errors = made_errors(PLACES, source=source)
    ids = subject.images.ids[np.arange(len(errors.ids)) // 3]
    errors = made_errors(PLACES, source=source, ids=ids, units=ids)
    regions = made_regions(errors, PLACES)
    state = replayed(events)
    said = {
        "subject": subject,
        "errors": errors,
        "regions": regions,
        "tests": made_tests(regions),
        "labels": snapshot(state, "bo, ada"),
        "run": "run1",
        "state": state,
        "search": IdentificationSettings(),
        "generator": "gen1",
    }
    return Discovery(**{**said, **changed})
