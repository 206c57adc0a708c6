"""Families applied to a batch, each row of it by its own numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from engine.toolkit.transforms.blur import gaussian_blur, motion_blur
from engine.toolkit.transforms.cover import frequency_mask, occlusion, time_mask
from engine.toolkit.transforms.digital import jpeg, pixelate, quantise
from engine.toolkit.transforms.draws import NEEDED
from engine.toolkit.transforms.families import GEOMETRY, family_named, in_order
from engine.toolkit.transforms.geometric import moved
from engine.toolkit.transforms.light import brightness, contrast, gamma, hue, inversion, saturation
from engine.toolkit.transforms.noise import gaussian_noise, salt_and_pepper, shot_noise

# (images, values (n, 1, 1, 1), and the draws of those that need any) -> images; values outside [0, 1] are cut off after
CHANGES: dict[str, Callable[..., Tensor]] = {
    "occlusion": occlusion,
    "time_mask": time_mask,
    "frequency_mask": frequency_mask,
    "brightness": brightness,
    "contrast": contrast,
    "gamma": gamma,
    "saturation": saturation,
    "hue": hue,
    "inversion": inversion,
    "gaussian_blur": gaussian_blur,
    "motion_blur": motion_blur,
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "salt_and_pepper": salt_and_pepper,
    "pixelate": pixelate,
    "quantise": quantise,
    "jpeg": jpeg,
}


def transform(images: Tensor, families: Sequence[str], values: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
    """The images (n, C, H, W) in [0, 1] after the families, in the order of FAMILIES: same shape, range, dtype, device.

    values (n, len(families)): how far each image goes in each family, in the family's unit. draws: what chance decided
    for each image, n rows an entry, as `drawn` gives it. C is 1 or 3. An image whose value is the family's identity
    passes that family untouched, bit for bit, and without a gradient to the value; where no image changes at all the
    batch itself comes back. All geometric families of an image take one interpolation.
    """
    _check(images, families, values)
    value = dict(zip(families, values.to(images).unbind(dim=1), strict=True))
    chance = {name: draws[name].to(images) for name in families if name in NEEDED}
    order = in_order(tuple(families))
    together = [name for name in order if family_named(name).group == GEOMETRY]
    if together:
        images = _step(images, together, value, chance)
    for name in order:
        if name in CHANGES:
            images = _step(images, [name], value, chance)
    return images


def _step(images: Tensor, names: list[str], value: Mapping[str, Tensor], chance: Mapping[str, Tensor]) -> Tensor:
    """The images after families that are applied together: the geometric ones, or any other one.

    Rows that none of them changes stay as they are. value by family (n,); chance by family, n rows each.
    """
    changed = torch.stack([value[name] != family_named(name).identity for name in names]).any(dim=0)
    rows = changed.nonzero().flatten()
    if len(rows) == 0:
        return images
    some, values = images[rows], {name: value[name][rows] for name in names}
    draws = {name: chance[name][rows] for name in names if name in chance}
    if names[0] in CHANGES:
        new = CHANGES[names[0]](some, values[names[0]][:, None, None, None], *draws.values())
    else:
        new = moved(some, values, draws)
    if new.shape != some.shape:
        raise ValueError(f"{' and '.join(names)} made images {tuple(new.shape)} of {tuple(some.shape)}")
    return images.index_copy(0, rows, new.clamp(0, 1))


def _check(images: Tensor, families: Sequence[str], values: Tensor) -> None:
    if values.shape != (len(images), len(families)):
        raise ValueError(
            f"values must hold one number for each of {len(images)} images and {len(families)} families, "
            f"got {tuple(values.shape)}"
        )
    for name in families:
        if misfit := family_named(name).misfit(images.shape[1]):
            raise ValueError(f"{name} can't be applied: {misfit}")
