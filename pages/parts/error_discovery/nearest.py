"""Is a region new? How far it is from known images, and the nearest of these side by side."""

from __future__ import annotations

import streamlit as st

from engine.methods.error_discovery import NOVELTY
from engine.methods.error_discovery.region_sentences import how_novel
from engine.methods.error_discovery.result import Novelty
from engine.methods.error_discovery.settings import SPACES, NoveltySettings
from pages.parts.draw import draw
from pages.parts.error_discovery.pace import seconds_of_a_pass
from pages.parts.error_discovery.scene import Tried
from pages.parts.error_discovery.words import SPACE_TITLES
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails
from pages.parts.tiles import Picture, picture_table

TILE, MOST = 64, 6


def novelty_of(tried: Tried) -> Novelty | None:
    """How far the regions lie from what was known, in the space that is chosen; None where it isn't known yet."""
    space = st.segmented_control(
        "Nearness by", SPACES, default=SPACES[0], required=True, format_func=SPACE_TITLES.__getitem__,
        key="novelty space", persist_state="session",
    )  # fmt: skip
    inputs = {**tried.inputs, "tests": tried.tests}
    bench, subject = tried.made.bench, tried.made.subject
    estimate = seconds_of_a_pass(bench, subject, "train", "diagnosis")
    return answered(bench, NOVELTY, subject, NoveltySettings(space), estimate, inputs=inputs)


def nearest_images(tried: Tried, region: int, novelty: Novelty | None) -> None:
    """The nearest images of train and the nearest that are misclassified, with how usual such distances are."""
    if novelty is None:
        st.caption("The nearest real images come when novelty has been worked out.")
        return
    images, classes = tried.made.subject.images, tried.made.classes
    pictures, names = [], []
    kinds = (("of train", novelty.nearest_all), ("misclassified", novelty.nearest_errors))
    for row, (name, nearest) in enumerate(kinds):
        names.append(name)
        ids = [each for each in nearest[region].tolist() if each][:MOST]
        for column, (sample_id, url) in enumerate(zip(ids, thumbnails(images, ids, TILE), strict=True)):
            label = images.labels[images.position[sample_id]]
            said = classes[label] if label >= 0 else "no label"
            pictures.append(Picture(row, column, url, said, f"{sample_id}, label {said}", wrong=False))
    if pictures:
        says = f"Real images nearest to region {region}"
        draw(picture_table(pictures, [""] * MOST, names, TILE), tried.key(f"nearest {region} {novelty.space}"), says)
    said = f"Nearest real images by {SPACE_TITLES[novelty.space]}, with their labels. {how_novel(novelty, region)}"
    st.caption(plain(said))
