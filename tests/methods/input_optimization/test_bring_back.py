from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.methods.input_optimization.bring_back import bring_back, step_rule
from engine.methods.input_optimization.curves import worst_grids
from engine.methods.input_optimization.optimise import NO_GRADIENT
from engine.methods.input_optimization.pairs import pairs_of
from engine.methods.input_optimization.result import ALREADY, NOT_REACHED, REACHED, Optimisation
from engine.methods.input_optimization.settings import OptimisationSettings, SweepSettings, together
from engine.methods.input_optimization.step_rules import Adam, Minimal, Momentum
from engine.methods.input_optimization.sweep import sweep
from engine.runs.progress import Cancelled, Progress
from engine.toolkit.answers import margin
from tests.methods.input_optimization.small import Noted, curved_subject, swept

QUICK = OptimisationSettings(most_steps=60)
BATCH = "engine.methods.input_optimization.views.batch_size"


@pytest.fixture(scope="module")
def found_sweep():
    return swept(curved_subject())


def brought_back(found_sweep, settings=QUICK, subject=None, progress=None) -> Optimisation:
    return bring_back(subject or curved_subject(), settings, found_sweep, progress or Progress())


def optimised_images(found: Optimisation, found_sweep, subject) -> torch.Tensor:
    """(P, C, H, W), the transformed images with their changes."""
    pairs = pairs_of(subject, found_sweep, tuple(dict.fromkeys(found.grid.tolist())), int(found.image.max()) + 1)
    images = pairs.transformed(np.arange(len(pairs)))
    images[torch.from_numpy(found.state != ALREADY)] += torch.from_numpy(found.change.astype(np.float32))
    return images


def assert_same(found: Optimisation, expected: Optimisation, rows=slice(None)) -> None:
    for name in ("image", "grid", "combination", "state", "steps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[rows], err_msg=name)
    for name in ("distance", "loss_before", "loss_after"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name)[rows], rtol=5e-3, atol=1e-4)


# what comes back


@pytest.mark.parametrize("success", ["loss", "margin"])
@pytest.mark.parametrize("rule", ["momentum", "adam", "minimal"])
def test_every_pair_is_where_its_row_says(found_sweep, rule, success):
    subject = curved_subject()
    found = brought_back(found_sweep, replace(QUICK, step_rule=rule, success=success), subject)
    already, reached, missed = found.counts
    assert min(already, reached) > 5
    assert already + reached + missed == len(found.state) == 10 * (4 + 2 + 2)
    assert len(found.change) == reached + missed
    sweeps = np.array(
        [
            found_sweep.grids[g].outcomes.loss[i, c]
            for i, g, c in zip(found.image, found.grid, found.combination, strict=True)
        ]
    )
    np.testing.assert_array_equal(found.loss_before, sweeps)
    np.testing.assert_array_equal(found.loss_after[found.state == ALREADY], sweeps[found.state == ALREADY])
    images = optimised_images(found, found_sweep, subject)
    labels = torch.from_numpy(found_sweep.labels[found.image])
    with torch.no_grad():
        logits = subject.classifier(images)
    losses = F.cross_entropy(logits, labels, reduction="none").numpy()
    np.testing.assert_allclose(found.loss_after, losses, rtol=2e-2, atol=1e-4)
    done = found.state == REACHED
    if success == "loss":
        assert found.rule == "loss at most 0.05 nats"
        np.testing.assert_array_equal(found.state == ALREADY, sweeps <= 0.05)
        assert (found.loss_after[done] <= 0.05).all()
        assert (losses[done] <= 0.05 * 1.01).all()  # what float16 keeps of the change still passes
    else:
        assert found.rule == "margin at least 0"
        assert (logits.argmax(dim=1) == labels).numpy()[found.state != NOT_REACHED].all()
    assert images.min() > -5e-4  # float16, again
    assert images.max() < 1 + 5e-4
    length = np.linalg.norm(found.change.astype(np.float32).reshape(len(found.change), -1), axis=1)
    np.testing.assert_allclose(found.distance[done], length[found.state[found.state != ALREADY] == REACHED], rtol=2e-3)
    assert (found.distance[found.state == ALREADY] == 0).all()
    assert (found.steps[found.state == ALREADY] == 0).all()
    assert (found.steps[done] > 0).all()


