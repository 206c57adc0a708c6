import numpy as np
import pytest
import torch

from engine.methods.error_discovery.features import LastLayer
from engine.methods.error_discovery.halves import aside
from engine.methods.error_discovery.real_errors import components, real_errors
from engine.methods.error_discovery.settings import RealErrorSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from tests.conftest import BLUE, GREEN, RED, RedGreenBlue, colour_images, rgb_blueprint

COUNT = 40


def subject_of(labels, groups=None, colours=None):
    colours = colours or [RED, GREEN, BLUE, RED][: len(labels)] * (len(labels) // 4)
    changed = {} if groups is None else {"groups": np.array(groups)}
    images = colour_images(colours, labels, **changed)
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(RedGreenBlue(), blueprint))


def planted(groups=None):
    """Forty images, of which the ten last reds of four are labelled green, and one has no label."""
    labels = [0, 1, 2, 1] * (COUNT // 4)
    labels[0] = -1
    return subject_of(labels, groups)


def found_in(subject, **changed):
    return real_errors(subject, RealErrorSettings(**changed), Progress())


def test_the_misclassified_images_are_found_with_their_answers():
    subject = planted()
    found = found_in(subject)
    assert found.source == "real"
    assert found.ids.tolist() == subject.images.ids[3::4].tolist()
    assert set(found.labels) == {1}
    assert set(found.predictions) == {0}
    assert (found.p_prediction > 0.99).all()
    assert found.p_label == pytest.approx(1 - found.p_prediction, abs=1e-5)
    assert found.noise.tolist() == [0] * 10
    assert found.notes == ()
    assert dict(found.funnel)["images"] == 39
    assert dict(found.funnel)["misclassified"] == 10


def test_trials_are_all_labelled_images_of_the_half_kept_aside():
    subject = planted()
    found = found_in(subject)
    half = aside(subject.images.units()) & (subject.images.labels >= 0)
    assert found.trial_units.tolist() == subject.images.units()[half].tolist()
    assert found.trial_labels.tolist() == subject.images.labels[half].tolist()
    assert 5 < half.sum() < 35
    assert found.aside.tolist() == aside(found.units).tolist()
    assert found.label_draws.sum() == half.sum()
    wrong = found.trial_predictions != found.trial_labels
    assert sorted(found.trial_units[wrong]) == sorted(found.units[found.aside])
    assert np.array_equal(found.trial_codes[wrong], found.codes[found.aside])


def test_a_group_is_in_one_half():
    groups = [f"g{place // 8}" for place in range(COUNT)]
    found = found_in(planted(groups))
    sides = {unit: set(found.aside[found.units == unit]) for unit in set(found.units)}
    assert all(len(side) == 1 for side in sides.values())
    assert not set(found.units[~found.aside]) & set(found.trial_units)


def test_components_are_of_mean_zero_and_variance_one_and_no_more_than_there_are():
    random = np.random.default_rng(0)
    flat = random.standard_normal((200, 3)) @ random.standard_normal((3, 40)) * 7 + 3
    found = components(flat.astype(np.float32), RealErrorSettings(dimensions=16))
    assert found.shape == (200, 3)
    assert found.mean(axis=0) == pytest.approx(0, abs=1e-4)
    assert np.cov(found.T, bias=True) == pytest.approx(np.eye(3), abs=1e-3)
    assert components(flat.astype(np.float32), RealErrorSettings(dimensions=2)).shape == (200, 2)
    assert components(np.ones((5, 4), np.float32), RealErrorSettings()).tolist() == [[0]] * 5


def test_no_error_is_an_answer_that_says_what_it_rules_out():
    found = found_in(subject_of([0, 1, 2, 0] * 10))
    assert len(found.codes) == 0
    assert found.trial_codes.shape[1] == found.codes.shape[1]
    (said,) = found.notes
    assert said.startswith("None of the 40 images of diagnosis is misclassified, from 40 independent ones")
    assert said.endswith("a rate above 8.76% is ruled out (95 %).")


def test_a_role_without_labelled_images_is_refused():
    with pytest.raises(ValueError, match="no labelled image has the role 'pool'"):
        found_in(planted(), role="pool")


def test_neighbours_of_the_same_unit_do_not_vote():
    # reds labelled green in a group of their own: their nearest others are the reds labelled red
    labels, groups = [0, 1, 2, 1] * 10, ["", "", "", "copies"] * 10
    found = found_in(subject_of(labels, groups))
    assert (found.agreement <= 0.1).all()
    alone = found_in(subject_of(labels))
    assert (alone.agreement > 0.3).any()


def test_the_last_layers_inputs_are_what_the_network_computes():
    subject = planted()
    indices = np.arange(7)
    features, logits = LastLayer(subject).of(indices, Progress(), "")
    pixels = torch.from_numpy(subject.images.read(indices)).float() / 255
    assert features == pytest.approx(pixels.mean(dim=(2, 3)).numpy(), abs=1e-6)
    assert logits == pytest.approx(20 * features, abs=1e-4)
    nothing, none = LastLayer(subject).of(np.zeros(0, np.int64), Progress(), "")
    assert len(nothing) == len(none) == 0
