from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from engine.methods.input_optimization import BREAKPOINTS, DIFFERENCES, OPTIMISATION, SWEEP
from engine.methods.input_optimization.breakpoints import breakpoints
from engine.methods.input_optimization.export import (
    BREAKPOINT_COLUMNS,
    PAIR_COLUMNS,
    STATES,
    SWEEP_COLUMNS,
    breakpoint_rows,
    breakpoint_values,
    failing_rows,
    pair_rows,
    pairs_npz,
    sweep_rows,
)
from engine.methods.input_optimization.result import NOT_REACHED, REACHED
from engine.methods.input_optimization.settings import (
    BreakpointSettings,
    DifferenceSettings,
    OptimisationSettings,
    SweepSettings,
    alone,
    together,
)
from engine.runs.progress import Progress
from engine.subject.subject import joined
from engine.toolkit.error_table import COLUMNS, error_csv
from engine.toolkit.tables import from_csv, to_csv
from tests.conftest import RED, colour_images, rgb_blueprint
from tests.methods.input_optimization.planted import planted

PROGRESS = Progress()


def swept(subject, *grids):
    return SWEEP.run(subject, SweepSettings(grids or (alone("hue", 4), alone("gaussian_blur", 2))), {}, PROGRESS)


def brought_back(subject, sweep, **said):
    settings = OptimisationSettings(**{"grids": tuple(range(len(sweep.grids))), "images": 4, **said})
    optimisation = OPTIMISATION.run(subject, settings, {"sweep": sweep}, PROGRESS)
    inputs = {"sweep": sweep, "optimisation": optimisation}
    return optimisation, DIFFERENCES.run(subject, DifferenceSettings(), inputs, PROGRESS)


def test_every_pair_has_its_row_and_its_numbers_are_those_of_the_results(rgb_subject):
    sweep = swept(rgb_subject)
    optimisation, differences = brought_back(rgb_subject, sweep)
    rows = from_csv(to_csv(pair_rows(sweep, rgb_subject.images, optimisation, differences), PAIR_COLUMNS))
    assert len(rows) == len(optimisation.image) == 4 * (8 + 2)
    for row, image, grid, combination in zip(
        rows, optimisation.image, optimisation.grid, optimisation.combination, strict=True
    ):
        outcomes = sweep.grids[grid].outcomes
        assert row["sample_id"] == sweep.ids[image]
        assert row["file_name"] == rgb_subject.images.names[rgb_subject.images.position[sweep.ids[image]]]
        assert row["prediction_clean"] == sweep.classes[sweep.clean.prediction[image, 0]]
        assert row["prediction_transformed"] == sweep.classes[outcomes.prediction[image, combination]]
        assert float(row["loss_transformed"]) == pytest.approx(outcomes.loss[image, combination], rel=1e-5)
        assert float(row["severity"]) == sweep.grids[grid].severities[combination, 0]
    at = {"family": "hue", "side": "back", "severity": "-0.25", "value": "-45.0", "unit": "°"}
    assert any({name: row[name] for name in at} == at for row in rows)
    moved = [number for number, row in enumerate(rows) if row["state"] == "reached"]
    assert len(moved) == optimisation.counts[1] > 0
    for number in moved:
        row = rows[number]
        assert row["prediction_optimised"] == row["label"]
        assert float(row["loss_optimised"]) <= 0.05
        assert float(row["distance"]) == pytest.approx(optimisation.distance[number], rel=1e-5)
        assert float(row["l2_transformed_optimised"]) == pytest.approx(float(row["distance"]), rel=1e-2)
        assert float(row["margin_distance"]) == pytest.approx(differences.margin_distance[number], rel=1e-5)


def test_what_was_not_reached_has_no_distance_and_is_not_compared(rgb_subject):
    sweep = swept(rgb_subject, alone("hue", 2))
    optimisation, differences = brought_back(rgb_subject, sweep, most_steps=1)
    rows = pair_rows(sweep, rgb_subject.images, optimisation, differences)
    missed = [row for row in rows if row["state"] == "not reached"]
    assert len(missed) == optimisation.counts[2] > 0
    for row in missed:
        assert row["distance"] == row["l2_clean_optimised"] == row["kl_transformed_optimised"] == ""
        assert row["l2_clean_transformed"] > 0
        assert row["loss_optimised"] > 0.05


def test_without_differences_the_rest_is_there(rgb_subject):
    sweep = swept(rgb_subject)
    optimisation, _ = brought_back(rgb_subject, sweep)
    rows = pair_rows(sweep, rgb_subject.images, optimisation, None)
    assert set(rows[0]) == set(PAIR_COLUMNS)
    assert {row["ssim_clean_transformed"] for row in rows} == {row["margin_distance"] for row in rows} == {""}
    assert all(row["loss_optimised"] != "" for row in rows)


