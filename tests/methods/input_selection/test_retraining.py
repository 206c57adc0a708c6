from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch

from engine.methods.input_selection import retraining
from engine.methods.input_selection.retraining import arm_name, portions, retrained
from engine.methods.input_selection.selecting import selected
from engine.methods.input_selection.settings import RetrainingSettings, SelectionSettings, VerdictSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier, weights_hash
from tests.methods.input_selection.made_subjects import made_images, made_subject

ARMS = ("random", "class_random", "highest_loss", "mode_dhwi", "mode_published")


def asked(strategy="class_random", **changed):
    choice = SelectionSettings(strategy, targets=(2,), budget=12)
    return RetrainingSettings(choice, rounds=2, steps=4, batch_size=16, learning_rate=0.01, **changed)


def run(settings, subject=None, **inputs):
    return retrained(subject or made_subject(), settings, inputs, Progress())


@pytest.fixture(scope="module")
def runs():
    return {name: run(asked(name)) for name in ARMS}


def test_every_arm_starts_equal_and_spends_the_same(runs):
    for name, found in runs.items():
        assert found.strategy == name
        for figure in ("accuracy", "target_recall", "target_precision", "worst_recall", "diagnosis_accuracy"):
            assert len(getattr(found, figure)) == 3
            assert getattr(found, figure)[0] == getattr(runs["random"], figure)[0]
        assert found.broken[0] == found.fixed[0] == 0
        assert len(set(found.picks.ids.tolist())) == 12  # the second round takes nothing that the first one took
        assert len(found.layers) == 2
        gained = found.fixed[-1] - found.broken[-1]
        assert gained == pytest.approx(60 * (found.accuracy[-1] - found.accuracy[0]))
    assert runs["mode_dhwi"].layers != ("", "") == runs["random"].layers


def test_the_subject_and_its_pool_stay_as_they_are(runs):
    subject = made_subject()
    before = weights_hash(subject.classifier.network), subject.images.fingerprint
    again = run(asked("highest_loss"), subject)
    assert (weights_hash(subject.classifier.network), subject.images.fingerprint) == before
    assert again.picks.ids.tolist() == runs["highest_loss"].picks.ids.tolist()
    assert again.accuracy.tolist() == runs["highest_loss"].accuracy.tolist()


def test_test_decides_nothing():
    """With other labels on test the figures change, but not one pick and not one answer."""
    images = made_images()
    labels = images.labels.copy()
    test = images.indices("test")
    labels[test] = (labels[test] + 1) % 3
    for strategy in ("highest_loss", "mode_dhwi"):
        one = run(asked(strategy, keep_weights=True))
        other = run(asked(strategy, keep_weights=True), made_subject(images=replace(images, labels=labels)))
        assert one.accuracy.tolist() != other.accuracy.tolist()
        assert one.picks.ids.tolist() == other.picks.ids.tolist()
        assert one.weights.tobytes() == other.weights.tobytes()


def test_targets_are_those_of_the_diagnosis_where_none_are_named():
    settings = asked()
    unnamed = replace(settings, selection=replace(settings.selection, targets=()))
    found = run(unnamed)
    assert found.targets == (2,)
    assert found.accuracy.tolist() == run(settings).accuracy.tolist()


def test_other_images_and_another_start_take_the_subjects_place():
    subject = made_subject()
    given = run(asked(), subject, images=lambda: made_images(5), classifier=lambda: made_subject(5).classifier)
    own = run(asked(), made_subject(5))
    assert given.ids.tolist() == made_images(5).ids[made_images(5).indices("test")].tolist()
    assert given.accuracy.tolist() == own.accuracy.tolist()
    assert subject.classifier.network[-1].bias.tolist() == [0, 0, -5]


def test_weights_are_kept_only_when_asked_for():
    assert len(run(asked()).weights) == 0
    kept = safetensors.torch.load(run(asked(keep_weights=True)).weights.tobytes())
    assert set(kept) == set(made_subject().classifier.network.state_dict())


class Keeping(Progress):
    """As a job is: what was kept under a name is given back when it is asked for again."""

    def __init__(self):
        self.pieces, self.labels, self.fractions = {}, set(), []

    def kept(self, name, compute):
        return self.pieces.setdefault(name, compute())

    def report(self, fraction, label):
        self.labels.add(label)
        self.fractions.append(fraction)


def test_a_job_that_keeps_pieces_gives_no_round_those_of_another():
    progress = Keeping()
    found = retrained(made_subject(), asked("mode_dhwi"), {}, progress)
    assert found.picks.ids.tolist() == run(asked("mode_dhwi")).picks.ids.tolist()
    assert progress.pieces == {}
    assert {"choosing", "retraining"} <= progress.labels
    assert 0 <= min(progress.fractions) <= max(progress.fractions) <= 1


