import random

import numpy as np
import pytest
import torch
from torch import nn

from engine.runs.progress import Cancelled, Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.preprocessing import Preprocessing
from engine.toolkit.seeding import seeded
from engine.toolkit.training import Batch, TrainingSettings, cross_entropy, train

SETTINGS = TrainingSettings(epochs=3, batch_size=16, learning_rate=0.05)


def bright_or_dark(dropout: float = 0.0) -> Classifier:
    with seeded(0):
        network = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(16, 2))
    preprocessing = Preprocessing(channels=1, height=4, width=4, mean=(0.5,), std=(0.5,))
    blueprint = Blueprint("tiny", "mlp", 2, 1, ("dark", "bright"), preprocessing, weights_hash(network))
    return Classifier(network, blueprint)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(100, 1, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels(images: torch.Tensor) -> torch.Tensor:
    return (images.mean(dim=(1, 2, 3)) > 0.5).long()


class Recorder(Progress):
    def __init__(self) -> None:
        self.fractions: list[float] = []

    def report(self, fraction: float, label: str) -> None:
        self.fractions.append(fraction)


class StopsAtOnce(Progress):
    def report(self, fraction: float, label: str) -> None:
        raise Cancelled


def test_training_learns_what_can_be_learned(images, labels):
    classifier = bright_or_dark()
    losses = train(classifier, images, labels, TrainingSettings(30, 16, 0.05, 0.0), 0, Progress())
    assert losses[-20:].mean() < 0.5 * losses[:5].mean()
    assert (classifier(images).argmax(1) == labels).float().mean() > 0.95
    assert not classifier.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(images, labels):
    def weights(seed: int) -> str:
        classifier = bright_or_dark(dropout=0.5)
        train(classifier, images, labels, SETTINGS, seed, Progress())
        return weights_hash(classifier.network)

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_training_equals_adamw_written_out(images, labels):
    """Slow twin: AdamW after Loshchilov and Hutter's algorithm 2, one parameter at a time."""
    classifier, twin = bright_or_dark(), bright_or_dark()
    train(classifier, images, labels, SETTINGS, 3, Progress())
    weights = list(twin.parameters())
    first, second = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    steps, step = 3 * 7, 0
    torch.manual_seed(3)
    for _ in range(3):
        for batch in torch.randperm(100).tensor_split(7):
            rate = 0.05 * (1 + np.cos(np.pi * step / steps)) / 2
            step += 1
            loss = nn.functional.cross_entropy(twin(images[batch]), labels[batch])
            for k, gradient in enumerate(torch.autograd.grad(loss, weights)):
                first[k] = 0.9 * first[k] + 0.1 * gradient
                second[k] = 0.999 * second[k] + 0.001 * gradient**2
                towards = first[k] / (1 - 0.9**step) / ((second[k] / (1 - 0.999**step)).sqrt() + 1e-8)
                weights[k].data = weights[k].data * (1 - rate * 0.01) - rate * towards
    for trained, expected in zip(classifier.parameters(), weights, strict=True):
        torch.testing.assert_close(trained, expected)


def test_bytes_and_floats_train_alike(images, labels):
    pixels = (images * 255).round().to(torch.uint8)
    of_bytes, of_floats = bright_or_dark(), bright_or_dark()
    train(of_bytes, pixels, labels, SETTINGS, 0, Progress())
    train(of_floats, pixels.float() / 255, labels, SETTINGS, 0, Progress())
    assert weights_hash(of_bytes.network) == weights_hash(of_floats.network)


def test_images_may_come_by_rows_and_epoch_and_are_trained_on_alike(images, labels):
    asked: list[tuple[int, int]] = []

    def drawn(rows: torch.Tensor, epoch: int) -> torch.Tensor:
        asked.append((len(rows), epoch))
        return images[rows]

    at_once, by_rows = bright_or_dark(dropout=0.5), bright_or_dark(dropout=0.5)
    losses = train(at_once, images, labels, SETTINGS, 0, Progress())
    np.testing.assert_array_equal(train(by_rows, drawn, labels, SETTINGS, 0, Progress()), losses)
    assert weights_hash(at_once.network) == weights_hash(by_rows.network)
    assert [epoch for _, epoch in asked] == [0] * 7 + [1] * 7 + [2] * 7
    assert sum(count for count, epoch in asked if epoch == 1) == 100


def test_an_order_says_which_images_an_epoch_has(images, labels):
    seen: list[torch.Tensor] = []

    def objective(classifier: Classifier, batch: Batch) -> torch.Tensor:
        seen.append(batch.rows)
        torch.testing.assert_close(batch.images, images[batch.rows])
        assert batch.step == len(seen) - 1
        assert (batch.labels == labels[batch.rows]).all()
        return cross_entropy(classifier, batch)

    few = torch.arange(100) % 3
    train(bright_or_dark(), images, labels, SETTINGS, 0, Progress(), objective=objective, order=lambda: few)
    assert torch.equal(torch.cat(seen), few.repeat(3))


def test_another_objective_is_followed(images, labels):
    def opposite(classifier: Classifier, batch: Batch) -> torch.Tensor:
        return nn.functional.cross_entropy(classifier(batch.images), 1 - batch.labels)

    classifier = bright_or_dark()
    settings = TrainingSettings(30, 16, 0.05, 0.0)
    losses = train(classifier, images, labels, settings, 0, Progress(), objective=opposite)
    assert losses[-20:].mean() < 0.5 * losses[:5].mean()
    assert (classifier(images).argmax(1) == labels).float().mean() < 0.05


def test_nobodys_randomness_moves(images, labels):
    def draws() -> tuple[float, float, float]:
        return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002, S311

    def reset() -> None:
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002
        torch.manual_seed(5)

    reset()
    expected = draws()
    reset()
    train(bright_or_dark(dropout=0.5), images, labels, SETTINGS, 0, Progress())
    assert draws() == expected
    reset()
    with pytest.raises(ZeroDivisionError), seeded(0):
        draws()[0] / 0
    assert draws() == expected


def test_progress_hears_of_every_step_and_can_stop_training(images, labels):
    recorder = Recorder()
    losses = train(bright_or_dark(), images, labels, SETTINGS, 0, recorder)
    assert len(losses) == 3 * 7  # 100 images in batches of at most 16, three times
    np.testing.assert_allclose(recorder.fractions, np.arange(22) / 21)
    classifier = bright_or_dark()
    before = weights_hash(classifier.network)
    with pytest.raises(Cancelled):
        train(classifier, images, labels, SETTINGS, 0, StopsAtOnce())
    assert weights_hash(classifier.network) == before


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"epochs": 0}, "epochs and batch_size must be at least 1, got 0 and 64"),
        ({"batch_size": 0}, "epochs and batch_size must be at least 1, got 10 and 0"),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0, got 0\.0"),
        ({"weight_decay": -1.0}, r"weight_decay must be at least 0, got -1\.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**chosen)


def test_images_without_labels_are_refused(images, labels):
    with pytest.raises(ValueError, match="a label for each image and at least one of them, got 99 and 100"):
        train(bright_or_dark(), images, labels[:99], SETTINGS, 0, Progress())
    with pytest.raises(ValueError, match="got 0 and 0"):
        train(bright_or_dark(), images[:0], labels[:0], SETTINGS, 0, Progress())
