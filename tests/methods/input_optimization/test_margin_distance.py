from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.methods.input_optimization.margin_distance import RULES, margin_distances
from engine.methods.input_optimization.optimise import NotFinite, Tally
from engine.runs.progress import Progress
from tests.methods.input_optimization.small import SIDE, Counting, Curved, Noted, Planes, made_pixels, tensor_of


def distances(model, images: Tensor, labels: Tensor, right=None, size=256, progress=None, tally=None) -> np.ndarray:
    with torch.no_grad():
        answers = (model(images).argmax(dim=1) == labels).numpy() if right is None else right

    def source(rows):
        return images[torch.from_numpy(rows)], labels[torch.from_numpy(rows)]

    return margin_distances(model, source, answers, size, progress or Progress(), tally or Tally())


def around_grey(count: int) -> Tensor:
    return 0.5 + 0.03 * torch.randn(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(2))


def corners_of_a_simplex(classes: int, values: int) -> Tensor:
    """Weights (classes, values) any two of which are as far apart as any others: the runner-up is the nearest."""
    directions = torch.randn(values, classes, generator=torch.Generator().manual_seed(4))
    return torch.linalg.qr(directions).Q.T.contiguous() * 30


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_it_is_what_geometry_says_on_both_sides_of_a_plane(factor):
    """|m| / |w_y - w_r|, whatever the size of the logits, above 0 exactly where the answer is right."""
    weight = torch.randn(2, SIDE * SIDE, generator=torch.Generator().manual_seed(1)) * factor
    network, images = Planes(weight, -weight.sum(dim=1) / 2), around_grey(40)
    labels = torch.arange(40) % 2
    logits = network(images).detach()
    margin = logits.gather(1, labels[:, None])[:, 0] - logits.gather(1, 1 - labels[:, None])[:, 0]
    expected = (margin / (weight[0] - weight[1]).norm()).numpy()
    assert (expected > 0).sum() > 5
    assert (expected < 0).sum() > 5
    np.testing.assert_allclose(distances(network, images, labels), expected, rtol=0.01)


def test_of_several_classes_the_runner_up_is_where_a_right_answer_fails():
    weight = corners_of_a_simplex(4, SIDE * SIDE)
    network, images = Planes(weight, -weight.sum(dim=1) / 2), around_grey(20)
    first, second = network(images).detach().topk(2, dim=1).values.T
    expected = (first - second) / (30 * 2**0.5)
    found = distances(network, images, network(images).argmax(dim=1))
    np.testing.assert_allclose(found, expected.numpy(), rtol=0.01)


@pytest.mark.parametrize(("slant", "rules"), [(0.3, RULES[:1]), (0.15, RULES)], ids=["wide", "narrow"])
def test_a_wrong_answer_that_must_beat_two_others_at_once_finds_the_way_between_them(slant, rules, monkeypatch):
    """A corner between two planes: steps from the one to the other come ever closer to it, but never in.

    Newton's aim further beyond with every step; where the corner is narrow, smaller steps take over.
    """
    monkeypatch.setattr("engine.methods.input_optimization.margin_distance.RULES", rules)
    across, up = torch.eye(SIDE * SIDE)[:2]
    weight = torch.stack([torch.zeros_like(up), across - slant * up, -across - slant * up]) * 50
    corner = torch.tensor([0.5, 0.6])  # the label's region begins here and opens upwards
    network = Planes(weight, -(weight[:, :2] @ corner))
    images = torch.full((3, 1, SIDE, SIDE), 0.5)
    images[1, 0, 0, 0], images[2, 0, 0, :2] = 0.51, torch.tensor([0.49, 0.55])
    found = distances(network, images, torch.zeros(3, dtype=torch.long))
    nearest = (images.flatten(1)[:, :2] - corner).norm(dim=1).numpy()
    assert (-found >= nearest * 0.999).all()
    assert (-found < nearest * 1.6).all()


