from __future__ import annotations

from dataclasses import astuple, fields

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.metrics.pairwise import cosine_similarity
from torch import nn

from engine.methods.input_optimization.bring_back import bring_back
from engine.methods.input_optimization.differences import differences, layer_names
from engine.methods.input_optimization.pairs import pairs_of
from engine.methods.input_optimization.result import ALREADY, NOT_REACHED, REACHED, Differences
from engine.methods.input_optimization.settings import DifferenceSettings, OptimisationSettings
from engine.runs.progress import Progress
from tests.methods.input_optimization.small import Curved, Noted, curved_subject, made_pixels, subject_of, swept
from tests.toolkit.test_similarity import ssim_by_the_paper

BATCH = "engine.methods.input_optimization.views.batch_size"
WAYS = ("clean_transformed", "transformed_optimised", "clean_optimised")


@pytest.fixture(scope="module")
def chain():
    """A sweep, and an optimisation in which pairs pass already, are reached and are not."""
    subject = curved_subject(8)
    found_sweep = swept(subject)
    choices = OptimisationSettings(grids=(1, 0), images=6, most_steps=4)
    optimisation = bring_back(subject, choices, found_sweep, Progress())
    assert min(optimisation.counts) > 2
    return found_sweep, optimisation


def compared(chain, layer: str = "", subject=None, progress=None) -> Differences:
    return differences(subject or curved_subject(8), DifferenceSettings(layer), *chain, progress or Progress())


def versions(chain, subject) -> dict[str, torch.Tensor]:
    """(P, C, H, W) each: the images of the pairs, unchanged, transformed and optimised."""
    found_sweep, optimisation = chain
    pairs = pairs_of(subject, found_sweep, (1, 0), 6)
    every = np.arange(len(pairs))
    transformed = pairs.transformed(every)
    optimised = transformed.clone()
    optimised[torch.from_numpy(optimisation.state != ALREADY)] += torch.from_numpy(
        optimisation.change.astype(np.float32)
    )
    return {"clean": pairs.clean(every), "transformed": transformed, "optimised": optimised}


