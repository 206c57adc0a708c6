from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery import generated_sets
from engine.methods.error_discovery.generated_sets import sets_of
from engine.methods.error_discovery.labelling import labels_of
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_correction import EACH, SETTINGS, TARGETS, MeanPanel, found_of


@pytest.fixture(autouse=True)
def forgetful():
    generated_sets.latest.last = None


def made(settings=SETTINGS, **changed):
    found = found_of(**changed)
    return found, sets_of(found, settings, Progress())


def test_what_is_learned_are_draws_that_were_tried_but_for_excluded_ones():
    labels = labels_of({region: ("class", label) for region, label in TARGETS.items()}, [(0, 1), (2, 3)], "ada")
    found, sets = made(replace(SETTINGS, held_out=0.0), labels=labels)
    for number in TARGETS:
        own = sets.learned.codes[sets.learned.of == number]
        shown = found.tests.codes[number]
        out = [draw for region, draw in labels.excluded.tolist() if region == number]
        assert np.array_equal(own, np.delete(shown, out, axis=0)[:20])
    assert sets.learned.truth.tolist() == [TARGETS[number] for number in sets.learned.of.tolist()]


def test_regions_are_judged_by_draws_that_nobody_has_seen():
    found, sets = made()
    old = {each.tobytes() for each in found.tests.codes.reshape(-1, found.tests.codes.shape[2])}
    assert len(sets.region.codes) == 20 * len(sets.division.used)
    assert len(sets.held.codes) == 20 * len(sets.division.held) > 0
    assert not old & {each.tobytes() for each in (*sets.region.codes, *sets.held.codes)}
    assert set(sets.region.of.tolist()) == set(sets.division.used)
    assert set(sets.held.of.tolist()) == set(sets.division.held)


def test_a_region_that_shares_seeds_with_a_held_out_one_is_drawn_from_what_is_left_of_it():
    for seed in range(20):
        found, sets = made(replace(SETTINGS, seed=seed), shared=True)
        if sets.division.held == (0,):
            break
    left = sets.division.rows[1]
    assert EACH / 2 <= len(left) < EACH
    own = sets.learned.codes[sets.learned.of == 1]
    assert not np.isin(own, found.tests.codes[1]).any()
    middle = found.errors.codes[left].mean(axis=0)
    deviation = found.errors.codes[left].std(axis=0)
    assert np.abs(own.mean(axis=0) - middle).max() < 3 * np.sqrt(found.testing.spread / len(own)) * deviation.max()


def test_fresh_images_are_of_test_and_those_that_tune_of_diagnosis():
    found, sets = made()
    images = found.subject.images
    for drawn, role in ((sets.fresh, "test"), (sets.tuning, "diagnosis")):
        own = images.indices(role)
        assert drawn.units.tolist() == np.repeat(images.units()[own], 2).tolist()
        assert drawn.truth.tolist() == np.repeat(images.labels[own], 2).tolist()
    answers = found.decoder.classified(sets.fresh.codes, sets.fresh.labels).predictions
    assert sets.fresh_wrong.tolist() == (answers != sets.fresh.truth).tolist()
    assert 0 < sets.fresh_wrong.sum() < len(sets.fresh_wrong)


def test_perturbations_whose_neighbours_have_another_label_are_left_out():
    whole = made()[1].fresh
    found, sets = made(search=replace(found_of().search, agreement=0.6))
    kept = found.neighbours.agreement(whole.codes, whole.labels) >= 0.6
    assert 0 < kept.sum() < len(kept)
    assert np.array_equal(sets.fresh.codes, whole.codes[kept])
    assert sets.fresh.units.tolist() == whole.units[kept].tolist()


def test_perturbations_far_from_all_real_images_are_left_out():
    found = found_of(search=replace(found_of().search, manifold=True))
    near, far = found.generator.codes[:5], found.generator.codes[:5] + 50
    labels = np.zeros(5, np.int64)
    assert found.keeps_label(near, labels, 0.0).all()
    assert not found.keeps_label(far, labels, 0.0).any()


def test_an_oracle_gives_the_truth_and_what_it_cannot_read_is_left_out():
    plain, told = made()[1], made(panel=MeanPanel())[1]
    assert set(told.fresh.truth.tolist()) == {0, 1}
    assert 0 < len(told.fresh.codes) <= len(plain.fresh.codes)
    assert len(told.fresh_wrong) == len(told.fresh.codes) == len(told.fresh.units)
    assert told.learned.truth.tolist() == plain.learned.truth.tolist()  # what is taught is what was said of the region


def test_all_arms_and_orders_of_a_seed_share_their_sets_and_other_seeds_have_others():
    found, sets = made()
    again = found_of()  # the same, not the same object
    assert sets_of(again, replace(SETTINGS, arm="continued", weight=0.0, order=5), Progress()) is sets
    other = sets_of(found, replace(SETTINGS, seed=1), Progress())
    assert other is not sets
    assert not np.array_equal(other.fresh.codes, sets.fresh.codes)
    assert np.array_equal(sets_of(found, SETTINGS, Progress()).fresh.codes, sets.fresh.codes)
