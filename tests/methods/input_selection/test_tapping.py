from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from engine.methods.input_selection import tapping
from engine.methods.input_selection.settings import TapSettings
from engine.methods.input_selection.tapping import tapped
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import joined
from engine.toolkit import prediction
from tests.conftest import colour_images, rgb_blueprint
from tests.methods.cam_training.nets import drawn, hooks


class Net(nn.Module):
    """Two blocks, of which the first's ReLU and what comes after write over what they are given."""

    most = 10**9

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True)
        self.fc1, self.fc2 = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("too many")
        maps = self.relu(self.conv(images))
        means = maps.mean(dim=(2, 3))
        maps.zero_()
        hidden = self.fc1(means)
        return self.fc2(hidden.relu_())


ROLES = ["train"] * 20 + ["diagnosis"] * 15 + ["pool"] * 25 + ["test"] * 5


def made(roles=ROLES, network=None):
    random = np.random.default_rng(0)
    colours = [tuple(int(value) for value in random.integers(0, 256, 3)) for _ in roles]
    labels = random.integers(-1, 3, len(roles)).tolist()
    images = colour_images(colours, labels, roles=np.array(roles), seen=np.array([int(r == "train") for r in roles]))
    network = drawn(Net()) if network is None else network
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(network, blueprint))


def test_each_role_has_what_an_image_gives_alone():
    subject = made()
    taps = tapped(subject, TapSettings(values=45), Progress())
    assert [role.role for role in taps.roles] == ["train", "diagnosis", "pool"]
    assert [(tap.name, tap.channels, tap.grid) for tap in taps.taps] == [("relu", 5, 3), ("fc1", 4, 1)]
    network, images = subject.classifier.network, subject.images
    for role in taps.roles:
        own = images.indices(role.role)
        for column in ("ids", "labels", "seen"):
            np.testing.assert_array_equal(getattr(role, column), getattr(images, column)[own])
        np.testing.assert_array_equal(role.units, images.units()[own])
        for place, index in enumerate(own):
            pixels = torch.from_numpy(images.read([index])).float() / 255
            maps = network.conv(pixels).relu()
            cells = [
                maps[0, :, 2 * down : 2 * down + 2, 2 * right : 2 * right + 2].mean(dim=(1, 2))
                for down, right in np.ndindex(3, 3)
            ]
            np.testing.assert_allclose(
                role.features[0][place].reshape(5, 9), torch.stack(cells, dim=1).detach(), atol=1e-6
            )
            hidden = network.fc1(maps.mean(dim=(2, 3)))
            np.testing.assert_allclose(role.features[1][place], hidden[0].detach(), atol=1e-6)
            np.testing.assert_allclose(role.logits[place], network.fc2(hidden.relu())[0].detach(), atol=1e-6)


def same(taps, others):
    for role, other in zip(taps.roles, others.roles, strict=True):
        np.testing.assert_array_equal(role.ids, other.ids)
        for mine, theirs in zip((role.logits, *role.features), (other.logits, *other.features), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_the_size_of_batches_and_pieces_changes_nothing(monkeypatch):
    whole = tapped(made(), TapSettings(), Progress())
    monkeypatch.setattr(prediction, "batch_size", lambda _: 3)
    monkeypatch.setattr(tapping, "PIECE_IMAGES", 7)
    same(tapped(made(), TapSettings(), Progress()), whole)


class Told(Progress):
    def __init__(self):
        self.notes, self.pieces = [], {}

    def note(self, sentence):
        self.notes.append(sentence)

    def kept(self, name, compute):
        if name not in self.pieces:
            self.pieces[name] = compute()
        return self.pieces[name]


def test_a_batch_too_large_is_halved_and_said():
    network = drawn(Net())
    network.most = 6
    progress = Told()
    same(tapped(made(network=network), TapSettings(), progress), tapped(made(), TapSettings(), Progress()))
    assert "halved" in progress.notes[0]


def test_a_resumed_pass_takes_what_was_kept():
    progress = Told()
    whole = tapped(made(), TapSettings(), progress)
    network = drawn(Net())
    asked = []
    network.register_forward_pre_hook(lambda _module, inputs: asked.append(len(inputs[0])))
    same(tapped(made(network=network), TapSettings(), progress), whole)
    assert sum(asked) <= tapping.EXAMPLE_IMAGES  # told apart, but not looked at again


def test_hooks_are_gone_after_an_error():
    network = drawn(Net())
    network.most = 0
    subject = made(network=network)
    with pytest.raises(torch.OutOfMemoryError):
        tapped(subject, TapSettings(), Progress())
    network.most = 4  # enough to tell the blocks apart
    with pytest.raises(RuntimeError, match="stopped"):
        tapped(subject, TapSettings(), Stopping())
    assert hooks(network) == 0


class Stopping(Progress):
    def report(self, fraction, label):
        raise RuntimeError("stopped")


def test_few_images_are_drawn_whatever_their_order():
    subject = made()
    shuffled = np.random.default_rng(1).permutation(len(subject.images))
    other = replace(subject, images=subject.images.take(shuffled))
    told = Told()
    few, again = (tapped(each, TapSettings(images=10, pool=12), told) for each in (subject, other))
    for role, same_role in zip(few.roles, again.roles, strict=True):
        assert len(role.ids) == (12 if role.role == "pool" else 10)
        assert set(role.ids) == set(same_role.ids)
    assert [note.partition(" are ")[0] for note in told.notes[:3]] == [
        "Of the 20 images of train only 10",
        "Of the 15 images of diagnosis only 10",
        "Of the 25 images of pool only 12",
    ]  # fmt: skip


def test_roles_without_images_are_missing():
    taps = tapped(made(["diagnosis"] * 5 + ["test"] * 3), TapSettings(), Progress())
    assert [role.role for role in taps.roles] == ["diagnosis"]
    assert taps.role("train") is None
    with pytest.raises(ValueError, match="nothing to look into"):
        tapped(made(["test"] * 3), TapSettings(), Progress())


def test_nan_is_said_with_the_image():
    network = drawn(Net())
    network.fc2.bias.data[1] = torch.nan
    with pytest.raises(ValueError, match=r"NaN or infinity for 20 images, 0\.png the first"):
        tapped(made(network=network), TapSettings(), Progress())
