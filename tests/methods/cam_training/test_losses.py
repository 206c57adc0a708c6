from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.cam_training.contrast import score_against_rest
from engine.methods.cam_training.losses import bell, energy, l1, margin, mse, published, published_as_it_was

PENALTIES = {"mse": mse, "l1": l1, "energy": energy}


def maps_and_masks(seed: int, count: int = 3, height: int = 4, width: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, height, width, generator=draw), torch.rand(count, height, width, generator=draw)


def by_the_book(name: str, maps: torch.Tensor, masks: torch.Tensor) -> float:
    """The formulas cell by cell."""
    images, height, width = maps.shape
    total = 0.0
    for n in range(images):
        weighed, whole = 0.0, 0.0
        for i, j in product(range(height), range(width)):
            c, k = float(maps[n, i, j]), float(masks[n, i, j])
            weighed += {"mse": (k * c) ** 2, "l1": k * abs(c), "energy": k * abs(c)}[name]
            whole += abs(c)
        total += weighed / whole if name == "energy" else weighed / (height * width)
    return total / images


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_what_their_formulas_say(name):
    maps, masks = maps_and_masks(0)
    assert float(PENALTIES[name](maps, masks)) == pytest.approx(by_the_book(name, maps, masks), rel=1e-5)


def test_known_values():
    maps = torch.tensor([[[2.0, -1.0], [0.0, 3.0]]])
    outside = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    assert float(mse(maps, outside)) == pytest.approx((4 + 1) / 4)
    assert float(l1(maps, outside)) == pytest.approx(3 / 4)
    assert float(energy(maps, outside)) == pytest.approx(3 / 6, rel=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_evidence_that_lies_only_where_it_may_costs_nothing_and_any_other_costs(name, seed):
    maps, masks = maps_and_masks(seed)
    forbidden = (masks > 0.5).float()
    assert float(PENALTIES[name](maps * (1 - forbidden), forbidden)) == 0
    assert float(PENALTIES[name](maps * forbidden, forbidden)) > 0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_energy_has_no_scale_and_lies_between_0_and_1_and_the_others_grow(seed, scale):
    maps, masks = maps_and_masks(seed)
    before = float(energy(maps, masks))
    assert 0 <= before <= 1
    assert float(energy(scale * maps, masks)) == pytest.approx(before, rel=1e-3)
    assert float(mse(scale * maps, masks)) == pytest.approx(scale**2 * float(mse(maps, masks)), rel=1e-4)
    assert float(l1(scale * maps, masks)) == pytest.approx(scale * float(l1(maps, masks)), rel=1e-4)


def test_a_map_without_evidence_costs_nothing_and_has_a_gradient():
    maps = torch.zeros(2, 3, 3, requires_grad=True)
    for penalty in PENALTIES.values():
        (gradient,) = torch.autograd.grad(penalty(maps, torch.ones(3, 3)), maps)
        assert torch.isfinite(gradient).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(0, 5))
def test_where_nothing_is_forbidden_the_margin_is_the_cross_entropy(seed, weight):
    draw = torch.Generator().manual_seed(seed)
    logits, labels = 3 * torch.randn(6, 4, generator=draw), torch.randint(4, (6,), generator=draw)
    scores = score_against_rest(logits, labels)
    found = margin(scores, torch.randn(6, 3, 3, generator=draw), torch.zeros(3, 3), weight)
    torch.testing.assert_close(found, F.cross_entropy(logits, labels))


def test_the_margin_takes_forbidden_evidence_off_the_score_whichever_way_it_speaks():
    scores, forbidden = torch.tensor([2.0]), torch.tensor([[1.0, 0.0]])
    for evidence, left in ((4.0, 2 - 2 - 0.5 * 2), (-4.0, 2 + 2 - 0.5 * 2)):
        maps = torch.tensor([[[evidence, 7.0]]])
        expected = np.log1p(np.exp(-left))
        assert float(margin(scores, maps, forbidden, 0.5)) == pytest.approx(expected, rel=1e-5)


def test_the_corrected_published_loss_is_the_mean_square_under_an_inverted_bell():
    maps, _ = maps_and_masks(1, height=6, width=6)
    places = (np.arange(6) + 0.5) / 6 - 0.5
    free = np.exp(-(places[:, None] ** 2 + places**2) / (2 * 0.25**2))
    expected = (((1 - free / free.max()) * maps.numpy()) ** 2).mean()
    assert float(published(maps)) == pytest.approx(expected, rel=1e-5)


def test_the_published_loss_as_it_was_is_a_mean_by_columns_squared():
    """LINT's matrix product keeps no row apart: what comes out is the mean of columns, weighed, over the height."""
    maps, _ = maps_and_masks(2, height=4, width=4)
    found = float(published_as_it_was(maps, 16, 16))
    drawn = F.interpolate(maps[:, None], size=(16, 16), mode="bilinear")[:, 0].numpy()
    weights = bell(16, 16, torch.device("cpu")).numpy()
    weights /= weights.sum()
    total = 0.0
    for image in drawn:
        for i, j in product(range(16), range(16)):
            total += sum(image[i, k] * weights[k, j] for k in range(16))
    assert found == pytest.approx((total / (3 * 16 * 16)) ** 2, rel=1e-3)
    by_columns = (drawn.mean(axis=(0, 1)) * weights.sum(axis=1)).sum() / 16
    assert found == pytest.approx(by_columns**2, rel=1e-3)
    assert weights.argmax() in (7 * 16 + 7, 7 * 16 + 8, 8 * 16 + 7, 8 * 16 + 8)  # the centre has the weight


def test_as_published_evidence_for_and_against_cancels_which_is_why_it_teaches_nothing():
    maps = torch.ones(2, 4, 4)
    maps[1] = -1
    assert float(published_as_it_was(maps, 8, 8)) == pytest.approx(0, abs=1e-12)
    assert float(published(maps)) > 0.1
