from dataclasses import fields, replace

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from engine.methods.cam_training import TEACHING
from engine.methods.cam_training.arms import started
from engine.methods.cam_training.evidence import accuracies, compare
from engine.methods.cam_training.result import Curves, ImageMasks, Taught
from engine.methods.cam_training.settings import ARMS, MaskSettings, TeachingSettings
from engine.methods.cam_training.teaching import has_learned, teach
from engine.methods.cam_training.teaching_sentences import what_it_shows
from engine.runs.encoding import put_together, take_apart
from engine.runs.progress import Cancelled, Progress
from engine.subject.classifier import weights_hash
from engine.toolkit.threads import as_many_as_help
from engine.toolkit.training import TrainingSettings, train
from tests.methods.cam_training.planted import (
    SIDE,
    Striped,
    WithHead,
    mlp_head,
    planted_images,
    random_images,
    striped_subject,
)

SHORT = TeachingSettings(epochs=2, batch_size=16, learning_rate=5e-3, keep_weights=True)
LONG = replace(SHORT, epochs=20)
IMAGES = planted_images()


def taught(settings: TeachingSettings, images=IMAGES, network=Striped, progress: Progress | None = None, **inputs):
    return teach(striped_subject(images, network), settings, inputs, progress or Progress())


def accuracy(found: Taught, part: str) -> float:
    return accuracies({0: found}, part)[0]


def same_weights(one: Taught, other: Taught) -> bool:
    return len(one.weights) > 0 and one.weights.tobytes() == other.weights.tobytes()


