from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.methods.input_optimization.breakpoints import breakpoints, first_half
from engine.methods.input_optimization.comparison import compare
from engine.methods.input_optimization.result import ALREADY, NOT_REACHED, REACHED, Optimisation
from engine.methods.input_optimization.sentences import how_two_act, what_breaks, what_comes_back, which_breaks_later
from engine.methods.input_optimization.settings import BreakpointSettings, alone, together
from engine.methods.input_optimization.wording import said_value
from engine.toolkit.transforms.families import FAMILIES
from tests.methods.input_optimization.planted import planted

BLUR, NOISE, TURN = "gaussian_blur", "gaussian_noise", "rotation"
CHOICES = BreakpointSettings(rule="level", level=0.5, resamples=200)


@pytest.mark.parametrize(
    ("family", "severity", "said"),
    [
        (TURN, 12.3 / 45, "12.3° counter-clockwise"),
        (TURN, -0.5, "22.5° clockwise"),
        ("hue", 1.0, "180° forward"),
        ("translation_x", -0.5, "12.5 % of the side to the left"),
        ("translation_y", 1.0, "25 % of the side down"),
        ("shear", 0.5, "15° to the right"),
        ("brightness", 0.5, "2 times (brighter)"),
        ("scale", -1.0, "0.5 times (smaller)"),
        ("gamma", 1.0, "exponent 4 (darker middle)"),
        ("time_mask", 0.5, "20 % of the width"),
        (BLUR, 0.2, "3 % of the side"),
        (NOISE, 0.25, "7.5 % of the range"),
        ("salt_and_pepper", 0.1, "2 % of the pixels"),
        ("inversion", 0.5, "50 %"),
        ("quantise", 1.0, "1 bit"),
        ("jpeg", 1.0, "quality 1"),
        (TURN, 0.0, "no change"),
        (TURN, math.inf, "not reached in the range (up to 45°)"),
        (TURN, math.nan, "not reached in the range (up to 45°)"),
        ("brightness", -math.inf, "not reached in the range (down to 0.1 times)"),
        ("brightness", math.nan, "not reached in the range (up to 4 times or down to 0.1 times)"),
        ("saturation", -math.inf, "not reached in the range (down to 0 times)"),
        ("jpeg", math.nan, "not reached in the range (down to quality 1)"),
    ],
)
def test_a_value_is_said_in_the_family_s_words(family, severity, said):
    assert said_value(family, severity) == said


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_has_words_for_its_unit(family):
    for sign in family.signs:
        assert said_value(family.name, 0.7 * sign)
        assert said_value(family.name, sign * math.inf).startswith("not reached in the range (")


def linear(n: int, low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, n)[np.random.default_rng(0).permutation(n)]


def said_of(sweep, choices=CHOICES) -> str:
    return what_breaks(breakpoints(sweep, choices), sweep)


def test_what_breaks_first_is_said_with_its_numbers():
    tolerances = {(TURN, 1): linear(200, 0.2, 0.8), (TURN, -1): np.full(200, 9.0), (BLUR, 1): linear(200, 0.5, 1.1)}
    sweep = planted([alone(TURN, 10), alone(BLUR, 10)], tolerances)
    found = breakpoints(sweep, CHOICES)
    first, said = found.rows[0], what_breaks(found, sweep)
    assert said.startswith("It breaks first under Rotation, at ")
    for place, low, high in (
        (first.severity, first.low, first.high),
        (first.other, first.other_low, first.other_high),
    ):
        assert f"at {45 * place:.3g}° counter-clockwise (95 % interval {45 * low:.3g} to {45 * high:.3g}°)" in said
    assert f"{first.severity:.0%} of the range" in said
    assert "accuracy lies below 50.0%. The other half of the images confirms it, at" in said
    assert said.endswith(
        "Of 3 ways to change 200 images, 2 break it for certain within the range; "
        "2 of these were confirmed on the other half."
    )


def test_what_is_not_confirmed_is_said_to_be_so():
    finding = first_half(np.array([f"image {number}" for number in range(200)]))
    said = said_of(planted([alone(BLUR, 10)], {(BLUR, 1): np.where(finding, 0.3, 9.0)}))
    assert "does not confirm it: not reached in the range (up to 15 % of the side). Of 1 way to" in said
    assert said.endswith("0 of these were confirmed on the other half.")


def test_a_half_too_small_to_check_is_said_to_be_so():
    names = np.array([f"image {number}" for number in range(200)])
    finding = first_half(names)
    units = np.r_[names[finding][:40], names[~finding][:3]]
    said = said_of(planted([alone(BLUR, 10)], {(BLUR, 1): np.full(43, 0.5)}, units=units))
    assert "The other half of the images is too small to check that." in said


def test_nothing_breaks_is_an_answer():
    said = said_of(planted([alone(TURN, 4)], {(TURN, 1): np.full(50, 9.0), (TURN, -1): np.full(50, 9.0)}))
    assert said.startswith("Nothing breaks it for certain: in none of 2 ways to change 50 images does accuracy fall ")
    assert "50.0%" in said


