from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery import region_tests
from engine.methods.error_discovery.decoding import Decoder
from engine.methods.error_discovery.distillation import distilled
from engine.methods.error_discovery.halves import aside
from engine.methods.error_discovery.identification import few_seeds, identified
from engine.methods.error_discovery.search import neighbours_of
from engine.methods.error_discovery.settings import DistillationSettings, IdentificationSettings, TestSettings
from engine.runs.progress import Progress
from tests.methods.error_discovery.made_search import PLANTED, made_generator, made_subject

SETTINGS = IdentificationSettings(draws=40, scale=0.3)
NOWHERE = (2.0, 3.0)


def find(settings=SETTINGS, planted=PLANTED, **changed):
    generator = replace(made_generator(planted=planted), **changed)
    return identified(made_subject(planted), settings, generator, Progress())


def test_the_planted_error_is_found():
    generator, found = made_generator(), find()
    subject = made_subject()
    assert len(found.codes) > 30
    brightest = Decoder(generator, subject).images(found.codes, found.labels).mean(dim=(2, 3)).amax(dim=1).numpy()
    assert ((brightest > PLANTED[0] - 1e-4) & (brightest < PLANTED[1] + 1e-4)).mean() > 0.95
    assert (found.predictions == (found.labels + 1) % 3).mean() > 0.95


def test_the_planted_error_is_reproduced_on_the_seeds_kept_aside():
    generator, found = made_generator(), find()
    regions = distilled(found, DistillationSettings(components=2), Progress())
    tests = region_tests.tested(made_subject(), TestSettings(draws=50), found, regions, generator, Progress())
    planted = regions.alive & (regions.prediction == (regions.label + 1) % 3)
    assert planted.any()
    assert tests.reproduced[planted].any()


def test_what_is_said_of_an_error_is_so():
    generator, subject, found = made_generator(), made_subject(), find()
    again = Decoder(generator, subject).classified(found.codes, found.labels)
    rows = np.arange(len(found.codes))
    assert np.array_equal(again.predictions, found.predictions)
    assert found.p_prediction == pytest.approx(again.probabilities[rows, found.predictions], abs=1e-5)
    assert found.p_label == pytest.approx(again.probabilities[rows, found.labels], abs=1e-5)
    position = subject.images.position
    assert [subject.images.labels[position[each]] for each in found.ids.tolist()] == found.labels.tolist()
    assert (found.predictions != found.labels).all()
    near = neighbours_of(generator, SETTINGS.neighbours)
    assert (found.agreement >= SETTINGS.agreement).all()
    assert (near.distance(found.codes, found.units) <= near.usual + 1e-5).all()
    seeds = dict(zip(generator.ids.tolist(), generator.codes, strict=True))
    moves = found.codes - np.stack([seeds[each] for each in found.ids.tolist()])
    assert found.noise == pytest.approx(np.linalg.norm(moves / generator.spread, axis=1), rel=1e-3)


def test_the_halves_share_no_unit():
    found = find()
    assert found.aside.any()
    assert not found.aside.all()
    assert not set(found.units[found.aside]) & set(found.units[~found.aside])
    assert aside(found.trial_units).all()
    assert not set(found.trial_units) & set(found.units[~found.aside])


def test_trials_are_right_ones_too_and_pass_the_same_filters():
    found, generator = find(), made_generator()
    near = neighbours_of(generator, SETTINGS.neighbours)
    right = found.trial_predictions == found.trial_labels
    assert 0.1 < right.mean() < 1
    assert (near.agreement(found.trial_codes, found.trial_labels, found.trial_units) >= SETTINGS.agreement).all()
    assert np.array_equal(found.label_draws, np.bincount(found.trial_labels, minlength=3))
    wrong = {code.tobytes() for code in found.trial_codes[~right]}
    assert {code.tobytes() for code in found.codes[found.aside]} <= wrong


def test_the_funnel_counts_what_each_filter_leaves():
    found = find()
    names, counts = zip(*found.funnel, strict=True)
    assert names == (
        "images of train", "classified correctly", "their reconstruction, too", "draws", "answered wrongly",
        "neighbours have the label", "near real images", "at most 5 an image", "no duplicates",
        "at most 400 of a label and answer",
    )  # fmt: skip
    assert counts[3] == counts[2] * SETTINGS.draws
    assert list(counts[4:]) == sorted(counts[4:], reverse=True)
    assert counts[-1] == len(found.codes)


def test_filters_can_be_switched_off():
    bare = find(replace(SETTINGS, reconstruction=False, agreement=0, manifold=False))
    names = [name for name, _ in bare.funnel]
    assert not {"their reconstruction, too", "neighbours have the label", "near real images"} & set(names)
    assert dict(bare.funnel)["answered wrongly"] >= dict(find().funnel)["answered wrongly"]


