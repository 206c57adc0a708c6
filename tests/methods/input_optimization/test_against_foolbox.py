from __future__ import annotations

import pytest
import torch

from engine.loading.demos import open_demo
from engine.methods.input_optimization.criteria import right
from engine.methods.input_optimization.step_rules import Minimal, length
from engine.toolkit.frozen import frozen
from engine.toolkit.prediction import as_tensor
from tests.methods.input_optimization.small import Curved, made_pixels, optimised, subject_of, tensor_of

foolbox = pytest.importorskip("foolbox", reason="foolbox is needed for its DDN", exc_type=ImportError)
COUNT, STEPS = 20, 60


def smooth_network():
    """Images of a small random network, each to be taken for the next class."""
    classifier = subject_of(Curved(classes=5), made_pixels(COUNT), classes=5).classifier
    images = tensor_of(made_pixels(COUNT))
    with torch.inference_mode():
        labels = (classifier(images).argmax(dim=1) + 1) % 5
    return classifier, images, labels.clone()


def built_in_digits():
    """Diagnosis images that the built-in classifier gets wrong."""
    classifier, images = open_demo("digits")
    own = images.indices("diagnosis")[:400]
    pixels, labels = as_tensor(images.read(own), classifier.device), torch.from_numpy(images.labels[own])
    with torch.inference_mode():
        wrong = (classifier(pixels).argmax(dim=1) != labels).nonzero()[:COUNT, 0].clone()
    return classifier, pixels[wrong], labels[wrong]


@pytest.mark.parametrize("problem", [smooth_network, built_in_digits])
def test_the_smallest_change_is_no_larger_than_foolbox_s(problem):
    classifier, images, labels = problem()
    assert len(images) == COUNT
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1))
    with frozen(classifier):
        ours = optimised(classifier, images, labels, right(0.0), Minimal(STEPS), STEPS)
        criterion = foolbox.criteria.TargetedMisclassification(labels)
        _, theirs, solved = foolbox.attacks.DDNAttack(steps=STEPS)(model, images, criterion, epsilons=None)
    both = ours.reached & solved
    assert both.sum() >= COUNT // 2
    assert ours.reached.sum() >= solved.sum()
    distance, other = length(ours.place - images)[both], length(theirs - images)[both]
    assert (distance / other).median() <= 1.02
    assert distance.median() <= 1.02 * other.median()
