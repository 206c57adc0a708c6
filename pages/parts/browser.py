"""Where it fails: the table, the matrix, the histogram and the images, each narrowing what the others show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from engine.methods.evaluation.filters import Filter, Order, matching
from engine.methods.evaluation.result import Evaluation
from engine.subject.image_set import UNLABELLED
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts import picks, selections
from pages.parts.charts import MOST_CLASSES, class_rates, confidence_histogram, confusion_matrix
from pages.parts.draw import draw, written_once
from pages.parts.grid import PAGE_TILES, TILE, Tile, image_grid
from pages.parts.image_card import image_card
from pages.parts.saving import captioned
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails

BOUNDS = ("recall low", "recall high", "precision low", "precision high")
ANSWERS = {"all": None, "wrong": False, "right": True}


@dataclass(frozen=True)
class Scene:
    """What the browser shows: an evaluation of a subject, by the run that made it."""

    bench: Workbench
    subject: Subject
    evaluation: Evaluation
    run_id: str

    def key(self, what: str) -> str:
        """A widget's name: another classifier, data set or role, or a reset, begins anew."""
        resets = st.session_state.get("resets", 0)
        return f"{what} {self.run_id} {resets}"


@st.fragment
def browser(scene: Scene, may_look: Callable[[], bool]) -> None:
    """Everything below the figures; a click in it reruns nothing else. Images show only if `may_look()`."""
    summary = scene.evaluation.summary
    wanted = Filter()
    if summary.accuracy.n:
        left, right = st.columns([1, 1], gap="medium")
        with left:
            wanted = replace(wanted, labels=class_table(scene) or None)
        with right:
            wanted = replace(wanted, cells=matrix(scene))
        wanted = histograms(scene, wanted)
    if not may_look():
        return
    wanted, said = filter_bar(scene, wanted)
    rows = matching(scene.evaluation, scene.subject.images, wanted)
    show_images(scene, rows, said)


def class_table(scene: Scene) -> tuple[int, ...]:
    """Per-class figures, worst recall first; returns the classes whose rows are selected."""
    st.subheader("Labels")
    figures = scene.evaluation.summary.per_class
    order = sorted(
        range(len(figures)), key=lambda place: (np.isnan(figures[place].recall.value), figures[place].recall.value)
    )
    rows = class_rates([figures[place] for place in order])
    event = st.dataframe(
        rows,
        key=scene.key("class table"),
        on_select="rerun",
        selection_mode="multi-row",
        hide_index=True,
        height=min(380, 36 * (len(rows) + 1)),
        column_config={
            "class": st.column_config.TextColumn(width=70, pinned=True),
            "recall": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=105),
            "95 % interval": st.column_config.TextColumn(width=105),
            **dict.fromkeys(("precision", "F1"), st.column_config.NumberColumn(format="percent", width=75)),
            "support": st.column_config.NumberColumn(help="images with this label", width=65),
            "groups": st.column_config.NumberColumn(help="independent units among them, which the intervals go by"),
            **dict.fromkeys(BOUNDS, st.column_config.NumberColumn(format="percent")),
            "predicted": st.column_config.NumberColumn(help="images with this prediction"),
        },
        alt="Recall, precision and F1 of each label with 95 % intervals",
    )
    st.caption(
        "Recall: of the images with this label, the share recognised, with its 95 % interval. Precision: of those "
        "called so, the share that are. Select rows to see their images."
    )
    return tuple(order[place] for place in event["selection"]["rows"])