class Window(nn.Module):
    """Class 1 where the mean lies in a narrow window; further off, the slope says next to nothing of where it is."""

    def __init__(self, at: float = 0.7) -> None:
        super().__init__()
        self.at = at

    def forward(self, images: Tensor) -> Tensor:
        lead = torch.exp(-((images.mean(dim=(1, 2, 3)) - self.at) / 0.1).square()) - 0.9
        return torch.stack([torch.zeros_like(lead), lead], dim=1)


def test_where_newton_s_steps_lead_nowhere_smaller_ones_take_over():
    images = torch.full((2, 1, SIDE, SIDE), 0.45)
    images[1] = 0.9
    found = distances(Window(), images, torch.ones(2, dtype=torch.long))
    reach = 0.1 * np.sqrt(-np.log(0.9))  # of the window each way from its middle
    np.testing.assert_allclose(found, [-SIDE * (0.25 - reach), -SIDE * (0.2 - reach)], rtol=0.05)


def test_where_there_is_no_boundary_there_is_no_number():
    class Always(nn.Module):
        def forward(self, images):
            lead = 1 + images.mean(dim=(1, 2, 3)).square()
            return torch.stack([lead, torch.zeros_like(lead)], dim=1)

    counting, images = Counting(Always()), torch.rand(4, 1, SIDE, SIDE)
    labels = torch.tensor([0, 0, 1, 1])
    assert np.isnan(distances(counting, images, labels)).all()
    grey = distances(Window(0.5), torch.full((1, 1, SIDE, SIDE), 0.5), torch.ones(1, dtype=torch.long))
    assert np.isnan(grey).all()  # the very top has no slope, so nothing says where to go


def test_nearly_every_image_of_a_curved_network_has_one_with_the_sign_of_its_answer():
    network, images = Curved().eval().requires_grad_(False), tensor_of(made_pixels(40))
    labels = torch.arange(40) % 3
    right = (network(images).argmax(dim=1) == labels).numpy()
    found = distances(network, images, labels)
    assert not np.isnan(found).any()
    np.testing.assert_array_equal(found > 0, right)


@pytest.mark.parametrize("size", [1, 3, 256])
def test_company_order_and_batch_size_change_nothing_for_an_image(size):
    network, images = Curved().eval().requires_grad_(False), tensor_of(made_pixels(14))
    labels = torch.arange(14) % 3
    expected = distances(network, images, labels)
    order = torch.randperm(14, generator=torch.Generator().manual_seed(0))
    found = distances(network, images[order], labels[order], size=size)
    np.testing.assert_allclose(found, expected[order.numpy()], rtol=1e-3, atol=1e-5)


def test_the_tally_counts_all_and_progress_runs_through():
    network, images = Curved().eval().requires_grad_(False), tensor_of(made_pixels(14))
    labels = torch.arange(14) % 3
    right = (network(images).argmax(dim=1) == labels).numpy()
    counting, tally, heard = Counting(network), Tally(), Noted()
    distances(counting, images, labels, right, 4, heard, tally)
    assert tally.evaluations == counting.rows > 14
    assert min(np.diff(heard.fractions)) > -1e-9
    assert heard.fractions[-1] == pytest.approx(1)


def test_nan_names_the_row_among_all_images():
    network, images = Curved().eval().requires_grad_(False), tensor_of(made_pixels(9))
    labels = torch.arange(9) % 3
    right = (network(images).argmax(dim=1) == labels).numpy()
    for row in (int(np.flatnonzero(right)[-1]), int(np.flatnonzero(~right)[-1])):

        class Breaks(nn.Module):
            def forward(self, places, row=row):
                broken = (places == images[row]).flatten(1).all(dim=1)[:, None]
                return torch.where(broken, torch.nan, network(places))

        with pytest.raises(NotFinite) as found:
            distances(Breaks(), images, labels, right)
        assert found.value.row == row
