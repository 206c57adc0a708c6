from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.loading.demos import open_demo
from engine.methods.input_optimization.breakpoints import breakpoints
from engine.methods.input_optimization.result import Sweep
from engine.methods.input_optimization.settings import BreakpointSettings, Grid, SweepSettings, alone, together
from engine.methods.input_optimization.sweep import chosen, is_coarse, sweep, turn_of
from engine.runs.progress import Cancelled, Progress
from engine.subject.image_set import UNLABELLED
from engine.subject.subject import joined
from engine.toolkit.transforms.families import family_named
from tests.methods.input_optimization.small import (
    Curved,
    Noted,
    curved_subject,
    made_pixels,
    subject_of,
    swept,
    tensor_of,
)
from tests.toolkit.transforms.made import applied

COLUMNS = ("prediction", "confidence", "loss", "margin", "shift")
BATCH = "engine.methods.input_optimization.views.batch_size"


def assert_same(found: Sweep, expected: Sweep, rows=slice(None)) -> None:
    """The rows of `expected` are all that `found` has, up to the rounding of other batches."""
    assert found.ids.tolist() == expected.ids[rows].tolist()
    pairs = [(found.clean, expected.clean)]
    pairs += [(a.outcomes, b.outcomes) for a, b in zip(found.grids, expected.grids, strict=True)]
    for ours, theirs in pairs:
        for name in COLUMNS:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name)[rows], rtol=1e-3, atol=1e-4)


# what is found


def test_every_outcome_is_that_of_the_image_transformed_and_asked_alone():
    subject = curved_subject(6)
    found = swept(subject, ("rotation", "gaussian_blur"), levels=2)
    order = [subject.images.position[each] for each in found.ids.tolist()]
    images = tensor_of(subject.images.pixels.array[order])
    for swept_grid in found.grids:
        (name,) = swept_grid.families
        for column, severity in enumerate(swept_grid.severities[:, 0]):
            for row in range(6):
                before = images[row : row + 1]
                after = applied(name, before, [family_named(name).value(severity)])
                with torch.no_grad():
                    logits = subject.classifier(after)[0]
                label = int(found.labels[row])
                others = torch.cat([logits[:label], logits[label + 1 :]])
                outcomes = swept_grid.outcomes
                assert outcomes.prediction[row, column] == int(logits.argmax())
                expected = {
                    "confidence": logits.softmax(dim=0).max(),
                    "loss": F.cross_entropy(logits[None], torch.tensor([label])),
                    "margin": logits[label] - others.max(),
                    "shift": ((after - before) ** 2).mean().sqrt(),
                }
                for column_name, value in expected.items():
                    assert getattr(outcomes, column_name)[row, column] == pytest.approx(
                        float(value), rel=1e-3, abs=1e-4
                    )


def test_the_unchanged_images_have_moved_by_nothing():
    found = swept(curved_subject(6))
    assert found.clean.shift.tolist() == [[0.0]] * 6
    assert all((grid.outcomes.shift > 0).all() for grid in found.grids)
    assert found.clean_right.sum() == 5  # one is labelled wrongly on purpose


def test_families_vary_together_in_every_combination_but_the_one_that_changes_nothing():
    subject = curved_subject(4)
    two, three = together(("gaussian_blur", "rotation"), 1), together(("gaussian_noise", "brightness", "rotation"), 1)
    single = (alone("rotation", 1), alone("gaussian_blur", 1))
    found = sweep(subject, SweepSettings((two, three, *single)), None, Progress())
    assert [len(grid.severities) for grid in found.grids] == [3 * 2 - 1, 3 * 3 * 2 - 1, 2, 1]
    assert found.evaluations == 4 * (1 + 5 + 17 + 2 + 1)
    of = {tuple(row): column for column, row in enumerate(found.grids[0].severities.tolist())}
    rotated = found.grids[0].outcomes.loss[:, [of[-1.0, 0.0], of[1.0, 0.0]]]
    np.testing.assert_allclose(rotated, found.grids[2].outcomes.loss, rtol=1e-3, atol=1e-4)
    blurred = found.grids[0].outcomes.loss[:, of[0.0, 1.0]]
    np.testing.assert_allclose(blurred, found.grids[3].outcomes.loss[:, 0], rtol=1e-3, atol=1e-4)
    assert not np.allclose(found.grids[0].outcomes.loss[:, of[1.0, 1.0]], blurred)


# rows are alone


@pytest.mark.parametrize("size", [1, 3, 256])
def test_the_batch_size_changes_nothing(size, monkeypatch):
    expected = swept(curved_subject())
    monkeypatch.setattr(BATCH, lambda classifier: size)
    assert_same(swept(curved_subject()), expected)


def test_other_images_and_other_grids_change_nothing_for_an_image():
    expected = swept(curved_subject())
    few = swept(curved_subject(), images=3)
    assert_same(few, expected, slice(3))
    fewer = swept(curved_subject(), ("gaussian_noise",))
    np.testing.assert_allclose(fewer.grids[0].outcomes.loss, expected.grids[2].outcomes.loss, rtol=1e-3, atol=1e-4)


