from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.input_selection.fine_tuning import fine_tuned, order
from engine.methods.input_selection.settings import RetrainingSettings, SelectionSettings
from engine.runs.progress import Progress
from engine.subject.classifier import weights_hash
from engine.toolkit.prediction import predict
from tests.methods.input_selection.made_subjects import made_images, made_subject

SETTINGS = RetrainingSettings(SelectionSettings("random"), steps=5, batch_size=20, learning_rate=0.02)


def rows_of(how, rounds, **changed):
    settings = replace(SETTINGS, how=how, **changed)
    found = order(made_subject(), rounds, settings, np.random.default_rng(0))
    return found.reshape(settings.steps, settings.batch_size)


def test_a_replayed_batch_is_half_train_half_what_was_chosen():
    images = made_images()
    pool = images.indices("pool")
    rows = rows_of("replay", [pool[:15], pool[15:30]])
    for batch in rows:
        assert (images.roles[batch] == "train").sum() == 10
    fresh = np.sort(rows[images.roles[rows] == "pool"])
    assert np.unique(fresh).tolist() == pool[:30].tolist()  # both rounds
    assert np.unique(fresh, return_counts=True)[1].max() <= 2  # 50 places for 30 images, each in its turn


def test_the_published_way_sees_the_last_batch_alone():
    pool = made_images().indices("pool")
    assert np.unique(rows_of("batch", [pool[:15], pool[15:30]])).tolist() == pool[15:30].tolist()
    assert np.unique(rows_of("batch", [pool[:15], pool[:0]])).tolist() == pool[:15].tolist()  # the pool ran out


def test_from_scratch_sees_train_and_what_was_chosen_alike():
    images = made_images()
    pool = images.indices("pool")
    rows = rows_of("scratch", [pool[:20]], steps=4)
    assert np.unique(rows).tolist() == sorted([*images.indices("train"), *pool[:20]])


def test_the_replay_is_the_same_whatever_was_chosen():
    images = made_images()
    pool = images.indices("pool")
    one, other = rows_of("replay", [pool[:15]]), rows_of("replay", [pool[40:55]])
    assert np.array_equal(one[:, :10], other[:, :10])
    assert not np.array_equal(one[:, 10:], other[:, 10:])


@pytest.mark.parametrize("how", ["replay", "batch", "scratch"])
def test_the_given_network_is_untouched_and_the_same_question_gives_the_same_weights(how):
    subject = made_subject()
    before = weights_hash(subject.classifier.network)
    chosen = [subject.images.indices("pool")[:30]]
    settings = replace(SETTINGS, how=how)
    first, second = (fine_tuned(subject, chosen, settings, Progress()) for _ in range(2))
    assert weights_hash(subject.classifier.network) == before
    assert weights_hash(first.network) == weights_hash(second.network) != before
    assert not first.training
    other_seed = replace(settings, selection=SelectionSettings("random", seed=1))
    assert weights_hash(fine_tuned(subject, chosen, other_seed, Progress()).network) != weights_hash(first.network)


def test_training_on_what_was_missing_teaches_it():
    subject = made_subject()
    images = subject.images
    test = images.indices("test")
    blue = test[images.labels[test] == 2]
    assert (predict(subject.classifier, images, blue, Progress()).argmax(dim=1) == 2).float().mean() < 0.2
    taught = fine_tuned(subject, [images.indices("pool")], replace(SETTINGS, steps=60), Progress())
    assert (predict(taught, images, blue, Progress()).argmax(dim=1) == 2).float().mean() > 0.9


def test_batch_norms_learn_but_not_from_a_few_images():
    subject = made_subject()
    mean = subject.classifier.network[1].running_mean.clone()
    chosen = [subject.images.indices("pool")]
    many = fine_tuned(subject, chosen, SETTINGS, Progress())
    few = fine_tuned(subject, chosen, replace(SETTINGS, batch_size=4), Progress())
    assert not torch.equal(many.network[1].running_mean, mean)
    assert torch.equal(few.network[1].running_mean, mean)


def test_nothing_to_replay_is_said():
    images = made_images()
    bare = made_subject(images=replace(images, roles=np.where(images.roles == "train", "test", images.roles)))
    with pytest.raises(ValueError, match="none can be replayed"):
        fine_tuned(bare, [images.indices("pool")], SETTINGS, Progress())
