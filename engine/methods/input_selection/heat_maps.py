"""What speaks for a label where it is recognised, lost or seen wrongly: heat maps and their differences.

HCI: images of the label that are recognised. HMI: images of other labels taken for it. HWI: images of the label that
are taken for another. DHCI, DHMI and DHWI are what HCI has more than another label's HCI, and what HMI and HWI have
more than HCI (Ma et al. 2018; importance as the product of activation and weight is ours).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.methods.input_selection.result import HeatMap, Probes, TappedRole, Taps
from engine.subject.image_set import UNLABELLED, ImageSet, Role, Seen

FEW = 10  # images; of fewer a mean says more of them than of their kind
PORTION = 256  # images read at once
Values = Callable[[TappedRole, np.ndarray, int], np.ndarray]  # role, rows (n,), label -> (n, F)
GROUPS = {
    "HCI": "recognised images of the label",
    "HMI": "images of other labels taken for it",
    "HWI": "images of the label taken for another",
}


@dataclass(frozen=True)
class Group:
    """The mean (F,) of `count` images, and what had to be said of them."""

    mean: np.ndarray
    count: int
    note: str


def heat_maps(
    taps: Taps, probes: Probes | None, place: int, label: int, mode: str = "feature", images: ImageSet | None = None
) -> tuple[HeatMap, ...]:
    """HCI, HMI, HWI, DHCI, DHMI and DHWI of a label.

    In the mode `feature` of the tap at `place`: standardised features times the probe's weights for the label. In
    `pixel` of the images themselves, in [0, 1]. The groups are those of diagnosis, filled up with images of train
    that are known to be seen where they are fewer than ten; what is still fewer is drawn towards HCI, and said so.
    """
    values = values_of(probes, place, mode, images)
    shape = shape_of(taps, place, mode, images)
    every = mean_of(taps, values, label, int(np.prod(shape)), lambda role: role.labels == label)
    hci = drawn_towards(every, recognised(taps, values, label, every), "all images of the label", "HCI")
    hmi = drawn_towards(hci, mean_of(taps, values, label, len(hci.mean), intruders(label)), "HCI", "HMI")
    hwi = drawn_towards(hci, mean_of(taps, values, label, len(hci.mean), lost(label)), "HCI", "HWI")
    others, whose = other_labels(taps, values, label, hci)
    return (
        HeatMap("hci", label, hci.mean, shape, hci.count, 0, hci.note),
        HeatMap("hmi", label, hmi.mean, shape, hmi.count, 0, hmi.note),
        HeatMap("hwi", label, hwi.mean, shape, hwi.count, 0, hwi.note),
        HeatMap("dhci", label, hci.mean - others.mean, shape, hci.count, others.count, joined(whose, hci, others)),
        HeatMap("dhmi", label, hmi.mean - hci.mean, shape, hmi.count, hci.count, joined("", hmi, hci)),
        HeatMap("dhwi", label, hwi.mean - hci.mean, shape, hwi.count, hci.count, joined("", hwi, hci)),
    )


def shape_of(taps: Taps, place: int, mode: str, images: ImageSet | None) -> tuple[int, int, int]:
    """How a map's values are laid out: channels, height, width."""
    if mode == "pixel" and images is not None:
        return images.frame.channels, images.frame.height, images.frame.width
    tap = taps.taps[place]
    return tap.channels, tap.grid, tap.grid


def contributions(features: np.ndarray, probes: Probes, place: int, label: int) -> np.ndarray:
    """(n, F) what each of the features (n, F) of a tap adds to the probe's logit of the label."""
    return (features - probes.mean[place]) / probes.scale[place] * probes.weights[place][:, label]


def values_of(probes: Probes | None, place: int, mode: str, images: ImageSet | None) -> Values:
    """What gives the values of a role's images in the space of the mode's maps; ValueError where it lacks what for."""
    if mode == "pixel":
        if images is None:
            raise ValueError("maps of pixels need the images")
        return pixels_of(images)
    if probes is None:
        raise ValueError(
            "maps of a layer's features weigh them by its probe, and without labelled images of train there is none; "
            "take maps of pixels, or load images of train"
        )
    known = probes
    return lambda role, rows, label: contributions(role.features[place][rows], known, place, label)


