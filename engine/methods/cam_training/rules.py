"""The rules by which maps are made, for lists and sentences; no torch. `variants` has what they compute."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A published rule.

    `says` is what it does, in a sentence, and `unit` what its maps are in. `signed`: cells below 0 speak against what's
    explained. `adds_up`: the mean over the cells is a share of the score, exactly or to first order. `by_channel`: the
    network is asked once more for every channel of the layer.
    """

    title: str
    paper: str
    year: int
    says: str
    unit: str
    signed: bool
    adds_up: bool
    by_channel: bool = False

    def passes(self, channels: int) -> int:
        """How often the network is asked about an image, at a layer of so many channels."""
        return 1 + channels if self.by_channel else 1


RULES = {
    "auto": Rule(
        "Exact where it can be",
        "",
        0,
        "The exact CAM where the classifier averages a last map and takes one linear layer, else HiResCAM.",
        "logits",
        True,
        True,
    ),
    "cam": Rule(
        "CAM",
        "Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016",
        2016,
        "The last layer's weights times the activations: the mean over the cells is the logit, less the bias; all "
        "others together count by their softmax shares.",
        "logits",
        True,
        True,
    ),
    "gradcam": Rule(
        "Grad-CAM",
        "Selvaraju et al., Grad-CAM, ICCV 2017",
        2017,
        "Each channel weighed by its mean gradient: the mean over the cells is what the channels' means add "
        "to the score, to first order.",
        "logits",
        True,
        True,
    ),
    "hirescam": Rule(
        "HiResCAM",
        "Draelos and Carin, Use HiResCAM instead of Grad-CAM, 2020",
        2020,
        "Gradient times activation cell by cell: the mean over the cells is what the layer adds to the score, to first "
        "order.",
        "logits",
        True,
        True,
    ),
    "gradcampp": Rule(
        "Grad-CAM++",
        "Chattopadhay et al., Grad-CAM++, WACV 2018",
        2018,
        "Channels weighed by their positive gradients, of which those count most that stand alone.",
        "no unit",
        False,
        False,
    ),
    "xgradcam": Rule(
        "XGrad-CAM",
        "Fu et al., Axiom-based Grad-CAM, BMVC 2020",
        2020,
        "Each channel weighed by its gradient averaged over where it is active: the mean over the cells is "
        "what the layer adds to the score, to first order.",
        "logits",
        True,
        True,
    ),
    "layercam": Rule(
        "LayerCAM",
        "Jiang et al., LayerCAM, IEEE TIP 2021",
        2021,
        "Positive gradient times activation cell by cell, so only what speaks for the score.",
        "logits",
        False,
        False,
    ),
    "eigencam": Rule(
        "Eigen-CAM",
        "Muhammad and Yeasin, Eigen-CAM, IJCNN 2020",
        2020,
        "The activations' first principal component, whatever the score.",
        "activations",
        False,
        False,
    ),
    "scorecam": Rule(
        "Score-CAM",
        "Wang et al., Score-CAM, CVPR workshops 2020",
        2020,
        "Each channel weighed by the score of the image seen through it alone, as softmax shares.",
        "activations",
        False,
        False,
        by_channel=True,
    ),
    "ablationcam": Rule(
        "Ablation-CAM",
        "Desai and Ramaswamy, Ablation-CAM, WACV 2020",
        2020,
        "Each channel weighed by how far the score falls without it.",
        "logits times activations",
        True,
        False,
        by_channel=True,
    ),
}