def matrix(scene: Scene) -> tuple[tuple[int, int], ...]:
    """The confusion matrix; returns the (label, prediction) of the cells that are selected."""
    st.subheader("Confusions")
    classes = scene.evaluation.classes
    number = {name: index for index, name in enumerate(classes)}
    key, confusion = scene.key("confusion"), scene.evaluation.summary.confusion
    chart = written_once(f"confusion {scene.run_id}", partial(confusion_matrix, confusion, classes))
    event = draw(chart, key, "Confusion matrix: images by label and prediction", "rerun")
    shown = f" Shown: the {MOST_CLASSES} classes with the most mistakes." if len(classes) > MOST_CLASSES else ""
    said = (
        "Click a cell to see its images, another to add it. Blue: right; orange: wrong; the stronger, "
        f"the larger the share of the label's images.{shown}"
    )
    captioned(chart, key, said, "confusions")
    cells = event["selection"].get("cell", [])
    return tuple((number[cell["label"]], number[cell["prediction"]]) for cell in cells if "prediction" in cell)


def histograms(scene: Scene, wanted: Filter) -> Filter:
    """Confidence of wrong and of right answers; returns the filter narrowed to the ranges that are brushed."""
    st.subheader("Confidence")
    known = scene.evaluation.labels != UNLABELLED
    ranges = {}
    for column, answer in zip(st.columns(2, gap="medium"), ("wrong", "right"), strict=True):
        these = known & (scene.evaluation.wrong == (answer == "wrong"))
        make = partial(confidence_histogram, scene.evaluation.confidence[these], answer)
        with column:
            chart = written_once(f"{answer} {scene.run_id}", make)
            key = scene.key(f"confidence {answer}")
            event = draw(chart, key, f"Confidence of {answer} answers", "rerun")
            captioned(chart, key, f"Confidence of {answer} answers.", f"confidence-{answer}")
        brushed = event["selection"].get("range") or {}
        if bounds := next(iter(brushed.values()), None):
            ranges[answer] = (max(0.0, float(bounds[0])), min(1.0, float(bounds[1])))
    st.caption(
        "How sure it was of its answers. Wrong and sure, at the right end of the left chart, is what to worry about. "
        "Drag over a range to see its images."
    )
    return replace(wanted, ranges=tuple((answer == "right", low, high) for answer, (low, high) in ranges.items()))