def test_too_few_images_are_said_to_be_too_few():
    few = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(4, 0.5)})
    assert said_of(few).startswith("4 images are too few to say where it breaks")
    grouped = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(40, 0.5)}, units=np.repeat(["a", "b"], 20))
    assert said_of(grouped).startswith("40 images of 2 groups are too few")


def test_what_is_below_the_level_unchanged_has_nothing_to_break():
    sweep = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(80, 9.0)}, wrong=np.arange(80) % 4 > 0)
    assert said_of(sweep) == ("Accuracy lies below 50.0% on unchanged images already, so there is nothing to break.")


def test_a_class_called_all_is_not_counted_as_a_way_to_change_images():
    sweep = planted([alone(BLUR, 4)], {(BLUR, 1): np.full(80, 0.5)}, classes=("all", "none"))
    assert "Of 1 way to change 80 images, 1 breaks it" in said_of(sweep)


def interaction_of(**choices):
    draws = np.random.default_rng(0)
    tolerances = {(name, 1): 0.5 * np.exp(0.6 * draws.normal(size=300)) for name in (BLUR, NOISE)}
    return breakpoints(planted([together((BLUR, NOISE), 4)], tolerances, **choices), CHOICES).interactions[0]


def test_an_interaction_is_said_by_its_sign_with_its_numbers():
    worse = interaction_of(together=np.sum)
    assert how_two_act(worse) == (
        "Gaussian blur and Gaussian noise make each other worse: together they leave "
        f"{-100 * worse.excess:.1f} points of accuracy (95 % interval {-100 * worse.high:.1f} to "
        f"{-100 * worse.low:.1f}) less than if each broke images regardless of the other."
    )
    apart = interaction_of()
    assert "leave about as much accuracy as if each broke images regardless of the other: " in how_two_act(apart)
    assert f"{100 * apart.low:+.1f} to {100 * apart.high:+.1f}" in how_two_act(apart)
    better = replace(worse, excess=0.2, low=0.1, high=0.3)
    assert "20.0 points of accuracy (95 % interval 10.0 to 30.0) more than" in how_two_act(better)
    assert how_two_act(interaction_of(wrong=np.ones(300, bool))).startswith("How Gaussian blur and Gaussian noise act")


def optimised(*states: int) -> Optimisation:
    state = np.array(states, np.int8)
    distance = np.where(state == NOT_REACHED, np.nan, np.where(state == REACHED, 1.0 + np.arange(len(state)), 0))
    nothing, numbers = np.zeros(len(state), np.float32), np.zeros(len(state), np.int64)
    change = np.zeros((0, 3, 2, 2), np.float16)
    return Optimisation(
        "loss at most 0.05 nats", numbers, numbers, numbers, state, distance.astype(np.float32), nothing, nothing,
        numbers, change, 0,
    )  # fmt: skip


def test_what_came_back_is_counted():
    assert what_comes_back(optimised(ALREADY, ALREADY, REACHED, REACHED, REACHED, NOT_REACHED)) == (
        "Of 6 transformed images 2 passed as they were (loss at most 0.05 nats); of the other 4, 3 were brought back, "
        "1 was not. The median change that brought one back has the length 4 (L2, pixel values from 0 to 1)."
    )
    assert what_comes_back(optimised(ALREADY)).endswith("(loss at most 0.05 nats), so none had to be brought back.")
    assert what_comes_back(optimised(NOT_REACHED)).endswith("; of the other 1 none was brought back.")
    assert what_comes_back(optimised()) == "No image was brought back, for none was asked for."


def compared(second: float, n: int = 80, **choices) -> str:
    grids, middle = [alone(TURN, 5)], linear(n, 0.3, 0.5)
    one, other = (
        planted(grids, {(TURN, 1): middle, (TURN, -1): middle * factor}, **choices) for factor in (1.0, second)
    )
    return which_breaks_later(compare(one, other, CHOICES), "ResNet", "ViT")


def test_two_classifiers_are_compared_with_their_numbers():
    said = compared(1.5)
    assert said.startswith(
        "ViT withstands more than ResNet in 1 of 2 ways to change the images and less in 0, beyond chance "
        "(80 images, 5 % over all of them). They differ most under Rotation: ResNet "
    )
    assert said.count("° clockwise") == 2
    assert "% of the range (95 % interval " in said
    assert "at least" not in said


def test_a_classifier_that_never_breaks_differs_by_at_least_so_much():
    said = compared(20.0)
    assert "ViT not reached in the range (up to 45°), by at least 6" in said


def test_a_worse_classifier_is_said_to_withstand_less():
    said = compared(0.4)
    assert "ViT withstands more than ResNet in 0 of 2 ways to change the images and less in 1" in said
    low, high = said.rpartition("95 % interval ")[2].removesuffix(").").split(" to ")
    assert 0 < int(low) < int(high)


def test_no_difference_and_too_few_images_are_said():
    assert compared(1.0) == (
        "In none of 2 ways to change the images do ResNet and ViT differ beyond chance "
        "(80 images, 5 % over all of them)."
    )
    assert compared(1.5, units=np.repeat(["a", "b"], 40)) == (
        "2 independent images are too few to compare ResNet and ViT."
    )
    assert which_breaks_later((), "ResNet", "ViT").startswith("Nothing was changed")
