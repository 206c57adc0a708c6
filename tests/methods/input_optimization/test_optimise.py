from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.methods.input_optimization.criteria import Criterion, near, right, similar, sure
from engine.methods.input_optimization.optimise import HALVINGS, NO_GRADIENT, NotFinite, Tally, optimise
from engine.methods.input_optimization.step_rules import Adam, Minimal, Momentum, Newton, Standing, length
from engine.runs.progress import Cancelled, Progress
from engine.toolkit.frozen import frozen
from engine.toolkit.similarity import ssim
from tests.methods.input_optimization.small import (
    SIDE,
    Counting,
    Curved,
    Noted,
    Planes,
    made_pixels,
    optimised,
    tensor_of,
)

LEVEL = 0.05
RULES = {"momentum": Momentum(), "adam": Adam(), "minimal": Minimal(40), "newton": Newton()}


def hard_rows(count: int = 12) -> tuple[nn.Module, Tensor, Tensor]:
    """A curved network with images and labels of which it gets two in three wrong; grey values reach both ends."""
    network, images = Curved().eval(), tensor_of(made_pixels(count))
    with torch.no_grad():
        answers = network(images).argmax(dim=1)
    return network, images, (answers + torch.arange(count)) % 3


def two_classes(spread: float = 1.0) -> Planes:
    """Class 0 where the sum over a random direction is above 0."""
    direction = torch.randn(SIDE * SIDE, generator=torch.Generator().manual_seed(5))
    weight = torch.stack([direction, -direction]) * spread / 2
    return Planes(weight, torch.stack([-direction.sum() / 2, direction.sum() / 2]) * spread / 2)


def on_both_sides(network: Planes) -> tuple[Tensor, Tensor]:
    """Images around grey, 0.3 to 1 from the plane of two classes, so that no way to it leads out of the box."""
    images = 0.5 + 0.05 * torch.randn(16, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(6))
    across = (network.head.weight[0] - network.head.weight[1]).detach()
    across = (across / across.norm()).view(1, 1, SIDE, SIDE)
    wanted = torch.linspace(0.3, 1, 16) * torch.tensor([1.0, -1.0]).repeat(8)
    apart = ((images - 0.5) * across).sum(dim=(1, 2, 3))
    return images + (wanted - apart).view(-1, 1, 1, 1) * across, wanted


# known answers


def straight(logits: Tensor, labels: Tensor) -> Tensor:
    """The other logit minus the label's: linear, so that all that a rule adds shows."""
    return (logits.flip(1) - logits).gather(1, labels[:, None])[:, 0]


@pytest.mark.parametrize(
    ("rule", "steps", "most"),
    [
        (Newton(), 1, 1.01),
        (Minimal(100), 100, 1.03),
        (Momentum(), 300, 1.06),  # known to a 32nd of the way gone, of which the last step may be a good part
        (Adam(), 300, 1.35),  # every value goes as far, which is sqrt(pi / 2) times as long for normal weights
    ],
    ids=["newton", "minimal", "momentum", "adam"],
)
def test_the_way_to_a_plane_is_as_long_as_geometry_says(rule, steps, most):
    network = two_classes()
    images, apart = on_both_sides(network)
    labels = (apart > 0).long()  # the class of the other side
    with frozen(network):
        found = optimised(network, images, labels, Criterion("over", straight, straight, 0.0), rule, steps)
    assert found.reached.all()
    ratio = length(found.place - images) / apart.abs()
    assert ratio.min() > 1 - 1e-3
    assert ratio.max() < most


# slow twins


