"""Images in between two others: whether the generator passes from one to the other without falling apart."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.subject.image_set import UNLABELLED
from pages.parts.draw import draw
from pages.parts.error_discovery.scene import Made
from pages.parts.grid import data_url
from pages.parts.pictures import as_image
from pages.parts.text import plain
from pages.parts.thumbnails import thumbnails
from pages.parts.tiles import Picture, picture_table

STEPS, TILE = 9, 84


def between(made: Made) -> None:
    """Choose two images, and see what lies between them and what it is taken for."""
    ends = st.columns(2)
    there = labels_there(made)
    rows = []
    for place, (column, name) in enumerate(zip(ends, ("From", "To"), strict=True)):
        with column, st.container(horizontal=True, vertical_alignment="bottom"):
            label = st.selectbox(
                name, there, min(place, len(there) - 1), format_func=made.classes.__getitem__,
                key=made.key(f"between {name}"), width=220,
            )  # fmt: skip
            own = rows_of(made, label)
            number = st.number_input("image", 1, len(own), 1, key=made.key(f"between {name} {label}"), width=110)
            rows.append(int(own[int(number) - 1]))
    draw_strip(made, rows[0], rows[1])


def labels_there(made: Made) -> list[int]:
    """The labels of the images that can be chosen."""
    labels = made.generator.labels[shown_rows(made)]
    return np.unique(labels[labels != UNLABELLED]).tolist()


def shown_rows(made: Made) -> np.ndarray:
    """The rows (n,) of the images of the gate's role."""
    return np.flatnonzero(made.generator.roles == made.generator.gate_role)


def rows_of(made: Made, label: int) -> np.ndarray:
    """Those with this label."""
    rows = shown_rows(made)
    return rows[made.generator.labels[rows] == label]


def draw_strip(made: Made, first: int, second: int) -> None:
    """Both images, and between them what is decoded from codes in between."""
    found, images, ids = made.generator, made.subject.images, made.generator.ids
    pixels, answers = strip_of(made.key(f"strip {first} {second}"), made, first, second)
    ends = thumbnails(images, [str(ids[first]), str(ids[second])], TILE)
    labels = found.labels[[first, second]].tolist()
    names = [made.classes[label] for label in labels]
    urls = [ends[0], *(data_url(as_image(each), TILE) for each in pixels.transpose(0, 2, 3, 1)), ends[1]]
    taken = [f"→ {made.classes[answer]}" for answer in answers.tolist()]
    captions = [f"{names[0]}, real", *taken, f"{names[1]}, real"]
    strange = [False, *(answer not in labels for answer in answers.tolist()), False]
    pictures = [
        Picture(0, place, url, caption, caption, wrong)
        for place, (url, caption, wrong) in enumerate(zip(urls, captions, strange, strict=True))
    ]
    heads = ["real", "rebuilt", *[""] * (STEPS - 2), "rebuilt", "real"]
    draw(picture_table(pictures, heads, [""], TILE), made.key(f"strip {first} {second}"), "Images in between two")
    st.caption(
        plain("Codes on the straight line between the two, decoded, and what the classifier takes each for; ")
        + "orange: for neither of the two. A generator to be trusted shows something recognisable all along."
    )


@st.cache_data(show_spinner=False, max_entries=32)
def strip_of(name: str, _made: Made, _first: int, _second: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (steps, C, H, W) and what each is taken for (steps,), worked out once."""
    from engine.methods.error_discovery.decoding import Decoder
    from engine.methods.error_discovery.interpolation import strip

    del name
    images, ids = _made.subject.images, _made.generator.ids
    ends = images.read([images.position[str(ids[row])] for row in (_first, _second)])
    with _made.bench.quick(_made.subject) as quick:
        return strip(Decoder(_made.generator, quick), ends[0], ends[1], STEPS)
