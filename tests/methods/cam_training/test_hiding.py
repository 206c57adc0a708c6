from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from engine.methods.cam_training.geometry import map_on_image
from engine.methods.cam_training.hiding import hiding, hiding_figures, hottest_first, painted, random_shifts
from engine.methods.cam_training.result import Cams, Hiding
from engine.methods.cam_training.settings import HidingSettings
from engine.runs.progress import Progress
from engine.subject.blueprint import Blueprint
from engine.subject.classifier import Classifier
from engine.subject.frame import Frame
from engine.subject.image_set import ArrayPixels, ImageSet, Seen, content_ids
from engine.subject.preprocessing import Preprocessing
from engine.subject.subject import Subject, joined
from tests.methods.cam_training.made_maps import cams_of

SIDE, PATCH = 16, slice(4, 8)  # where the network reads, down and right


class OnePatch(nn.Module):
    """Whether the patch is bright; nothing else matters."""

    def forward(self, images):
        score = images[:, 0, PATCH, PATCH].mean(dim=(1, 2)) - 0.7
        return torch.stack([score, -score], dim=1)


def planted(count: int = 24, wide: int = SIDE) -> tuple[Subject, Cams]:
    """Bright patches are class 0, dark ones class 1, all answers right; the maps point at the patch."""
    draws = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = draws.integers(100, 150, (count, SIDE, wide)).astype(np.uint8)
    begin = (wide - SIDE) // 2
    pixels[:, PATCH, begin + 4 : begin + 8] = np.where(labels == 0, 240, 10)[:, None, None]
    images = ImageSet(
        name="planted",
        classes=("bright", "dark"),
        ids=content_ids([image.tobytes() for image in pixels]),
        labels=labels,
        names=np.array([f"{number}.png" for number in range(count)]),
        roles=np.full(count, "diagnosis"),
        seen=np.full(count, Seen.NO, np.int8),
        groups=np.array([f"scan {number // 2}" for number in range(count)]),
        pixels=ArrayPixels(pixels),
        frame=Frame(1, SIDE, wide),
    )
    size = Preprocessing(1, SIDE, SIDE, (0.0,), (1.0,))
    blueprint = Blueprint("one patch", "one_patch", 2, 1, images.classes, size, "none")
    subject = joined(blueprint, images, lambda given: Classifier(OnePatch(), given))
    maps = np.zeros((count, 4, 4), np.float32)
    maps[:, 1, 1] = 1
    seen = (0.0, begin / wide, 1.0, (begin + SIDE) / wide)
    return subject, cams_of(
        maps, ids=subject.images.ids, labels=labels, predictions=labels, classes=images.classes, seen=seen
    )


SETTINGS = HidingSettings(shares=(0.1, 0.25), places=4)


@pytest.mark.parametrize("wide", [SIDE, 2 * SIDE])
def test_hiding_what_the_answers_rest_on_costs_them(wide):
    subject, cams = planted(wide=wide)
    if wide != SIDE:
        subject = replace(subject, images=replace(subject.images, frame=Frame(1, SIDE, wide)))
    found = hiding(subject, SETTINGS, cams, Progress())
    assert found.right.all()
    for each in hiding_figures(found):
        assert (each.before.value, each.before.n, each.before.groups) == (1, 24, 12)
        assert each.hot.value == 0.5  # with the patch grey all are taken for dark
        assert each.elsewhere.mean > 0.7
        assert each.difference.low > 0


def test_maps_that_point_elsewhere_show_no_difference():
    subject, cams = planted()
    wrong = np.zeros_like(cams.maps)
    wrong[:, 3, 3] = 1
    for each in hiding_figures(hiding(subject, HidingSettings((0.1,), 4), replace(cams, maps=wrong), Progress())):
        assert each.hot.value == 1
        assert each.difference.low <= 0
    random = np.random.default_rng(0).random(cams.maps.shape).astype(np.float32)
    for each in hiding_figures(hiding(subject, SETTINGS, replace(cams, maps=random), Progress())):
        assert each.difference.low < 0 < each.difference.high


def test_neither_order_nor_batches_nor_other_images_matter(monkeypatch):
    subject, cams = planted()
    found = hiding(subject, SETTINGS, cams, Progress())
    few = np.array([17, 3, 8])
    some = replace(
        cams,
        **{name: getattr(cams, name)[few] for name in ("ids", "labels", "predictions", "confidence", "scores", "maps")},
    )
    monkeypatch.setattr("engine.toolkit.prediction.batch_size", lambda classifier: 5)
    again = hiding(subject, SETTINGS, some, Progress())
    for name in ("ids", "units", "right", "hot", "elsewhere"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name)[few], err_msg=name)