def test_a_margin_is_led_by_as_much_as_was_asked_for(found_sweep):
    found = brought_back(found_sweep, replace(QUICK, success="margin", margin_level=2.0))
    before = np.array(
        [
            found_sweep.grids[grid].outcomes.margin[image, way]
            for image, grid, way in zip(found.image, found.grid, found.combination, strict=True)
        ]
    )
    np.testing.assert_array_equal(found.state == ALREADY, before >= 2)
    subject = curved_subject()
    with torch.no_grad():
        logits = subject.classifier(optimised_images(found, found_sweep, subject))
    after = margin(logits, torch.from_numpy(found_sweep.labels[found.image])).numpy()
    assert (found.state == REACHED).sum() > 20
    assert after[found.state == REACHED].min() > 1.99
    assert np.median(after[found.state == REACHED]) < 4  # and not by much more


def test_minimal_changes_less_than_the_others(found_sweep):
    minimal, momentum, adam = (
        brought_back(found_sweep, replace(QUICK, step_rule=rule, most_steps=100)).distance
        for rule in ("minimal", "momentum", "adam")
    )
    there = ~np.isnan(minimal + momentum + adam) & (minimal > 0)
    assert there.sum() > 20
    assert np.median(momentum[there] / minimal[there]) > 1
    assert np.median(adam[there] / minimal[there]) > 1.1


def test_a_pair_that_is_not_reached_has_no_distance_but_its_last_place(found_sweep):
    subject = curved_subject()
    found = brought_back(found_sweep, replace(QUICK, most_steps=2), subject)
    missed = found.state == NOT_REACHED
    assert missed.sum() > 5
    assert (found.state == REACHED).any()
    assert np.isnan(found.distance[missed]).all()
    assert not np.isnan(found.distance[~missed]).any()
    assert (found.steps[missed] == 2).all()
    assert (found.loss_after[missed] > 0.05).all()
    images = optimised_images(found, found_sweep, subject)
    labels = torch.from_numpy(found_sweep.labels[found.image])
    with torch.no_grad():
        losses = F.cross_entropy(subject.classifier(images), labels, reduction="none").numpy()
    np.testing.assert_allclose(found.loss_after[missed], losses[missed], rtol=2e-2)


# which pairs


def test_pairs_that_pass_already_never_enter(found_sweep):
    subject = curved_subject()
    pairs = pairs_of(subject, found_sweep, (0, 1, 2), 50)
    passing = np.flatnonzero(pairs.column("loss") <= 0.05)
    transformed = pairs.transformed(np.arange(len(pairs)))
    whole, asked = subject.classifier.forward, []
    subject.classifier.forward = lambda images: asked.append(images.detach().clone()) or whole(images)
    found = brought_back(found_sweep, subject=subject)
    assert found.evaluations == sum(len(each) for each in asked)
    exact = "donot_use_mm_for_euclid_dist"
    apart = torch.cdist(transformed.flatten(1), torch.cat(asked).flatten(1), compute_mode=exact).amin(dim=1).numpy()
    assert len(passing) > 5
    assert apart[passing].min() > 1e-4
    assert np.delete(apart, passing).max() < 1e-4  # and all the others do


def test_without_numbers_the_families_of_the_lowest_accuracy_are_taken(found_sweep):
    found = brought_back(found_sweep, replace(QUICK, worst=2, most_steps=1))
    accuracy = [found_sweep.right(grid).mean() for grid in range(3)]
    assert (
        list(dict.fromkeys(found.grid.tolist()))
        == np.argsort(accuracy)[:2].tolist()
        == list(worst_grids(found_sweep, 2))
    )
    assert set(brought_back(found_sweep, replace(QUICK, grids=(1,), most_steps=1)).grid.tolist()) == {1}


def test_grids_that_are_not_there_are_refused(found_sweep):
    with pytest.raises(ValueError, match="the sweep has 3 grids, from 0 on; there is no number 3"):
        brought_back(found_sweep, replace(QUICK, grids=(1, 3)))


def test_a_sweep_of_combinations_alone_needs_the_grids_to_be_named():
    subject = curved_subject(3)
    both = sweep(subject, SweepSettings((together(("rotation", "gaussian_blur"), 1),)), None, Progress())
    with pytest.raises(ValueError, match="the sweep varies no family alone, so say by their numbers which"):
        brought_back(both, subject=subject)
    found = brought_back(both, replace(QUICK, grids=(0,)), subject)
    assert len(found.state) == 3 * 5


