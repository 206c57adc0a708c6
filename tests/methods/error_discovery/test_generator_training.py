from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.error_discovery import generator_training
from engine.methods.error_discovery.generator_images import generator_images
from engine.methods.error_discovery.generator_training import Course, Training, trained_vae, warmth
from engine.methods.error_discovery.settings import GeneratorSettings
from engine.runs.progress import Cancelled, Progress
from tests.methods.error_discovery.made_search import SETTINGS, made_subject

CPU = torch.device("cpu")
SHORT = replace(SETTINGS, epochs=4)


def images():
    return generator_images(made_subject(), SETTINGS, Progress())


def test_the_loss_falls():
    _, course = trained_vae(images(), 0, replace(SETTINGS, epochs=10), CPU, Progress())
    assert course.validation[-1] < course.validation[0] - 20
    assert course.reconstruction[-1] < course.reconstruction[0]


def test_the_seed_decides_everything_and_nobody_elses_randomness_moves():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, _ = trained_vae(images(), 0, SHORT, CPU, Progress())
    assert torch.equal(torch.rand(3), expected)
    second, _ = trained_vae(images(), 0, SHORT, CPU, Progress())
    other, _ = trained_vae(images(), 0, replace(SHORT, seed=1), CPU, Progress())
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
    assert not torch.equal(first.to_code.weight, other.to_code.weight)


def test_the_weights_of_the_best_epoch_are_kept(monkeypatch):
    said, states = iter([3.0, 1.0, 2.0, 1.5]), []

    def validated(self):
        states.append(self.state())
        return next(said)

    monkeypatch.setattr(Training, "validated", validated)
    network, course = trained_vae(images(), 0, SHORT, CPU, Progress())
    assert course.best == 1
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, states[1][name])
    assert not network.training


@pytest.mark.parametrize(("warm_up", "epochs"), [(0.0, 3), (0.5, 8)])
def test_it_stops_where_validation_gets_no_better_but_not_before_it_is_warm(monkeypatch, warm_up, epochs):
    monkeypatch.setattr(Training, "validated", lambda self: 1.0)
    settings = replace(SETTINGS, epochs=12, patience=2, warm_up=warm_up)
    _, course = trained_vae(images(), 0, settings, CPU, Progress())
    assert len(course.validation) == epochs + (warm_up > 0)


def test_a_loss_that_is_no_number_is_said(monkeypatch):
    monkeypatch.setattr(Training, "validated", lambda self: float("nan"))
    with pytest.raises(ValueError, match="no number any more in epoch 1; choose a smaller learning rate"):
        trained_vae(images(), 0, SHORT, CPU, Progress())


def test_the_divergence_comes_in_slowly():
    settings = GeneratorSettings(epochs=10, warm_up=0.5)
    assert [warmth(epoch, settings) for epoch in (0, 1, 2.5, 5, 9)] == [0, 0.2, 0.5, 1, 1]
    assert warmth(0, GeneratorSettings(warm_up=0)) == 1


def test_validation_has_a_slow_twin(monkeypatch):
    monkeypatch.setattr(generator_training, "AT_ONCE", 7)
    settings = replace(SHORT, beta=0.5)
    training = Training(images(), 0, settings, CPU)
    found = training.validated()
    assert training.validated() == found
    training.network.eval()
    squares, diverged = [], []
    with torch.no_grad():
        for place, row in enumerate(training.kept):
            image, label = training.read(np.array([row]))
            mean, log_variance = training.network.encode(image, label)
            decoded = training.network.decode(mean + training.draws[place] * (log_variance / 2).exp(), label)
            squares.append(((decoded - image) ** 2).mean().item())
            diverged.append((0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).sum().item())
    values = training.images.pixels[0].size
    likelihood = 0.5 * values * (np.log(2 * np.pi * np.mean(squares)) + 1)
    assert found == pytest.approx(likelihood + 0.5 * np.mean(diverged), rel=1e-4)


def test_curves_are_shown_and_it_can_be_stopped():
    shown = []

    class Watched(Progress):
        def show(self, partial):
            shown.append(partial)

        def report(self, fraction, label):
            if len(shown) == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        trained_vae(images(), 0, SHORT, CPU, Watched())
    assert [len(each["validation"]) for each in shown] == [1, 2]


def test_a_course_starts_with_nothing():
    assert Course().shown() == {"reconstruction": [], "divergence": [], "validation": []}
