from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from engine.methods.input_selection.layer_choice import chosen_layer, head_sentence, resampled_means, saturated
from engine.methods.input_selection.probes import probed
from engine.methods.input_selection.result import Probes, Tap, Taps
from engine.methods.input_selection.settings import ProbeSettings, TapSettings
from engine.methods.input_selection.tapping import tapped
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.image_set import ArrayPixels, content_ids
from engine.subject.subject import joined
from tests.conftest import colour_images, rgb_blueprint
from tests.methods.input_selection.made_taps import made_role


def by_hand(train, diagnosis, n=100, units=None):
    """Probes whose recalls of label 0 at each tap are these, all images having that label."""
    count = len(train)

    def right(recalls):
        return np.arange(n)[None] < np.round(np.array(recalls) * n)[:, None]

    roles = tuple(made_role(name, [0] * n, units=units, seen=name == "train") for name in ("train", "diagnosis"))
    taps = Taps(("a", "b", "c"), tuple(Tap(f"block {at}", 4, 1) for at in range(count)), roles)
    none, one = np.full((count, 3), np.nan), np.zeros(count)
    return Probes(
        "ridge", none, none, one, one, right(diagnosis), right(train), right(diagnosis), (), (), (), none,
    ), taps  # fmt: skip


@pytest.mark.parametrize(
    ("recalls", "expected"),
    [
        ([0.3, 0.9, 0.9, 0.85], 1),  # saturated: what follows is no clearer
        ([0.3, 0.5, 0.7, 0.9], 3),
        ([0.3, 0.6, 0.9, 0.2], 2),  # lost by the last block
        ([0.9, 0.9, 0.9, 0.9], 0),
        ([0.5, 0.3, 0.9, 0.9], 2),
    ],
)
def test_an_under_fitted_label_points_to_where_its_recall_ends_to_grow(recalls, expected):
    probes, taps = by_hand([0.9] * 4, recalls)
    choice = chosen_layer(probes, taps, 0, "under-fitted")
    assert (choice.tap, choice.name) == (expected, f"block {expected}")
    np.testing.assert_allclose(choice.values[:, 0], recalls)
    assert ((choice.values[:, 1] <= recalls) & (recalls <= choice.values[:, 2])).all()
    assert f"{recalls[expected]:.0%}" in choice.why


@pytest.mark.parametrize(
    ("diagnosis", "expected", "said"),
    [
        ([0.97, 0.95, 0.6, 0.5], 2, "Here the gap opens first"),
        ([0.5, 0.5, 0.5, 0.5], 0, "open from the first block on"),
        ([0.97, 0.95, 0.9, 0.8], 3, "no probe of a has a gap"),  # above the threshold, but not surely
    ],
)
def test_an_over_fitted_label_points_to_where_its_gap_opens(diagnosis, expected, said):
    probes, taps = by_hand([0.98] * 4, diagnosis)
    choice = chosen_layer(probes, taps, 0, "over-fitted")
    assert choice.tap == expected
    assert said in choice.why
    assert choice.of_gap
    np.testing.assert_allclose(choice.values[:, 0], 0.98 - np.array(diagnosis))
    assert chosen_layer(probes, taps, 0, "over-fitted", gap=0.7).tap == 3


def test_the_gap_is_told_by_its_own_probes_and_of_seen_images_alone():
    probes, taps = by_hand([0.98] * 3, [0.9, 0.3, 0.3])
    other = replace(probes, gap_diagnosis=by_hand([0.98] * 3, [0.9, 0.9, 0.3])[0].gap_diagnosis)
    assert chosen_layer(other, taps, 0, "over-fitted").tap == 2
    train, held = taps.roles
    half = replace(train, seen=(np.arange(100) >= 50).astype(np.int8))  # the first are right, the last are not
    unlike = replace(probes, gap_right=np.arange(100)[None] < np.array([[50], [50], [100]]))
    found = chosen_layer(unlike, replace(taps, roles=(half, held)), 0, "over-fitted")
    assert found.tap == 2
    np.testing.assert_allclose(found.values[:, 0], [-0.9, -0.3, 0.7])


