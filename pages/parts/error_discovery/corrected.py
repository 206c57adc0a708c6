"""What the corrections came to: sentences, curves over the weight, classes, newly broken images, and keeping one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.methods.error_discovery.comparison import FIGURES, ArmOutcome, Comparison, broken_by_seeds, compare
from engine.methods.error_discovery.correction_sentences import (
    SHOWN,
    what_correction_came_to,
    what_each_did,
    which_classes,
)
from engine.methods.error_discovery.result import Corrected
from engine.toolkit.tables import to_csv
from pages.parts.draw import draw
from pages.parts.error_discovery.correction_charts import class_chart, weight_chart
from pages.parts.error_discovery.scene import Tried
from pages.parts.error_discovery.words import ARM_TITLES, FIGURE_TITLES
from pages.parts.fixes import keep_fix, train_ids
from pages.parts.grid import PAGE_TILES, TILE, Tile, image_grid
from pages.parts.images_of_test import test_is_open
from pages.parts.saving import captioned
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails

CURVES, CLASSES, BROKEN, NUMBERS = "Over the weight", "By class", "Newly broken images", "All numbers"


def corrected(tried: Tried, answers: Mapping[str, Corrected]) -> None:
    """The comparison as far as it has come; the trainings by their runs."""
    runs = list(answers.values())
    found = compare(runs)
    first, *more = what_correction_came_to(found)
    st.markdown(f"**{plain(first)}**")
    for sentence in more:
        st.markdown(plain(sentence))
    st.caption(
        "The seeds vary what is held out, what is drawn and the order of training; classifier and images are the same, "
        "so the intervals say how sure this is for them, not for other data."
    )
    notes = dict.fromkeys(note for run in runs for note in run.notes)
    for note in notes:
        st.caption(plain(note))
    closer(tried, found, runs)
    fixes(tried, found, answers)


@st.fragment
def closer(tried: Tried, found: Comparison, runs: Sequence[Corrected]) -> None:
    """A closer look at the comparison; a click in it reruns nothing else."""
    look = st.segmented_control(
        "A closer look", [CURVES, CLASSES, BROKEN, NUMBERS], default=CURVES, required=True,
        key="correction closer look", label_visibility="collapsed",
    )  # fmt: skip
    if look == CURVES:
        curves(tried, found)
    elif look == CLASSES:
        classes_of(tried, found)
    elif look == BROKEN:
        broken(tried, found, runs)
    else:
        numbers(tried, found)


def curves(tried: Tried, found: Comparison) -> None:
    """Every figure over the weight, two in a row."""
    chosen = found.weights.get("regions")
    for start in range(0, len(FIGURES), 2):
        for column, figure in zip(st.columns(2, gap="large"), FIGURES[start : start + 2], strict=False):
            with column:
                rows = curve_rows(found, figure)
                if not rows:
                    st.caption(f"There is nothing to tell of {SHOWN.get(figure, 'test')}.")
                    continue
                st.markdown(f"**{FIGURE_TITLES[figure].capitalize()}**")
                chart, key = weight_chart(rows, "right", chosen), tried.key(f"correction {figure} {len(rows)}")
                draw(chart, key, f"{FIGURE_TITLES[figure]}: share that is right, over the weight")
                many = len(found.seeds) > 1
                over = f"Means over {len(found.seeds)} seeds, with 95 % intervals" if many else "Of one seed"
                captioned(chart, key, f"{over}; dashed: the weight chosen on diagnosis.", figure)


def curve_rows(found: Comparison, figure: str) -> list[dict[str, object]]:
    """One row an arm and weight in which the figure is known."""
    return [
        {
            "arm": each.arm,
            "weight": each.weight,
            "mean": share.mean,
            "low": share.low,
            "high": share.high,
            "seeds": len(share.values),
        }
        for each in found.outcomes
        if (share := each.figures[figure]).values
    ]


def classes_of(tried: Tried, found: Comparison) -> None:
    """By how much each class's recall on test changed, of labelled regions at their weight."""
    own = found.chosen().get("regions")
    if own is None or not own.recall:
        st.info("Labelled regions, and what was before, must both have been trained and tried for that.")
        return
    names = tried.made.classes
    if said := which_classes(own, names):
        st.markdown(plain(said))
    rows: list[dict[str, object]] = [
        {"class": names[label], "change": each.mean, "low": each.low, "high": each.high}
        for label, each in sorted(own.recall.items(), key=lambda pair: pair[1].mean)
    ]
    chart, key = class_chart(rows), tried.key(f"correction classes {own.weight}")
    draw(chart, key, "Change of each class's recall on test")
    captioned(chart, key, "Since before, paired by seed, with 95 % intervals (Student's t).", "classes")


