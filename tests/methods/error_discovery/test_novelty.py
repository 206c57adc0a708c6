from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery import region_tests
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.known_images import Space, apart, fair, known_images, usual_distances
from engine.methods.error_discovery.novelty import novelty, percentile
from engine.methods.error_discovery.settings import NoveltySettings, TestSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import RedGreenBlue, colour_images, rgb_blueprint
from tests.methods.error_discovery.made_errors import made_errors, made_regions
from tests.methods.error_discovery.made_generator import PLACES, made_generator, made_subject

TRAIN, ALL = 60, 90


def subject_of(wrong=True, diagnosis=True):
    """Images of random colours, labelled by the strongest, in train but for a third in diagnosis."""
    colours = np.random.default_rng(0).integers(0, 256, (ALL, 3))
    labels = colours.argmax(axis=1)
    if wrong:
        labels[:TRAIN:6] = (labels[:TRAIN:6] + 1) % 3
    roles = np.where(np.arange(ALL) < TRAIN, "train", "diagnosis" if diagnosis else "test")
    images = colour_images([tuple(each) for each in colours.tolist()], labels.tolist(), roles=roles)
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(RedGreenBlue(), blueprint))


def found_in(subject, space="pixels", alive=(True, True, True)):
    errors, generator = made_errors(PLACES, dimensions=4), made_generator()
    regions = replace(made_regions(errors, PLACES), alive=np.array(alive))
    tests = region_tests.tested(subject, TestSettings(draws=30, agreement=0.0), errors, regions, generator, Progress())
    return novelty(subject, NoveltySettings(space), errors, regions, tests, generator, Progress()), tests, generator


def points_of(images, space):
    flat = images.reshape(len(images), -1)
    colours = images.mean(axis=(2, 3))
    return flat if space == "pixels" else colours / np.linalg.norm(colours, axis=1, keepdims=True)


@pytest.mark.parametrize("space", ["pixels", "features"])
def test_distances_are_those_of_a_slow_loop(space):
    subject = subject_of()
    found, tests, generator = found_in(subject, space)
    real = points_of(subject.images.read(np.arange(ALL)) / 255.0, space)
    wrong = np.arange(0, TRAIN, 6)
    far = np.linalg.norm(real[TRAIN:, None] - real[None, :TRAIN], axis=2)
    assert found.usual == pytest.approx(far.min(axis=1), abs=2e-3)
    decoder = Decoder(generator, subject)
    for region, (label, _, _) in enumerate(PLACES):
        own = points_of(decoder.images(tests.codes[region], np.full(30, label)).numpy(), space)
        apart_by = np.linalg.norm(own[:, None] - real[None, :TRAIN], axis=2)
        assert found.to_all[region] == pytest.approx(np.median(apart_by.min(axis=1)), abs=2e-3)
        assert found.to_errors[region] == pytest.approx(np.median(apart_by[:, wrong].min(axis=1)), abs=2e-3)
        closest = apart_by.min(axis=0)
        named = [subject.images.position[name] for name in found.nearest_all[region]]
        assert closest[named] == pytest.approx(np.sort(closest)[:6], abs=2e-3)
        assert set(found.nearest_errors[region]) <= set(subject.images.ids[wrong])
        assert found.percentile_all[region] == pytest.approx(
            100 * np.mean(found.usual <= found.to_all[region]), abs=1e-9
        )


def test_a_dead_region_has_no_distance():
    found, _, _ = found_in(subject_of(), alive=(True, False, True))
    assert np.isnan([found.to_all[1], found.to_errors[1], found.percentile_all[1]]).all()
    assert found.nearest_all[1].tolist() == [""] * 6
    assert not np.isnan(found.to_all[0])


def test_without_known_errors_or_diagnosis_there_is_nothing_to_compare_with():
    found, _, _ = found_in(subject_of(wrong=False, diagnosis=False))
    assert np.isnan(found.to_errors).all()
    assert (found.nearest_errors == "").all()
    assert not np.isnan(found.to_all).any()
    assert len(found.usual) == 0
    assert np.isnan(found.percentile_all).all()


def test_a_real_error_is_not_its_own_neighbour():
    subject = subject_of()
    errors = made_errors(PLACES, each=3, a_unit=1, source="real")
    ids = subject.images.ids[: len(errors.ids)]
    errors = replace(errors, ids=ids, units=ids)
    regions = made_regions(errors, PLACES, each=3)
    tests = region_tests.tested(subject, TestSettings(), errors, regions, None, Progress())
    found = novelty(subject, NoveltySettings("pixels"), errors, regions, tests, None, Progress())
    real = points_of(subject.images.read(np.arange(TRAIN)) / 255.0, "pixels")
    far = np.linalg.norm(real[:, None] - real[None], axis=2)
    np.fill_diagonal(far, np.inf)
    for region in range(3):
        own = slice(3 * region, 3 * region + 3)
        assert found.to_all[region] == pytest.approx(np.median(far[own].min(axis=1)), abs=2e-3)


def test_pixels_of_large_images_are_averaged_and_small_ones_left():
    subject = made_subject()
    large = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    points, _ = Space(subject, "pixels").of_images(large)
    assert points.shape == (2, 3 * 32 * 16)
    assert points[0, 0].item() == pytest.approx(large[0, 0, :2, :2].mean().item(), abs=1e-6)
    small, _ = Space(subject, "pixels").of_images(large[..., :8, :8])
    assert torch.equal(small, large[..., :8, :8].flatten(1))


def test_the_same_fair_draw_whatever_the_order():
    ids = np.array(["d", "a", "c", "b"])
    assert fair(ids, np.arange(4), 2).tolist() == [1, 3]
    assert fair(ids, np.array([0, 2]), 5).tolist() == [0, 2]


def test_distances_do_not_depend_on_how_many_are_compared():
    space = Space(subject_of(), "features")
    known = known_images(space, Progress())
    many = np.concatenate([known.points] * 6)
    none = np.full(len(many), "")
    found = apart(many, none, known, np.arange(TRAIN))
    assert found[:TRAIN] == pytest.approx(apart(many[:TRAIN], none[:TRAIN], known, np.arange(TRAIN)), abs=1e-3)
    assert len(usual_distances(space, known, Progress())) == ALL - TRAIN


def test_a_percentile_is_the_share_of_the_usual_that_is_no_larger():
    assert percentile(np.array([0.5, 2.0, 9.0, np.nan]), np.array([3.0, 1.0, 2.0, 4.0]))[:3].tolist() == [0, 50, 100]
    assert np.isnan(percentile(np.array([1.0]), np.zeros(0))).all()
