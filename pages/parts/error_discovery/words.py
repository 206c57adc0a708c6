"""What the page calls things."""

from __future__ import annotations

from engine.methods.error_discovery.correction_sentences import SHOWN, TITLES

ARM_TITLES = TITLES

SOURCES = {"generated": "generated errors", "real": "real errors"}
NOISE_TITLES = {"gaussian": "Gaussian, centred", "beta": "Beta(50, 50), as published"}
MIXTURE_TITLES = {
    "mixture": "a mixture for each label and answer",
    "published": "one mixture, as published",
    "hdbscan": "density (HDBSCAN)",
}
SPACE_TITLES = {"features": "the classifier's features", "pixels": "pixels"}
ARM_COLOURS = {
    "before": "#999999",
    "continued": "#56B4E9",
    "regions": "#0072B2",
    "identified": "#CC79A7",
    "identified_mixed": "#E69F00",
    "unlabelled": "#009E73",
}
FIGURE_TITLES = {"test": "test images", **SHOWN}
KIND_TITLES = {
    "class": "labelled",
    "unreadable": "not recognisable",
    "mixed": "mixed",
    "model_right": "the model is right",
    "skipped": "skipped",
}