def rows_by_hand(network, criterion, rule, most_steps, image, label) -> tuple[Tensor, bool, int, float, float]:
    """One row alone, in words: step, stay in the box, keep the nearest place that passes, go back by halves."""
    start, label = image[None], label[None]

    def judged(place):
        return float(criterion.judged(network(place), label)) - criterion.level

    def loss(place):
        return float(criterion.loss(network(place), label))

    place, state, passing = start, rule.begin(start), []
    for taken in range(most_steps + 1):
        with torch.no_grad():
            if judged(place) <= 0:
                passing.append(place)
        if (passing and (rule.stops_at_once or taken == 0)) or taken == most_steps:
            break
        wanted = place.clone().requires_grad_()
        criterion.loss(network(wanted), label).sum().backward()
        gradient = wanted.grad.clone()
        for spot in np.ndindex(*place.shape):
            if (place[spot] <= 0 and gradient[spot] > 0) or (place[spot] >= 1 and gradient[spot] < 0):
                gradient[spot] = 0
        with torch.no_grad():
            missing = torch.tensor([judged(place)])
            place = rule.step(Standing(start, place, gradient, missing, torch.tensor([taken])), state).clamp(0, 1)
    with torch.no_grad():
        best = min(passing, key=lambda each: (each - start).norm()) if passing else place
        low, high = 0.0, 1.0
        for _ in range(HALVINGS if passing and taken else 0):
            middle = (low + high) / 2
            if judged(start + middle * (best - start)) <= 0:
                high = middle
            else:
                low = middle
        best = start + high * (best - start)
        return best, bool(passing), taken, loss(start), loss(best)


@pytest.mark.parametrize("criterion", [sure(LEVEL), right(0.5)], ids=["loss", "margin"])
@pytest.mark.parametrize("rule", ["momentum", "adam", "minimal"])
def test_every_row_ends_where_a_loop_over_one_row_ends(rule, criterion):
    network, images, labels = hard_rows(6)
    with frozen(network):
        found = optimised(network, images, labels, criterion, RULES[rule], 12, batch_size=4)
    assert len(set(found.steps.tolist())) > 1
    for row in range(6):
        place, reached, steps, before, after = rows_by_hand(
            network, criterion, RULES[rule], 12, images[row], labels[row]
        )
        torch.testing.assert_close(found.place[row], place[0], rtol=0, atol=1e-4)
        assert (bool(found.reached[row]), int(found.steps[row])) == (reached, steps)
        assert float(found.loss_before[row]) == pytest.approx(before, rel=1e-4, abs=1e-6)
        assert float(found.loss_after[row]) == pytest.approx(after, rel=1e-2, abs=1e-6)


# rows are alone


@pytest.mark.parametrize("rule", RULES)
def test_company_order_and_batch_size_change_nothing_for_a_row(rule):
    network, images, labels = hard_rows()
    criterion = right(0.0) if rule != "newton" else Criterion("right", *[right(0).judged] * 2, 0.0)
    order = torch.tensor([7, 0, 11, 3, 8, 1, 5, 2, 10, 9, 6, 4])
    with frozen(network):
        expected = optimised(network, images, labels, criterion, RULES[rule], 40)
        others = [optimised(network, images, labels, criterion, RULES[rule], 40, size) for size in (1, 3)]
        mixed = optimised(network, images[order], labels[order], criterion, RULES[rule], 40, 5)
        alone = [optimised(network, images[[row]], labels[[row]], criterion, RULES[rule], 40) for row in range(4)]
    assert expected.reached.sum() >= 8
    for found in others:
        torch.testing.assert_close(found.place, expected.place, rtol=0, atol=1e-4)
        assert torch.equal(found.steps, expected.steps)
        assert torch.equal(found.reached, expected.reached)
    torch.testing.assert_close(mixed.place, expected.place[order], rtol=0, atol=1e-4)
    assert torch.equal(mixed.steps, expected.steps[order])
    torch.testing.assert_close(torch.cat([each.place for each in alone]), expected.place[:4], rtol=0, atol=1e-4)


