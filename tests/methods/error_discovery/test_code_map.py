"""Errors among real images in one plane."""

from __future__ import annotations

import numpy as np
import pytest

from engine.methods.error_discovery.code_map import mapped
from engine.methods.error_discovery.settings import MapSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_errors import made_errors
from tests.methods.error_discovery.made_generator import DIMENSIONS, PLACES, made_generator


def errors(**changed):
    return made_errors(PLACES, each=30, dimensions=DIMENSIONS, **changed)


def test_errors_lie_beside_the_real_images_whose_codes_they_are_near():
    generator, found = made_generator(), errors()
    seen = mapped(found, MapSettings(), generator, Progress())
    codes = np.where(seen.error[:, None], found.codes[seen.row % 90], generator.codes[seen.row % 90])
    assert (seen.error.sum(), (~seen.error).sum()) == (90, 90)
    assert abs(np.corrcoef(seen.place[:, 0], codes.mean(axis=1))[0, 1]) > 0.99


def test_a_map_of_many_points_shows_some_of_each_kind_and_the_same_ones_again():
    generator, found = made_generator(), errors()
    seen, again = (mapped(found, MapSettings(points=20), generator, Progress()) for _ in range(2))
    assert (seen.error.sum(), (~seen.error).sum()) == (20, 20)
    assert len(set(seen.row[seen.error].tolist())) == 20
    np.testing.assert_array_equal(seen.place, again.place)
    np.testing.assert_array_equal(seen.row, again.row)


def test_beside_real_errors_stand_the_trials_that_are_right():
    trials = {
        "trial_codes": np.ones((3, DIMENSIONS), np.float32), "trial_units": np.array(["a", "b", "c"]),
        "trial_labels": np.array([0, 1, 1]), "trial_predictions": np.array([0, 0, 1]),
    }  # fmt: skip
    seen = mapped(errors(source="real", **trials), MapSettings(), None, Progress())
    assert seen.row[~seen.error].tolist() == [0, 2]


def test_no_error_and_no_such_method_are_told():
    with pytest.raises(ValueError, match="no error"):
        mapped(made_errors([], dimensions=DIMENSIONS), MapSettings(), made_generator(), Progress())
    with pytest.raises(ValueError, match="method must be"):
        MapSettings(method="guess")
