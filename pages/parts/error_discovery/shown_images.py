"""The images that stand for a region: decoded draws of a generated one, the images themselves of a real one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.methods.error_discovery.shown import SHOWN, shown_draws, shown_errors
from pages.parts.error_discovery.decoded import decoded
from pages.parts.error_discovery.scene import GENERATED, Tried
from pages.parts.thumbnails import thumbnails


@dataclass(frozen=True)
class Shown:
    """An image of a region: the `number` by which it is left out, a data URL, the answer and how sure it was."""

    number: int
    url: str
    prediction: int
    confidence: float


def shown(tried: Tried, region: int, side: int, most: int = SHOWN) -> list[Shown]:
    """At most so many images of a region, the longer side `side` pixels; fewer where fewer draws count."""
    if tried.source == GENERATED:
        draws, again = shown_draws(tried.again, region, most), tried.again
        labels = draws * 0 + tried.groups.label[region]
        name = f"{tried.tests.fingerprint} {region} {most}"
        urls = decoded(name, tried.made, again.codes[region, draws], labels, side) if len(draws) else []
        answers, sure = again.predictions[region, draws], again.confidence[region, draws]
    else:
        draws = shown_errors(tried.groups, tried.found, region, most)
        urls = thumbnails(tried.made.subject.images, tried.found.ids[draws].tolist(), side)
        answers, sure = tried.found.predictions[draws], tried.found.p_prediction[draws]
    columns = zip(draws.tolist(), urls, answers.tolist(), sure.tolist(), strict=True)
    return [Shown(*each) for each in columns]
