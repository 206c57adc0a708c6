from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from engine.methods.error_discovery import generated_sets
from engine.methods.error_discovery.arms import lesson_of
from engine.methods.error_discovery.correction import corrected, real_batches
from engine.methods.error_discovery.generated_sets import sets_of
from engine.methods.error_discovery.labelling import labels_of
from engine.methods.error_discovery.settings import ARMS
from engine.runs.progress import Progress
from engine.subject.classifier import weights_hash
from engine.toolkit.prediction import as_tensor
from engine.toolkit.threads import as_many_as_help
from tests.methods.error_discovery.made_correction import EACH, SETTINGS, MeanPanel, found_of, made_inputs, made_subject

KEEP = replace(SETTINGS, keep_weights=True)


@pytest.fixture(autouse=True)
def forgetful():
    generated_sets.latest.last = None


def run(settings=KEEP, subject=None, **changed):
    return corrected(subject or made_subject(), settings, made_inputs(**changed), Progress())


def state_of(found) -> dict[str, torch.Tensor]:
    return safetensors.torch.load(found.weights.tobytes())


def plain_loop(settings) -> dict[str, torch.Tensor]:
    """AdamW on batches of train in the order's turns, without anything else: written out."""
    found = found_of()
    lesson = lesson_of(found, sets_of(found, settings, Progress()), replace(settings, arm="continued"))
    random = np.random.default_rng([settings.order, 18])
    count = settings.steps * settings.batch_size
    rows = np.concatenate([random.permutation(lesson.real) for _ in range(-(-count // len(lesson.real)))])[:count]
    network = deepcopy(found.subject.classifier).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=1e-2)
    # the same sums: a bias before a batch norm has no gradient but rounding, which AdamW makes as large as any other
    with as_many_as_help(found.subject.classifier, settings.batch_size):
        for step in range(settings.steps):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * (1 + np.cos(np.pi * step / settings.steps)) / 2
            own = rows[step * settings.batch_size : (step + 1) * settings.batch_size]
            images = as_tensor(found.subject.images.read(own), torch.device("cpu"))
            optimizer.zero_grad()
            F.cross_entropy(network(images), torch.from_numpy(found.subject.images.labels[own])).backward()
            optimizer.step()
    return network.network.state_dict()


def test_weight_0_is_training_on_bit_for_bit():
    plain = run(replace(KEEP, arm="continued", weight=0.0))
    for arm in ("regions", "identified_mixed", "unlabelled"):
        assert np.array_equal(run(replace(KEEP, arm=arm, weight=0.0)).weights, plain.weights)
    assert not np.array_equal(run(replace(KEEP, weight=0.1)).weights, plain.weights)


def test_training_on_is_what_a_plain_loop_does():
    found, expected = state_of(run(replace(KEEP, arm="continued", weight=0.0))), plain_loop(KEEP)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-6)


def test_the_loss_is_that_of_real_images_plus_the_weighted_one_of_generated_ones():
    settings = replace(KEEP, steps=1, weight=0.3)
    found = found_of()
    sets = sets_of(found, settings, Progress())
    lesson = lesson_of(found, sets, settings)
    images, labels = next(real_batches(found.subject.images, lesson.real, torch.device("cpu"), settings))
    rows = np.random.default_rng([0, 19]).permutation(len(lesson.generated.codes))[: settings.batch_size]
    network = deepcopy(found.subject.classifier).train()
    made = found.decoder.images(lesson.generated.codes[rows], lesson.generated.labels[rows])
    with torch.no_grad():
        answers = network(torch.cat([images, made]))
        on_real = F.cross_entropy(answers[: len(images)], labels)
        on_made = F.cross_entropy(answers[len(images) :], torch.from_numpy(lesson.generated.truth[rows]))
    assert run(settings).loss[0] == pytest.approx(float(on_real + 0.3 * on_made), rel=1e-6)


def test_generated_images_alone_leave_the_batch_norms_as_they_are():
    before = made_subject().classifier.network.state_dict()
    after = state_of(run(replace(KEEP, arm="identified", weight=1.0)))
    for name in ("features.1.running_mean", "features.1.running_var", "features.1.num_batches_tracked"):
        assert torch.equal(after[name], before[name])
    assert not torch.equal(after["features.1.weight"], before["features.1.weight"])


def test_all_arms_see_the_same_real_images_in_the_same_order_and_none_of_a_held_out_seed():
    for shared in (False, True):
        found = found_of(shared=shared)
        for seed in range(4):
            settings = replace(SETTINGS, seed=seed)
            sets = sets_of(found, settings, Progress())
            held = set(sets.division.held_units.tolist())
            assert held
            lessons = {arm: lesson_of(found, sets, replace(settings, arm=arm)) for arm in ARMS}
            alone = lessons.pop("identified")
            assert not len(alone.real)
            for arm, lesson in {**lessons, "identified": alone}.items():
                own = found.subject.images.units()[lesson.real]
                assert not held & set(own.tolist())
                assert not held & set(lesson.generated.units.tolist())
                assert not set(sets.division.held) & set(lesson.generated.of.tolist()), arm
            assert len({lesson.real.tobytes() for lesson in lessons.values()}) == 1


def test_training_on_regions_teaches_them_and_the_given_classifier_stays_as_it_is():
    subject = made_subject()
    name = weights_hash(subject.classifier.network)
    settings = replace(SETTINGS, steps=60, weight=3.0)
    before = run(replace(settings, arm="before", weight=0.0), subject)
    after = run(settings, subject)
    assert weights_hash(subject.classifier.network) == name
    assert not len(before.loss)
    assert len(after.loss) == 60
    assert after.loss[-5:].mean() < after.loss[:5].mean()
    assert after.region_right.mean() > before.region_right.mean() + 0.2
    assert not len(after.weights)
    assert set(after.region_of.tolist()) == set(after.used)
    assert set(after.held_of.tolist()) == set(after.held)
    assert not set(after.used) & set(after.held)


def test_before_is_the_classifier_as_it_was_given():
    found = run(replace(KEEP, arm="before", weight=0.0))
    state = made_subject().classifier.network.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in state_of(found).items())
    assert found.fresh_right.tolist() == (~found.fresh_wrong).tolist()
    assert found.tuning_right.tolist() == (~found.tuning_wrong).tolist()


def test_the_same_question_has_the_same_answer_and_another_order_another_one():
    first, again, other = (run(replace(KEEP, order=order)) for order in (0, 0, 1))
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)
    assert first.used == other.used
    assert np.array_equal(first.fresh_wrong, other.fresh_wrong)