def broken(tried: Tried, found: Comparison, runs: Sequence[Corrected]) -> None:
    """Test images that were right before and are wrong now, those of most seeds first."""
    own = found.chosen().get("regions")
    counts = broken_by_seeds(runs, "regions", own.weight) if own is not None else {}
    if not counts:
        st.info("No image of test that was right before is wrong after labelled regions were trained on.")
        return
    if not test_is_open(tried.made.bench, tried.made.subject):
        return
    images, names = tried.made.subject.images, tried.made.classes
    shown = list(counts)[:PAGE_TILES]
    tiles = []
    for sample_id, url in zip(shown, thumbnails(images, shown, TILE), strict=True):
        index = images.position[sample_id]
        caption = f"{names[images.labels[index]]}, {counts[sample_id]} of {len(found.seeds)}"
        tiles.append(Tile(sample_id, url, caption, f"{images.names[index]}: wrong with {caption} seeds", True, False))
    key = tried.key(f"broken {len(runs)}")
    draw(image_grid(tiles), key, f"{len(tiles)} newly broken images of test")
    st.caption(f"{len(counts):,} images; below each its label, and with how many seeds it is newly wrong.")


def numbers(tried: Tried, found: Comparison) -> None:
    """All numbers, to read and to take away."""
    for sentence in what_each_did(found):
        st.caption(plain(sentence))
    rows = [row_of(each, figure) for each in found.outcomes for figure in FIGURES if each.figures[figure].values]
    shares = [name for name in rows[0] if name in ("mean", "low", "high") or name.startswith("vs")] if rows else []
    st.dataframe(
        rows, hide_index=True, key=tried.key(f"correction numbers {len(rows)}"),
        column_config={name: st.column_config.NumberColumn(format="percent") for name in shares},
        alt="All figures of all arms",
    )  # fmt: skip
    if rows:
        st.download_button(
            "Comparison as CSV", data=lambda: to_csv(rows, tuple(rows[0])), file_name="error-discovery.csv",
            mime="text/csv", key=tried.key("correction csv"), on_click="ignore", icon=":material/download:",
        )  # fmt: skip


def row_of(each: ArmOutcome, figure: str) -> dict[str, object]:
    """One arm at one weight, one figure."""
    share, gaps = each.figures[figure], (("just trained on", each.vs_continued), ("before", each.vs_before))
    row: dict[str, object] = {
        "arm": ARM_TITLES[each.arm], "weight": each.weight, "figure": FIGURE_TITLES[figure], "mean": share.mean,
        "low": share.low, "high": share.high, "labels": each.labels, "seeds": len(share.values),
    }  # fmt: skip
    for name, gap in gaps:
        known = gap.get(figure)
        for part in ("mean", "low", "high"):
            row[f"vs {name} {part}"] = getattr(known, part) if known is not None and known.values else None
    return row


def fixes(tried: Tried, found: Comparison, answers: Mapping[str, Corrected]) -> None:
    """The classifier of the chosen weight, with the first seed, to be kept."""
    weight = found.weights.get("regions")
    for run_id, run in answers.items():
        if len(run.weights) and run.weight == weight:
            name = f"{tried.made.subject.blueprint.name}, errors corrected"
            seen = [*train_ids(tried.made.subject), *tried.found.ids.tolist()]
            note = f"trained on {len(run.used)} labelled regions of generated errors"
            keep_fix(tried.made.bench, tried.made.subject, run.weights, run_id, name, seen, note)
