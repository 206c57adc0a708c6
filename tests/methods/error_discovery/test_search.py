import numpy as np
import pytest

from engine.methods.error_discovery import search
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.noise import moved
from engine.methods.error_discovery.search import neighbours_of, searched
from engine.methods.error_discovery.settings import IdentificationSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_search import COUNTS, made_generator, made_subject

SETTINGS = IdentificationSettings(draws=6, scale=0.5)
SEEDS = np.arange(0, 60, 2)


def run(tried, settings=SETTINGS):
    generator = made_generator()
    near = neighbours_of(generator, settings.neighbours)
    return searched(Decoder(generator, made_subject()), generator, near, SEEDS, tried, settings, Progress())


def test_every_wrong_draw_comes_back_and_of_tried_seeds_every_draw():
    generator, tried = made_generator(), np.arange(len(SEEDS)) < 10
    found = run(tried)
    codes, length = moved(
        generator.codes[SEEDS], generator.spread, "gaussian", 0.5, 6, np.random.default_rng([SETTINGS.seed, 1])
    )
    seed = np.repeat(SEEDS, 6)
    answers = Decoder(generator, made_subject()).classified(codes, generator.labels[seed])
    rows = np.flatnonzero((answers.predictions != generator.labels[seed]) | (seed < SEEDS[10]))
    assert 60 < len(rows) < len(seed)
    assert np.array_equal(found.codes, codes[rows])
    assert np.array_equal(found.seed, seed[rows])
    assert np.array_equal(found.predictions, answers.predictions[rows])
    assert np.array_equal(found.length, length[rows])
    assert found.p_prediction == pytest.approx(answers.probabilities[rows].max(axis=1), abs=1e-6)
    assert found.p_label == pytest.approx(answers.probabilities[rows, generator.labels[seed[rows]]], abs=1e-6)


def test_the_own_unit_is_passed_over_among_the_neighbours():
    generator, found = made_generator(), run(np.ones(len(SEEDS), bool))
    near = neighbours_of(generator, SETTINGS.neighbours)
    labels, units = generator.labels[found.seed], generator.units[found.seed]
    assert np.array_equal(found.agreement, near.agreement(found.codes, labels, units))
    assert (found.distance > near.distance(found.codes) + 1e-4).any()


def test_portions_do_not_matter(monkeypatch):
    tried = np.arange(len(SEEDS)) % 2 == 0
    whole = run(tried)
    monkeypatch.setattr(search, "PIECE", 20)
    parts = run(tried)
    assert np.array_equal(whole.seed, parts.seed)
    assert np.array_equal(whole.codes, parts.codes)
    assert whole.p_label == pytest.approx(parts.p_label, abs=1e-5)
    assert whole.agreement == pytest.approx(parts.agreement)


def test_neighbours_are_images_of_train():
    assert len(neighbours_of(made_generator(), 5).codes) == COUNTS["train"]