def filter_bar(scene: Scene, wanted: Filter) -> tuple[Filter, str]:
    """The conditions set by hand, added to those clicked; returns the filter and what it says in words."""
    st.subheader("Images")
    classes = scene.evaluation.classes
    number = {name: index for index, name in enumerate(classes)}
    labelled = bool(scene.evaluation.summary.accuracy.n)
    carried = selections.in_hand(scene.bench, scene.subject.dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        answer = st.segmented_control(
            "Answers",
            list(ANSWERS),
            default="wrong" if labelled and carried is None else "all",
            required=True,
            key=scene.key(f"answers {carried.name if carried else ''}"),
            disabled=not labelled,
        )
        labels = st.multiselect("Label", classes, key=scene.key("labels"), width=170)
        predictions = st.multiselect("Prediction", classes, key=scene.key("predictions"), width=170)
        name = st.text_input("File name has", key=scene.key("name"), width=150)
        order = st.selectbox("First", list(Order), key=scene.key("order"), width=160)
        if st.button("Reset", key=scene.key("reset"), on_click=reset):
            st.rerun()  # the header, too
    low, high = st.slider("Confidence", 0.0, 1.0, (0.0, 1.0), 0.01, key=scene.key("confidence slider"), width=420)
    clicked = bool(wanted.cells) or bool(wanted.ranges)
    if labels:
        chosen = tuple(number[each] for each in labels)
        wanted = replace(wanted, labels=chosen if wanted.labels is None else tuple(set(wanted.labels) & set(chosen)))
    wanted = replace(
        wanted,
        predictions=tuple(number[each] for each in predictions) or None,
        right=None if clicked else ANSWERS[answer],  # a cell or a brush says itself whether it is right
        confidence_low=low,
        confidence_high=high,
        name_has=name,
        order=order or Order.LOSS,
        ids=carried.ids if carried else None,
    )
    return wanted, in_words(wanted, classes, carried.name if carried else "")


def in_words(wanted: Filter, classes: tuple[str, ...], carried: str) -> str:
    """The filter's conditions as a short name for what it shows."""
    said = {None: "all", True: "right", False: "wrong"}[wanted.right]
    parts = [said]
    if wanted.cells:
        parts = [" + ".join(f"{classes[label]} taken for {classes[prediction]}" for label, prediction in wanted.cells)]
    if wanted.labels:
        parts.append("label " + ", ".join(classes[label] for label in wanted.labels))
    if wanted.predictions:
        parts.append("predicted " + ", ".join(classes[prediction] for prediction in wanted.predictions))
    parts += [f"{'right' if right else 'wrong'} at {low:.2f} to {high:.2f}" for right, low, high in wanted.ranges]
    if (wanted.confidence_low, wanted.confidence_high) != (0.0, 1.0):
        parts.append(f"confidence {wanted.confidence_low:.2f} to {wanted.confidence_high:.2f}")
    if wanted.name_has:
        parts.append(f"name has {wanted.name_has}")
    if carried:
        parts.append(f"in {carried}")
    return ", ".join(parts)


def reset() -> None:
    """All conditions, clicks and picks are gone."""
    st.session_state["resets"] = st.session_state.get("resets", 0) + 1
    st.session_state["selection in hand"] = selections.NONE
    picks.clear()


def show_images(scene: Scene, rows: np.ndarray, said: str) -> None:
    """A page of tiles, the opened image beside it, and what can be done with the selection."""
    if len(rows) == 0:
        st.info(f"No image fits: {plain(said)}. Change a condition, or press Reset.")
        return
    pages = -(-len(rows) // PAGE_TILES)
    grid, card = st.columns([5, 3], gap="medium")
    with grid:
        scope = f"{said} {len(rows)}"
        page = st.pagination(pages, key=scene.key(f"page {scope}")) if pages > 1 else 1
        shown = rows[(page - 1) * PAGE_TILES : page * PAGE_TILES]
        st.caption(f"{len(rows):,} images: {plain(said)}. Click images to pick them; the last one opens.")
        draw_grid(scene, shown, scene.key(f"grid {scope} {page}"))
    position = {sample_id: row for row, sample_id in enumerate(scene.evaluation.ids.tolist())}
    chosen = [position[sample_id] for sample_id in picks.picked() if sample_id in position]
    with card:
        opened = position.get(st.session_state.get("opened image", ""), -1)
        if opened not in rows:
            opened = int(shown[0])
        with st.container(border=True):
            image_card(scene.bench, scene.subject, scene.evaluation, opened)
    with st.container(border=True):
        if chosen:
            st.markdown(f"**{len(chosen):,} picked images**")
            st.button("Clear picks", key=scene.key("clear"), on_click=picks.clear)
            selections.take_out(scene.bench, scene.subject, scene.evaluation, chosen, "picked by hand", scene.run_id)
        else:
            st.markdown(f"**All {len(rows):,} images shown: {plain(said)}**")
            selections.take_out(scene.bench, scene.subject, scene.evaluation, rows.tolist(), said, scene.run_id)


def draw_grid(scene: Scene, rows: np.ndarray, chart: str) -> None:
    """The tiles of these rows."""
    evaluation, images = scene.evaluation, scene.subject.images
    ids = evaluation.ids[rows].tolist()
    chart, before = picks.appearing(chart)
    tiles = []
    for row, sample_id, url in zip(rows.tolist(), ids, thumbnails(images, ids, TILE), strict=True):
        label = evaluation.classes[evaluation.labels[row]] if evaluation.labels[row] >= 0 else "?"
        caption = f"{label} → {evaluation.classes[evaluation.predictions[row]]}, {evaluation.confidence[row]:.0%}"
        hint = f"{images.names[images.position[sample_id]]}: {caption}"
        tiles.append(Tile(sample_id, url, caption, hint, bool(evaluation.wrong[row]), sample_id in before))
    said = f"{len(tiles)} images with label, prediction and confidence"
    draw(image_grid(tiles), chart, said, lambda: picks.turn_over(chart))
