"""Where the classifier should look: a shape over the mean image, a picture, or a mask for each image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import streamlit as st
from PIL import Image

from engine.methods.cam_training import masks
from engine.methods.cam_training.mask_pictures import SUFFIXES, read_mask
from engine.methods.cam_training.result import ImageMasks, MaskPicture
from engine.methods.cam_training.settings import SHAPES, SIDES, SIZES, MaskSettings
from engine.runs.run import Input
from engine.subject.image_set import ImageSet, Role
from engine.subject.subject import Subject
from engine.workbench import Workbench
from pages.parts.cam_training.mask_files import each_image
from pages.parts.cam_training.words import SHAPE_TITLES, SIZE_TITLES
from pages.parts.grid import data_url
from pages.parts.text import plain

PICTURE, EACH = "mask picture", "masks"  # the names under which they are kept beside the data
SHOWN, AVERAGED = 220, 200  # pixels; images


@dataclass(frozen=True)
class Mask:
    """What is forbidden, with the inputs that a step needs to know it: `picture` and `masks`, where they are used."""

    settings: MaskSettings
    inputs: dict[str, Input]

    def over(self, images: ImageSet, ids: np.ndarray, height: int, width: int) -> np.ndarray:
        """(n or 1, height, width) float32, 1 where forbidden, of the images with these ids; ValueError without one."""
        names = images.names[[images.position[each] for each in ids.tolist()]]
        picture = self.inputs["picture"].value if "picture" in self.inputs else None
        own = self.inputs["masks"].value if "masks" in self.inputs else None
        return masks.for_images(self.settings, ids, height, width, picture, own, names)


def the_mask(bench: Workbench, subject: Subject) -> Mask | None:
    """The mask that the widgets describe; None, with the reason shown, where they describe none yet."""
    with st.expander("Where it should look", icon=":material/filter_center_focus:"):
        left, right = st.columns([3, 1], gap="large")
        with left:
            settings = shaped(subject)
            mask = Mask(settings, given(bench, subject, settings.shape))
        try:
            with right:
                preview(subject, mask)
        except ValueError as error:
            with left:
                st.warning(plain(str(error)))
            return None
    return mask


def shaped(subject: Subject) -> MaskSettings:
    """The shape, and what of the image it forbids."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shape = st.selectbox(
            "Shape", SHAPES, format_func=SHAPE_TITLES.__getitem__, key=f"mask shape {subject.dataset}", width=260
        )
        forbid = st.segmented_control(
            "It should not look",
            SIDES,
            default=SIDES[0],
            required=True,
            key="mask side",
            format_func=lambda side: f"{side} it",
        )
    if shape in SIZES:
        most = 0.49 if shape == "border" else 1.0
        size = st.slider(
            f"{SIZE_TITLES[shape].capitalize()}, share of the image's side",
            0.02, most, SIZES[shape], 0.01, key=f"mask size {shape}", width=420,
        )  # fmt: skip
        return MaskSettings(shape, size=size, forbidden=forbid)
    if shape in ("rectangle", "ellipse"):
        top, bottom = st.slider("From top to bottom", 0.0, 1.0, (0.25, 0.75), 0.01, key="mask rows", width=420)
        left, right = st.slider("From left to right", 0.0, 1.0, (0.25, 0.75), 0.01, key="mask columns", width=420)
        bottom, right = max(bottom, top + 0.01), max(right, left + 0.01)
        return MaskSettings(shape, top=min(top, 0.99), left=min(left, 0.99), bottom=min(bottom, 1.0),
                            right=min(right, 1.0), forbidden=forbid)  # fmt: skip
    return MaskSettings(shape, forbidden=forbid)


def given(bench: Workbench, subject: Subject, shape: str) -> dict[str, Input]:
    """What a person gave for these shapes; the widgets to give it."""
    if shape == "picture":
        uploaded_picture(bench, subject)
        picture = bench.beside(subject.dataset, PICTURE, MaskPicture)
        return {"picture": Input(picture.fingerprint, picture.value.inside / np.float32(255))} if picture else {}
    if shape == "each":
        planted = bench.planted_masks(bench.demo_of(subject.dataset), 0)
        if planted is not None and st.button("Take the plates that were planted", key="planted masks"):
            bench.keep_beside(subject.dataset, EACH, planted.value)
        each_image(bench, subject, EACH)
        own = bench.beside(subject.dataset, EACH, ImageMasks)
        return {"masks": own} if own else {}
    return {}


def uploaded_picture(bench: Workbench, subject: Subject) -> None:
    """A picture, bright inside the shape, kept with the data."""
    file = st.file_uploader("A picture of the shape, bright inside", list(SUFFIXES), key="mask picture")
    if file is None or st.session_state.get("mask picture kept") == file.file_id:
        return
    with NamedTemporaryFile(suffix=Path(file.name).suffix) as copy:
        copy.write(file.getbuffer())
        copy.flush()
        try:
            inside = read_mask(Path(copy.name))
        except ValueError as error:
            st.warning(plain(f"{file.name}: {error}."))
            return
    bench.keep_beside(subject.dataset, PICTURE, MaskPicture(np.rint(255 * inside).astype(np.uint8)))
    st.session_state["mask picture kept"] = file.file_id


def preview(subject: Subject, mask: Mask) -> None:
    """The mean image with what is forbidden shaded; ValueError where the mask tells nothing."""
    mean = mean_image(subject.dataset, subject.images)
    height, width = mean.shape[:2]
    count = len(mask.inputs["masks"].value.ids) if mask.settings.shape == "each" and mask.inputs else 0
    if count:
        forbidden = mean_of_own(mask.inputs["masks"].fingerprint, mask.inputs["masks"].value, mask.settings.forbidden)
        forbidden = masks.pooled(forbidden[None], height, width)[0]
    else:
        forbidden = mask.over(subject.images, subject.images.ids[:1], height, width)[0]
        masks.check(forbidden)
    st.image(data_url(shaded(mean, forbidden), SHOWN), alt="mean image with the forbidden part shaded")
    said = f"{count:,} masks, on average" if count else "The mean image"
    st.caption(f"{said}; shaded: where it should not look. {1 - forbidden.mean():.0%} of the area is allowed.")


@st.cache_data(show_spinner=False, max_entries=4)
def mean_of_own(fingerprint: str, _masks: ImageMasks, forbidden: str) -> np.ndarray:
    """What the masks of single images forbid on average, (h, w) in [0, 1]; ValueError where one tells nothing."""
    del fingerprint
    outside = 1 - _masks.inside / np.float32(255)
    every = outside if forbidden == "outside" else 1 - outside
    masks.check(every)
    return every.mean(axis=0)


@st.cache_data(show_spinner=False, max_entries=4)
def mean_image(dataset: str, _images: ImageSet) -> np.ndarray:
    """The mean of a few hundred images that may be looked at, (H, W, 3) float32 in [0, 255]."""
    del dataset
    indices = np.flatnonzero(_images.roles != Role.TEST)
    if not len(indices):
        indices = np.arange(len(_images))
    few = indices[:: max(1, len(indices) // AVERAGED)][:AVERAGED]
    mean = _images.read(few).astype(np.float32).mean(axis=0).transpose(1, 2, 0)
    return np.broadcast_to(mean, (*mean.shape[:2], 3)).copy()


def shaded(image: np.ndarray, forbidden: np.ndarray) -> Image.Image:
    """The image (H, W, 3) with the forbidden part (H, W) in [0, 1] in orange."""
    weight = 0.65 * forbidden[..., None]
    return Image.fromarray(((1 - weight) * image + weight * np.array([213, 94, 0])).astype(np.uint8))
