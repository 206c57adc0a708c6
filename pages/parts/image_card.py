"""One image large: what it is, what the classifier makes of it, and the training images it takes for its like."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.methods.evaluation import FEATURES
from engine.methods.evaluation.result import Evaluation, Features
from engine.methods.evaluation.settings import FeatureSettings
from engine.subject.image_set import Role, Seen
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.charts import top_classes
from pages.parts.draw import draw
from pages.parts.grid import data_url
from pages.parts.run_panel import answered
from pages.parts.text import plain
from pages.parts.thumbnails import picture, thumbnails

LARGE, SMALL, NEIGHBOURS = 300, 72, 6
SEEN = {Seen.YES: "seen in training", Seen.NO: "not seen in training", Seen.UNKNOWN: "perhaps seen in training"}


def image_card(bench: Workbench, subject: Subject, evaluation: Evaluation, row: int) -> None:
    """The row of the evaluation, opened."""
    images, sample_id = subject.images, str(evaluation.ids[row])
    index = images.position[sample_id]
    label = evaluation.classes[evaluation.labels[row]] if evaluation.labels[row] >= 0 else ""
    prediction = evaluation.classes[evaluation.predictions[row]]
    try:
        st.image(data_url(picture(images, sample_id), LARGE), alt=f"{label} taken for {prediction}")
    except ValueError as error:
        st.warning(plain(str(error)))
    st.markdown(f"**{plain(label or 'no label')} → {plain(prediction)}**, {evaluation.confidence[row]:.1%} sure")
    said = [plain(str(images.names[index])), str(images.roles[index]), SEEN[Seen(int(images.seen[index]))]]
    if images.groups[index]:
        said.append(f"group {plain(str(images.groups[index]))}")
    if label:
        said.append(f"loss {evaluation.loss[row]:.2f} nats")
    st.caption(" · ".join(said))
    names = [evaluation.classes[index] for index in evaluation.top[row]]
    shares = evaluation.top_confidence[row].tolist()
    draw(top_classes(names, shares, label), "top classes", "The likeliest classes of this image")
    neighbours(bench, subject, index)


def neighbours(bench: Workbench, subject: Subject, index: int) -> None:
    """The nearest training images by penultimate feature, or the way to have them computed."""
    if len(subject.images.indices(Role.TRAIN)) == 0:
        st.caption("The data has no training images, so there are no neighbours to show.")
        return
    settings = FeatureSettings()
    asked = bench.store.register.entry(bench.question(FEATURES, subject, settings).fingerprint) is not None
    if asked or st.button("Show the nearest training images", key="ask neighbours"):
        found = answered(bench, FEATURES, subject, settings, estimate=lambda: 0.0)
        if found is not None:
            show_nearest(bench, subject, index, found)


def show_nearest(bench: Workbench, subject: Subject, index: int, found: Features) -> None:
    """Six neighbours with their labels, nearest first; the image itself is left out."""
    from engine.methods.evaluation.features import nearest, penultimate
    from engine.runs.progress import Progress

    try:
        with bench.quick(subject) as quick:
            vector = penultimate(quick.classifier, quick.images, np.array([index]), Progress())[0]
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    images = subject.images
    ids, similarity = nearest(found, vector, NEIGHBOURS + 1)
    near = [
        (sample_id, share)
        for sample_id, share in zip(ids.tolist(), similarity.tolist(), strict=True)
        if sample_id != images.ids[index]
    ][:NEIGHBOURS]
    st.caption("Nearest training images by the last layer's input, with their labels and cosine similarity")
    with st.container(horizontal=True, gap="small"):
        for (sample_id, share), url in zip(
            near, thumbnails(images, [sample_id for sample_id, _ in near], SMALL), strict=True
        ):
            label = images.labels[images.position[sample_id]]
            name = images.classes[label] if label >= 0 else "no label"
            with st.container(width=SMALL + 8, gap=None):
                st.image(url, alt=name)
                st.caption(f"{plain(name)} {share:.2f}")
