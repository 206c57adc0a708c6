from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.input_optimization.settings import (
    BreakpointSettings,
    Grid,
    MapSettings,
    OptimisationSettings,
    SweepSettings,
    alone,
    published,
    steps,
    together,
)
from engine.toolkit.transforms.families import FAMILIES, family_named

ROOT = Path(__file__).parents[3]
TURN = alone("rotation", 2)


# grids


@settings(deadline=None)
@given(st.sampled_from([family.name for family in FAMILIES]), st.integers(1, 12))
def test_a_family_alone_has_as_many_equal_steps_on_each_side_as_asked_for(name, levels):
    found = alone(name, levels).combinations
    sides = len(family_named(name).sides)
    assert found.shape == (sides * levels, 1)
    assert found.max() == 1
    assert found.min() == (-1 if sides == 2 else 1 / levels)
    assert (found != 0).all()
    gaps = np.diff(np.sort(np.append(found[:, 0], 0.0)))
    np.testing.assert_allclose(gaps, 1 / levels)


def test_families_together_give_every_combination_but_the_one_that_changes_nothing():
    grid = together(("gaussian_noise", "rotation", "gaussian_blur"), 2)
    assert grid.families == ("rotation", "gaussian_blur", "gaussian_noise")
    expected = set(itertools.product((-1, -0.5, 0, 0.5, 1), (0, 0.5, 1), (0, 0.5, 1))) - {(0, 0, 0)}
    found = [tuple(row) for row in grid.combinations.tolist()]
    assert set(found) == expected
    assert len(found) == len(expected) == 5 * 3 * 3 - 1
    assert found[:2] == [(-1, 0, 0), (-1, 0, 0.5)]  # the last family runs fastest


def test_the_published_grid_has_450_combinations_of_the_published_values():
    """15 angles, blurs of 0 to 2 pixels, and noise of a (max - min) / 6 for a of 0 to 0.9, the identity among them."""
    grid = published(28)
    assert len(grid.combinations) + 1 == 450
    assert not (grid.combinations == 0).all(axis=1).any()
    values = {
        name: [family_named(name).value(severity) for severity in those]
        for name, those in zip(grid.families, grid.severities, strict=True)
    }
    assert values["rotation"] == pytest.approx([-15, -12, -10, -8, -6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 15])
    assert [blur / 100 * 28 for blur in values["gaussian_blur"]] == pytest.approx([0, 1, 2])  # in pixels
    assert [noise * 6 for noise in values["gaussian_noise"]] == pytest.approx([level / 10 for level in range(10)])


@pytest.mark.parametrize(
    ("families", "severities", "sentence"),
    [
        ((), (), "families must stand once each in their order, got none"),
        (("jpeg", "rotation"), ((0, 1), (0, 1)), "families must stand once each in their order, got jpeg, rotation"),
        (("rotation", "rotation"), ((0, 1), (0, 1)), "families must stand once each in their order"),
        (("fog",), ((0, 1),), "there is no transform called 'fog'"),
        (("rotation",), ((0, 1), (0, 1)), "1 families need severities each, got 2"),
        (("rotation",), ((0, 2),), r"severity of rotation must lie in \[-1, 1\], got 2"),
        (("gaussian_blur",), ((-1, 0),), r"blur must lie in \[0, 1\], got -1"),
        (("rotation",), ((0.5, 1),), "the severities of rotation must increase and have 0 among them"),
        (("rotation",), ((0, 1, 0.5),), "the severities of rotation must increase"),
        (("rotation",), ((0, 1, 1),), "the severities of rotation must increase"),
        (("rotation",), ((0, float("nan")),), "severity of rotation must lie in"),
        (("rotation", "jpeg"), ((0,), (0,)), "a grid must change something, got only severity 0 of rotation and jpeg"),
    ],
)
def test_grids_that_cannot_be_are_refused(families, severities, sentence):
    with pytest.raises(ValueError, match=sentence):
        Grid(families, severities)


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_a_factor_that_is_not_above_zero_is_refused_in_a_sentence(value):
    with pytest.raises(ValueError, match=f"brightness has no value {value:g}: it starts at 1 times"):
        family_named("brightness").severity(value)


def test_at_least_one_step_a_side_is_needed():
    with pytest.raises(ValueError, match="levels must be at least 1, got 0"):
        steps("rotation", 0)


# the steps' settings


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: SweepSettings(()), "choose at least one transform"),
        (lambda: SweepSettings((TURN,), role="all"), "role must be one of diagnosis, pool, train, got 'all'"),
        (lambda: SweepSettings((TURN,), role="test"), "images of test are only reported"),
        (lambda: SweepSettings((TURN,), images=0), "images must be at least 1, got 0"),
        (lambda: OptimisationSettings(success="luck"), "success must be one of loss, margin, got 'luck'"),
        (
            lambda: OptimisationSettings(step_rule="sgd"),
            "step_rule must be one of momentum, adam, minimal, paper, got 'sgd'",
        ),
        (lambda: OptimisationSettings(images=0), "images, most_steps and worst must be at least 1"),
        (lambda: OptimisationSettings(most_steps=0), "images, most_steps and worst must be at least 1"),
        (lambda: OptimisationSettings(worst=0), "images, most_steps and worst must be at least 1"),
        (lambda: OptimisationSettings(loss_level=0), "loss_level must be above 0, got 0"),
        (lambda: OptimisationSettings(margin_level=-1), "margin_level and step_size must be at least 0"),
        (lambda: OptimisationSettings(step_size=-1), "margin_level and step_size must be at least 0"),
        (lambda: OptimisationSettings(grids=(1, 0, 1)), "grids must be numbers from 0 on, once each, got 1, 0, 1"),
        (lambda: OptimisationSettings(grids=(-1,)), "grids must be numbers from 0 on, once each, got -1"),
        (lambda: MapSettings(points="pair"), "points must be transform or image, got 'pair'"),
        (lambda: MapSettings(method="mds"), "method must be one of pca, tsne, umap, got 'mds'"),
        (lambda: BreakpointSettings(rule="half"), "rule must be one of drop, level, got 'half'"),
        (lambda: BreakpointSettings(drop=0), "drop and level must lie between 0 and 1, got 0 and 0.5"),
        (lambda: BreakpointSettings(level=1), "drop and level must lie between 0 and 1, got 0.1 and 1"),
        (lambda: BreakpointSettings(resamples=99), "resamples must be at least 100, got 99"),
    ],
)
def test_settings_that_cannot_be_are_refused(made, sentence):
    with pytest.raises(ValueError, match=sentence):
        made()


def test_settings_are_plain_values_that_can_be_written_down():
    import json

    choices = SweepSettings((TURN, together(("rotation", "jpeg"), 1)), images=3)
    assert json.loads(json.dumps(asdict(choices), allow_nan=False))["grids"][0]["families"] == ["rotation"]
    assert replace(choices, images=4) != choices


def test_importing_the_steps_and_making_settings_loads_nothing_heavy():
    program = (
        "import sys\n"
        "from engine.methods.input_optimization import BREAKPOINTS, DIFFERENCES, MAP, OPTIMISATION, SWEEP\n"
        "from engine.methods.input_optimization.settings import SweepSettings, published\n"
        "SweepSettings((published(28),))\n"
        "print(sorted({'torch', 'torchvision', 'kornia', 'sklearn', 'scipy', 'umap'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