def test_images_that_are_gone_are_said(found_sweep):
    subject = curved_subject()
    fewer = replace(subject, images=subject.images.take(np.arange(8)))
    with pytest.raises(ValueError, match="2 images of the sweep are not in the data any more; sweep again"):
        brought_back(found_sweep, subject=fewer)


# rows are alone


@pytest.mark.parametrize("size", [1, 3, 256])
def test_the_batch_size_changes_nothing(found_sweep, size, monkeypatch):
    expected = brought_back(found_sweep)
    monkeypatch.setattr(BATCH, lambda classifier: size)
    found = brought_back(found_sweep)
    assert_same(found, expected)
    np.testing.assert_allclose(found.change.astype(np.float32), expected.change.astype(np.float32), atol=2e-3)


def test_other_images_and_other_grids_change_nothing_for_a_pair(found_sweep):
    expected = brought_back(found_sweep, replace(QUICK, grids=(0, 1, 2)))
    few = brought_back(found_sweep, replace(QUICK, grids=(1,), images=3))
    assert_same(few, expected, (expected.grid == 1) & (expected.image < 3))


def test_a_full_device_changes_nothing(found_sweep):
    expected, subject, told = brought_back(found_sweep), curved_subject(), Noted()
    whole = subject.classifier.forward

    def narrow(images):
        if len(images) > 7:
            raise torch.OutOfMemoryError("too much")
        return whole(images)

    subject.classifier.forward = narrow
    assert_same(brought_back(found_sweep, subject=subject, progress=told), expected)
    assert len(told.notes) > 1


# the rules


def test_a_rule_has_the_size_and_the_steps_that_were_asked_for_or_its_own():
    for name, kind in (("momentum", Momentum), ("adam", Adam)):
        assert step_rule(OptimisationSettings(step_rule=name)) == kind()
        assert step_rule(OptimisationSettings(step_rule=name, step_size=0.01)) == kind(0.01)
    assert step_rule(OptimisationSettings(step_rule="minimal", most_steps=70)) == Minimal(70)


# the classifier


def test_weights_are_as_they_were_even_after_an_error(found_sweep):
    subject = curved_subject()
    subject.classifier.network.head.bias.requires_grad_(False)
    wanted = [weight.requires_grad for weight in subject.classifier.parameters()]
    weights = [weight.detach().clone() for weight in subject.classifier.parameters()]
    whole, seen = subject.classifier.forward, []
    subject.classifier.forward = lambda images: (
        seen.append([weight.requires_grad for weight in subject.classifier.parameters()]) or whole(images)
    )

    class Stopped(Progress):
        def report(self, fraction, label):
            if len(seen) > 2:
                raise Cancelled

    brought_back(found_sweep, replace(QUICK, most_steps=2), subject)
    with pytest.raises(Cancelled):
        brought_back(found_sweep, subject=subject, progress=Stopped())
    assert not any(flag for flags in seen for flag in flags)
    assert [weight.requires_grad for weight in subject.classifier.parameters()] == wanted
    for weight, before in zip(subject.classifier.parameters(), weights, strict=True):
        assert torch.equal(weight, before)
        assert weight.grad is None


@pytest.mark.parametrize("rule", ["momentum", "minimal", "paper"])
def test_nan_stops_with_the_pair_named(found_sweep, rule, monkeypatch):
    monkeypatch.setattr("engine.methods.input_optimization.paper.MOST_STEPS", 3)
    subject = curved_subject()
    pairs = pairs_of(subject, found_sweep, (0, 1, 2), 50)
    row = np.flatnonzero((pairs.column("loss") > 0.05) & (pairs.grid == 1))[-1]
    broken, whole = pairs.transformed(np.array([row])), subject.classifier.forward

    def breaks(images):
        at = (images - broken).abs().flatten(1).amax(dim=1) < 1e-6
        return torch.where(at[:, None], torch.nan, whole(images))

    subject.classifier.forward = breaks
    name = subject.images.names[subject.images.position[found_sweep.ids[pairs.image[row]]]]
    with pytest.raises(ValueError, match=rf"the network gives NaN or infinity for {name} \(.*blur .* % of the side\)"):
        brought_back(found_sweep, replace(QUICK, step_rule=rule, grids=(0, 1, 2)), subject)


