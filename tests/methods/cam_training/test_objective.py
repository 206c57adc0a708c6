from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.methods.cam_training.looking import lookout
from engine.methods.cam_training.losses import energy, l1, mse
from engine.methods.cam_training.objective import TaughtLoss, weighed_mean
from engine.methods.cam_training.result import Curves
from engine.methods.cam_training.settings import LOSSES, TeachingSettings
from engine.runs.progress import Progress
from engine.toolkit.training import Batch
from tests.methods.cam_training.planted import Striped, WithHead, mlp_head, random_images, striped_subject

LABELS = torch.tensor([0, 1, 1, 0])
FORBIDDEN = torch.ones(1, 8, 8)
FORBIDDEN[:, 2:6, 2:6] = 0


def batch(step: int = 0) -> Batch:
    return Batch(step, torch.arange(4), random_images(4), LABELS)


def loss_of(network=Striped, steps: int = 1000, progress: Progress | None = None, cells=FORBIDDEN, **said):
    classifier = striped_subject(network=network).classifier.eval()
    place = lookout(classifier, striped_subject().images, "")
    return classifier, TaughtLoss(TeachingSettings(**said), place, cells, steps, progress or Progress())


def bent(outputs: int) -> WithHead:
    return WithHead(mlp_head(outputs))


def terms_by_hand(classifier) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and the label's contrast of a head of one average and one linear layer."""
    network = classifier.network
    maps = network.features(classifier.preprocess(batch().images))
    logits = network.fc(maps.mean(dim=(2, 3)))
    both = torch.einsum("kc,nchw->nkhw", network.fc.weight, maps)
    own = torch.arange(4)
    return logits, both[own, LABELS] - both[own, 1 - LABELS]


@pytest.mark.parametrize(("name", "penalty"), [("mse", mse), ("l1", l1), ("energy", energy)])
def test_the_loss_is_the_cross_entropy_and_so_many_times_the_term(name, penalty):
    classifier, loss = loss_of(loss=name, weight=0.3)
    logits, contrast = terms_by_hand(classifier)
    expected = F.cross_entropy(logits, LABELS) + 0.3 * penalty(contrast, FORBIDDEN)
    torch.testing.assert_close(loss(classifier, batch(1)), expected)


def test_the_margin_stands_in_the_place_of_the_cross_entropy():
    classifier, loss = loss_of(loss="margin", weight=0.7)
    logits, contrast = terms_by_hand(classifier)
    score = logits[torch.arange(4), LABELS] - logits[torch.arange(4), 1 - LABELS]
    weighed = FORBIDDEN * contrast
    left = score - weighed.mean(dim=(1, 2)) - 0.7 * weighed.abs().mean(dim=(1, 2))
    torch.testing.assert_close(loss(classifier, batch(1)), F.softplus(-left).mean())


def test_each_row_is_held_against_its_own_mask():
    cells = torch.zeros(10, 8, 8)
    cells[7] = 1
    classifier, loss = loss_of(cells=cells)
    _, contrast = terms_by_hand(classifier)
    given = replace(batch(1), rows=torch.tensor([2, 7, 0, 1]))
    expected = F.cross_entropy(terms_by_hand(classifier)[0], LABELS) + (contrast[1] ** 2).mean() / 4
    torch.testing.assert_close(loss(classifier, given), expected)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("network", [Striped, bent], ids=["exact", "by gradient"])
def test_every_loss_trains_the_weights_below_and_the_head(name, network):
    classifier, loss = loss_of(network=network, loss=name, steps=3)
    value = loss(classifier, batch(1))  # the middle third, in which the published terms stand alone
    value.backward()
    first = classifier.network.features[0].weight.grad
    head = next(weight for weight in classifier.network.fc.parameters())
    assert first.abs().max() > 0
    assert head.grad.abs().max() > 0


def test_the_published_losses_stand_alone_in_the_middle_third():
    for name in ("published", "published_as_it_was"):
        classifier, loss = loss_of(loss=name, steps=300)
        plain = F.cross_entropy(terms_by_hand(classifier)[0], LABELS)
        torch.testing.assert_close(loss(classifier, batch(1)), plain)
        assert float(loss(classifier, batch(151)).detach()) != pytest.approx(float(plain.detach()), rel=1e-3)