def test_a_full_device_halves_the_batch_says_so_and_changes_nothing():
    network, images, labels = hard_rows()
    told, narrow, tally = Noted(), Counting(network, most=2), Tally()
    with frozen(network):
        expected = optimised(network, images, labels, sure(LEVEL), Momentum())
        found = optimised(narrow, images, labels, sure(LEVEL), Momentum(), progress=told, tally=tally)
    torch.testing.assert_close(found.place, expected.place, rtol=0, atol=1e-4)
    assert torch.equal(found.steps, expected.steps)
    assert [sentence.split(":")[0] for sentence in told.notes] == [
        "the batch was halved to 6 images",
        "the batch was halved to 3 images",
        "the batch was halved to 1 images",
    ]
    assert tally.evaluations == narrow.rows


def test_memory_that_runs_out_in_the_middle_of_a_step_changes_nothing_either():
    """What a rule remembers has moved by then, so that going on from there would take the step twice."""
    network, images, labels = hard_rows()

    class FullOnce(Momentum):
        asked = 0

        def step(self, at, state):
            moved = super().step(at, state)
            FullOnce.asked += 1
            if FullOnce.asked == 3:
                raise torch.OutOfMemoryError("too much")
            return moved

    with frozen(network):
        expected = optimised(network, images, labels, sure(LEVEL), Momentum())
        found = optimised(network, images, labels, sure(LEVEL), FullOnce())
    torch.testing.assert_close(found.place, expected.place, rtol=0, atol=1e-4)
    assert torch.equal(found.steps, expected.steps)


def test_a_device_too_small_for_one_image_says_so_and_does_not_try_for_ever():
    network, images, labels = hard_rows()
    with pytest.raises(torch.OutOfMemoryError):
        optimised(Counting(network, most=0), images, labels, sure(LEVEL), Momentum())


# what comes back


def test_each_criterion_is_met_where_its_words_say():
    logits, labels = torch.tensor([[2.0, 1.4, 0.0], [2.0, 1.6, 0.0], [2.0, 3.0, 0.0]]), torch.zeros(3, dtype=torch.long)
    assert right(0.5).says == "margin at least 0.5"
    assert right(0.5).passes(logits, labels).tolist() == [True, False, False]
    assert right(0.0).passes(logits, labels).tolist() == [True, True, False]
    losses = F.cross_entropy(logits, labels, reduction="none")
    assert sure(0.6).says == "loss at most 0.6 nats"
    assert sure(float(losses[1])).passes(logits, labels).tolist() == [True, True, False]
    images = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    others = images.clone()
    others[1] = images[1].flip(1)
    assert near(1e-3).passes(images, others).tolist() == similar(1e-3).passes(images, others).tolist() == [True, False]
    assert near(1e-3).says == "mean squared error at most 0.001"
    assert near(1).loss(images, others)[1].item() == pytest.approx(float((images[1] - others[1]).square().mean()))
    assert similar(0.1).says == "1 - SSIM at most 0.1"
    torch.testing.assert_close(similar(1).loss(images, others), 1 - ssim(images, others))


