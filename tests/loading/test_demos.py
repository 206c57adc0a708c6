import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, rotate

from engine.loading import demos
from engine.loading.checkpoints import from_safetensors, to_safetensors
from engine.loading.demos.drawing import Poses, enlarged, ink
from engine.loading.demos.planted_backgrounds import Part, backgrounds_truth, covered
from engine.loading.demos.planted_digits import digits_truth, exchanged, planted_labels
from engine.loading.demos.scans import SHARES, cast, scans
from engine.loading.demos.trained import ASSETS
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier, weights_hash
from engine.subject.image_set import ImageSet, Role, Seen
from engine.toolkit.prediction import predict
from engine.toolkit.statistics import Rate, rate


def predictions(classifier: Classifier, images: ImageSet) -> np.ndarray:
    return predict(classifier, images, np.arange(len(images)), Progress()).argmax(dim=1).numpy()


def share_right(classifier: Classifier, pixels: np.ndarray, labels: np.ndarray) -> float:
    """Of pixels (n, C, H, W), uint8 or 0 to 255."""
    with torch.inference_mode():
        logits = classifier(torch.from_numpy(pixels).float().clamp(0, 255) / 255)
    return float((logits.argmax(dim=1).numpy() == labels).mean())


@pytest.fixture(scope="module")
def digits() -> tuple[Classifier, ImageSet, np.ndarray]:
    classifier, images = demos.open_demo("digits")
    return classifier, images, predictions(classifier, images)


@pytest.fixture(scope="module")
def backgrounds() -> tuple[Classifier, ImageSet, np.ndarray]:
    classifier, images = demos.open_demo("backgrounds")
    return classifier, images, predictions(classifier, images)


def recall(of: tuple[Classifier, ImageSet, np.ndarray], label: int, role: Role) -> Rate:
    _, images, predicted = of
    own = (images.labels == label) & (images.roles == role)
    return rate(predicted[own] == label, images.units()[own])


def gap_at_least(higher: Rate, lower: Rate) -> float:
    """The lower end of the difference's 95 % interval (Newcombe 1998, method 10)."""
    difference = higher.value - lower.value
    return difference - np.hypot(higher.value - higher.low, lower.high - lower.value)


def healthy_labels() -> list[int]:
    truth = digits_truth(0)
    return [label for label in range(10) if label not in (truth.under_trained, truth.over_fitted)]


# planted digits


def test_the_under_trained_label_has_few_images_and_is_missed_everywhere(digits):
    _, images, _ = digits
    label = digits_truth(0).under_trained
    counts = np.bincount(images.labels[images.indices(Role.TRAIN)], minlength=10)
    assert counts[label] == 42
    assert counts[label] < 0.12 * np.median(counts)
    assert recall(digits, label, Role.TRAIN).high < 0.8
    assert recall(digits, label, Role.DIAGNOSIS).high < 0.8


def test_the_over_fitted_label_is_known_by_heart_and_not_beyond(digits):
    _, images, _ = digits
    label = digits_truth(0).over_fitted
    train, diagnosis = recall(digits, label, Role.TRAIN), recall(digits, label, Role.DIAGNOSIS)
    assert train.value > 0.93
    assert diagnosis.value < 0.65
    assert gap_at_least(train, diagnosis) > 0.25
    shown = (digits_truth(0).labels == label) & (images.roles == Role.TRAIN)
    assert shown.sum() == 12 * 32
    assert len(np.unique(images.groups[shown])) == 12


def test_the_other_labels_are_healthy(digits):
    recalls = [recall(digits, label, Role.DIAGNOSIS) for label in healthy_labels()]
    assert np.mean([found.value for found in recalls]) > 0.93
    assert min(found.value for found in recalls) > 0.85
    for label, diagnosis in zip(healthy_labels(), recalls, strict=True):
        train = recall(digits, label, Role.TRAIN)
        assert train.value > 0.92
        assert gap_at_least(train, diagnosis) < 0.1


@pytest.mark.parametrize("seed", [0, 7])
def test_three_percent_of_the_labels_in_train_and_pool_are_wrong_and_no_others(seed):
    images, truth = demos.make_demo("digits", seed), digits_truth(seed)
    np.testing.assert_array_equal(truth.wrong, images.labels != truth.labels)
    for role, share in ((Role.TRAIN, 0.03), (Role.POOL, 0.03), (Role.DIAGNOSIS, 0), (Role.TEST, 0)):
        own = images.roles == role
        assert truth.wrong[own].sum() == round(share * own.sum())
        # exchanged among themselves, so that no label has more or fewer images than it shows
        np.testing.assert_array_equal(np.bincount(images.labels[own]), np.bincount(truth.labels[own]))