def pixels_of(images: ImageSet) -> Values:
    """What gives the pixels of a role's images, in [0, 1]."""

    def values(role: TappedRole, rows: np.ndarray, label: int) -> np.ndarray:
        del label
        found = images.read([images.position[sample] for sample in role.ids[rows].tolist()])
        return found.reshape(len(rows), -1) / np.float32(255)

    return values


def mean_of(taps: Taps, values: Values, label: int, size: int, chosen: Callable[[TappedRole], np.ndarray]) -> Group:
    """The mean of the chosen images of diagnosis, with those of train that were seen where they are too few."""
    total, count, filled = np.zeros(size), 0, 0
    for name in (Role.DIAGNOSIS.value, Role.TRAIN.value):
        role = taps.role(name)
        if role is None or (name == Role.TRAIN and count >= FEW):
            continue
        known = (role.labels != UNLABELLED) & ((name != Role.TRAIN) | (role.seen == Seen.YES))
        rows = np.flatnonzero(chosen(role) & known)
        for start in range(0, len(rows), PORTION):
            total += values(role, rows[start : start + PORTION], label).sum(axis=0, dtype=np.float64)
        count += len(rows)
        filled += len(rows) if name == Role.TRAIN else 0
    note = f"{filled} of them from train" if filled else ""
    return Group(total / max(count, 1), count, note)


def recognised(taps: Taps, values: Values, label: int, like: Group) -> Group:
    """The images of a label that are taken for it."""
    return mean_of(
        taps, values, label, len(like.mean), lambda role: (role.labels == label) & (role.predictions == label)
    )


def intruders(label: int) -> Callable[[TappedRole], np.ndarray]:
    """Which images are of another label and taken for this one."""
    return lambda role: (role.labels != label) & (role.predictions == label)


def lost(label: int) -> Callable[[TappedRole], np.ndarray]:
    """Which images are of this label and taken for another."""
    return lambda role: (role.labels == label) & (role.predictions != label)


def drawn_towards(prior: Group, group: Group, what: str, name: str) -> Group:
    """A group of fewer than ten images, each missing one standing in by the prior's mean."""
    if group.count >= FEW:
        return group
    number = f"only {group.count}" if group.count else "no"
    note = f"{number} {GROUPS[name]}, so it is {f'drawn towards {what}' if group.count else f'{what} alone'}"
    return Group((group.mean * group.count + prior.mean * (FEW - group.count)) / FEW, group.count, note)


def other_labels(taps: Taps, values: Values, label: int, hci: Group) -> tuple[Group, str]:
    """HCI of the class that the label's images are most often taken for; where none is, that of all others."""
    partner = main_partner(taps, label)
    others = [partner] if partner >= 0 else [other for other in range(len(taps.classes)) if other != label]
    found = [recognised(taps, values, other, hci) for other in others]
    count = sum(each.count for each in found)
    if not count:
        return Group(np.zeros(len(hci.mean)), 0, "no other label is recognised, so it is HCI itself"), ""
    mean = sum((each.mean * each.count for each in found), np.zeros(len(hci.mean))) / count
    whose = f"against {taps.classes[partner]}, its main confusion" if partner >= 0 else "against all other labels"
    few = f"only {count} recognised images to hold it against" if count < FEW else ""
    return Group(mean, count, few), whose


def main_partner(taps: Taps, label: int) -> int:
    """The class that images of a label on diagnosis are most often wrongly taken for, -1 where none is."""
    role = taps.role(Role.DIAGNOSIS.value)
    if role is None:
        return -1
    wrong = role.predictions[lost(label)(role)]
    return int(np.bincount(wrong).argmax()) if len(wrong) else -1


def joined(first: str, *groups: Group) -> str:
    """What is to be said of a difference, each thing once."""
    return "; ".join(dict.fromkeys(note for note in (first, *(group.note for group in groups)) if note))