LAYERS = {
    "": lambda network, seen: network.act(network.stem(seen)).flatten(1),
    "stem": lambda network, seen: network.stem(seen).flatten(1),
    "head": lambda network, seen: network(seen),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_column_is_what_numpy_and_scikit_learn_say(chain, layer):
    subject = curved_subject(8)
    found, (found_sweep, optimisation) = compared(chain, layer, subject), chain
    network, images = subject.classifier.network, versions(chain, subject)
    with torch.no_grad():
        seen = {name: subject.classifier.preprocess(each) for name, each in images.items()}
        features = {name: LAYERS[layer](network, each).double().numpy() for name, each in seen.items()}
        shares = {name: network(each).double().softmax(dim=1).numpy() for name, each in seen.items()}
    pixels = {name: each.double().numpy() for name, each in images.items()}
    for way in WAYS:
        first, second = way.split("_")
        ours = getattr(found, way)
        for row in range(len(optimisation.state)):
            values = {field.name: getattr(ours, field.name)[row] for field in fields(ours)}
            if second == "optimised" and optimisation.state[row] == NOT_REACHED:
                assert all(np.isnan(value) for value in values.values())
                continue
            one, other = pixels[first][row], pixels[second][row]
            expected = {
                "l2": np.linalg.norm(other - one),
                "mse": mean_squared_error(one.ravel(), other.ravel()),
                "ssim": ssim_by_the_paper(one, other, 11),
                "feature_cosine": cosine_similarity(features[first][[row]], features[second][[row]])[0, 0],
                "feature_l2": np.linalg.norm(features[second][row] - features[first][row]),
                "kl": entropy(shares[first][row], shares[second][row]),
                "class_changed": float(shares[first][row].argmax() != shares[second][row].argmax()),
            }
            assert values == pytest.approx(expected, rel=2e-3, abs=1e-4)
    labels = found_sweep.labels[optimisation.image]
    for name in ("clean", "transformed", "optimised"):
        answers = getattr(found, name)
        np.testing.assert_array_equal(answers.prediction, shares[name].argmax(axis=1))
        np.testing.assert_allclose(answers.confidence, shares[name].max(axis=1), rtol=1e-4)
        expected = [
            log_loss([label], [share], labels=[0, 1, 2]) for label, share in zip(labels, shares[name], strict=True)
        ]
        np.testing.assert_allclose(answers.loss, expected, rtol=1e-3, atol=1e-5)


def test_where_nothing_was_to_do_nothing_differs(chain):
    found, (_, optimisation) = compared(chain), chain
    already = optimisation.state == ALREADY
    way = found.transformed_optimised
    for name, value in (("l2", 0), ("mse", 0), ("feature_l2", 0), ("kl", 0), ("class_changed", 0)):
        assert (getattr(way, name)[already] == value).all(), name
    np.testing.assert_allclose(way.ssim[already], 1, atol=1e-6)
    np.testing.assert_allclose(way.feature_cosine[already], 1, atol=1e-6)
    np.testing.assert_array_equal(found.clean_optimised.l2[already], found.clean_transformed.l2[already])
    assert (way.l2[optimisation.state == REACHED] > 0).all()


def test_only_what_was_reached_has_numbers_of_the_way_back_and_all_have_those_of_the_way_there(chain):
    found, (_, optimisation) = compared(chain), chain
    missed = optimisation.state == NOT_REACHED
    for way in (found.transformed_optimised, found.clean_optimised):
        for column in astuple(way):
            np.testing.assert_array_equal(np.isnan(column), missed)
    assert not any(np.isnan(column).any() for column in astuple(found.clean_transformed))
    assert not any(np.isnan(answers.loss).any() for answers in (found.clean, found.transformed, found.optimised))
    np.testing.assert_allclose(found.transformed_optimised.l2[~missed], optimisation.distance[~missed], rtol=5e-3)


def test_the_margin_distance_has_the_sign_of_the_answer(chain):
    found, (found_sweep, optimisation) = compared(chain), chain
    right = found.transformed.prediction == found_sweep.labels[optimisation.image]
    assert 3 < right.sum() < len(right) - 3
    np.testing.assert_array_equal(found.margin_distance > 0, right)
    # the way to any answer that is right is no longer than that to a sure one, up to what the halving leaves
    done = (optimisation.state == REACHED) & ~right
    assert (-found.margin_distance[done] <= optimisation.distance[done] * 1.25).all()


# layers


def test_by_default_it_is_what_the_last_layer_is_given(chain):
    assert compared(chain).layer == "input of head"
    assert compared(chain, "act").layer == "act"
    for ours, theirs in zip(astuple(compared(chain)), astuple(compared(chain, "act")), strict=True):
        if isinstance(ours, tuple):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_an_unknown_layer_is_refused_with_those_there_are(chain):
    with pytest.raises(ValueError, match="the network has no layer 'neck'; it has stem, act, head"):
        compared(chain, "neck")


def test_the_names_are_those_of_the_layers_that_have_none_inside():
    subject = curved_subject(8)
    subject.classifier.network = nn.Sequential(nn.Sequential(nn.Flatten(), nn.ReLU()), nn.Linear(144, 3))
    assert layer_names(subject) == ["0.0", "0.1", "1"]


class Odd(Curved):
    """A network with layers that can't be compared."""

    def __init__(self) -> None:
        super().__init__()
        self.pair, self.spare, self.turn = Pair(), nn.Linear(1, 1), Turn()

    def forward(self, images):
        self.turn(self.pair(images)[0])
        return super().forward(images)


class Pair(nn.Module):
    def forward(self, images):
        return images, images


class Turn(nn.Module):
    def forward(self, images):
        return images.flatten(1).T


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("pair", "a layer of type Pair puts out a tuple, not one tensor"),
        ("spare", "layer 'spare' is not run when images are classified, so it has no features"),
        ("turn", r"layer 'turn' puts out \(144, 36\) for 36 images, not one row an image, so it can't be compared"),
    ],
)
def test_a_layer_that_cannot_be_compared_is_refused_in_a_sentence(chain, layer, sentence):
    subject = curved_subject(8)
    subject.classifier.network = Odd()
    with pytest.raises(ValueError, match=sentence):
        compared(chain, layer, subject)