def test_the_classifier_was_not_bent_by_the_wrong_labels(digits):
    _, images, predicted = digits
    truth = digits_truth(0)
    wrong = truth.wrong & (images.roles == Role.TRAIN)
    assert (predicted[wrong] == images.labels[wrong]).mean() < 0.15
    assert (predicted[wrong] == truth.labels[wrong]).mean() > 0.7


def test_turning_and_blurring_break_it(digits):
    classifier, images, _ = digits
    chosen = np.flatnonzero((images.roles == Role.DIAGNOSIS) & np.isin(images.labels, healthy_labels()))[::3]
    pixels, labels = images.read(chosen).astype(np.float32), images.labels[chosen]
    turned = {
        angle: rotate(pixels, angle, axes=(2, 3), reshape=False, order=1, mode="nearest") for angle in (5, 45, -45)
    }
    blurred = {sigma: gaussian_filter(pixels, (0, 0, sigma, sigma), mode="nearest") for sigma in (0.5, 4)}
    clean = share_right(classifier, pixels, labels)
    assert clean > 0.93
    assert share_right(classifier, turned[5], labels) > clean - 0.05
    assert share_right(classifier, blurred[0.5], labels) > clean - 0.1
    assert max(share_right(classifier, turned[angle], labels) for angle in (45, -45)) < 0.6
    assert share_right(classifier, blurred[4], labels) < 0.4


def test_over_ten_seeds_each_label_is_once_under_trained_and_once_over_fitted():
    for first in (0, 100, 110):
        under_trained, over_fitted = zip(*map(planted_labels, range(first, first + 10)), strict=True)
        assert sorted(under_trained) == sorted(over_fitted) == list(range(10))
        assert all(one != other for one, other in zip(under_trained, over_fitted, strict=True))


def test_exchanged_labels_are_the_same_ones_and_none_stays():
    labels = np.repeat(np.arange(5), [40, 20, 15, 4, 1])
    for seed in range(20):
        given = exchanged(labels, np.random.default_rng(seed))
        assert (given != labels).all()
        np.testing.assert_array_equal(np.sort(given), labels)


# planted backgrounds


def test_the_background_decides(backgrounds):
    _, images, predicted = backgrounds
    truth = backgrounds_truth(0)
    right = predicted == images.labels
    on_test = images.roles == Role.TEST
    share = {part: right[on_test & (truth.parts == part)].mean() for part in Part}
    assert right[images.roles == Role.TRAIN].mean() > 0.98
    assert right[images.roles == Role.DIAGNOSIS].mean() > 0.97
    assert share[Part.UNCHANGED] > 0.97
    assert share[Part.SWAPPED] < 0.1
    assert 0.4 < share[Part.UNSEEN] < 0.6
    assert 0.4 < share[Part.OFF_CENTRE] < 0.6


def test_in_training_the_background_gives_the_class_away_and_in_test_the_parts_are_equal(backgrounds):
    _, images, _ = backgrounds
    truth = backgrounds_truth(0)
    own = np.array(["blue", "green"])
    unchanged = truth.parts == Part.UNCHANGED
    assert unchanged[images.roles != Role.TEST].all()
    assert (truth.backgrounds[unchanged] == own[images.labels[unchanged]]).all()
    swapped = truth.parts == Part.SWAPPED
    assert (truth.backgrounds[swapped] == own[1 - images.labels[swapped]]).all()
    strange = np.isin(truth.parts, [Part.UNSEEN, Part.OFF_CENTRE])
    assert set(truth.backgrounds[strange]) == {"brown", "grey"}
    sizes = [(images.names[truth.parts == part], part) for part in Part]
    stems = [sorted(name.split("/")[-1] for name in names if name.startswith(f"test/{part}/")) for names, part in sizes]
    assert stems[0] == stems[1] == stems[2] == stems[3]
    assert len(stems[0]) == (images.roles == Role.TEST).sum() / 4


def test_only_the_background_differs_between_unchanged_and_swapped(backgrounds):
    _, images, _ = backgrounds
    truth = backgrounds_truth(0)
    on_test = images.roles == Role.TEST
    unchanged, swapped = (np.flatnonzero(on_test & (truth.parts == part)) for part in (Part.UNCHANGED, Part.SWAPPED))
    one, other = images.read(unchanged).astype(int), images.read(swapped).astype(int)
    np.testing.assert_array_equal(truth.plates[unchanged], truth.plates[swapped])
    for k, (top, left, bottom, right) in enumerate(truth.plates[unchanged]):
        outside = np.ones((32, 32), dtype=bool)
        outside[top:bottom, left:right] = False
        assert (one[k][:, ~outside] == other[k][:, ~outside]).all()
        assert (one[k][:, outside] != other[k][:, outside]).any(axis=0).mean() > 0.95