def test_names_and_portions():
    assert arm_name(SelectionSettings("mode_dhwi", layer="auto")) == "mode_dhwi@auto"
    assert arm_name(SelectionSettings("mode_dhwi")) == "mode_dhwi"
    assert arm_name(SelectionSettings("gini", layer="auto")) == "gini"
    assert portions(10, 3) == [4, 3, 3]
    with pytest.raises(ValueError, match="a budget of 2 is too small for 3 rounds"):
        portions(2, 3)


def test_no_pool_is_said():
    images = made_images()
    bare = replace(images, roles=np.where(images.roles == "pool", "test", images.roles))
    with pytest.raises(ValueError, match="no image has the role 'pool'"):
        run(asked(), made_subject(images=bare))


def small_pool(keep):
    """The images, of whose pool only so many are left."""
    images = made_images()
    pool = images.indices("pool")
    return images.take(np.setdiff1d(np.arange(len(images)), pool[keep:]))


@pytest.mark.parametrize("how", ["replay", "batch", "scratch"])
def test_rounds_after_the_pool_ran_out_train_on_what_was_chosen_before(how):
    settings = replace(asked("highest_loss", how=how), rounds=4)
    settings = replace(settings, selection=replace(settings.selection, budget=40))
    found = run(settings, made_subject(images=small_pool(15)))
    assert len(found.picks.ids) == 15
    assert len(found.accuracy) == 5
    assert found.layers == ("",) * 4
    short = [note for note in found.picks.notes if note.startswith("Only 5 of 10 images")]
    assert len(short) == 1
    assert [note for note in found.picks.notes if "ran out" in note] == [
        "The pool ran out before round 3; from there on it trains on what was chosen before."
    ]


def test_rounds_that_choose_nothing_take_as_many_steps(monkeypatch):
    steps = []
    own = retraining.fine_tuned

    def counted(subject, rounds, settings, progress):
        steps.append((settings.steps, [len(each) for each in rounds]))
        return own(subject, rounds, settings, progress)

    monkeypatch.setattr(retraining, "fine_tuned", counted)
    settings = replace(asked("mode_dhwi"), rounds=4)
    run(replace(settings, selection=replace(settings.selection, budget=40)), made_subject(images=small_pool(15)))
    assert steps == [(4, [10]), (4, [10, 5]), (4, [10, 5, 0]), (4, [10, 5, 0, 0])]


def test_a_pool_that_is_exhausted_at_the_start_is_said():
    settings = asked()
    ids = made_images().ids.tolist()
    with pytest.raises(ValueError, match="every image of the pool is excluded"):
        run(replace(settings, selection=replace(settings.selection, excluded=tuple(ids))))


def test_targets_go_by_the_persons_rule():
    settings = asked()
    lax = VerdictSettings(recall=0.001, gap=0.999)
    with pytest.raises(ValueError, match="finds no buggy label"):
        run(replace(settings, selection=replace(settings.selection, targets=(), rule=lax)))


def test_answers_and_units_of_test_are_those_of_the_last_round(runs):
    found, images = runs["highest_loss"], made_images()
    test = images.indices("test")
    assert found.ids.tolist() == images.ids[test].tolist()
    assert found.units.tolist() == images.units()[test].tolist()
    assert found.labels.tolist() == images.labels[test].tolist()
    assert found.right.mean() == pytest.approx(found.accuracy[-1])
    assert found.right_before.mean() == pytest.approx(found.accuracy[0])
    assert (found.right_before & ~found.right).sum() == found.broken[-1]


def test_without_train_the_batch_alone_can_be_trained_on():
    images = made_images()
    bare = images.take(np.flatnonzero(images.roles != "train"))
    found = run(asked("highest_loss", how="batch"), made_subject(images=bare))
    assert len(found.picks.ids) == 12


def test_later_rounds_keep_away_from_copies_of_what_was_chosen():
    settings = asked("class_random")
    before = []

    def watched(*given):
        before.append(given[-1])
        return selected(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retraining, "selected", watched)
        found = run(replace(settings, rounds=3))
    assert [len(each) for each in before] == [0, 4, 8]
    assert before[-1] == found.picks.ids[:8].tolist()


def test_the_arms_of_a_seed_share_what_is_found_at_the_start(monkeypatch):
    """Asked in a row, they look at the blocks once, and each gets what it would have got alone."""
    seeds = []
    look = retraining.tapped
    monkeypatch.setattr(
        retraining, "tapped", lambda subject, *rest: seeds.append(subject.images.fingerprint) or look(subject, *rest)
    )
    retraining.found_at_the_start.last = None
    once, other = (replace(asked(name), rounds=1) for name in ("highest_loss", "random"))
    alone = run(once)
    run(other)
    assert len(seeds) == 1
    run(other, images=lambda: made_images(5), classifier=lambda: made_subject(5).classifier)
    again = run(once)
    assert len(seeds) == 3
    blueprint = made_subject().blueprint
    blurred = replace(blueprint, preprocessing=replace(blueprint.preprocessing, mean=(0.3,) * blueprint.channels))
    run(once, classifier=lambda: Classifier(made_subject().classifier.network, blurred))
    assert len(seeds) == 4  # the same weights see other images
    assert again.answers.tolist() == alone.answers.tolist()