def test_a_full_device_halves_the_batch_says_so_and_changes_nothing(monkeypatch):
    expected, subject, told = swept(curved_subject()), curved_subject(), Noted()
    whole = subject.classifier.forward

    def narrow(images):
        if len(images) > 3:
            raise torch.OutOfMemoryError("too much")
        return whole(images)

    monkeypatch.setattr(subject.classifier, "forward", narrow)
    found = sweep(subject, SweepSettings(tuple(alone(grid.families[0], 2) for grid in expected.grids)), None, told)
    assert_same(found, expected)
    assert [sentence.split(":")[0] for sentence in told.notes] == [
        f"the batch was halved to {size} images" for size in (5, 2)
    ]

    def full(images):
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(subject.classifier, "forward", full)
    with pytest.raises(torch.OutOfMemoryError):
        swept(subject)


# coarse first, and going on after a stop


def test_the_first_pass_takes_half_and_full_severities():
    grid = alone("rotation", 6)
    assert grid.combinations[is_coarse(grid), 0].tolist() == [-1, -0.5, 0.5, 1]
    assert is_coarse(alone("gaussian_blur", 1)).tolist() == [True]
    both = together(("rotation", "gaussian_blur"), 4)
    taken = {tuple(row) for row in both.combinations[is_coarse(both)].tolist()}
    assert taken == {(a, b) for a in (-1, -0.5, 0, 0.5, 1) for b in (0, 0.5, 1)} - {(0, 0)}


class Keeping(Noted):
    """Keeps pieces as a job does, and stops after so many."""

    def __init__(self, pieces: dict, most: int = 10**9) -> None:
        super().__init__()
        self.pieces, self.most, self.computed = pieces, most, []

    def kept(self, name, compute):
        if name not in self.pieces:
            if len(self.computed) == self.most:
                raise Cancelled
            self.computed.append(name)
            self.pieces[name] = compute()
        return self.pieces[name]


def test_a_sweep_that_was_stopped_goes_on_where_it_was_and_finds_the_same():
    subject = curved_subject()
    settings = SweepSettings(
        (alone("rotation", 4), alone("gaussian_blur", 1), together(("rotation", "gaussian_noise"), 3))
    )
    expected = sweep(subject, settings, None, Progress())
    pieces: dict = {}
    with pytest.raises(Cancelled):
        sweep(subject, settings, None, Keeping(pieces, most=3))
    resumed = Keeping(pieces)
    assert_same(sweep(subject, settings, None, resumed), expected)
    assert resumed.computed == ["grid 2 coarse", "grid 0 fine", "grid 2 fine"]  # the blur has no fine ones


def test_curves_show_while_the_sweep_runs_and_end_as_what_was_found():
    subject, told = curved_subject(), Noted()
    settings = SweepSettings((alone("rotation", 4), alone("gaussian_blur", 4), together(("rotation", "hue"), 1)))
    subject = subject_of(Curved(3), made_pixels(10, 3))
    found = sweep(subject, settings, None, told)
    assert [sorted(partial) for partial in told.shown[:2]] == [["rotation"], ["gaussian_blur", "rotation"]]
    assert [severity for severity, _ in told.shown[0]["rotation"]] == [-1, -0.5, 0, 0.5, 1]
    for number, name in enumerate(("rotation", "gaussian_blur")):
        last = dict(told.shown[-1][name])
        assert list(last) == sorted(last)
        expected = dict(
            zip(found.grids[number].severities[:, 0].tolist(), found.right(number).mean(axis=0), strict=True)
        )
        assert last == pytest.approx({0.0: found.clean_right.mean(), **expected})
    assert min(np.diff(told.fractions)) > -1e-9
    assert "hue" not in told.shown[-1]


# which images


def drawn_names(images, settings, selection=None) -> list[str]:
    return images.ids[chosen(images, settings, selection)].tolist()


def test_images_are_drawn_by_their_hash_so_that_more_files_move_nothing_but_places():
    images = subject_of(Curved(), made_pixels(40)).images
    settings = SweepSettings((alone("rotation", 1),), images=12)
    by_hash = sorted(images.ids.tolist(), key=lambda each: hashlib.sha256(each.encode()).hexdigest())
    assert drawn_names(images, settings) == by_hash[:12]
    fewer = images.take(np.arange(0, 40, 3))
    among = [each for each in by_hash if each in set(fewer.ids.tolist())]
    assert drawn_names(fewer, settings) == among[:12]
    turned = images.take(np.arange(40)[::-1])
    assert drawn_names(turned, settings) == by_hash[:12]


def test_of_each_group_one_image_comes_before_any_second():
    images = subject_of(Curved(), made_pixels(40)).images
    groups = np.array([f"scan {number}" for number in np.arange(40) % 6])
    images = replace(images, groups=groups)
    order = chosen(images, SweepSettings((alone("rotation", 1),), images=40), None)
    units = images.units()[order]
    for first in range(0, 36, 6):
        assert len(set(units[first : first + 6].tolist())) == 6
    assert len(order) == 40
    assert turn_of(np.array([3, 1, 3, 3, 1, 2])).tolist() == [0, 0, 1, 2, 1, 0]


