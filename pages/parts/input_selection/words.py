"""What the page calls things."""

from __future__ import annotations

VERDICT_COLOURS = {
    "under-fitted": "#D55E00",
    "over-fitted": "#CC79A7",
    "healthy": "#0072B2",
    "not sure": "#E69F00",
    "too few": "#999999",
}
MAP_TITLES = {
    "hci": "HCI: recognised as it",
    "hmi": "HMI: others taken for it",
    "hwi": "HWI: taken for others",
    "dhci": "DHCI: what tells it apart",
    "dhmi": "DHMI: what intruders have",
    "dhwi": "DHWI: what the lost ones have",
}
MODE_TITLES = {"feature": "features of the layer", "pixel": "pixels"}
METRIC_TITLES = {
    "dot": "dot product",
    "cosine": "cosine",
    "manhattan": "Manhattan",
    "euclidean": "Euclidean",
    "minkowski": "Minkowski",
    "chebyshev": "Chebyshev",
    "wasserstein": "Wasserstein",
    "canberra": "Canberra",
    "bray_curtis": "Bray-Curtis",
}
RETRAINING_TITLES = {
    "replay": "mixed with images of train",
    "batch": "the batch alone, as published",
    "scratch": "from scratch",
}
WASSERSTEIN_TITLES = {
    "sliced": "sliced, 16 angles",
    "marginal": "of rows and columns",
    "histogram": "of values, as published",
    "exact": "exact for the first, else sliced",
}
END_TITLES = {"best": "the nearest", "worst": "the farthest"}
