"""What the page calls things."""

from __future__ import annotations

ARM_TITLES = {
    "default": "plain training",
    "cam": "CAM-trained",
    "crop": "tight crop",
    "decorrelated": "pasted on other backgrounds",
}
PART_TITLES = {"unchanged": "unchanged", "swapped": "swapped", "unseen": "unseen", "off_centre": "off-centre"}
LOSS_TITLES = {
    "mse": "squared evidence in the forbidden part (default)",
    "l1": "size of the evidence in the forbidden part",
    "energy": "forbidden share of all evidence",
    "margin": "foreground-margin cross-entropy",
    "published": "as published, corrected",
    "published_as_it_was": "as published, as it was",
}
START_TITLES = {
    "scratch": "from scratch",
    "reset": "given weights, new last layer",
    "continue": "on from the given weights",
}
BALANCE_TITLES = {
    "none": "as they are",
    "sampling": "each class drawn as often",
    "augmentation": "rare classes filled up with moved copies",
}
SHAPE_TITLES = {
    "box": "centre box",
    "gaussian": "all but a bell at the centre",
    "distance": "distance from the centre",
    "border": "border strip",
    "rectangle": "rectangle",
    "ellipse": "ellipse",
    "picture": "a picture of mine",
    "each": "one for each image",
}
SIZE_TITLES = {
    "box": "side of the box",
    "gaussian": "standard deviation of the bell",
    "distance": "free within",
    "border": "width of the strip",
}
TARGET_TITLES = {
    "prediction": "its answer",
    "label": "the label",
    "rest": "all other classes",
    "": "nothing: the bare logit",
}
