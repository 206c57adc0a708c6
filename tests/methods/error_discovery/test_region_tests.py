from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery import region_tests
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.neighbours import Neighbours
from engine.methods.error_discovery.region_tests import region_draws
from engine.methods.error_discovery.settings import TestSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_errors import made_errors, made_regions
from tests.methods.error_discovery.made_generator import PLACES, made_generator, made_subject

SETTINGS = TestSettings(draws=40)


def made(alive=(True, True, True)):
    """Regions of codes of a generator drawn at random, and real images whose codes lie around the same places."""
    subject, generator = made_subject(), made_generator()
    errors = made_errors(PLACES, dimensions=4)
    return subject, generator, errors, replace(made_regions(errors, PLACES), alive=np.array(alive))


def found_in(subject, generator, errors, regions, settings=SETTINGS):
    return region_tests.tested(subject, settings, errors, regions, generator, Progress())


def test_every_draw_has_the_classifiers_own_answer():
    subject, generator, errors, regions = made()
    found = found_in(subject, generator, errors, regions)
    decoder = Decoder(generator, subject)
    for region in range(3):
        images = decoder.images(found.codes[region], np.full(40, regions.label[region]))
        with torch.inference_mode():
            answers = subject.classifier(images).softmax(dim=1)
        assert found.predictions[region].tolist() == answers.argmax(dim=1).tolist()
        assert found.confidence[region] == pytest.approx(answers.max(dim=1).values.numpy(), abs=1e-5)


def test_rates_are_those_of_the_draws_that_count():
    subject, generator, errors, regions = made()
    found = found_in(subject, generator, errors, regions)
    nearest = Neighbours(generator.codes, generator.labels, 10)
    for region in range(3):
        label = np.full(40, regions.label[region])
        assert np.array_equal(found.kept[region], nearest.agreement(found.codes[region], label) >= 0.8)
        own = found.predictions[region][found.kept[region]]
        assert found.error[region].n == len(own)
        if len(own):
            assert found.error[region].value == pytest.approx(np.mean(own != regions.label[region]))
            assert found.purity[region] == pytest.approx(np.mean(own == regions.prediction[region]))
    assert found.kept[0].all()
    assert not found.kept[2].any()  # around it lie real images of another label
    assert np.isnan(found.purity[2])
    assert found.notes[0].startswith("1 of 3 regions have no fresh draw that counts")


def test_without_the_filter_all_draws_count():
    found = found_in(*made(), TestSettings(draws=40, agreement=0.0))
    assert found.kept.all()
    assert found.error[2].n == 40


def test_dead_regions_have_no_draws_and_others_keep_theirs():
    whole = found_in(*made())
    found = found_in(*made((True, False, True)))
    assert not found.kept[1].any()
    assert found.error[1].n == 0
    assert np.isnan([found.purity[1], found.p[1], found.q[1]]).all()
    assert not found.reproduced[1]
    assert np.array_equal(found.codes[[0, 2]], whole.codes[[0, 2]])
    assert np.array_equal(found.predictions[[0, 2]], whole.predictions[[0, 2]])


def test_draws_are_the_same_for_the_same_seed_and_as_wide_as_asked():
    _, _, _, regions = made()
    first = region_draws(regions, TestSettings(draws=3000, spread=0.25))
    assert np.array_equal(first, region_draws(regions, TestSettings(draws=3000, spread=0.25)))
    assert not np.array_equal(first, region_draws(regions, TestSettings(draws=3000, spread=0.25, seed=1)))
    for region in range(3):
        assert first[region].mean(axis=0) == pytest.approx(regions.mean[region], abs=0.02)
        assert np.cov(first[region].T) == pytest.approx(0.25 * regions.covariance[region], abs=0.003)


def test_real_regions_are_tried_on_the_images_kept_aside_alone():
    subject, _, errors, regions = made()
    trials = {
        "trial_codes": np.concatenate([errors.codes[:30], errors.codes[:60] + 9]),
        "trial_units": np.arange(90).astype(np.str_),
        "trial_labels": np.zeros(90, np.int64),
        "trial_predictions": np.where(np.arange(90) < 20, 1, np.where(np.arange(90) < 24, 2, 0)),
    }
    found = found_in(subject, None, replace(errors, source="real", **trials), replace(regions, source="real"))
    assert found.codes.shape == (3, 0, 4)
    assert found.inside[0].value == pytest.approx(20 / 30, abs=0.05)
    assert found.error[0].value == pytest.approx(24 / 30, abs=0.05)
    assert found.purity[0] == found.inside[0].value
    assert found.reproduced.tolist() == [True, False, False]
    assert found.notes[-1].startswith("2 of 3 regions could not be tried among the seeds kept aside")


def test_the_wrong_source_is_refused():
    subject, generator, errors, regions = made()
    with pytest.raises(ValueError, match="tried again with their generator"):
        found_in(subject, None, errors, regions)
    with pytest.raises(ValueError, match="real ones without"):
        found_in(subject, generator, replace(errors, source="real"), regions)


def test_no_region_is_no_test():
    subject, generator, _, _ = made()
    errors = made_errors([], dimensions=4)
    found = found_in(subject, generator, errors, made_regions(errors, []))
    assert found.codes.shape == (0, 40, 4)
    assert found.error == ()
    assert found.notes == ()


def test_draws_are_filtered_as_the_search_was():
    subject, generator, errors, regions = made()
    mixed = replace(generator, labels=np.where(np.arange(len(generator.labels)) % 2, generator.labels, 1))
    loose, strict = (
        found_in(subject, mixed, errors, regions, replace(SETTINGS, agreement=least)) for least in (0.1, 1.0)
    )
    assert loose.kept.sum() > strict.kept.sum()
    with pytest.raises(ValueError, match="agreement must lie between 0 and 1"):
        replace(SETTINGS, agreement=1.5)


def test_of_real_regions_only_what_concerns_no_draws_is_asked():
    asked = TestSettings(draws=9, spread=1.0, neighbours=3, agreement=0.9, fdr=0.1, seed=4).of_real()
    assert asked == TestSettings(fdr=0.1)