@pytest.mark.parametrize("rule", ["momentum", "adam", "minimal"])
def test_places_stay_in_the_box_and_what_is_reached_passes(rule):
    network, images, labels = hard_rows()
    with frozen(network):
        found = optimised(network, images, labels, sure(LEVEL), RULES[rule], 40)
        again = sure(LEVEL).loss(network(found.place), labels)
    assert found.place.min() >= 0
    assert found.place.max() <= 1
    assert (found.place == 0).any()  # the box was felt
    assert (found.loss_after[found.reached] <= LEVEL).all()
    torch.testing.assert_close(again, found.loss_after, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_a_row_that_passes_as_it_is_comes_back_unmoved_after_one_look(rule):
    network, images, _ = hard_rows(4)
    labels = network(images).argmax(dim=1)
    counting, tally = Counting(network), Tally()
    with frozen(network):
        found = optimised(counting, images, labels, right(0.0), RULES[rule], tally=tally)
    assert found.reached.all()
    assert found.steps.tolist() == [0] * 4
    assert torch.equal(found.place, images)
    assert torch.equal(found.loss_after, found.loss_before)
    assert counting.rows == tally.evaluations == 4


@pytest.mark.parametrize("rule", RULES)
def test_a_row_that_is_not_reached_took_every_step_and_is_where_it_ended(rule):
    network, images, labels = hard_rows(3)
    never = Criterion("never", right(0).loss, lambda logits, labels: 1 + 0 * logits[:, 0], 0.0)
    with frozen(network):
        found = optimised(network, images, labels, never, RULES[rule], 4)
    assert not found.reached.any()
    assert found.steps.tolist() == [4] * 3
    assert (length(found.place - images) > 0).all()
    torch.testing.assert_close(
        found.loss_after, right(0).loss(network(found.place), labels).detach(), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("rule", RULES)
def test_the_tally_counts_what_the_model_was_asked(rule):
    network, images, labels = hard_rows()
    counting, tally = Counting(network), Tally()
    with frozen(network):
        optimised(counting, images, labels, right(0.0), RULES[rule], 30, 4, tally=tally)
    assert tally.evaluations == counting.rows > 12


def test_no_batch_is_larger_than_it_may_be():
    """Three rows are over after one step, then four at once; together they are more than fit."""
    mean = Counting(nn.Sequential(nn.Flatten(), nn.AvgPool1d(16)))
    goals = torch.tensor([0.501] * 3 + [0.508] + [0.501] * 8)[:, None]  # one step is 0.002, three are 0.011

    def short(outputs, targets):
        return (targets - outputs)[:, 0]

    found = optimised(mean, torch.full((12, 1, 4, 4), 0.5), goals, Criterion("", short, short, 0.0), Momentum(), 9, 4)
    assert found.steps.tolist() == [1, 1, 1, 3] + [1] * 8
    assert max(len(asked) for asked in mean.asked) == 4


def test_nothing_to_do_is_done_at_once():
    nothing = torch.zeros(0, 1, 2, 2)
    heard = Noted()
    assert (
        list(optimise(nn.Identity(), lambda rows: (nothing, nothing), 0, near(1), Adam(), 9, 4, heard, Tally())) == []
    )
    assert heard.fractions == [1.0]


def test_progress_runs_up_to_one_and_a_stop_takes_effect_at_the_next_step():
    network, images, labels = hard_rows()
    heard = Noted()
    optimised(network, images, labels, sure(LEVEL), Momentum(), batch_size=4, progress=heard)
    assert heard.fractions == sorted(heard.fractions)
    assert heard.fractions[-1] == 1

    class Stopped(Progress):
        def report(self, fraction, label):
            raise Cancelled

    counting = Counting(network)
    with pytest.raises(Cancelled):
        optimised(counting, images, labels, sure(LEVEL), Momentum(), progress=Stopped())
    assert counting.rows == 0


# networks that can't be followed


def test_nan_names_the_row():
    network, images, labels = hard_rows()

    class Breaks(nn.Module):
        def forward(self, places):
            logits = network(places)
            return torch.where((places == images[5]).flatten(1).all(dim=1)[:, None], torch.nan, logits)

    with pytest.raises(NotFinite, match="the network gives NaN or infinity for row 5"):
        optimised(Breaks(), images, labels, sure(LEVEL), Momentum(), batch_size=4)


def test_a_network_without_a_gradient_is_refused_in_a_sentence():
    network, images, labels = hard_rows()
    with pytest.raises(ValueError, match="lets no gradient through") as found:
        optimised(lambda places: network(places.detach()).detach(), images, labels, sure(LEVEL), Momentum())
    assert str(found.value) == NO_GRADIENT


@pytest.mark.parametrize("rule", RULES)
def test_a_row_without_a_slope_is_given_up_at_once_and_others_are_not(rule):
    """A network that rounds lets a gradient through that is zero; 300 steps of it would lead nowhere."""
    network, images, labels = hard_rows()

    class FlatForSome(nn.Module):
        def forward(self, places):
            logits = network(places)
            steep = (places != images[labels == 1][:1]).flatten(1).any(dim=1)[:, None]
            return torch.where(steep, logits, logits.round())

    flat = int(torch.nonzero(labels == 1)[0, 0])
    rounded = network(images[[flat]]).round().argmax()
    target = labels.clone()
    target[flat] = (rounded + 1) % 3
    with frozen(network):
        found = optimised(FlatForSome(), images, target, right(0.0), RULES[rule], 30)
    assert not found.reached[flat]
    assert int(found.steps[flat]) == 0
    assert torch.equal(found.place[flat], images[flat])
    assert found.reached.sum() >= 6


def test_a_gradient_that_shares_memory_can_be_used():
    """A sum's gradient is one number seen through a view of no strides, into which nothing can be written."""
    images = torch.full((2, 1, 4, 4), 0.5)
    found = optimised(lambda places: places.sum(dim=(2, 3)), images, torch.full((2, 1), 9.0), near(1e-4), Momentum())
    assert found.reached.all()


def test_weights_are_frozen_inside_and_as_they_were_after_even_after_an_error():
    network, images, labels = hard_rows()
    network.head.bias.requires_grad_(False)
    network.head.weight.grad = torch.ones_like(network.head.weight)
    wanted = [weight.requires_grad for weight in network.parameters()]
    assert sorted(set(wanted)) == [False, True]
    seen = []

    def watched(places):
        seen.append([weight.requires_grad for weight in network.parameters()])
        return network(places)

    with frozen(network):
        optimised(watched, images, labels, sure(LEVEL), Momentum(), 3)
    assert [weight.requires_grad for weight in network.parameters()] == wanted
    with pytest.raises(ZeroDivisionError), frozen(network):
        raise ZeroDivisionError
    assert [weight.requires_grad for weight in network.parameters()] == wanted
    assert not any(flag for each in seen for flag in each)
    assert torch.equal(network.head.weight.grad, torch.ones_like(network.head.weight))


# image to image


@pytest.fixture(scope="module")
def autoencoder() -> nn.Module:
    """Trained for a moment to give stripes back."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.GELU(),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
        nn.Sigmoid(),
    )
    adam = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(150):
        images = stripes(torch.rand(16))
        adam.zero_grad()
        F.mse_loss(network(images), images).backward()
        adam.step()
    return network.eval()


def stripes(phase: Tensor) -> Tensor:
    """(n, 1, 16, 16) in [0, 1], n waves across."""
    across = torch.linspace(0, 2, 16)[None] + phase[:, None]
    return (0.5 + 0.4 * torch.sin(2 * torch.pi * across))[:, None, None].expand(-1, 1, 16, -1).contiguous()


@pytest.mark.parametrize(("criterion", "level"), [(near, 2e-3), (similar, 0.02)], ids=["near", "similar"])
@pytest.mark.parametrize("rule", ["momentum", "adam", "minimal"])
def test_an_image_to_image_network_is_led_to_the_output_asked_for(autoencoder, criterion, level, rule):
    phase = torch.tensor([0.0, 0.2, 0.7])
    targets = autoencoder(stripes(phase)).detach()
    starts = (stripes(phase) + 0.25 * torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    with frozen(autoencoder):
        found = optimised(autoencoder, starts, targets, criterion(level), RULES[rule], 120)
        outputs = autoencoder(found.place)
    assert (found.loss_before > 1.5 * level).all()  # there was something to do
    assert found.reached.all()
    left = (outputs - targets).square().mean(dim=(1, 2, 3)) if criterion is near else 1 - ssim(outputs, targets)
    assert (left <= level * 1.001).all()
    assert (length(found.place - starts) > 0).all()