def test_without_a_weight_it_is_the_cross_entropy_bit_for_bit_noted_or_not():
    for said in ({"weight": 0.0}, {"arm": "default"}, {"arm": "crop"}):
        for network in (Striped, bent):
            classifier, loss = loss_of(network=network, **said)
            expected = F.cross_entropy(classifier(batch().images), LABELS)
            for step in (0, 1):
                assert torch.equal(loss(classifier, batch(step)), expected)
            assert len(loss.result().step) == 1


def test_points_of_the_curve_are_noted_at_some_sixty_steps_and_shown():
    shown = []

    class Watching(Progress):
        def show(self, partial):
            shown.append(partial)

    classifier, loss = loss_of(steps=200, progress=Watching())
    for step in range(200):
        loss(classifier, batch(step))
    curves = loss.result()
    assert len(curves.step) == 60
    assert (curves.step[0], curves.step[-1]) == (0, 199)
    assert {len(getattr(curves, each.name)) for each in fields(Curves)} == {60}
    assert len(shown) == 60
    assert set(shown[-1]) == {each.name for each in fields(Curves)}
    assert shown[0]["step"] == [0]
    assert shown[-1]["step"] == curves.step.tolist()


def test_a_point_of_the_curve_says_what_it_should():
    classifier, loss = loss_of(weight=0.5)
    weights = list(classifier.network.parameters())
    logits, contrast = terms_by_hand(classifier)
    plain, term = F.cross_entropy(logits, LABELS), mse(contrast, FORBIDDEN)
    loss(classifier, batch())
    found = loss.result()
    assert found.cross_entropy[0] == pytest.approx(float(plain.detach()), rel=1e-5)
    assert found.cam_loss[0] == pytest.approx(float(term.detach()), rel=1e-4)
    for value, name in ((plain, "cross_entropy_gradient"), (0.5 * term, "cam_gradient")):
        gradients = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
        expected = torch.cat([each.flatten() for each in gradients if each is not None]).norm()
        assert getattr(found, name)[0] == pytest.approx(float(expected), rel=1e-4)
    evidence = contrast.detach().clamp(min=0)
    assert found.inside[0] == pytest.approx(float(evidence[:, 2:6, 2:6].mean()), rel=1e-4)
    outside = evidence.clone()
    outside[:, 2:6, 2:6] = 0
    assert found.outside[0] == pytest.approx(float(outside.sum() / (4 * 48)), rel=1e-4)
    assert found.accuracy[0] == pytest.approx(float((logits.argmax(1) == LABELS).float().mean()))


def test_a_weighed_mean_of_nothing_is_no_number():
    assert np.isnan(weighed_mean(torch.ones(2, 2), torch.zeros(2, 2)))
    assert weighed_mean(torch.tensor([1.0, 3.0]), torch.tensor([3.0, 1.0])) == pytest.approx(1.5)


def test_noting_changes_no_gradient():
    gradients = []
    for step in (0, 1):
        classifier, loss = loss_of()
        loss(classifier, batch(step)).backward()
        gradients.append([weight.grad for weight in classifier.network.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.equal(one, other)


def test_a_loss_that_is_no_number_ends_it_in_a_sentence():
    classifier, loss = loss_of()
    with torch.no_grad():
        classifier.network.fc.weight.fill_(float("nan"))
    with pytest.raises(
        ValueError, match="training broke off at step 1 of 1000: its loss is no number any more; take a"
    ):
        loss(classifier, batch())


def test_no_hook_is_left_not_even_after_an_error():
    classifier, loss = loss_of()
    loss(classifier, batch())
    for broken in (replace(batch(), images=torch.zeros(4, 2, 16, 16)), replace(batch(), labels=torch.zeros(3).long())):
        with pytest.raises(ValueError):  # noqa: PT011 (of the network's own)
            loss(classifier, broken)
    assert not any(module._forward_hooks for module in classifier.network.modules())


def test_a_step_makes_one_pass_so_that_batch_norm_sees_each_batch_once():
    classifier, loss = loss_of()
    classifier.train()
    loss(classifier, batch())
    assert int(classifier.network.features[1].num_batches_tracked) == 1