class Dropping(Striped):
    """With dropout before the last layer, so that the order of random draws shows."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__(outputs)
        self.fc = nn.Sequential(nn.Dropout(0.3), nn.Linear(8, outputs))


@pytest.fixture(scope="module")
def arms() -> dict[str, Taught]:
    return {arm: taught(replace(LONG, arm=arm)) for arm in ARMS}


def test_where_the_background_gives_the_class_away_the_term_teaches_the_object(arms):
    for found in arms.values():
        assert accuracy(found, "unchanged") > 0.95
        assert found.learned
    assert accuracy(arms["default"], "swapped") < 0.1
    assert accuracy(arms["cam"], "swapped") > 0.9
    assert accuracy(arms["crop"], "swapped") > 0.9
    assert accuracy(arms["decorrelated"], "swapped") > 0.9
    gap = compare(list(arms.values())).gap("cam", "swapped")
    assert (gap.wins, gap.n) == (1, 1)
    assert gap.difference.mean > 0.6


def test_its_evidence_moves_inside_and_the_curves_show_it(arms):
    inside = {arm: np.nanmean(found.energy_inside) for arm, found in arms.items() if arm != "crop"}
    assert inside["cam"] > inside["default"] + 0.3
    assert len(arms["crop"].energy_inside) == 0  # it sees nothing else
    curves = arms["cam"].curves
    assert {len(getattr(curves, each.name)) for each in fields(Curves)} == {60}
    assert curves.accuracy[-10:].mean() > curves.accuracy[0]
    assert curves.outside[-5:].mean() < curves.inside[-5:].mean()
    assert (curves.cam_gradient > 0).all()
    assert (arms["default"].curves.cam_gradient == 0).all()
    assert arms["default"].curves.outside[-5:].mean() > arms["default"].curves.inside[-5:].mean()


def test_through_a_head_that_is_not_linear_it_teaches_as_well():
    def bent(outputs: int) -> WithHead:
        return WithHead(mlp_head(outputs))

    plain, found = (taught(replace(LONG, arm=arm), network=bent) for arm in ("default", "cam"))
    assert (found.exact, found.layer) == (False, "features")
    assert accuracy(found, "swapped") > accuracy(plain, "swapped") + 0.3


@pytest.mark.parametrize("network", [Striped, Dropping])
def test_without_a_weight_it_is_plain_training_bit_for_bit(network):
    subject = striped_subject(IMAGES, network)
    settings = replace(SHORT, arm="default")
    classifier = started(subject, settings, random_images(1))
    own = IMAGES.indices("train")
    pixels, labels = torch.from_numpy(IMAGES.read(own)), torch.from_numpy(IMAGES.labels[own])
    plan = TrainingSettings(2, 16, 5e-3, settings.weight_decay)
    with as_many_as_help(classifier, 16):
        train(classifier, pixels, labels, plan, settings.seed, Progress())
    expected = weights_hash(classifier.network)
    for said in ({"arm": "default"}, {"arm": "cam", "weight": 0.0}):
        found = taught(replace(SHORT, **said), network=network)
        network_now = started(subject, settings, random_images(1)).network
        network_now.load_state_dict(safetensors.torch.load(found.weights.tobytes()))
        assert weights_hash(network_now) == expected
    assert not same_weights(found, taught(SHORT, network=network))


def test_the_same_question_has_the_same_answer_and_another_seed_another():
    for arm in ARMS:
        settings = replace(SHORT, arm=arm)
        first, again, other = taught(settings), taught(settings), taught(replace(settings, seed=1))
        np.testing.assert_array_equal(first.curves.cross_entropy, again.curves.cross_entropy)
        assert (first.curves.cross_entropy != other.curves.cross_entropy).any()
        assert same_weights(first, again) == (arm != "crop")
        assert not same_weights(first, other)


def test_the_arms_of_a_seed_start_alike_and_see_the_images_in_the_same_order():
    settings = replace(SHORT, learning_rate=1e-9, weight_decay=0.0)
    found = [taught(replace(settings, arm=arm)) for arm in ("default", "cam", "decorrelated")]
    ends = [safetensors.torch.load(each.weights.tobytes()) for each in found]
    for end in ends[1:]:
        torch.testing.assert_close(end["fc.weight"], ends[0]["fc.weight"], atol=1e-6, rtol=0)


def test_the_subjects_own_network_is_left_alone():
    for start in ("scratch", "reset", "continue"):
        subject = striped_subject(IMAGES)
        before = weights_hash(subject.classifier.network)
        teach(subject, replace(SHORT, start=start), {}, Progress())
        assert weights_hash(subject.classifier.network) == before
        assert not subject.classifier.training


def test_images_can_be_given_in_place_of_the_subjects():
    other = planted_images(seed=5)
    found = teach(striped_subject(IMAGES), SHORT, {"images": lambda: other}, Progress())
    assert same_weights(found, taught(SHORT, images=other))
    assert set(found.parts[0].ids) <= set(other.ids)


def test_a_result_comes_back_from_the_store_as_it_was(arms):
    said, arrays = take_apart(arms["cam"])
    again = put_together(Taught, said, arrays)
    assert again.parts[1].looks.layer == "features"
    np.testing.assert_array_equal(again.curves.inside, arms["cam"].curves.inside)
    np.testing.assert_array_equal(again.parts[0].predictions, arms["cam"].parts[0].predictions)
    assert again.weights.tobytes() == arms["cam"].weights.tobytes()


def test_only_what_is_to_be_kept_is_kept():
    assert len(taught(replace(SHORT, keep_weights=False)).weights) == 0
    assert len(taught(replace(SHORT, arm="crop")).weights) == 0  # without its crop it is no classifier
    state = safetensors.torch.load(taught(SHORT).weights.tobytes())
    assert set(state) == set(Striped().state_dict())


@pytest.mark.parametrize("balance", ["sampling", "augmentation"])
def test_rare_classes_are_learned_when_they_are_balanced(balance):
    counts = {"train": 90, "test/unchanged": 60, "test/swapped": 60}
    images = planted_images(counts=counts, share_of_second=0.1)
    found = taught(replace(LONG, epochs=10, balance=balance), images=images)
    part = found.parts[0]
    assert (part.predictions == part.labels)[part.labels == 1].mean() > 0.8


def test_a_mask_for_all_and_one_for_each_are_followed():
    inside = np.zeros((SIDE, SIDE), np.float32)
    inside[4:12, 4:12] = 1
    box = taught(SHORT)
    picture = taught(replace(SHORT, mask=MaskSettings("picture")), picture=inside)
    masks = ImageMasks(IMAGES.ids, np.broadcast_to((255 * inside).astype(np.uint8), (len(IMAGES), SIDE, SIDE)))
    each = taught(replace(SHORT, mask=MaskSettings("each")), masks=masks)
    assert same_weights(box, picture)
    assert same_weights(box, each)


def test_a_model_that_never_learned_is_called_that():
    found = taught(replace(SHORT, epochs=1, learning_rate=1e-7))
    assert not found.learned
    assert found.train_accuracy < 0.8


def test_a_constant_answer_has_learned_nothing_however_common_its_class_is():
    labels = np.array([0] * 95 + [1] * 5)
    assert not has_learned((labels == 0).astype(float), labels)
    right = np.ones(100)
    assert has_learned(right, labels)
    half = np.concatenate([np.ones(95), [1, 1, 1, 0, 0]])
    assert has_learned(half, labels)
    assert not has_learned(np.concatenate([np.ones(95), [1, 0, 0, 0, 0]]), labels)


class Stopping(Progress):
    """Asks for a stop at the fifth step of the training."""

    def __init__(self) -> None:
        self.steps_seen = 0

    def report(self, fraction: float, label: str) -> None:
        self.steps_seen += label.startswith("training")
        if self.steps_seen == 5:
            raise Cancelled


def test_it_can_be_stopped_at_every_step():
    stopping = Stopping()
    with pytest.raises(Cancelled):
        taught(SHORT, progress=stopping)
    assert stopping.steps_seen == 5


def test_progress_only_grows():
    fractions: list[float] = []

    class Recording(Progress):
        def report(self, fraction: float, label: str) -> None:
            fractions.append(fraction)

    taught(SHORT, progress=Recording())
    assert (np.diff(fractions) >= -1e-9).all()
    assert fractions[-1] == pytest.approx(1)


class NoMap(nn.Module):
    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        self.fc = nn.Linear(3 * SIDE * SIDE, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(images.flatten(1))


class Frozen(Striped):
    """Features that take no gradient."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__(outputs)
        self.features.requires_grad_(False)