def test_each_picture_is_classified_by_itself():
    subject, cams = planted(count=8)
    found = hiding(subject, SETTINGS, cams, Progress())
    pixels = subject.images.read(np.arange(8))
    for place, versions in enumerate(painted(pixels, cams, np.arange(8), SETTINGS)):
        bright = versions[:, :, 0, PATCH, PATCH].mean(axis=(2, 3)) > 0.7 * 255
        right = np.where(bright, 0, 1) == cams.labels[:, None]
        np.testing.assert_array_equal(found.hot[:, place], right[:, 0])
        np.testing.assert_array_equal(found.elsewhere[:, place], right[:, 1:])


def test_only_labelled_images_count():
    subject, cams = planted()
    labels = cams.labels.copy()
    labels[::3] = -1
    found = hiding(subject, SETTINGS, replace(cams, labels=labels), Progress())
    np.testing.assert_array_equal(found.ids, cams.ids[labels >= 0])
    with pytest.raises(ValueError, match="none of these images has a label"):
        hiding(subject, SETTINGS, replace(cams, labels=np.full(24, -1)), Progress())


def test_what_is_hidden_is_exact_the_image_s_mean_and_elsewhere_the_same_shape():
    _, cams = planted(count=4)
    pixels = np.random.default_rng(3).integers(0, 200, (4, 3, SIDE, SIDE)).astype(np.uint8)
    pixels[:, :, 0, 0] = 255  # so that no pixel has the mean's colour by itself
    colour = np.rint(pixels.mean(axis=(2, 3))).astype(np.uint8)
    pixels += (pixels == colour[:, :, None, None]).astype(np.uint8)
    smooth = replace(cams, maps=np.random.default_rng(0).standard_normal((4, 4, 4)).astype(np.float32))
    for share, versions in zip(SETTINGS.shares, painted(pixels, smooth, np.arange(4), SETTINGS), strict=True):
        changed = (versions != pixels[:, None]).all(axis=2)
        assert (changed.sum(axis=(2, 3)) == round(share * SIDE**2)).all()
        for image, place in np.ndindex(4, 5):
            np.testing.assert_array_equal(
                versions[image, place][:, changed[image, place]],
                np.broadcast_to(np.rint(pixels[image].mean(axis=(1, 2)))[:, None], (3, round(share * SIDE**2))),
            )
        heat = map_on_image(smooth.maps, smooth.seen, SIDE, SIDE)
        for image in range(4):
            hot = changed[image, 0]
            assert heat[image][hot].min() >= heat[image][~hot].max()
            for place, (down, right) in enumerate(random_shifts(smooth.ids[image], SIDE, SIDE, SETTINGS)):
                np.testing.assert_array_equal(changed[image, 1 + place], np.roll(hot, (down, right), axis=(0, 1)))
                assert (down, right) != (0, 0)


def test_nothing_is_hidden_where_the_network_does_not_look():
    _, cams = planted(count=2)
    cams = replace(cams, seen=(0.0, 0.25, 1.0, 0.75))
    pixels = np.random.default_rng(3).integers(0, 200, (2, 1, 8, 16)).astype(np.uint8)
    for versions in painted(pixels, cams, np.arange(2), SETTINGS):
        np.testing.assert_array_equal(
            versions[..., [*range(4), *range(12, 16)]],
            np.repeat(pixels[:, None], 5, axis=1)[..., [*range(4), *range(12, 16)]],
        )


def test_equally_hot_pixels_come_from_the_peak_outwards():
    heat = np.zeros((5, 5), np.float32)
    heat[3, 3] = 1
    rank = hottest_first(heat)
    assert rank[3, 3] == 0
    assert sorted(rank[[2, 4, 3, 3], [3, 3, 2, 4]]) == [1, 2, 3, 4]
    assert sorted(rank.ravel()) == list(range(25))
    heat[:, 0] = np.nan
    assert sorted(hottest_first(heat)[:, 0]) == list(range(20, 25))


def test_places_hang_on_the_seed_and_the_image():
    drawn = [
        random_shifts(name, 8, 8, HidingSettings(places=6, seed=seed)) for name, seed in (("a", 0), ("b", 0), ("a", 1))
    ]
    assert len({each.tobytes() for each in drawn}) == 3
    np.testing.assert_array_equal(drawn[0], random_shifts("a", 8, 8, HidingSettings(places=6)))
    many = random_shifts("a", 3, 4, HidingSettings(places=2000))
    assert {tuple(each) for each in many.tolist()} == {(i, j) for i in range(3) for j in range(4)} - {(0, 0)}


def test_figures_are_of_units_and_paired():
    right, hot = np.array([1, 1, 1, 0], bool), np.array([[0], [0], [1], [0]], bool)
    elsewhere = np.array([[[1, 1]], [[1, 0]], [[1, 1]], [[0, 0]]], bool)
    (found,) = hiding_figures(
        Hiding(np.array(list("abcd")), np.array(list("uuvw")), np.array([0.2]), right, hot, elsewhere)
    )
    assert (found.share, found.before.value, found.hot.value) == (0.2, 0.75, 0.25)
    assert found.elsewhere.mean == pytest.approx(0.625)
    assert found.difference.mean == pytest.approx((1 + 0.5 + 0 + 0) / 4)
    assert found.before.groups == 3
