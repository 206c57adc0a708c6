"""What each image is for, who has seen it, and what is wrong with the division."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from engine.subject.image_set import UNLABELLED, ImageSet, Role, Seen

SHARES = {Role.DIAGNOSIS: 0.4, Role.POOL: 0.2, Role.TEST: 0.4}  # of a set that is divided
HELD_BACK = ("val", "test", "pool", "diagnosis")  # splits that a classifier isn't trained on
HELD_BACK_ROLES = (Role.POOL, Role.DIAGNOSIS, Role.TEST)
KEPT = {"train": Role.TRAIN, "val": Role.DIAGNOSIS, "diagnosis": Role.DIAGNOSIS, "pool": Role.POOL, "test": Role.TEST}


def roles_of(splits: np.ndarray, units: Sequence[str]) -> np.ndarray:
    """The role of each image (N,) str, by the data's own splits.

    Train stays train, val becomes diagnosis beside a train or test, and then test stays test. A test set without
    val, and images without a split, are divided in SHARES by the hash of their unit (the group, else the content),
    which depends on no other image.
    """
    there = set(np.unique(splits).tolist())
    divided = {""} if there & {"val", "diagnosis", "pool"} else {"", "test"}
    if there == {"val"}:
        divided = {"val"}
    by_unit = {unit: divided_role(unit) for unit in set(units)}
    return np.array(
        [
            by_unit[unit] if split in divided else KEPT[split]
            for split, unit in zip(splits.tolist(), units, strict=True)
        ],
        dtype=np.str_,
    )


def divided_role(unit: str) -> Role:
    """The role that falls to a unit: its hash, as a number in [0, 1), against the shares in turn."""
    drawn = int.from_bytes(hashlib.sha256(f"role {unit}".encode()).digest()[:8]) / 2**64
    for role, share in SHARES.items():
        if drawn < share:
            return role
        drawn -= share
    return Role.TEST  # where rounding leaves a drawn number over


def seen_of(splits: np.ndarray, answer: str) -> np.ndarray:
    """(N,) int8 of Seen: no where the data holds an image back as val or test, else as the person answered."""
    rest = {"yes": Seen.YES, "no": Seen.NO, "unknown": Seen.UNKNOWN}[answer]
    return np.where(np.isin(splits, HELD_BACK), Seen.NO, rest).astype(np.int8)


def described(splits: np.ndarray, roles: np.ndarray, seen: np.ndarray) -> str:
    """The roles in a sentence: how many images each has, whether the classifier saw them, and where they come from."""
    parts = []
    for role in Role:
        of_role = roles == str(role)
        if of_role.any():
            answers = "/".join(Seen(answer).name.lower() for answer in np.unique(seen[of_role])[::-1].tolist())
            parts.append(f"{of_role.sum():,} {role} (seen: {answers})")
    sentence = ", ".join(parts) + "."
    whole = {split: np.unique(roles[splits == split]) for split in ("test", "val", "") if (splits == split).any()}
    for split, taken in whole.items():
        if len(taken) > 1:
            what = f"the data's {int((splits == split).sum()):,} {split} images" if split else "images without a split"
            remains = int(((splits == split) & (roles == str(Role.TEST))).sum())
            sentence += f" Diagnosis and pool are taken out of {what}; {remains:,} remain for test."
    if missing := [str(role) for role in HELD_BACK_ROLES if not (roles == str(role)).any()]:
        sentence += f" There are none for {', '.join(missing)}."
    return sentence


def contents(images: ImageSet) -> list[str]:
    """The content of each image: its id without the number that tells equal images apart."""
    return [sample_id.partition("~")[0] for sample_id in images.ids.tolist()]


def leakage(images: ImageSet) -> np.ndarray:
    """The indices of images that have more than one role, because they are in the data more than once."""
    return with_several_values(contents(images), images.roles)


def split_groups(images: ImageSet) -> np.ndarray:
    """The indices of images whose group has more than one role."""
    return with_several_values(images.groups.tolist(), images.roles)


def label_conflicts(images: ImageSet) -> np.ndarray:
    """The indices of images that are in the data with more than one label."""
    labelled = np.where(images.labels == UNLABELLED, "", images.labels.astype(np.str_))
    keys = [key if label else "" for key, label in zip(contents(images), labelled.tolist(), strict=True)]
    return with_several_values(keys, labelled)


def with_several_values(keys: Sequence[str], values: np.ndarray) -> np.ndarray:
    """The indices of rows whose key comes with different values; the key "" is none."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, value in zip(keys, values.tolist(), strict=True):
        found[key].add(value)
    return np.flatnonzero([key != "" and len(found[key]) > 1 for key in keys])


def faults(images: ImageSet) -> tuple[str, ...]:
    """A sentence for each fault of the division and the labels that was found, with its size."""
    remarks = []
    if len(leaks := leakage(images)):
        remarks.append(f"Leakage, images in two roles or more: {distinct(images, leaks):,}, {first(images, leaks)}.")
    if len(leaks := split_groups(images)):
        count = len(set(images.groups[leaks].tolist()))
        remarks.append(f"Leakage, groups with images in two roles or more: {count:,}, {first(images, leaks)}.")
    if len(conflicts := label_conflicts(images)):
        remarks.append(
            f"Images with two labels or more: {distinct(images, conflicts):,}, {first(images, conflicts, labels=True)}."
        )
    return tuple(remarks)


def distinct(images: ImageSet, indices: np.ndarray) -> int:
    """How many different contents these images have."""
    named = contents(images)
    return len({named[index] for index in indices.tolist()})


def first(images: ImageSet, indices: np.ndarray, labels: bool = False, most: int = 4) -> str:
    """The first files, with their role or their label."""
    named = contents(images)
    earliest = {content: index for index, content in reversed(list(enumerate(named)))}
    where = sorted(indices.tolist(), key=lambda index: (earliest[named[index]], index))[:most]
    said = [images.classes[images.labels[index]] if labels else images.roles[index] for index in where]
    return "first " + ", ".join(f"{images.names[index]} ({word})" for index, word in zip(where, said, strict=True))