@pytest.mark.parametrize(("arm", "labels"), [("before", 0), ("continued", 0), ("unlabelled", 0), ("regions", 3)])
def test_what_an_arm_costs_in_labels(arm, labels):
    assert run(replace(SETTINGS, arm=arm)).labels == labels


def test_single_errors_are_those_of_used_regions_or_all_that_the_oracle_says_are_wrong():
    found = found_of()
    settings = replace(SETTINGS, arm="identified")
    sets = sets_of(found, settings, Progress())
    lesson = lesson_of(found, sets, settings)
    assert lesson.labels == len(lesson.generated.codes) == EACH * 3  # nothing is shared, so three whole regions
    assert lesson.generated.truth.tolist() == [sets.division.target[each] for each in lesson.generated.of.tolist()]
    told = found_of(panel=MeanPanel())
    lesson = lesson_of(told, sets_of(told, settings, Progress()), settings)
    assert lesson.labels == EACH * 3
    assert 0 < len(lesson.generated.codes) < EACH * 3
    assert set(lesson.generated.truth.tolist()) == {0, 1}


def test_what_cannot_be_is_one_sentence():
    with pytest.raises(ValueError, match="no region was given a class"):
        run(labels=labels_of({0: ("unreadable", -1)}, (), "ada"))
    everything = [(number, draw) for number in range(4) for draw in range(40)]
    said = labels_of(dict.fromkeys(range(4), ("class", 0)), everything, "ada")
    with pytest.raises(ValueError, match="the arm regions has no generated image to learn from"):
        run(labels=said)


def test_a_lone_region_is_used_and_the_lack_of_others_is_said():
    found = run(labels=labels_of({2: ("class", 2)}, (), "ada"))
    assert (found.used, found.held) == ((2,), ())
    assert not len(found.held_right)
    assert any("No region is held out" in note for note in found.notes)
    assert any("Without an oracle" in note for note in found.notes)
    told = run(panel=MeanPanel(), labels=labels_of({2: ("class", 2)}, (), "ada"))
    assert not any("Without an oracle" in note for note in told.notes)