@pytest.mark.parametrize(
    ("read", "answered", "said"),
    [
        (0.99, 0.05, "for 99% of its images of diagnosis, while the classifier itself answers right for 5%"),
        (0.99, 0.9, None),  # surely more, but not much
        (0.5, 0.5, None),
        (0.05, 0.99, None),
    ],
)
def test_features_that_the_head_does_not_read_are_said(read, answered, said):
    probes, taps = by_hand([0.9] * 2, [0.2, read])
    held = taps.roles[1]
    logits = np.zeros_like(held.logits)
    logits[np.arange(100), np.where(np.arange(100) < round(100 * answered), 0, 1)] = 4
    found = head_sentence(probes, replace(taps, roles=(taps.roles[0], replace(held, logits=logits))), 0)
    assert found is None if said is None else said in found and "head is at fault" in found


def test_a_few_units_are_no_evidence_against_the_head():
    probes, taps = by_hand([0.9], [0.6], units=np.repeat(np.arange(5), 20))  # three of five scans, all or none of each
    held = taps.roles[1]
    logits = np.zeros_like(held.logits)
    logits[np.arange(100), np.where(np.arange(100) < 20, 0, 1)] = 4
    one_scan = replace(taps, roles=(taps.roles[0], replace(held, logits=logits)))
    assert head_sentence(probes, one_scan, 0) is None
    alone = replace(one_scan, roles=tuple(replace(each, units=each.ids) for each in one_scan.roles))
    assert "60% of its images" in head_sentence(probes, alone, 0)
    assert head_sentence(probes, replace(taps, roles=taps.roles[:1]), 0) is None
    assert head_sentence(probes, taps, 1) is None


def test_noise_points_to_no_layer():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    features = tuple(random.standard_normal((600, 200)).astype(np.float32) for _ in range(2))
    roles = tuple(
        replace(made_role(name, labels, seen=name == "train"), features=tuple(each[part] for each in features))
        for name, part in (("train", slice(300)), ("diagnosis", slice(300, None)))
    )
    taps = Taps(("a", "b", "c"), tuple(Tap(f"block {at}", 200, 1) for at in range(2)), roles)
    probes = probed(taps, ProbeSettings(), Progress())
    assert probes.train_accuracy.min() > 0.9
    for label in range(3):
        choice = chosen_layer(probes, taps, label, "over-fitted")
        assert choice.name == "block 1"
        assert "no probe of" in choice.why


def test_a_healthy_label_or_one_without_images_points_to_the_last():
    probes, taps = by_hand([0.98] * 3, [0.9, 0.2, 0.1])
    assert chosen_layer(probes, taps, 0, "healthy").tap == 2
    assert chosen_layer(probes, taps, 1, "under-fitted").tap == 2
    assert chosen_layer(probes, taps, 1, "over-fitted").tap == 2
    alone = replace(taps, roles=taps.roles[:1])
    assert np.isnan(chosen_layer(probes, alone, 0, "over-fitted").values).all()


def test_units_are_drawn_whole_and_in_pairs():
    right = np.array([[1, 1, 0, 0, 0, 1], [1, 1, 1, 1, 0, 1]], bool)
    units = np.array(["a", "a", "b", "b", "b", "c"])
    found = resampled_means(right, units, np.random.default_rng(0))
    draws = np.random.default_rng(0).multinomial(3, np.full(3, 1 / 3), size=len(found))
    for place in range(20):
        rows = np.concatenate([np.flatnonzero(units == name).repeat(times) for name, times in
                               zip("abc", draws[place], strict=True)])  # fmt: skip
        np.testing.assert_allclose(found[place], right[:, rows].mean(axis=1))


def test_what_images_of_one_unit_share_is_no_evidence():
    first = np.repeat(np.arange(12) < 6, 30)
    second = np.repeat(np.isin(np.arange(12), [0, 1, 2, 3, 4, 6, 7]), 30)  # two scans gained, one lost
    right = np.stack([first, second])
    assert saturated(right, np.repeat(np.arange(12), 30), seed=0) == 0
    assert saturated(right, np.arange(360), seed=0) == 1


def pictures(n, seed):
    """Classes by whether red and green are alike, which no single linear layer sees; blue is noise."""
    random = np.random.default_rng(seed)
    bright = random.integers(0, 2, (n, 2))
    array = np.zeros((n, 8, 8, 3), np.uint8)
    array[..., :2] = (40 + 160 * bright + random.integers(-20, 20, (n, 2)))[:, None, None]
    array[..., 2] = random.integers(0, 256, n)[:, None, None]
    return array, (bright[:, 0] != bright[:, 1]).astype(int)


class Mean(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3))