def test_what_cannot_be_taught_is_refused_in_a_sentence():
    unlabelled = replace(IMAGES, labels=np.full(len(IMAGES), -1))
    one = replace(IMAGES, labels=np.zeros(len(IMAGES), np.int64))
    cases = [
        ({"images": unlabelled}, {}, "labelled images of two classes or more in train, and there are 0 images of 0"),
        ({"images": one}, {}, "there are 96 images of 1"),
        ({"network": NoMap}, {}, "a CAM needs a grid"),
        ({"network": Frozen}, {}, "its gradient doesn't reach the weights below the layer"),
        ({}, {"mask": MaskSettings(size=1.0)}, "the mask allows the whole image"),
        ({}, {"mask": MaskSettings(size=1.0, forbidden="inside")}, "the mask forbids the whole image"),
        ({}, {"mask": MaskSettings("picture")}, "a mask for all images was asked for, but none was given"),
        ({}, {"mask": MaskSettings("each")}, "a mask for each image was asked for, but none were given"),
        ({}, {"arm": "crop", "mask": MaskSettings(forbidden="inside")}, "reaches to all four edges"),
        ({}, {"layer": "features.9"}, "the network has no layer 'features.9'"),
        ({}, {"begin": 0.51, "end": 0.52}, "the CAM term is on in none of the 12 steps"),
        ({}, {"learning_rate": 1e30, "epochs": 3}, "training broke off at step"),
    ]
    for given, said, message in cases:
        with pytest.raises(ValueError, match=message):
            taught(replace(SHORT, **said), **given)


class Coarse(Striped):
    """Its map has 2 x 2 cells, each of which a centred box covers as much of."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__(outputs)
        self.features = nn.Sequential(*self.features, nn.MaxPool2d(4))


def test_a_grid_too_coarse_for_the_mask_is_refused_where_it_should_teach():
    with pytest.raises(ValueError, match="on the 2 x 2 cells of features the mask forbids every cell alike"):
        taught(SHORT, network=Coarse)
    taught(replace(SHORT, arm="default"), network=Coarse)
    taught(replace(SHORT, mask=MaskSettings("rectangle", top=0.0, left=0.0)), network=Coarse)


def test_all_images_without_a_mask_are_counted_and_the_first_named():
    train = IMAGES.indices("train")
    masks = ImageMasks(IMAGES.ids[train[:90]], np.full((90, 4, 4), 255, np.uint8))
    with pytest.raises(ValueError, match=r"6 of 96 images have no mask of their own \(train/090.png"):
        taught(replace(SHORT, mask=MaskSettings("each")), masks=masks)


def test_the_step_is_this_function():
    found = TEACHING.run(striped_subject(IMAGES), SHORT, {}, Progress())
    assert same_weights(found, taught(SHORT))


class Normed(Striped):
    """A batch norm before the last layer, which is the identity until it has learned."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__(outputs)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(self.norm(self.features(images).mean(dim=(2, 3))))


class Clipped(Striped):
    """Its average is cut off above, where only a trained one comes to."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(self.features(images).mean(dim=(2, 3)).clamp(max=1.5))


def test_a_head_that_only_begins_as_a_linear_one_is_taught_by_the_gradient():
    found = taught(SHORT, network=Normed)
    assert not found.exact
    assert {part.looks.exact for part in found.parts} == {False}
    assert {part.looks.method for part in found.parts} == {"hirescam"}


def test_what_training_made_of_the_head_decides_whether_maps_are_exact():
    begun = taught(replace(SHORT, epochs=1, learning_rate=1e-7), network=Clipped)
    assert begun.exact
    found = taught(replace(LONG, learning_rate=5e-2), network=Clipped)
    assert not found.exact
    assert {part.looks.method for part in found.parts} == {"hirescam"}


@pytest.mark.parametrize("report", ["test", "diagnosis"])
def test_it_is_told_how_it_does_on_the_role_that_was_asked_for(report):
    found = taught(replace(SHORT, report=report))
    assert {part.role for part in found.parts} == {report}
    own = set(IMAGES.ids[IMAGES.roles == report].tolist())
    assert all(set(part.ids.tolist()) <= own for part in found.parts)


@pytest.mark.parametrize("report", ["test", "diagnosis"])
def test_without_images_to_compare_on_it_is_trained_all_the_same(report):
    images = IMAGES.take(IMAGES.indices("train"))
    runs = [taught(replace(SHORT, arm=arm, report=report), images=images) for arm in ARMS]
    assert {run.parts for run in runs} == {()}
    assert all(len(run.energy_inside) == 0 for run in runs)
    assert what_it_shows(compare(runs))[0] == "There are no labelled test or diagnosis images to compare on."


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"report": "train"}, "report must be one of test, diagnosis, got 'train'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(said, message):
    with pytest.raises(ValueError, match=message):
        TeachingSettings(**said)