@pytest.mark.parametrize("rule", ["momentum", "adam", "minimal", "paper"])
def test_a_network_that_lets_no_gradient_through_is_refused_in_a_sentence(found_sweep, rule, monkeypatch):
    monkeypatch.setattr("engine.methods.input_optimization.paper.MOST_STEPS", 2)
    settings = replace(QUICK, step_rule=rule, grids=(1,))
    for blind in (lambda logits: logits.detach(), torch.round):
        subject = curved_subject()
        whole = subject.classifier.forward
        subject.classifier.forward = lambda images, whole=whole, blind=blind: blind(whole(images))
        with pytest.raises(ValueError, match="lets no gradient through") as error:
            brought_back(swept(subject), settings, subject)
        assert str(error.value) == NO_GRADIENT
        assert all(weight.requires_grad for weight in subject.classifier.parameters())


# the published procedure


def by_the_textbook(subject, pairs, rows, level=0.05, rate=1e-3, most_steps=500):
    """Prasad et al.'s loop: Adam on the normalised pixels of all images at once, until their mean loss is low."""
    network = subject.classifier.network
    normalised = ((pairs.transformed(rows) - 0.5) / 0.25).requires_grad_()
    start, labels = normalised.detach().clone(), pairs.labels(rows)
    adam = torch.optim.Adam([normalised], lr=rate)
    for taken in itertools.count(1):
        loss = F.cross_entropy(network(normalised), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        if loss < level or taken == most_steps:
            break
    losses = F.cross_entropy(network(normalised), labels, reduction="none").detach().numpy()
    return ((normalised - start).detach() * 0.25).numpy(), losses, taken


def test_the_paper_s_rule_is_the_textbook_s_loop(found_sweep):
    subject = curved_subject()
    settings = replace(QUICK, step_rule="paper", grids=(1, 2), step_size=0.01)
    whole, asked = subject.classifier.forward, []
    subject.classifier.forward = lambda images: asked.append(len(images)) or whole(images)
    found = brought_back(found_sweep, settings, subject)
    assert found.evaluations == sum(asked)
    pairs = pairs_of(subject, found_sweep, (1, 2), 50)
    steps = set()
    for grid in (1, 2):
        for combination in range(2):
            rows = np.flatnonzero((pairs.grid == grid) & (pairs.combination == combination))
            change, losses, taken = by_the_textbook(subject, pairs, rows, rate=0.01)
            np.testing.assert_allclose(found.change[rows].astype(np.float32), change, atol=1e-3)
            np.testing.assert_allclose(found.loss_after[rows], losses, rtol=1e-2, atol=1e-4)
            assert (found.steps[rows] == taken).all()
            np.testing.assert_array_equal(found.state[rows] == REACHED, losses <= 0.05)
            steps.add(taken)
    assert len(steps) > 2
    assert found.counts[0] == 0  # what passes already is moved, too


def test_by_the_paper_s_rule_a_pair_s_distance_depends_on_the_others_and_by_ours_it_does_not(found_sweep):
    few = {rule: replace(QUICK, step_rule=rule, grids=(1,), images=3, step_size=0.0) for rule in ("paper", "momentum")}
    found = {rule: brought_back(found_sweep, replace(settings, step_size=0.01)) for rule, settings in few.items()}
    more = {rule: brought_back(found_sweep, replace(each, images=10, step_size=0.01)) for rule, each in few.items()}
    moved = {
        rule: np.linalg.norm(each.change.astype(np.float32).reshape(len(each.change), -1), axis=1)
        for rule, each in found.items()
    }
    company = {
        rule: np.linalg.norm(each.change.astype(np.float32).reshape(len(each.change), -1), axis=1)
        for rule, each in more.items()
    }
    for rule in few:
        rows = np.flatnonzero(found[rule].state != ALREADY)
        ours, theirs = moved[rule], company[rule][: len(rows)]
        if rule == "paper":
            assert np.abs(ours / theirs - 1).max() > 0.2
        else:
            np.testing.assert_allclose(ours, theirs, rtol=5e-3)


def test_the_paper_s_rule_stops_by_the_margin_where_that_is_asked_for(found_sweep):
    settings = OptimisationSettings(step_rule="paper", grids=(1,), success="margin", step_size=0.01)
    found = brought_back(found_sweep, settings)
    assert found.steps.max() < 100
