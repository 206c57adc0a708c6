from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.cam_training import CAMS
from engine.methods.cam_training import cams as module
from engine.methods.cam_training.cams import cams, one_image
from engine.methods.cam_training.settings import METHODS, CamSettings
from engine.methods.cam_training.targets import explained
from engine.runs.progress import Cancelled, Progress
from engine.subject.classifier import Classifier
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import joined
from engine.toolkit import prediction
from tests.conftest import BLUE, GREEN, RED, colour_images, rgb_blueprint
from tests.methods.cam_training.nets import (
    Colours,
    Flattening,
    OneCell,
    colours_subject,
    drawn,
    hooks,
    of_images,
    pictures,
)

RULES = METHODS[1:]


def flattening_subject(count: int = 12):
    array = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    images = pictures(array, ([0, 1, 2] * count)[:count])
    network = drawn(Flattening())
    return joined(rgb_blueprint(), images, lambda blueprint: Classifier(network, blueprint))


def red_corner():
    """Images that are blue but for a red corner that decides."""
    array = np.zeros((6, 8, 8, 3), np.uint8)
    array[..., 2] = 30
    for place in range(6):
        array[place, : 2 + place, :4] = (255, 0, place)
    return of_images(pictures(array, [0] * 6))


def test_what_it_looks_at_is_where_the_colour_is():
    subject = red_corner()
    found = CAMS.run(subject, CamSettings(of="0", against=""), {}, Progress())
    assert (found.method, found.layer, found.exact, found.classes) == (
        "cam",
        "features",
        True,
        ("red", "green", "blue"),
    )
    assert found.seen == (0, 0, 1, 1)
    pixels = subject.images.read([subject.images.position[each] for each in found.ids.tolist()])
    np.testing.assert_allclose(found.maps, 20 / 255 * pixels[:, 0].astype(float), atol=1e-5)
    np.testing.assert_allclose(found.maps.mean(axis=(1, 2)) + 0.5, found.scores, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_each_row_is_the_image_of_its_id(method):
    subject = flattening_subject()
    if method == "cam":
        with pytest.raises(ValueError, match="the exact CAM needs"):
            cams(subject, CamSettings(method), None, Progress())
        return
    settings = CamSettings(method, of="label", against="prediction")
    found = cams(subject, settings, None, Progress())
    assert found.method == ("hirescam" if method == "auto" else method)
    assert found.exact is False
    assert (found.of, found.against) == ("label", "prediction")
    where = [subject.images.position[each] for each in found.ids.tolist()]
    assert sorted(where) == list(range(12))
    assert found.labels.tolist() == subject.images.labels[where].tolist()
    with torch.inference_mode():
        logits = subject.classifier(torch.from_numpy(subject.images.read(where)) / 255)
    assert found.predictions.tolist() == logits.argmax(dim=1).tolist()
    np.testing.assert_allclose(found.confidence, logits.softmax(dim=1).amax(dim=1), atol=1e-5)
    labels = torch.from_numpy(found.labels)
    np.testing.assert_allclose(found.scores, explained(logits, labels, "label", "prediction"), atol=1e-5)
    alone = one_image(subject, where[5], settings)
    np.testing.assert_allclose(alone.maps[found.method], found.maps[5], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", ["hirescam", "scorecam", "eigencam"])
def test_batches_and_pieces_change_nothing(method, monkeypatch):
    subject, settings = flattening_subject(), CamSettings(method)
    before = cams(subject, settings, None, Progress())
    for size, piece in ((1, 512), (5, 512), (3, 7)):
        monkeypatch.setattr(prediction, "batch_size", lambda classifier, size=size: size)
        monkeypatch.setattr(module, "PIECE_IMAGES", piece)
        after = cams(subject, settings, None, Progress())
        assert after.ids.tolist() == before.ids.tolist()
        np.testing.assert_allclose(after.maps, before.maps, atol=1e-5, rtol=1e-4)
        np.testing.assert_allclose(after.scores, before.scores, atol=1e-5)


def test_a_selection_takes_the_role_s_place():
    subject = flattening_subject()
    ids = subject.images.ids[[7, 2]].tolist()
    found = CAMS.run(subject, CamSettings(), {"selection": ids}, Progress())
    assert sorted(found.ids.tolist()) == sorted(ids)


@pytest.mark.parametrize("method", ["gradcam", "hirescam", "xgradcam"])
def test_a_map_is_called_exact_where_the_head_makes_it_so(method):
    subject = colours_subject([RED, GREEN, BLUE], [0, 1, 2])
    assert cams(subject, CamSettings(method), None, Progress()).exact
    assert not cams(subject, CamSettings("layercam"), None, Progress()).exact


def test_only_the_middle_of_a_long_image_is_seen():
    array = np.zeros((3, 8, 16, 3), np.uint8)
    array[:, :, 4:6] = 200
    wide = rgb_blueprint(preprocessing=Preprocessing(3, 16, 16, (0.0,) * 3, (1.0,) * 3))
    images = pictures(array, [0, 1, 2])
    images = replace(images, frame=replace(images.frame, height=8, width=16))
    subject = joined(wide, images, lambda blueprint: Classifier(Colours(), blueprint))
    found = cams(subject, CamSettings(of="0", against=""), None, Progress())
    assert found.seen == (0, 0.25, 1, 0.75)
    assert found.maps.shape == (3, 16, 16)
    assert found.maps[0, :, 0].min() > 10
    assert found.maps[0, :, 6:].max() < 0.1


class Watching(Progress):
    def __init__(self, stop_at: int = -1) -> None:
        self.heard: list[float] = []
        self.notes: list[str] = []
        self.kept_names: list[str] = []
        self.stop_at = stop_at

    def report(self, fraction, label):
        self.heard.append(fraction)
        if len(self.heard) == self.stop_at:
            raise Cancelled

    def note(self, sentence):
        self.notes.append(sentence)

    def kept(self, name, compute):
        self.kept_names.append(name)
        return compute()


def test_it_goes_on_steadily_and_stops_within_a_batch(monkeypatch):
    subject = flattening_subject()
    monkeypatch.setattr(prediction, "batch_size", lambda classifier: 2)
    watching = Watching()
    cams(subject, CamSettings(answers="wrong"), None, watching)
    assert watching.heard == sorted(watching.heard)
    assert watching.heard[-1] == 1
    with pytest.raises(Cancelled):
        cams(subject, CamSettings(), None, Watching(stop_at=3))
    assert hooks(subject.classifier) == 0
    assert all(weight.requires_grad for weight in subject.classifier.parameters())


def test_pieces_are_kept_under_names_of_their_own(monkeypatch):
    monkeypatch.setattr(module, "PIECE_IMAGES", 5)
    watching = Watching()
    cams(flattening_subject(), CamSettings(), None, watching)
    assert watching.kept_names == ["maps 0 to 5", "maps 5 to 10", "maps 10 to 12"]


def test_a_batch_too_large_for_the_memory_is_halved_and_the_person_told(monkeypatch):
    subject = flattening_subject()
    expected = cams(subject, CamSettings(), None, Progress())
    whole = subject.classifier.forward

    def narrow(images):
        if len(images) > 2 and images.shape[0] != 8:  # eight are what layers are found with
            raise torch.OutOfMemoryError("too much")
        return whole(images)

    monkeypatch.setattr(prediction, "batch_size", lambda classifier: 9)
    monkeypatch.setattr(subject.classifier, "forward", narrow)
    watching = Watching()
    found = cams(subject, CamSettings(), None, watching)
    np.testing.assert_allclose(found.maps, expected.maps, atol=1e-5)
    assert [sentence.split(":")[0] for sentence in watching.notes] == [
        "the batch was halved to 4 images",
        "the batch was halved to 2 images",
    ]


def test_a_network_that_gives_nan_is_named_with_the_image():
    subject = red_corner()
    with torch.no_grad():
        subject.classifier.network.fc.weight[0, 0] = torch.nan
    with pytest.raises(
        ValueError, match=r"the network gives NaN or infinity for \d.png; check mean, std and the weights"
    ):
        cams(subject, CamSettings(method="hirescam"), None, Progress())


def test_a_class_or_layer_that_is_not_there_is_named_before_anything_is_done():
    subject = flattening_subject()
    unbuilt = replace(subject, build=lambda blueprint: pytest.fail("the network was built"))
    with pytest.raises(ValueError, match="there is no class 7"):
        cams(unbuilt, CamSettings(of="7", answers="right"), None, Progress())
    with pytest.raises(ValueError, match="there is no class 3"):
        cams(unbuilt, CamSettings(against="3"), None, Progress())
    with pytest.raises(ValueError, match="has no layer 'layer4'"):
        cams(subject, CamSettings(layer="layer4"), None, Progress())


def test_a_network_without_a_grid_is_refused():
    images = colour_images([RED, BLUE], [0, 2])
    subject = joined(rgb_blueprint(), images, lambda blueprint: Classifier(OneCell(), blueprint))
    for ask in (lambda: cams(subject, CamSettings(), None, Progress()), lambda: one_image(subject, 0, CamSettings())):
        with pytest.raises(ValueError, match="a CAM needs a grid"):
            ask()


def test_one_image_has_a_map_by_every_rule_that_can_be_had():
    exact = one_image(colours_subject([RED, GREEN], [0, 1]), 1, CamSettings())
    assert tuple(exact.maps) == RULES
    assert exact.missing == {}
    general = one_image(flattening_subject(), 1, CamSettings(layer="features.0"))
    assert tuple(general.maps) == RULES[1:]
    assert all(found.shape == (4, 4) and np.isfinite(found).all() for found in general.maps.values())
    assert list(general.missing) == ["cam"]
    assert "the exact CAM needs" in general.missing["cam"]


def test_one_image_without_a_label_says_so_by_every_rule():
    found = one_image(colours_subject([RED], [-1]), 0, CamSettings(of="label"))
    assert found.maps == {}
    assert set(found.missing.values()) == {"an image without a label can't have a map for its label"}


def test_one_image_is_not_asked_about_hundreds_of_channels(monkeypatch):
    monkeypatch.setattr(module, "MOST_CHANNELS", 5)
    found = one_image(flattening_subject(), 1, CamSettings())
    assert set(found.missing) == {"cam", "scorecam", "ablationcam"}
    assert found.missing["scorecam"] == ("one pass for each of 6 channels; choose it as the map to have it computed")