def test_several_families_stand_side_by_side_in_a_cell(rgb_subject):
    sweep = swept(rgb_subject, together(("hue", "gaussian_blur"), 2))
    rows = list(sweep_rows(sweep, rgb_subject.images))
    said = {(row["family"], row["side"], row["severity"], row["value"], row["unit"]) for row in rows}
    assert ("hue+gaussian_blur", "back;more", "-0.5;1", "-90;15", "°;% of the side") in said
    assert ("hue+gaussian_blur", ";more", "0;0.5", "0;7.5", "°;% of the side") in said


def test_the_sweep_has_the_unchanged_images_and_every_combination(rgb_subject):
    sweep = swept(rgb_subject)
    rows = from_csv(to_csv(sweep_rows(sweep, rgb_subject.images), SWEEP_COLUMNS))
    assert len(rows) == sweep.evaluations == 9 * (1 + 8 + 2)
    unchanged = [row for row in rows if row["family"] == ""]
    assert [row["right"] == "true" for row in unchanged] == sweep.clean_right.tolist()
    assert {row["pixel_change"] for row in unchanged} == {"0.0"}
    hue = [row for row in rows if row["family"] == "hue"]
    assert [row["right"] == "true" for row in hue] == sweep.right(0).ravel().tolist()
    margins = np.array([float(row["margin"]) for row in hue]).reshape(9, 8)
    np.testing.assert_allclose(margins, sweep.grids[0].outcomes.margin, rtol=1e-5)


TOLERANCES = {
    ("rotation", 1): np.linspace(0.15, 0.65, 40),
    ("rotation", -1): np.linspace(0.35, 0.85, 40),
    ("jpeg", 1): np.full(40, 2.0),
}


@pytest.fixture
def known():
    """40 images, the first wrong unchanged, whose breaks are planted; and the subject that they belong to."""
    wrong = np.arange(40) == 0
    sweep = planted([alone("rotation", 10), alone("jpeg", 10)], TOLERANCES, wrong=wrong, classes=("red", "green"))
    images = colour_images([RED] * 40, [0] * 40, ids=sweep.ids)
    subject = joined(rgb_blueprint(), images, lambda blueprint: None)
    return subject, sweep, breakpoints(sweep, BreakpointSettings())


def test_breakpoints_are_told_in_their_unit_with_the_lower_end_first(known):
    _, _, found = known
    counter, clockwise, quality = (breakpoint_values(row) for row in found.rows if row.scope == "all")
    assert (counter["side"], clockwise["side"], quality["side"]) == ("counter-clockwise", "clockwise", "lower")
    for told, row in ((counter, found.rows[0]), (clockwise, found.rows[2])):
        assert told["value"] == pytest.approx(45 * row.sign * row.severity, rel=1e-5)
        assert told["low"] < told["value"] < told["high"]
        assert told["reached"] is told["verified"] is True
    assert clockwise["low"] == pytest.approx(-45 * found.rows[2].high, rel=1e-5)
    assert quality["value"] is quality["low"] is quality["verified"] is None
    assert quality["reached"] is False


def test_breakpoints_come_back_from_their_csv(known):
    _, _, found = known
    rows = from_csv(to_csv(breakpoint_rows(found), BREAKPOINT_COLUMNS))
    assert len(rows) == len(found.rows) == 6  # three sides, for all and for the one label
    assert [row["scope"] for row in rows[:2]] == ["all", "red"]
    assert (rows[0]["reached"], rows[0]["verified"], rows[4]["reached"], rows[4]["verified"]) == (
        "true",
        "true",
        "false",
        "",
    )
    assert rows[4]["value"] == ""
    assert (rows[0]["n"], rows[0]["units"], rows[0]["unit"]) == ("40", "40", "°")


def test_the_images_that_turn_wrong_for_good_are_a_cluster_a_side(known):
    subject, sweep, found = known
    rows = from_csv(error_csv(failing_rows(sweep, found, subject, "run1")))
    assert tuple(rows[0]) == COLUMNS
    clusters = {
        (row["cluster_id"], row["cluster_name"], row["cluster_size"], row["cluster_error_rate"]) for row in rows
    }
    assert clusters == {
        ("0", "Rotation counter-clockwise", "39", "1.0"),
        ("1", "Rotation clockwise", "39", "1.0"),
    }
    first = rows[0]
    assert (first["sample_id"], first["file_name"], first["split"]) == ("image 1", "1.png", "diagnosis")
    assert (first["label"], first["prediction"], first["is_error"]) == ("red", "green", "true")
    assert first["note"] == f"breaks at {45 * TOLERANCES['rotation', 1][1]:.3g}° counter-clockwise"
    assert (first["source"], first["method"], first["run_id"]) == ("transformed", "input_optimization", "run1")
    assert (first["model_sha256"], first["dataset_sha256"]) == ("eye", subject.images.fingerprint)
    tolerance = TOLERANCES["rotation", 1][1]
    assert float(first["margin"]) == pytest.approx(1 - 0.2 / tolerance, rel=1e-5)  # at 0.2, the first one beyond


