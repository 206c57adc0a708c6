"""Training augmentation as text to paste: the ranges found, said with torchvision's transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from engine.toolkit.transforms.blur import spreading
from engine.toolkit.transforms.families import BY_NAME, in_order

Ranges = Mapping[str, tuple[float, float]]  # by family: the lowest and the highest value, in the family's unit
Size = tuple[int, int]  # height and width, in pixels
AFFINE = ("rotation", "translation_x", "translation_y", "scale", "shear")
JITTER = ("brightness", "contrast", "saturation", "hue")
WITHOUT = ("time_mask", "frequency_mask", "gamma", "motion_blur", "shot_noise", "salt_and_pepper")
STRENGTHS = 5  # drawn from where torchvision takes one strength and no range
INDENT = " " * 8


def augmentation_code(ranges: Ranges, height: int, width: int) -> str:
    """Python that defines `augmentation`, a v2.Compose for images of this size, each family within its range.

    It takes images as v2.ToImage and v2.ToDtype(torch.float32, scale=True) give them, one at a time. Families that
    torchvision has no counterpart of are named in a comment, and so is where a counterpart isn't the same.
    """
    asked = {name: ranges[name] for name in in_order(tuple(ranges))}
    lines = [line for names, said in COUNTERPARTS for line in _lines(asked, names, said, (height, width))]
    lines += [f"# {_said(name, asked[name])}; no counterpart" for name in asked if name in WITHOUT]
    if all(line.startswith("#") for line in lines):
        lines += ["# nothing to change", "v2.Identity(),"]
    imports = ["import torch"] if "jpeg" in asked else []
    return "\n".join(
        [
            *imports,
            "from torchvision.transforms import v2",
            "",
            f"# For images {height} pixels high and {width} wide, float32 in [0, 1]: put it after v2.ToImage() and",
            "# v2.ToDtype(torch.float32, scale=True), before the normalising.",
            "augmentation = v2.Compose(",
            "    [",
            *(INDENT + line for line in lines),
            "    ]",
            ")",
            "",
        ]
    )


def _lines(asked: Ranges, names: tuple[str, ...], said: Callable[[Ranges, Size], list[str]], size: Size) -> list[str]:
    """A comment for each of these families that is asked for, then what `said` makes of them together."""
    own = {name: asked[name] for name in names if name in asked}
    return [f"# {_said(name, ends)}" for name, ends in own.items()] + said(own, size) if own else []


def _said(name: str, ends: tuple[float, float]) -> str:
    family = BY_NAME[name]
    return f"{family.title}: {_number(ends[0])} to {_number(ends[1])} {family.unit}"


def _jpeg(own: Ranges, _size: Size) -> list[str]:
    low, high = (min(100, max(1, round(end))) for end in own["jpeg"])
    return [
        "# first, for it takes whole numbers from 0 to 255, on the CPU",
        "v2.ToDtype(torch.uint8, scale=True),",
        f"v2.JPEG(quality=({low}, {high})),",
        "v2.ToDtype(torch.float32, scale=True),",
    ]


def _affine(own: Ranges, size: Size) -> list[str]:
    lines = ["# what comes from outside the image is black here; where it was tried, it was taken from the border"]
    low, high = own.get("rotation", (0, 0))
    parts = [f"degrees={_pair(-high, -low)}"]  # torchvision turns clockwise
    if "rotation" in own and low != -high:
        lines.append("# degrees are clockwise here")
    if "translation_x" in own or "translation_y" in own:
        shifts = [own.get(name, (0, 0)) for name in ("translation_x", "translation_y")]
        if any(low != -high for low, high in shifts):
            lines.append("# shifts go as far either way here")
        far = [max(-low, high) / 100 * min(size) for low, high in shifts]
        parts.append(f"translate={_pair(far[0] / size[1], far[1] / size[0])}")
    if "scale" in own:
        parts.append(f"scale={_pair(*own['scale'])}")
    if "shear" in own:
        parts.append(f"shear={_pair(*own['shear'])}")
    parts.append("interpolation=v2.InterpolationMode.BILINEAR")
    return [*lines, "v2.RandomAffine(", *(f"    {part}," for part in parts), "),"]


def _perspective(own: Ranges, _size: Size) -> list[str]:
    return [
        "# from 0 on here; what comes from outside the image is black",
        f"v2.RandomPerspective(distortion_scale={_number(own['perspective'][1] / 100)}, p=1.0),",
    ]


def _elastic(own: Ranges, size: Size) -> list[str]:
    """ElasticTransform blurs noise that is uniform in [-1, 1] and multiplies it by alpha / 2 pixels.

    The noise's variance is a third; the blur leaves so much of it as its squared weights add up to; a displacement has
    two components.
    """
    sigma = min(size) / 8  # about as smooth as the field of the family
    down, across = (spreading(torch.tensor([sigma]), side).square().sum(dim=2).mean() for side in size)
    length = math.sqrt(2 / 3 * float(down * across)) / 2  # with an alpha of 1
    alphas = [percent / 100 * min(size) / length for percent in _strengths(own["elastic"])]
    return [
        "# another smooth field than the one tried, as strong on average; alpha is no length, but goes with one",
        "v2.RandomChoice(",
        f"    [v2.ElasticTransform(alpha=alpha, sigma={_number(sigma)}) for alpha in {_tuple(alphas)}]",
        "),",
    ]


def _occlusion(own: Ranges, size: Size) -> list[str]:
    low, high = ((end / 100 * min(size)) ** 2 / (size[0] * size[1]) for end in own["occlusion"])
    return [
        "# anywhere here, not only in the middle; scale is the square's share of the area",
        f"v2.RandomErasing(p=1.0, scale={_pair(low, high)}, ratio=(1.0, 1.0), value=0.5),",
    ]


def _jitter(own: Ranges, _size: Size) -> list[str]:
    turned = {name: (low / 360, high / 360) if name == "hue" else (low, high) for name, (low, high) in own.items()}
    hue = ["# hue is in full turns here"] if "hue" in own else []
    return [*hue, "v2.ColorJitter(", *(f"    {name}={_pair(*ends)}," for name, ends in turned.items()), "),"]


def _inversion(own: Ranges, _size: Size) -> list[str]:
    if own["inversion"][1] < 1:
        return ["# no counterpart: RandomInvert gives the whole negative or nothing"]
    return ["# the whole negative or nothing here", "v2.RandomInvert(p=0.5),"]


def _gaussian_blur(own: Ranges, size: Size) -> list[str]:
    low, high = (max(0.01, end / 100 * min(size)) for end in own["gaussian_blur"])  # 0 is refused
    reach = min(math.ceil(3 * high), min(size) - 1)
    return [
        "# sigma is in pixels here",
        f"v2.GaussianBlur(kernel_size={2 * reach + 1}, sigma={_pair(low, high)}),",
    ]


def _gaussian_noise(own: Ranges, _size: Size) -> list[str]:
    sigmas = _tuple(_strengths(own["gaussian_noise"]))
    return [f"v2.RandomChoice([v2.GaussianNoise(sigma=sigma) for sigma in {sigmas}]),"]


def _pixelate(own: Ranges, size: Size) -> list[str]:
    low, high = (max(1, round(end * min(size))) for end in own["pixelate"])
    return [
        "# smaller, each pixel a weighted mean that reaches into its neighbours here, then back by the nearest pixel",
        f"v2.RandomResize(min_size={low}, max_size={high + 1}),",
        f"v2.Resize(size=({size[0]}, {size[1]}), interpolation=v2.InterpolationMode.NEAREST),",
    ]


def _quantise(own: Ranges, _size: Size) -> list[str]:
    low, high = (min(8, max(1, round(end))) for end in own["quantise"])
    return [
        "# whole bits, and rounded down here: white gets darker",
        f"v2.RandomChoice([v2.RandomPosterize(bits=bits, p=1.0) for bits in range({low}, {high + 1})]),",
    ]


# In the order of the text: JPEG, then as the families are applied.
COUNTERPARTS: tuple[tuple[tuple[str, ...], Callable[[Ranges, Size], list[str]]], ...] = (
    (("jpeg",), _jpeg),
    (AFFINE, _affine),
    (("perspective",), _perspective),
    (("elastic",), _elastic),
    (("occlusion",), _occlusion),
    (JITTER, _jitter),
    (("inversion",), _inversion),
    (("gaussian_blur",), _gaussian_blur),
    (("gaussian_noise",), _gaussian_noise),
    (("pixelate",), _pixelate),
    (("quantise",), _quantise),
)


def _strengths(ends: tuple[float, float]) -> list[float]:
    """Evenly spaced values from one end to the other."""
    return [ends[0] + (ends[1] - ends[0]) * step / (STRENGTHS - 1) for step in range(STRENGTHS)]


def _number(value: float) -> str:
    return f"{value or 0:.4g}"  # never -0


def _pair(low: float, high: float) -> str:
    return _tuple([low, high])


def _tuple(values: list[float]) -> str:
    return f"({', '.join(map(_number, values))})"
