from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.methods.cam_training import variants
from engine.methods.cam_training.capture import attached
from engine.methods.cam_training.linear_head import linear_head
from engine.methods.cam_training.map_layer import MapLayer
from engine.methods.cam_training.settings import METHODS
from engine.methods.cam_training.variants import Maps, maps_of
from tests.methods.cam_training.nets import (
    Averaging,
    Colours,
    Flattening,
    classifier_of,
    drawn,
    hooks,
    noise,
)

FEATURES = MapLayer("features", 6, 4, 4, "nchw", 0)
LABELS = torch.tensor([0, 1, 2, 0])
EXACT = classifier_of(drawn(Averaging()))
GENERAL = classifier_of(drawn(Flattening()))
HEAD = linear_head(EXACT, FEATURES, noise())
TWO = classifier_of(drawn(Averaging(outputs=1), seed=2), outputs=1)
RULES = METHODS[1:]


def maps(classifier, method="hirescam", of="label", against="rest", images=None, labels=LABELS, layer=FEATURES) -> Maps:
    images = noise() if images is None else images
    return maps_of(classifier, layer, linear_head(classifier, layer, noise()), images, labels, method, of, against)


def inner(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Activations and gradients of no network, (2, 5, 3, 4) each, some 0."""
    generator = torch.Generator().manual_seed(seed)
    activations = torch.randn(2, 5, 3, 4, generator=generator).relu()
    return activations, torch.randn(2, 5, 3, 4, generator=generator)


def over_channels(activations: Tensor, weight) -> Tensor:
    """The sum over the channels of weight(n, k) times the activations."""
    found = torch.zeros(len(activations), *activations.shape[2:])
    for n, k in product(range(activations.shape[0]), range(activations.shape[1])):
        found[n] += weight(n, k) * activations[n, k]
    return found


def gradcam_by_the_book(activations: Tensor, gradients: Tensor) -> Tensor:
    cells = activations[0, 0].numel()
    return over_channels(activations, lambda n, k: gradients[n, k].sum() / cells) * cells


def hirescam_by_the_book(activations: Tensor, gradients: Tensor) -> Tensor:
    found = torch.zeros(len(activations), *activations.shape[2:])
    for n, k, i, j in product(*map(range, activations.shape)):
        found[n, i, j] += gradients[n, k, i, j] * activations[n, k, i, j]
    return found * activations[0, 0].numel()


def layercam_by_the_book(activations: Tensor, gradients: Tensor) -> Tensor:
    found = torch.zeros(len(activations), *activations.shape[2:])
    for n, k, i, j in product(*map(range, activations.shape)):
        found[n, i, j] += max(0, gradients[n, k, i, j]) * activations[n, k, i, j]
    return found * activations[0, 0].numel()


def xgradcam_by_the_book(activations: Tensor, gradients: Tensor) -> Tensor:
    def weight(n, k):
        mass = activations[n, k].sum()
        places = product(range(activations.shape[2]), range(activations.shape[3]))
        return sum(activations[n, k, i, j] / mass * gradients[n, k, i, j] for i, j in places)

    return over_channels(activations, weight) * activations[0, 0].numel()


def gradcampp_by_the_book(activations: Tensor, gradients: Tensor) -> Tensor:
    def weight(n, k):
        found = 0.0
        for i, j in product(range(activations.shape[2]), range(activations.shape[3])):
            slope = gradients[n, k, i, j]
            second, third = slope**2, slope**3
            found += second / (2 * second + activations[n, k].sum() * third) * max(0, slope)
        return found

    return over_channels(activations, weight)


BOOK = {
    "gradcam": gradcam_by_the_book,
    "hirescam": hirescam_by_the_book,
    "layercam": layercam_by_the_book,
    "xgradcam": xgradcam_by_the_book,
    "gradcampp": gradcampp_by_the_book,
}


@pytest.mark.parametrize("rule", variants.BY_GRADIENT)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_rule_agrees_with_the_book(rule, seed):
    found = variants.BY_GRADIENT[rule](*inner(seed))
    torch.testing.assert_close(found, BOOK[rule](*inner(seed)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("rule", variants.BY_GRADIENT)
def test_a_rule_s_gradients_are_those_of_the_score_in_the_layer(rule):
    with attached(GENERAL.network, FEATURES) as seen:
        logits = GENERAL(noise())
    score = logits[:, 2] - logits[:, 0]
    gradients = torch.autograd.grad(score.sum(), seen[-1])[0]
    found = maps(GENERAL, rule, "2", "0")
    torch.testing.assert_close(found.maps, BOOK[rule](seen[-1].detach(), gradients), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.scores, score.detach())
    torch.testing.assert_close(found.logits, logits.detach())


def test_channels_that_are_empty_or_stand_at_a_pole_count_for_nothing():
    activations, gradients = inner()
    activations[0, 1] = 0
    assert variants.xgradcam(activations, gradients).isfinite().all()
    pole = torch.ones(1, 1, 1, 2), torch.full((1, 1, 1, 2), -1.0)  # 2 + 2 * -1 = 0
    assert variants.gradcampp(*pole).tolist() == [[[0, 0]]]


def test_the_map_of_an_image_that_is_its_own_map_is_known():
    classifier = classifier_of(Colours(), channels=3)
    layer = MapLayer("features", 3, 8, 8, "nchw", 0)
    images = torch.full((1, 3, 8, 8), 0.5)  # grey is 0 once it is normalised
    images[0, 0, :2, :3] = 1.0  # red: 2
    images[0, 2, 6:, :] = 1.0  # blue
    red = torch.zeros(8, 8)
    red[:2, :3] = 40
    blue = torch.zeros(8, 8)
    blue[6:] = 40
    for rule in ("auto", "cam", "hirescam", "gradcam", "xgradcam", "layercam"):
        found = maps(classifier, rule, "0", "", images, torch.tensor([0]), layer).maps[0]
        torch.testing.assert_close(found, red)
    for rule in ("cam", "hirescam", "gradcam"):
        found = maps(classifier, rule, "0", "2", images, torch.tensor([0]), layer)
        torch.testing.assert_close(found.maps[0], red - blue)
        assert found.maps.mean().item() == pytest.approx(found.scores.item() - 1.0)  # biases 0.5 and -0.5


@given(st.integers(0, 1000), st.integers(0, 2))
def test_the_mean_of_an_exact_map_and_the_bias_make_the_logit(seed, number):
    images = noise(3, seed=seed)
    found = maps_of(EXACT, FEATURES, HEAD, images, LABELS[:3], "cam", str(number), "")
    bias = EXACT.network.fc.bias[number].detach()
    torch.testing.assert_close(found.maps.mean(dim=(1, 2)) + bias, found.logits[:, number], atol=1e-5, rtol=1e-5)


def test_of_one_logit_the_mean_of_the_map_and_the_bias_make_the_log_odds():
    found = maps(TWO, "cam", labels=torch.tensor([0, 1, 1, 0]))
    sign = torch.tensor([-1, 1, 1, -1])
    whole = sign * (found.maps.mean(dim=(1, 2)) * sign + TWO.network.fc.bias.detach())
    torch.testing.assert_close(found.scores, whole)
    torch.testing.assert_close(found.scores, sign * found.logits[:, 1])


@pytest.mark.parametrize(
    ("of", "against"), [("label", "rest"), ("prediction", ""), ("1", "2"), ("prediction", "label")]
)
@pytest.mark.parametrize("rule", ["auto", "gradcam", "hirescam", "xgradcam"])
def test_under_an_average_and_a_linear_layer_these_are_the_same(rule, of, against):
    torch.testing.assert_close(maps(EXACT, rule, of, against).maps, maps(EXACT, "cam", of, against).maps)


def test_automatically_it_is_hirescam_where_nothing_is_exact():
    torch.testing.assert_close(maps(GENERAL, "auto").maps, maps(GENERAL, "hirescam").maps)
    with pytest.raises(ValueError, match=r"the exact CAM needs a network that averages .* take hirescam"):
        maps(GENERAL, "cam")


@pytest.mark.parametrize("rule", ["hirescam", "xgradcam"])
def test_the_mean_of_the_map_is_what_the_layer_adds_to_first_order(rule):
    """The derivative of the score by the size of the whole layer."""
    size = torch.ones((), requires_grad=True)
    activations = GENERAL.network.features(GENERAL.preprocess(noise())).detach()
    logits = GENERAL.network.fc((size * activations).flatten(1))
    for place, score in enumerate(logits[:, 1] - logits[:, 0]):
        slope = torch.autograd.grad(score, size, retain_graph=True)[0]
        torch.testing.assert_close(maps(GENERAL, rule, "1", "0").maps[place].mean(), slope, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rule", ["gradcam", "hirescam", "xgradcam", "ablationcam"])
def test_turned_round_the_contrast_has_the_other_sign(rule):
    one, other = maps(GENERAL, rule, "0", "2").maps, maps(GENERAL, rule, "2", "0").maps
    torch.testing.assert_close(one, -other)
    assert one.any()


@pytest.mark.parametrize("rule", RULES)
def test_a_batch_is_its_images_one_by_one(rule):
    whole = maps(EXACT, rule)
    for place in range(4):
        rows = slice(place, place + 1)
        alone = maps(EXACT, rule, images=noise()[rows], labels=LABELS[rows])
        torch.testing.assert_close(alone.maps[0], whole.maps[place], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone.scores[0], whole.scores[place])


@pytest.mark.parametrize("rule", RULES[1:])
@pytest.mark.parametrize("layout", ["nhwc", "tokens"])
def test_the_layout_of_the_layer_does_not_matter(rule, layout):
    class Laid(Flattening):
        def __init__(self):
            super().__init__()
            self.laid = torch.nn.Identity()

        def forward(self, images):
            out = self.features(images)
            if layout == "nhwc":
                return self.fc(self.laid(out.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1))
            tokens = torch.cat([torch.zeros(len(out), 2, 6), out.flatten(2).transpose(1, 2)], dim=1)
            return self.fc(self.laid(tokens)[:, 2:].transpose(1, 2).flatten(1))

    laid = classifier_of(drawn(Laid()))
    layer = MapLayer("laid", 6, 4, 4, layout, 2 if layout == "tokens" else 0)
    torch.testing.assert_close(maps(laid, rule, layer=layer).maps, maps(GENERAL, rule).maps, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rule", RULES)
def test_the_network_is_left_as_it_was(rule):
    maps(EXACT, rule)
    with pytest.raises(ValueError, match="there is no class 9"):
        maps(EXACT, rule, "9")
    assert hooks(EXACT) == 0
    assert all(weight.requires_grad and weight.grad is None for weight in EXACT.parameters())


@pytest.mark.parametrize("rule", RULES)
def test_maps_hold_no_graph(rule):
    found = maps(EXACT, rule)
    assert not any(each.requires_grad for each in (found.maps, found.logits, found.scores))
    assert found.maps.dtype == torch.float32


def test_a_network_that_lets_no_gradient_through_is_said_to():
    class Blind(Averaging):
        def forward(self, images):
            return self.fc(self.features(images).detach().mean(dim=(2, 3)))

    class Aside(Averaging):
        def forward(self, images):
            self.features(images)
            return self.fc(images.mean(dim=(2, 3)).repeat(1, 2).requires_grad_())

    for network in (Blind(), Aside()):
        with pytest.raises(ValueError, match="let no gradient through to this layer"):
            maps(classifier_of(drawn(network)), "hirescam")
