import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.methods.cam_training.contrast import contrast, score_against_rest
from engine.methods.cam_training.looking import label_maps, looked_again, lookout
from engine.methods.cam_training.losses import mse
from engine.subject.classifier import Classifier
from engine.toolkit import prediction
from tests.methods.cam_training.planted import (
    Striped,
    WithHead,
    mlp_head,
    planted_images,
    random_images,
    striped_blueprint,
    striped_subject,
)

IMAGES = planted_images(counts={"diagnosis": 30})


def bent(outputs: int) -> WithHead:
    return WithHead(mlp_head(outputs))


def test_the_layer_and_the_head_are_found_and_a_named_layer_is_taken():
    classifier = striped_subject(IMAGES).classifier
    place = lookout(classifier, IMAGES, "")
    assert (place.layer.name, place.head.module) == ("features", classifier.network.fc)
    assert place.seen == (0, 0, 1, 1)
    assert lookout(classifier, IMAGES, "features.0").head is None
    assert lookout(striped_subject(IMAGES, bent).classifier, IMAGES, "").head is None
    with pytest.raises(ValueError, match="the network has no layer 'feature'; did you mean features"):
        lookout(classifier, IMAGES, "feature")


def test_a_head_that_cuts_itself_off_leaves_nothing_to_look_at():
    class Cut(Striped):
        def forward(self, images: Tensor) -> Tensor:
            return self.fc(self.features(images).mean(dim=(2, 3)).detach())

    with pytest.raises(ValueError, match="depend on no"):
        lookout(striped_subject(IMAGES, Cut).classifier, IMAGES, "")


@pytest.mark.parametrize("network", [Striped, bent], ids=["exact", "by gradient"])
def test_maps_of_many_images_are_those_of_each_alone(network, monkeypatch):
    classifier = striped_subject(IMAGES, network).classifier
    place = lookout(classifier, IMAGES, "")
    everyone = np.arange(len(IMAGES))
    logits, maps = label_maps(classifier, place, IMAGES, everyone)
    monkeypatch.setattr(prediction, "BATCH_VALUES", 1)
    few_logits, few_maps = label_maps(classifier, place, IMAGES, everyone)
    torch.testing.assert_close(logits, few_logits)
    np.testing.assert_allclose(maps, few_maps, atol=1e-5)
    one_logits, one_map = label_maps(classifier, place, IMAGES, everyone[7:8])
    np.testing.assert_allclose(one_map[0], maps[7], atol=1e-5)
    torch.testing.assert_close(one_logits[0], logits[7])
    assert all(weight.requires_grad and weight.grad is None for weight in classifier.network.parameters())


def test_no_images_have_no_maps():
    classifier = striped_subject(IMAGES).classifier
    place = lookout(classifier, IMAGES, "")
    logits, maps = label_maps(classifier, place, IMAGES, np.arange(0))
    assert (tuple(logits.shape), maps.shape) == ((0, 2), (0, 8, 8))


def test_a_network_with_one_output_is_looked_at_for_both_classes():
    blueprint = striped_blueprint(outputs=1)
    torch.manual_seed(0)
    classifier = Classifier(Striped(1), blueprint).eval()
    place = lookout(classifier, IMAGES, "")
    assert place.head is not None
    logits, maps = label_maps(classifier, place, IMAGES, np.arange(30))
    scores = score_against_rest(logits, torch.from_numpy(IMAGES.labels)).numpy()
    signs = np.where(IMAGES.labels == 1, 1, -1)
    bias = float(classifier.network.fc.bias.detach())
    assert maps.mean(axis=(1, 2)) + signs * bias == pytest.approx(scores, abs=1e-5)


class Attending(nn.Module):
    """Patches as tokens, one layer of attention above the map, and their average."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.fc = nn.Linear(8, outputs)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        mixed, _ = self.mix(tokens, tokens, tokens, need_weights=False)
        return self.fc(mixed.mean(dim=1))


def test_attention_above_the_map_can_be_trained_through():
    classifier = striped_subject(IMAGES, Attending).classifier.train()
    place = lookout(classifier, IMAGES, "patches")
    assert place.head is None
    with place.attached(classifier, twice=True) as seen:
        logits = classifier(random_images(4))
        term = mse(contrast(seen[-1], logits, torch.tensor([0, 1, 0, 1]), None), torch.ones(4, 4))
    term.backward()
    assert classifier.network.fc.weight.grad.abs().max() > 0
    assert classifier.network.patches.weight.grad.abs().max() > 0


class Clipped(Striped):
    """Its average is cut off above, which shows only once training has made it large."""

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).mean(dim=(2, 3)).clamp(max=6))


def test_after_training_the_head_is_certified_again():
    classifier = striped_subject(IMAGES, Clipped).classifier
    place = lookout(classifier, IMAGES, "")
    assert place.head is not None
    assert looked_again(classifier, IMAGES, place).head is not None
    with torch.no_grad():
        classifier.network.features[5].bias.fill_(10)
    again = looked_again(classifier, IMAGES, place)
    assert again.head is None
    assert (again.layer, again.seen) == (place.layer, place.seen)
    assert looked_again(classifier, IMAGES, again) is again
