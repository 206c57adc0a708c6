from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from engine.methods.input_optimization.augmentation import COUNTERPARTS, WITHOUT, augmentation_code
from engine.toolkit.transforms.families import BY_NAME, FAMILIES, family_named
from engine.toolkit.transforms.transform import transform

NAMES = [family.name for family in FAMILIES]
SHAPES = [(1, 32, 32), (3, 32, 32), (1, 28, 28), (3, 28, 28), (3, 24, 40)]


def full_range(name: str) -> tuple[float, float]:
    family = family_named(name)
    ends = [family.identity, *(side.end for side in family.sides)]
    return min(ends), max(ends)


def augmentation(ranges: dict[str, tuple[float, float]], height: int, width: int) -> v2.Compose:
    known: dict = {}
    exec(augmentation_code(ranges, height, width), known)  # noqa: S102 (the text is there to be run)
    return known["augmentation"]


def blob(height: int = 41, width: int = 41) -> Tensor:
    """A lopsided spot, black at the borders, so that it doesn't matter how these are filled."""
    y, x = torch.meshgrid(torch.arange(height) - height // 2, torch.arange(width) - width // 2, indexing="ij")
    spot = torch.exp(-((x - 4) ** 2) / 40 - (y + 3) ** 2 / 12) + torch.exp(-((x + 2) ** 2 + (y - 5) ** 2) / 8)
    return spot.clamp(0, 1)[None]


def test_every_family_has_a_counterpart_or_is_said_to_have_none():
    assert sorted([name for names, _ in COUNTERPARTS for name in names] + list(WITHOUT)) == sorted(NAMES)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "names", [*([name] for name in NAMES), NAMES], ids=lambda names: names[0] if len(names) == 1 else "all"
)
def test_the_text_runs_and_keeps_shape_dtype_and_range(names, shape):
    run = augmentation({name: full_range(name) for name in names}, *shape[1:])
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    for _ in range(5):
        out = run(image)
        assert out.shape == image.shape
        assert out.dtype == torch.float32
        assert -1e-5 <= out.min() <= out.max() <= 1 + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_a_range_of_nothing_runs_too(name):
    run = augmentation({name: (family_named(name).identity,) * 2}, 32, 32)
    assert run(torch.rand(3, 32, 32)).shape == (3, 32, 32)


@pytest.mark.parametrize("name", NAMES)
def test_a_family_is_named_with_its_range(name):
    low, high = full_range(name)
    text = augmentation_code({name: (low, high)}, 32, 32)
    assert f"{BY_NAME[name].title}: {low:.4g} to {high:.4g} {BY_NAME[name].unit}" in text
    assert ("; no counterpart" in text) == (name in WITHOUT)


def test_the_text_is_the_same_whatever_the_order_of_the_ranges():
    ranges = {name: full_range(name) for name in NAMES}
    text = augmentation_code(ranges, 28, 28)
    assert text == augmentation_code(dict(reversed(ranges.items())), 28, 28)
    assert max(map(len, text.splitlines())) <= 120


def test_no_ranges_are_a_compose_that_changes_nothing_and_says_so():
    text, image = augmentation_code({}, 28, 28), torch.rand(1, 28, 28)
    assert "# nothing to change" in text
    assert torch.equal(augmentation({}, 28, 28)(image), image)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="there is no transform called 'fog'"):
        augmentation_code({"fog": (0, 1)}, 28, 28)


@pytest.mark.parametrize(
    ("name", "value", "tolerance"),
    [
        ("rotation", 25, 0.02),
        ("rotation", -25, 0.02),
        ("scale", 1.4, 0.02),
        ("shear", 20, 0.02),
        ("shear", -20, 0.02),
        ("brightness", 0.5, 1e-5),
        ("contrast", 1.7, 1e-5),
        ("saturation", 2.0, 1e-5),
        ("hue", 50.0, 1e-4),
        ("hue", -50.0, 1e-4),
        ("gaussian_blur", 6.0, 0.005),
    ],
)
def test_a_range_of_one_value_is_what_the_family_does(name, value, tolerance):
    """Which shows the signs and the units."""
    image = torch.cat([blob(), 0.6 * blob(), 0.3 * blob()])
    expected = transform(image[None], [name], torch.tensor([[float(value)]]), {})[0]
    torch.testing.assert_close(augmentation({name: (value, value)}, 41, 41)(image), expected, rtol=0, atol=tolerance)


def test_shifts_reach_as_far_as_the_range_and_no_further():
    run, places = augmentation({"translation_x": (-10, 25), "translation_y": (0, 5)}, 24, 40), []
    image = torch.zeros(1, 24, 40)
    image[0, 12, 20] = 1
    for _ in range(300):
        place = run(image)[0].argmax().item()
        places.append((place // 40 - 12, place % 40 - 20))
    assert max(abs(x) for _, x in places) == 6  # 25 % of 24 pixels
    assert max(abs(y) for y, _ in places) == 1
    assert "# shifts go as far either way here" in augmentation_code({"translation_x": (-10, 25)}, 24, 40)


def test_the_elastic_field_is_as_strong_on_average():
    run = augmentation({"elastic": (5, 5)}, 32, 32)
    elastic = run.transforms[0].transforms[0]
    lengths = [elastic.make_params([torch.rand(3, 32, 32)])["displacement"].square().sum(-1).mean() for _ in range(60)]
    assert 32 / 2 * math.sqrt(torch.stack(lengths).mean()) == pytest.approx(0.05 * 32, rel=0.1)


def test_erased_squares_are_as_large_as_the_range_says():
    run = augmentation({"occlusion": (25, 50)}, 24, 40)
    sides = [math.sqrt((run(torch.zeros(1, 24, 40)) == 0.5).sum()) for _ in range(100)]
    assert 6 <= min(sides) <= max(sides) <= 12


def test_part_of_the_negative_has_no_counterpart():
    assert "no counterpart: RandomInvert" in augmentation_code({"inversion": (0, 0.3)}, 28, 28)
