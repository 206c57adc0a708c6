from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.methods.cam_training import perturbing
from engine.methods.cam_training.capture import attached
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.perturbing import ablation_weights, score_weights
from engine.methods.cam_training.targets import target
from tests.methods.cam_training.nets import Averaging, Flattening, classifier_of, drawn, hooks, noise

FEATURES = MapLayer("features", 6, 4, 4, "nchw", 0)
LABELS = torch.tensor([0, 1, 2, 0])
CLASSIFIER = classifier_of(drawn(Flattening()))


def asked(classifier=CLASSIFIER, layer=FEATURES):
    """Images, the layer's maps, the score and what is asked for."""
    with torch.no_grad(), attached(classifier.network, layer) as seen:
        logits = classifier(noise())
    wanted = target(logits, LABELS[: len(logits)], "prediction", "rest")
    return seen, wanted, wanted.score(logits)


def test_score_cam_agrees_with_the_book():
    seen, wanted, _ = asked()
    network = CLASSIFIER.network
    expected = torch.zeros(4, 6)
    for n in range(4):
        given = CLASSIFIER.preprocess(noise()[n : n + 1])
        for k in range(6):
            mask = F.interpolate(seen[-1][n : n + 1, k : k + 1], (8, 8), mode="bilinear")
            if mask.max() > mask.min():
                mask = (mask - mask.min()) / (mask.max() - mask.min())
            else:
                mask = torch.zeros_like(mask)
            with torch.no_grad():
                expected[n, k] = wanted.take(torch.tensor([n])).score(network(given * mask)).item()
    found = score_weights(CLASSIFIER, noise(), seen[-1], wanted)
    torch.testing.assert_close(found, expected.softmax(dim=1))
    torch.testing.assert_close(found.sum(dim=1), torch.ones(4))
    assert hooks(CLASSIFIER) == 0


def test_ablation_agrees_with_the_book():
    seen, wanted, scores = asked()
    expected = torch.zeros(4, 6)
    for n in range(4):
        for k in range(6):
            without = seen[-1][n : n + 1].clone()
            without[0, k] = 0
            with torch.no_grad():
                logits = CLASSIFIER.network.fc(without.flatten(1))
            expected[n, k] = scores[n] - wanted.take(torch.tensor([n])).score(logits).item()
    found = ablation_weights(CLASSIFIER, FEATURES, noise(), seen, wanted, scores)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert hooks(CLASSIFIER) == 0


@pytest.mark.parametrize("size", [1, 5, 24, 100])
def test_batches_of_channels_change_nothing(monkeypatch, size):
    seen, wanted, scores = asked()
    before = score_weights(CLASSIFIER, noise(), seen[-1], wanted)
    without = ablation_weights(CLASSIFIER, FEATURES, noise(), seen, wanted, scores)
    monkeypatch.setattr(perturbing, "batch_size", lambda classifier: size)
    torch.testing.assert_close(score_weights(CLASSIFIER, noise(), seen[-1], wanted), before)
    torch.testing.assert_close(ablation_weights(CLASSIFIER, FEATURES, noise(), seen, wanted, scores), without)


def test_under_a_linear_head_a_channel_is_worth_its_weight_times_its_mean():
    classifier = classifier_of(drawn(Averaging()))
    with torch.no_grad(), attached(classifier.network, FEATURES) as seen:
        logits = classifier(noise())
    wanted = target(logits, LABELS, "1", "0")
    found = ablation_weights(classifier, FEATURES, noise(), seen, wanted, wanted.score(logits))
    weight = classifier.network.fc.weight.detach()
    torch.testing.assert_close(found, seen[-1].mean(dim=(2, 3)) * (weight[1] - weight[0]))


def test_the_class_is_that_of_the_whole_image_not_of_what_is_left_of_it():
    class Fickle(nn.Module):
        """Says class 0 of bright images, class 1 of dark ones; a mask makes all dark."""

        def __init__(self):
            super().__init__()
            self.features = nn.Conv2d(3, 2, 1)

        def forward(self, images):
            bright = images.mean(dim=(1, 2, 3)) - 1 + 0 * self.features(images).mean(dim=(1, 2, 3))
            return torch.stack([bright, -bright, bright - 9], dim=1)

    classifier = classifier_of(drawn(Fickle()))
    images = torch.ones(1, 3, 8, 8)
    images[..., 0] = 0.9
    layer = MapLayer("features", 2, 8, 8, "nchw", 0)
    with torch.no_grad(), attached(classifier.network, layer) as seen:
        wanted = target(classifier(images), LABELS[:1], "prediction", "rest")
    assert wanted.of.item() == 0
    asked_for = []
    wanted_score = type(wanted).score

    def told(self, logits):
        asked_for.extend(self.of.tolist())
        assert logits.argmax(dim=1).tolist() == [1] * len(logits)
        return wanted_score(self, logits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(wanted), "score", told)
        score_weights(classifier, images, seen[-1], wanted)
    assert asked_for == [0, 0]


def test_of_a_layer_that_runs_twice_only_the_last_time_is_changed():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.relu = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.ReLU()
            self.fc = nn.Linear(3, 3)

        def forward(self, images):
            first = self.relu(self.first(images))
            return self.fc((first + self.relu(self.second(first))).mean(dim=(2, 3)))

    classifier = classifier_of(drawn(Twice()))
    layer = MapLayer("relu", 3, 8, 8, "nchw", 0)
    with torch.no_grad(), attached(classifier.network, layer) as seen:
        logits = classifier(noise())
    assert len(seen) == 2
    wanted = target(logits, LABELS, "1", "")
    found = ablation_weights(classifier, layer, noise(), seen, wanted, wanted.score(logits))
    torch.testing.assert_close(found, seen[-1].mean(dim=(2, 3)) * classifier.network.fc.weight[1].detach())


def test_hooks_are_gone_after_an_error():
    seen, wanted, scores = asked()
    with pytest.raises(RuntimeError):
        score_weights(CLASSIFIER, noise(), seen[-1], target(torch.zeros(4, 9), LABELS, "8", ""))
    with pytest.raises(RuntimeError):
        ablation_weights(CLASSIFIER, FEATURES, noise(side=8), [seen[-1][:, :, :2]], wanted, scores)
    assert hooks(CLASSIFIER) == 0