class Losing(nn.Module):
    """Colours; how bright red and green are together, folded so that classes are apart; blue alone; logits of it."""

    def __init__(self):
        super().__init__()
        self.mean, self.colours = Mean(), nn.Linear(3, 3)
        self.folded, self.act = nn.Linear(3, 4), nn.ReLU()
        self.blue, self.act2, self.fc = nn.Linear(4, 2), nn.Sigmoid(), nn.Linear(2, 3)
        with torch.no_grad():
            for each in (self.colours, self.folded, self.blue):
                each.weight.zero_(), each.bias.zero_()
            self.colours.weight.copy_(2 * torch.eye(3))
            self.folded.weight.copy_(torch.tensor([[0.5, 0.5, 0], [0.5, 0.5, 0], [-0.5, -0.5, 0], [0, 0, 0.5]]))
            self.folded.bias.copy_(torch.tensor([0.0, -0.95, 0.95, 0.0]))
            self.blue.weight[:, 3] = torch.tensor([1.0, -2.0])

    def forward(self, images):
        return self.fc(self.act2(self.blue(self.act(self.folded(self.colours(self.mean(images)))))))


def subject_of(network, arrays, labels, roles):
    images = colour_images(
        [(0, 0, 0)] * len(arrays), labels.tolist(), roles=roles, pixels=ArrayPixels(arrays),
        ids=content_ids([each.tobytes() for each in arrays]),
    )  # fmt: skip
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(network, blueprint))


def test_the_block_after_which_information_is_lost_is_found():
    arrays, labels = pictures(400, seed=0)
    torch.manual_seed(0)
    subject = subject_of(Losing(), arrays, labels, np.repeat(["train", "diagnosis"], 200))
    taps = tapped(subject, TapSettings(), Progress())
    assert [tap.name for tap in taps.taps] == ["colours", "act", "act2"]
    choice = chosen_layer(probed(taps, ProbeSettings(), Progress()), taps, 1, "under-fitted")
    assert choice.name == "act"
    assert choice.values[1, 0] > 0.95
    assert max(choice.values[[0, 2], 0]) < 0.8


class Memorising(nn.Module):
    """Two features that tell two classes apart only so far, then one for each image seen, then what those were."""

    def __init__(self, seen, labels):
        super().__init__()
        self.mean, self.colours, self.nearest, self.act = Mean(), nn.Linear(3, 3), nn.Linear(3, len(seen)), nn.ReLU()
        self.known, self.fc = nn.Linear(len(seen), 2), nn.Linear(2, 3)
        with torch.no_grad():
            self.colours.weight.copy_(2 * torch.eye(3))
            self.colours.bias.zero_()
            seen, sharp = 2 * seen, 1e4  # nats a squared distance: each image lights its own
            self.nearest.weight.copy_(2 * sharp * seen)
            self.nearest.bias.copy_(-sharp * (seen**2).sum(dim=1))
            self.known.weight.copy_(torch.eye(2)[labels].T)
            self.sharp = sharp

    def forward(self, images):
        means = self.colours(self.mean(images))
        own = self.nearest(means)
        return self.fc(self.known(self.act(own - self.sharp * (means**2).sum(dim=1, keepdim=True) + 1)))


def test_the_block_that_learned_images_by_heart_is_found():
    random = np.random.default_rng(0)
    arrays = np.zeros((600, 8, 8, 3), np.uint8)
    arrays[:] = random.integers(0, 256, (600, 1, 1, 3))
    labels = ((arrays[:, 0, 0, 0] > 127) ^ (random.random(600) < 0.2)).astype(int)  # a fifth can't be known
    seen = torch.from_numpy(arrays[:300, 0, 0]).float() / 255
    torch.manual_seed(0)
    network = Memorising(seen, torch.from_numpy(labels[:300]))
    subject = subject_of(network, arrays, labels, np.repeat(["train", "diagnosis"], 300))
    subject = replace(subject, images=replace(subject.images, seen=np.repeat([1, 0], 300).astype(np.int8)))
    taps = tapped(subject, TapSettings(), Progress())
    assert [tap.name for tap in taps.taps] == ["colours", "act", "known"]
    probes = probed(taps, ProbeSettings(), Progress())
    choice = chosen_layer(probes, taps, 0, "over-fitted")
    assert choice.name == "known"
    assert "Here the gap opens first" in choice.why
    assert choice.values[0, 1] < 0.15 < choice.values[2, 1]