def test_only_seeds_with_a_right_answer_are_searched_around():
    generator = made_generator()
    predictions, reconstructed = generator.labels.copy(), generator.labels.copy()
    predictions[::2] += 1
    reconstructed[1::4] += 1
    found = find(predictions=predictions, reconstructed=reconstructed)
    seeds = set(found.ids.tolist())
    assert seeds <= set(generator.ids[3::4].tolist())
    assert dict(found.funnel)["classified correctly"] == 120
    assert dict(found.funnel)["their reconstruction, too"] == 60
    more = find(replace(SETTINGS, reconstruction=False), predictions=predictions, reconstructed=reconstructed)
    assert set(more.ids.tolist()) & set(generator.ids[1::4].tolist())


def test_seeds_are_of_the_role_and_at_most_so_many_by_their_hash():
    generator = made_generator()
    found = find(replace(SETTINGS, role="diagnosis", images=30))
    own = np.sort(generator.ids[generator.roles == "diagnosis"])[:30]
    assert found.funnel[0] == ("images of diagnosis", 30)
    assert set(found.ids.tolist()) <= set(own.tolist())


def test_nothing_found_is_an_answer_that_says_what_it_rules_out():
    found = find(replace(SETTINGS, scale=0.05), NOWHERE)
    assert len(found.codes) == 0
    (said,) = found.notes
    assert "9,600 draws around 240 images of 80 independent ones" in said
    assert "more than 3.7% of such images" in said  # 1 - 0.05 ** (1 / 80)
    assert len(find().notes) == 0


def test_what_cannot_be_searched_around_is_said():
    generator = made_generator()
    with pytest.raises(ValueError, match="none has the role 'pool'"):
        find(replace(SETTINGS, role="pool"), roles=np.full(len(generator.roles), "train"))
    with pytest.raises(ValueError, match="no image of train is classified correctly with its reconstruction"):
        find(reconstructed=generator.labels + 1)
    with pytest.raises(ValueError, match="no image of train is classified correctly, so"):
        find(replace(SETTINGS, reconstruction=False), predictions=generator.labels + 1)


def test_labels_with_few_independent_seeds_are_counted_and_those_without_images_are_not():
    generator = made_generator()
    assert few_seeds(generator, SETTINGS) == {}
    right = generator.labels.copy()
    train = generator.roles == "train"
    right[generator.labels == 0] = 1  # none of it is recognised
    of_one = np.flatnonzero((generator.labels == 1) & train)
    kept = np.isin(generator.units, np.unique(generator.units[of_one])[:9])
    right[(generator.labels == 1) & ~kept] = 2
    missed = replace(generator, predictions=right)
    assert few_seeds(missed, SETTINGS) == {0: 0, 1: 9}
    ten = np.isin(generator.units, np.unique(generator.units[of_one])[:10])
    enough = replace(missed, predictions=np.where(ten, generator.labels, right))
    assert few_seeds(enough, SETTINGS) == {0: 0}
    rebuilt = replace(generator, reconstructed=right)
    assert few_seeds(rebuilt, SETTINGS) == {0: 0, 1: 9}
    assert few_seeds(rebuilt, replace(SETTINGS, reconstruction=False)) == {}
    four = replace(missed, classes=(*generator.classes, "never seen"))
    assert few_seeds(four, SETTINGS) == {0: 0, 1: 9}


def test_few_seeds_are_those_that_the_search_starts_from():
    generator = made_generator()
    few = replace(SETTINGS, role="diagnosis", images=30)
    own = np.sort(generator.ids[generator.roles == "diagnosis"])[:30]
    rows = np.flatnonzero(np.isin(generator.ids, own) & (generator.predictions == generator.labels))
    rows = rows[generator.reconstructed[rows] == generator.labels[rows]]
    expected = {
        label: len({generator.units[row] for row in rows if generator.labels[row] == label}) for label in range(3)
    }
    assert few_seeds(generator, few) == {label: count for label, count in expected.items() if count < 10}
    assert few_seeds(generator, few)


def test_the_seed_decides_the_draws():
    first, second, other = find(), find(), find(replace(SETTINGS, seed=1))
    assert np.array_equal(first.codes, second.codes)
    assert not np.array_equal(first.codes[:20], other.codes[:20])


def test_the_classifier_stays_as_it_is():
    subject = made_subject()
    identified(subject, replace(SETTINGS, draws=2), made_generator(), Progress())
    assert not subject.classifier.training
    assert not torch.is_inference_mode_enabled()