def test_some_sides_and_some_images_can_be_listed_alone(known):
    subject, sweep, found = known
    rows = failing_rows(sweep, found, subject, "run1", sides=[("rotation", -1)], images=np.array([5, 0, 3]))
    assert [row["sample_id"] for row in rows] == ["image 5", "image 3"]
    assert {(row["cluster_id"], row["cluster_size"]) for row in rows} == {("1", 39)}


def test_an_image_that_comes_back_breaks_where_it_is_lost_for_good(known):
    subject, sweep, _ = known
    grid = sweep.grids[0]
    prediction, margin = grid.outcomes.prediction.copy(), grid.outcomes.margin.copy()
    at = grid.severities[:, 0].tolist().index(0.9)
    prediction[1, at], margin[1, at] = 0, 1.0  # right once more before the end
    changed = replace(grid, outcomes=replace(grid.outcomes, prediction=prediction, margin=margin))
    again = replace(sweep, grids=(changed, sweep.grids[1]))
    rows = failing_rows(again, breakpoints(again, BreakpointSettings()), subject, "", images=np.array([1]))
    end = grid.outcomes.loss[1, grid.severities[:, 0].tolist().index(1.0)]
    assert rows[0]["loss"] == pytest.approx(end, rel=1e-5)
    assert 40.5 < float(rows[0]["note"].split()[2].rstrip("°")) < 45


def test_the_npz_holds_the_pairs_and_what_the_network_says_of_them(rgb_subject):
    sweep = swept(rgb_subject, alone("gaussian_blur", 2), together(("hue", "gaussian_blur"), 1))
    optimisation, differences = brought_back(rgb_subject, sweep)
    found = np.load(io.BytesIO(pairs_npz(rgb_subject, sweep, optimisation, PROGRESS)), allow_pickle=False)
    pairs = len(optimisation.image)
    assert found["transformed"].shape == found["optimised"].shape == (pairs, 3, 8, 8)
    assert found["transformed"].dtype == found["optimised"].dtype == np.float16
    assert 0 <= found["optimised"].min() <= found["optimised"].max() <= 1
    assert found["families"].tolist() == ["hue", "gaussian_blur"]
    assert found["classes"].tolist() == ["red", "green", "blue"]
    assert found["severities"][:2].tolist() == [[0, 0.5], [0, 1]]
    assert set(map(tuple, found["severities"][-5:].tolist())) == {(-1, 0), (-1, 1), (0, 1), (1, 0), (1, 1)}
    np.testing.assert_array_equal(found["sample_ids"], sweep.ids[optimisation.image])
    np.testing.assert_array_equal(found["state"], np.array(STATES)[optimisation.state])
    np.testing.assert_array_equal(found["logits_transformed"].argmax(axis=1), differences.transformed.prediction)
    moved, passed = optimisation.state == REACHED, optimisation.state == 0
    apart = (found["optimised"].astype(np.float32) - found["transformed"]).reshape(pairs, -1)
    np.testing.assert_allclose(np.linalg.norm(apart[moved], axis=1), optimisation.distance[moved], rtol=0.02)
    assert not apart[passed].any()
    asked = 20 * found["optimised"].astype(np.float32).mean(axis=(2, 3))
    np.testing.assert_allclose(found["logits_optimised"], asked, atol=0.02)
    labels = sweep.labels[optimisation.image]
    shares = np.exp(found["logits_optimised"][moved])
    loss = -np.log((shares / shares.sum(axis=1, keepdims=True))[np.arange(moved.sum()), labels[moved]])
    assert loss.max() < 0.051
    assert NOT_REACHED not in optimisation.state


def test_the_whole_chain_fits_together(rgb_subject):
    sweep = swept(rgb_subject)
    found = BREAKPOINTS.run(rgb_subject, BreakpointSettings(), {"sweep": sweep}, PROGRESS)
    rows = failing_rows(sweep, found, rgb_subject, "")
    hue = [row for row in rows if row["cluster_name"] == "Hue forward"]
    assert len(hue) == sweep.clean_right.sum() == 6  # turned by half the wheel no colour is itself
    assert all(row["prediction"] != row["label"] for row in hue)