# rows are alone


@pytest.mark.parametrize("size", [1, 3])
def test_the_batch_size_changes_nothing(chain, size, monkeypatch):
    expected = compared(chain)
    monkeypatch.setattr(BATCH, lambda classifier: size)
    assert_same(compared(chain), expected)


def assert_same(found: Differences, expected: Differences, rows=slice(None)) -> None:
    for field in fields(Differences):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if field.name == "layer":
            assert ours == theirs
        elif field.name == "margin_distance":
            np.testing.assert_allclose(ours, theirs[rows], rtol=5e-3, atol=1e-4)
        else:
            for one, other in zip(astuple(ours), astuple(theirs), strict=True):
                np.testing.assert_allclose(one, other[rows], rtol=2e-3, atol=2e-4)


def test_other_images_change_nothing_for_a_pair(chain):
    found_sweep, optimisation = chain
    subject = curved_subject(8)
    choices = OptimisationSettings(grids=(1, 0), images=2, most_steps=4)
    fewer = (found_sweep, bring_back(subject, choices, found_sweep, Progress()))
    assert_same(compared(fewer), compared(chain), optimisation.image < 2)


def test_a_full_device_changes_nothing(chain):
    expected, subject, told = compared(chain), curved_subject(8), Noted()
    whole = subject.classifier.forward

    def narrow(images):
        if len(images) > 10:
            raise torch.OutOfMemoryError("too much")
        return whole(images)

    subject.classifier.forward = narrow
    assert_same(compared(chain, subject=subject, progress=told), expected)
    assert [sentence.split(":")[0] for sentence in told.notes] == [
        f"the batch was halved to {size} images" for size in (18, 9)
    ]
    assert min(np.diff(told.fractions)) > -1e-9


# the classifier


def test_the_classifier_is_left_as_it_was(chain):
    subject = curved_subject(8)
    subject.classifier.network.stem.weight.requires_grad_(False)
    wanted = [weight.requires_grad for weight in subject.classifier.parameters()]
    compared(chain, "stem", subject)
    assert [weight.requires_grad for weight in subject.classifier.parameters()] == wanted
    assert all(weight.grad is None for weight in subject.classifier.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in subject.classifier.modules())


def test_nan_on_the_way_to_a_boundary_stops_with_the_pair_named(chain):
    subject, (found_sweep, _) = curved_subject(8), chain
    pairs = pairs_of(subject, found_sweep, (1, 0), 6)
    wrong = np.flatnonzero(pairs.column("prediction") != found_sweep.labels[pairs.image])
    broken, whole = pairs.transformed(wrong[-1:]), subject.classifier.forward

    def breaks(images):
        at = (images - broken).abs().flatten(1).amax(dim=1) < 1e-6
        return torch.where(at[:, None] & images.requires_grad, torch.nan, whole(images))

    subject.classifier.forward = breaks
    with pytest.raises(ValueError, match="the network gives NaN or infinity for ") as error:
        compared(chain, subject=subject)
    assert str(error.value).endswith(f" {pairs.said(int(wrong[-1]))}")


def test_what_the_paper_s_rule_moved_is_compared_too(monkeypatch):
    """It moves pairs that pass already as well."""
    monkeypatch.setattr("engine.methods.input_optimization.paper.MOST_STEPS", 5)
    subject = subject_of(Curved(), made_pixels(4))
    found_sweep = swept(subject, ("gaussian_blur",))
    choices = OptimisationSettings(grids=(0,), step_rule="paper", step_size=0.01)
    optimisation = bring_back(subject, choices, found_sweep, Progress())
    assert optimisation.counts[0] == 0
    found = differences(subject, DifferenceSettings(), found_sweep, optimisation, Progress())
    done = optimisation.state == REACHED
    assert done.sum() > 1
    np.testing.assert_allclose(found.transformed_optimised.l2[done], optimisation.distance[done], rtol=5e-3)