def test_only_labelled_images_of_the_role_are_taken():
    subject = curved_subject()
    labels, roles = subject.images.labels.copy(), subject.images.roles.copy()
    labels[3] = UNLABELLED
    roles[5] = "pool"
    subject = replace(subject, images=replace(subject.images, labels=labels, roles=roles))
    found = swept(subject)
    assert set(found.ids.tolist()) == set(np.delete(subject.images.ids, [3, 5]).tolist())
    assert set(swept(subject, role="pool").ids.tolist()) == {subject.images.ids[5]}


def test_a_selection_takes_the_place_of_the_draw():
    subject = curved_subject()
    labels, roles = subject.images.labels.copy(), subject.images.roles.copy()
    labels[3], roles[4] = UNLABELLED, "test"
    subject = replace(subject, images=replace(subject.images, labels=labels, roles=roles))
    ids = subject.images.ids
    selection = [ids[7], ids[3], ids[0], ids[7], "gone", ids[4]]
    settings = SweepSettings((alone("rotation", 1),), role="pool", images=1)
    found = sweep(subject, settings, selection, Progress())
    assert sorted(found.ids.tolist()) == sorted([ids[7], ids[0]])


def test_without_a_labelled_image_the_sweep_says_so():
    subject = curved_subject()
    with pytest.raises(ValueError, match="there is no labelled image with the role 'pool', so nothing can be said"):
        swept(subject, role="pool")
    with pytest.raises(ValueError, match="there is no labelled image in the selection, test left out, so"):
        sweep(subject, SweepSettings((alone("rotation", 1),)), ["gone"], Progress())


def test_too_many_images_for_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr("engine.methods.input_optimization.sweep.MOST_BYTES", 9 * 144)
    with pytest.raises(ValueError, match=r"10 images take 0\.0 GB of memory; choose fewer"):
        swept(curved_subject())


# chance


def test_the_seed_changes_the_noise_and_nothing_else():
    first, same, other = (swept(curved_subject(), seed=seed) for seed in (0, 0, 1))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(first.grids[2].outcomes, name), getattr(same.grids[2].outcomes, name))
    assert first.ids.tolist() == other.ids.tolist()
    for number in (0, 1):  # turns and blur leave nothing to chance
        np.testing.assert_array_equal(first.grids[number].outcomes.loss, other.grids[number].outcomes.loss)
    assert (first.grids[2].outcomes.loss != other.grids[2].outcomes.loss).all()


# what can't be swept


def test_a_network_that_gives_nan_is_stopped_with_the_pair_named():
    subject = curved_subject(4)
    whole = subject.classifier.forward
    found = swept(subject)
    threshold = found.grids[1].outcomes.shift.max()
    row, column = np.argwhere(found.grids[1].outcomes.shift == threshold)[0]
    name = subject.images.names[subject.images.position[found.ids[row]]]
    value = family_named("gaussian_blur").value(found.grids[1].severities[column, 0])
    image = tensor_of(subject.images.pixels.array)[[subject.images.position[found.ids[row]]]]
    broken = applied("gaussian_blur", image, [value])

    def breaks(images):
        at = (images - broken).abs().flatten(1).amax(dim=1) < 1e-6
        return torch.where(at[:, None], torch.nan, whole(images))

    subject.classifier.forward = breaks
    sentence = rf"the network gives NaN or infinity for {name} \(.*blur {value:.3g} % of the side\)"
    with pytest.raises(ValueError, match=sentence):
        swept(subject)


def test_a_network_without_a_gradient_can_be_swept():
    subject = curved_subject(4)
    whole = subject.classifier.forward
    expected = swept(subject)
    subject.classifier.forward = lambda images: whole(images.detach()).detach()
    assert_same(swept(subject), expected)


def test_a_family_that_does_not_fit_the_images_is_said_before_anything_runs():
    with pytest.raises(ValueError, match="hue doesn't fit: the images are grey"):
        swept(curved_subject(), ("rotation", "hue"))
    swept(curved_subject(channels=3), ("hue",), levels=1)


# the planted fault


def test_the_demo_s_turn_breaks_it_beyond_what_it_was_trained_on_and_other_images_say_so_too():
    """Its digits are turned by 5 degrees at most and come in all colours: turns must break it, hues must not."""
    classifier, images = open_demo("digits")
    subject = joined(classifier.blueprint, images, lambda blueprint: classifier)
    grids = (alone("rotation", 6), Grid(("hue",), ((-1, -0.5, 0, 0.5, 1),)))
    found = sweep(subject, SweepSettings(grids, images=160), None, Progress())
    rows = [row for row in breakpoints(found, BreakpointSettings(resamples=200)).rows if row.scope == "all"]
    assert [(row.family, row.sign) for row in rows] == [("rotation", 1), ("rotation", -1), ("hue", 1), ("hue", -1)]
    for row in rows[:2]:
        assert row.reached
        assert 5 / 45 < row.severity < 0.8
        assert row.low <= row.severity <= row.high
        assert row.verified
    assert not any(row.reached for row in rows[2:])
