"""The options that say where a classifier may look, and the masks that they stand for."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.loading.demos.planted_backgrounds import backgrounds_truth
from engine.methods.cam_training.image_masks import from_boxes, read_boxes, read_mask_folder
from engine.methods.cam_training.mask_pictures import SUFFIXES, read_mask
from engine.methods.cam_training.masks import check, for_images
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import SHAPES, SIDES, MaskSettings
from engine.subject.image_set import ImageSet

PLANTED = "planted"
SKIPPED = 5  # files that are named


@dataclass(frozen=True)
class Masks:
    """The shape, with the picture (H, W) in [0, 1] or the masks of single images where it needs them."""

    settings: MaskSettings
    picture: np.ndarray | None = None
    each: ImageMasks | None = None

    def over(self, images: ImageSet, indices: np.ndarray) -> np.ndarray:
        """(n or 1, H, W), 1 where forbidden, of the images at `indices`; ValueError where it tells nothing apart."""
        frame, ids, names = images.frame, images.ids[indices], images.names[indices]
        found = for_images(self.settings, ids, frame.height, frame.width, self.picture, self.each, names)
        check(found)
        return found


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Where the classifier may look."""
    default = MaskSettings()
    mask = parser.add_argument_group("where it may look")
    shapes = [shape for shape in SHAPES if shape not in ("picture", "each")]
    mask.add_argument("--mask", choices=shapes, help=f"a shape for all images; default {default.shape}")
    mask.add_argument(
        "--mask-size", type=float, default=0.0, metavar="SHARE", help="of the image's side; left out: usual"
    )
    box = "of a rectangle or ellipse, in shares of the image's sides"
    mask.add_argument("--mask-box", nargs=4, type=float, metavar=("TOP", "LEFT", "BOTTOM", "RIGHT"), help=box)
    files = "a folder of pictures or a .csv of boxes for single images, or one picture for all; bright is inside"
    mask.add_argument("--masks", metavar="PATH", help=f"{files}; {PLANTED}: the plates of --demo backgrounds")
    mask.add_argument("--forbidden", choices=SIDES, default=default.forbidden, help="the side; default %(default)s")


def masks_of(arguments: argparse.Namespace, images: ImageSet) -> Masks:
    """The masks that the options stand for; ValueError where they can't be read."""
    if arguments.masks is None:
        return Masks(shape_of(arguments))
    if arguments.mask or arguments.mask_size or arguments.mask_box:
        raise ValueError("give --masks, or --mask with its size or box, not both")
    own = MaskSettings("each", forbidden=arguments.forbidden)
    if arguments.masks == PLANTED:
        if arguments.demo != "backgrounds":
            raise ValueError("only --demo backgrounds has planted masks")
        return Masks(
            own, each=from_boxes(images.ids, backgrounds_truth(0).plates, images.frame.height, images.frame.width)
        )
    path = Path(arguments.masks)
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return Masks(MaskSettings("picture", forbidden=arguments.forbidden), picture=read_mask(path))
    if path.suffix.lower() == ".csv":
        each, skipped = read_boxes(text_of(path), images)
    else:
        each, skipped = read_mask_folder(path, images)
    if skipped:
        first = "; ".join(f"{one.file_name}: {one.reason}" for one in skipped[:SKIPPED])
        print(f"{len(skipped):,} masks were skipped: {first}", file=sys.stderr)
    return Masks(own, each=each)


def shape_of(arguments: argparse.Namespace) -> MaskSettings:
    """The settings of a shape that all images share."""
    usual = MaskSettings()
    shape = arguments.mask or usual.shape
    boxed = shape in ("rectangle", "ellipse")
    if arguments.mask_box and not boxed:
        raise ValueError("--mask-box is for --mask rectangle and ellipse")
    if arguments.mask_size and boxed:
        raise ValueError("a rectangle or an ellipse takes --mask-box, not --mask-size")
    top, left, bottom, right = arguments.mask_box or (usual.top, usual.left, usual.bottom, usual.right)
    return MaskSettings(shape, arguments.mask_size, top, left, bottom, right, arguments.forbidden)


def text_of(path: Path) -> str:
    """What a table says; ValueError where it is no text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