def test_plates_are_near_the_centre_but_where_they_are_to_lie_off_it():
    truth = backgrounds_truth(0)
    np.testing.assert_array_equal(truth.plates[:, 2:] - truth.plates[:, :2], 18)
    assert truth.plates.min() >= 0
    assert truth.plates.max() <= 32
    distance = np.abs(truth.plates[:, :2] - 7).max(axis=1)
    off_centre = truth.parts == Part.OFF_CENTRE
    assert distance[~off_centre].max() == 2
    assert distance[off_centre].min() == 5
    mask = covered(truth.plates[:3, :2] - 7)[0]
    top, left, bottom, right = truth.plates[0]
    assert mask.sum() == 18 * 18
    assert mask[top:bottom, left:right].all()


# both


@pytest.mark.parametrize("name", demos.NAMES)
def test_a_scan_keeps_to_one_role_and_no_image_comes_twice(name):
    images = demos.make_demo(name, 3)
    roles_of: dict[str, set[str]] = {}
    for group, role in zip(images.groups, images.roles, strict=True):
        roles_of.setdefault(group, set()).add(role)
    assert all(len(roles) == 1 for roles in roles_of.values())
    assert not any("~" in name for name in images.ids.tolist())
    assert len(np.unique(images.names)) == len(images)
    assert (images.seen == np.where(images.roles == Role.TRAIN, Seen.YES, Seen.NO)).all()
    assert set(images.roles) == set(Role)


@pytest.mark.parametrize("name", demos.NAMES)
def test_the_same_seed_draws_the_same_images_and_another_seed_none_of_them(name):
    first, again, other = (demos.make_demo(name, seed) for seed in (4, 4, 5))
    assert first.fingerprint == again.fingerprint
    assert not set(first.ids) & set(other.ids)
    trained_on = [set(images.groups[images.indices(Role.TRAIN)]) for images in (first, other)]
    assert 0.1 < len(trained_on[0] & trained_on[1]) / len(trained_on[0]) < 0.6


@pytest.mark.parametrize("name", demos.NAMES)
def test_the_shipped_weights_are_small_and_come_back_as_they_were_saved(name):
    path = ASSETS / f"planted_{name}.safetensors"
    assert path.stat().st_size < 500_000
    classifier, images = demos.open_demo(name)
    assert not classifier.training
    assert classifier.classes == images.classes
    assert classifier.blueprint.name == images.name == f"planted {name}"
    assert weights_hash(classifier.network) == classifier.blueprint.weights
    assert from_safetensors(to_safetensors(classifier)).blueprint == classifier.blueprint


def test_trained_again_from_scratch_the_fault_is_the_same(backgrounds):
    _, images, predicted = backgrounds
    again = demos.train_demo("backgrounds", 0, Progress())
    assert weights_hash(again.network) == again.blueprint.weights
    assert (predictions(again, images) == predicted).mean() > 0.97


def test_scans_are_shared_out_digit_by_digit():
    _, shown = scans()
    found = cast(shown, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(list(found.values()))), np.arange(1797))
    for role, share in SHARES.items():
        counts = np.bincount(shown[found[role]], minlength=10)
        np.testing.assert_allclose(counts / np.bincount(shown), share, atol=0.01)


def test_a_scan_drawn_straight_and_four_times_as_large_is_the_enlarged_scan():
    fine = enlarged(scans()[0][:5])
    straight = np.zeros(5)
    drawn = ink(fine, Poses(straight + 32, straight, straight, straight, straight), 48)
    np.testing.assert_allclose(drawn[:, 1:-1, 1:-1], fine[:, 1:-1, 1:-1], atol=1e-4)


def test_a_drawing_follows_its_pose():
    bar = np.zeros((1, 8, 8))
    bar[:, :, 3:5] = 1

    def drawn(slant=0.0, turn=0.0, down=0.0, right=0.0):
        one = np.ones(1)
        return ink(enlarged(bar), Poses(24 * one, slant * one, turn * one, down * one, right * one), 32)[0]

    def middle(rows):
        return (rows.sum(axis=0) * np.arange(32)).sum() / rows.sum()

    assert middle(drawn(right=3)) == pytest.approx(middle(drawn()) + 3, abs=0.05)
    np.testing.assert_allclose(drawn(turn=np.pi / 2), drawn().T, atol=1e-3)
    upper, lower = drawn(slant=0.4)[8:12], drawn(slant=0.4)[20:24]
    assert middle(upper) - middle(lower) == pytest.approx(0.4 * 12, abs=0.3)  # the top leans to the right


def test_a_demo_that_does_not_exist_is_refused():
    for ask in (lambda: demos.open_demo("cats"), lambda: demos.train_demo("cats", 0, Progress())):
        with pytest.raises(ValueError, match="there is no demo called 'cats'; the built-in ones are digits and backg"):
            ask()


def test_images_are_made_without_torch():
    making = "from engine.loading import demos; demos.make_demo('backgrounds', 0)"
    code = f"import sys; {making}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ASSETS.parent)
