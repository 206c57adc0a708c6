from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import v2

from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.frame import Frame
from engine.subject.preprocessing import Preprocessing
from tests.conftest import rgb_blueprint


class Recorder(nn.Module):
    """Gives one output and remembers what it was fed."""

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, images):
        self.fed = images
        return images.mean(dim=(1, 2, 3))[:, None].expand(-1, self.outputs)


def recorded(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    network = Recorder()
    classes = ("no", "yes")
    blueprint = Blueprint("recorder", "recorder", 1, preprocessing.channels, classes, preprocessing, "")
    Classifier(network, blueprint)(images)
    return network.fed


def test_one_sigmoid_logit_becomes_two_classes_with_the_same_probability():
    preprocessing = Preprocessing(1, 4, 4, (0.0,), (1.0,))
    classifier = Classifier(Recorder(), Blueprint("b", "r", 1, 1, ("no", "yes"), preprocessing, ""))
    images = torch.rand(5, 1, 4, 4)
    shares = classifier(images).softmax(dim=1)
    torch.testing.assert_close(shares[:, 1], images.mean(dim=(1, 2, 3)).sigmoid())


def test_mean_and_std_are_applied_as_everybody_applies_them():
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    images = torch.rand(2, 3, 8, 8)
    fed = recorded(images, Preprocessing(3, 8, 8, mean, std))
    torch.testing.assert_close(fed, v2.functional.normalize(images, list(mean), list(std)))


@pytest.mark.parametrize("size", [(28, 28), (40, 60), (60, 40), (300, 500)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
def test_other_sizes_are_resized_and_cropped_as_torchvision_does(size, interpolation):
    images = torch.rand(2, 3, *size)
    fed = recorded(images, Preprocessing(3, 32, 32, (0.0,) * 3, (1.0,) * 3, interpolation))
    mode = v2.InterpolationMode(interpolation.replace("nearest", "nearest-exact"))
    expected = v2.Compose([v2.Resize(32, interpolation=mode, antialias=True), v2.CenterCrop(32)])(images)
    torch.testing.assert_close(fed, expected.clamp(0, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(300, 500), (500, 300), (257, 256), (224, 224), (100, 90)])
@pytest.mark.parametrize("share", [0.875, 1.0])
def test_a_frame_gives_the_pixels_of_torchvisions_standard_pipeline(size, share, generator):
    pixels = torch.randint(0, 256, (*size, 3), generator=generator, dtype=torch.uint8)
    image = Image.fromarray(pixels.numpy())
    ours = Frame(3, 224, 224, "bilinear", share).fit(image)
    theirs = v2.Compose([v2.Resize(int(224 / share)), v2.CenterCrop(224), v2.PILToTensor()])(image)
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_grey_is_repeated_and_colour_is_weighed():
    grey = torch.rand(2, 1, 4, 4)
    fed = recorded(grey, Preprocessing(3, 4, 4, (0.0,) * 3, (1.0,) * 3))
    torch.testing.assert_close(fed, grey.expand(-1, 3, -1, -1))
    colour = torch.rand(2, 3, 4, 4)
    fed = recorded(colour, Preprocessing(1, 4, 4, (0.0,), (1.0,)))
    torch.testing.assert_close(fed[:, 0], 0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2])


def test_gradients_pass_through_all_of_it():
    images = torch.rand(2, 3, 40, 50, requires_grad=True)
    preprocessing = Preprocessing(1, 16, 16, (0.5,), (0.5,))
    recorded(images, preprocessing).square().sum().backward()
    assert images.grad.abs().sum() > 0


def test_one_image_without_its_batch_is_refused_with_the_cure():
    classifier = Classifier(Recorder(3), rgb_blueprint())
    with pytest.raises(ValueError, match=r"for one image use images\[None\]"):
        classifier(torch.rand(3, 8, 8))


def test_the_weights_hash_knows_values_and_names_but_not_modes():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = weights_hash(network)
    assert weights_hash(network.eval()) == before
    with torch.no_grad():
        network[0].weight[0, 0] += 1e-3
    assert weights_hash(network) != before


def test_a_blueprint_comes_back_from_json_and_its_name_does_not_count():
    blueprint = rgb_blueprint()
    back = Blueprint.from_json(blueprint.to_json())
    assert back == blueprint
    assert rgb_blueprint(name="another").fingerprint == blueprint.fingerprint
    assert rgb_blueprint(weights="other").fingerprint != blueprint.fingerprint


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": ("a", "b")}, "tells 3 classes apart, but 2 names were given"),
        ({"classes": ("a", "b", "a")}, "used twice: a"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        rgb_blueprint(**changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"channels": 4}, "channels must be 1 or 3, got 4"),
        ({"height": 0}, "got 0 x 8"),
        ({"mean": (0.0,)}, "mean needs 3 numbers"),
        ({"std": (1.0, 0.0, 1.0)}, "std must be above 0"),
        ({"interpolation": "lanczos"}, "interpolation must be one of"),
        ({"crop_share": 1.5}, r"crop_share must lie in \(0, 1\], got 1.5"),
    ],
)
def test_preprocessing_that_cannot_be_is_refused(changed, said):
    values = {"channels": 3, "height": 8, "width": 8, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    with pytest.raises(ValueError, match=said):
        Preprocessing(**{**values, **changed})
