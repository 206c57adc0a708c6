from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.methods.cam_training.geometry import WHOLE
from engine.methods.cam_training.masks import check, for_images, forbidden, on_grid, pooled, without_mask
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import SHAPES, SIZES, MaskSettings

COMMON = [shape for shape in SHAPES if shape not in ("picture", "each")]


def formula(shape: str, y: float, x: float, settings: MaskSettings) -> float:
    """What the settings' docstring says of one point, in shares of the sides; 1 is outside."""
    size = settings.size or SIZES.get(shape)
    distance = math.hypot(y - 0.5, x - 0.5)
    top, left, bottom, right = settings.top, settings.left, settings.bottom, settings.right
    if shape == "box":
        return float(max(abs(y - 0.5), abs(x - 0.5)) > size / 2)
    if shape == "border":
        return float(min(y, x, 1 - y, 1 - x) < size)
    if shape == "rectangle":
        return float(not (top <= y <= bottom and left <= x <= right))
    if shape == "ellipse":
        down, across = (y - (top + bottom) / 2) / (bottom - top), (x - (left + right) / 2) / (right - left)
        return float(down**2 + across**2 > 0.25)
    if shape == "distance":
        return min(1.0, max(0.0, (distance - size) / (math.sqrt(0.5) - size)))
    return 1 - math.exp(-0.5 * (distance / size) ** 2)


@pytest.mark.parametrize("shape", COMMON)
@pytest.mark.parametrize("size", [(12, 12), (15, 22)])
def test_each_shape_is_what_its_formula_says_at_points_of_each_pixel(shape, size):
    settings = MaskSettings(shape, top=0.1, left=0.3, bottom=0.7, right=0.85)
    found, fine = forbidden(settings, *size), 10
    for i in range(size[0]):
        for j in range(size[1]):
            if shape in ("gaussian", "distance"):
                expected = formula(shape, (i + 0.5) / size[0], (j + 0.5) / size[1], settings)
            else:
                steps = (np.arange(fine) + 0.5) / fine
                points = [((i + a) / size[0], (j + b) / size[1]) for a in steps for b in steps]
                expected = np.mean([formula(shape, *point, settings) for point in points])
            # the bell is moved and scaled after the formula, which near the middle changes little
            assert found[i, j] == pytest.approx(expected, abs=0.06 if shape == "gaussian" else 0.1), (i, j)


def test_the_usual_box_leaves_half_of_each_side_free():
    mask = forbidden(MaskSettings(), 8, 8)
    assert mask.dtype == np.float32
    expected = np.ones((8, 8))
    expected[2:6, 2:6] = 0
    np.testing.assert_array_equal(mask, expected)


def test_a_box_between_pixels_takes_them_in_part():
    np.testing.assert_allclose(forbidden(MaskSettings(size=0.5), 3, 2)[:, 0], [0.875, 0.5, 0.875])


@pytest.mark.parametrize("shape", COMMON)
def test_turned_round_what_was_allowed_is_forbidden(shape):
    there, back = (forbidden(MaskSettings(shape, forbidden=side), 9, 14) for side in ("outside", "inside"))
    np.testing.assert_allclose(there + back, 1, atol=1e-6)
    check(there)
    check(back)
    middle, corner = there[4, 7], there[0, 0]
    assert middle < 0.1 < 0.8 < corner


@pytest.mark.parametrize("cells", [4, 7, 8])
def test_a_bell_reaches_0_at_the_middle_and_1_at_the_corners_of_every_grid(cells):
    settings = MaskSettings("gaussian")
    mask = forbidden(settings, 32, 32)
    assert (mask.min(), mask.max()) == (0, 1)
    if cells % 2 == 0:
        assert pooled(mask[None], cells, cells).min() > 0.01
    for side in ("outside", "inside"):
        turned = MaskSettings("gaussian", forbidden=side)
        grid = on_grid(turned, forbidden(turned, 32, 32)[None], WHOLE, cells, cells)[0]
        assert (grid.min(), grid.max()) == (0, 1)
        middle, corner = grid[cells // 2, cells // 2], grid[0, 0]
        assert (middle, corner) == ((0, 1) if side == "outside" else (1, 0))


def test_other_shapes_lie_on_a_grid_as_they_are():
    mask = forbidden(MaskSettings("distance"), 32, 32)[None]
    np.testing.assert_array_equal(on_grid(MaskSettings("distance"), mask, WHOLE, 8, 8), pooled(mask, 8, 8))


def test_an_uploaded_picture_is_bright_inside():
    picture = np.zeros((4, 4))
    picture[:, 2:] = 1
    found = forbidden(MaskSettings("picture"), 2, 2, picture)
    np.testing.assert_array_equal(found, [[1, 0], [1, 0]])
    np.testing.assert_array_equal(
        forbidden(MaskSettings("picture", forbidden="inside"), 8, 8, picture)[0], [0] * 4 + [1] * 4
    )
    with pytest.raises(ValueError, match="none was given: upload a grey picture"):
        forbidden(MaskSettings("picture"), 8, 8)


@given(
    mask=arrays(
        np.float32, st.tuples(st.just(2), st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0, 1, width=32)
    ),
    height=st.integers(1, 15),
    width=st.integers(1, 15),
)
def test_pooling_keeps_the_mean_and_the_range(mask, height, width):
    found = pooled(mask, height, width)
    assert found.shape == (2, height, width)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), mask.mean(axis=(1, 2)), atol=1e-5)
    assert found.min() >= mask.min() - 1e-6
    assert found.max() <= mask.max() + 1e-6


def test_pooling_by_a_whole_number_is_the_mean_of_blocks():
    mask = np.random.default_rng(0).random((3, 8, 12))
    np.testing.assert_allclose(pooled(mask, 4, 3), mask.reshape(3, 4, 2, 3, 4).mean(axis=(2, 4)), atol=1e-6)


def masks_of_two() -> ImageMasks:
    inside = np.zeros((2, 4, 4), np.uint8)
    inside[0, :2], inside[1, 2:] = 255, 255
    return ImageMasks(np.array(["top", "bottom"]), inside)


def test_each_image_gets_its_own_mask_in_the_order_asked_for():
    settings = MaskSettings("each")
    found = for_images(settings, np.array(["bottom", "top", "bottom"]), 2, 2, None, masks_of_two())
    np.testing.assert_array_equal(found[0], [[1, 1], [0, 0]])
    np.testing.assert_array_equal(found[1], [[0, 0], [1, 1]])
    np.testing.assert_array_equal(found[2], found[0])
    turned = for_images(MaskSettings("each", forbidden="inside"), np.array(["top"]), 2, 2, None, masks_of_two())
    np.testing.assert_array_equal(turned[0], [[1, 1], [0, 0]])


def test_a_shape_for_all_images_comes_once():
    found = for_images(MaskSettings(), np.array(["a", "b", "c"]), 6, 6)
    np.testing.assert_array_equal(found, forbidden(MaskSettings(), 6, 6)[None])


def test_missing_masks_are_named_and_counted():
    ids = np.array(["top", *(f"image {number}" for number in range(7))])
    with pytest.raises(
        ValueError, match=r"7 of 8 images have no mask of their own \(image 0, image 1, .* image 4, \.\.\.\)"
    ):
        for_images(MaskSettings("each"), ids, 4, 4, None, masks_of_two())
    assert without_mask(ids, masks_of_two()).tolist() == [False] + [True] * 7
    with pytest.raises(ValueError, match="none were given: load a folder of masks or a CSV"):
        for_images(MaskSettings("each"), ids, 4, 4)
    with pytest.raises(ValueError, match="a mask of its own"):
        forbidden(MaskSettings("each"), 4, 4)


def test_a_mask_that_tells_nothing_apart_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"allows the whole image, .* make its shape smaller"):
        check(forbidden(MaskSettings(size=1.0), 8, 8))
    with pytest.raises(ValueError, match=r"forbids the whole image, .* make the shape larger"):
        check(forbidden(MaskSettings("border", size=0.5), 8, 8))
    some = forbidden(MaskSettings(), 8, 8)
    check(some)
    check(np.stack([some, np.zeros((8, 8))]))
    with pytest.raises(ValueError, match="1 of 2 masks forbid the whole image"):
        check(np.stack([some, np.ones((8, 8))]))


def test_masks_are_made_without_torch():
    code = "import engine.methods.cam_training.masks, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_images_without_a_mask_are_named_by_their_files_where_these_are_known():
    masks = ImageMasks(np.array(["a", "c"]), np.zeros((2, 4, 4), np.uint8))
    ids, names = np.array(["a", "b", "c", "d"]), np.array(["1.png", "2.png", "3.png", "4.png"])
    with pytest.raises(ValueError, match=r"2 of 4 images have no mask of their own \(2.png, 4.png\); give it"):
        for_images(MaskSettings("each"), ids, 4, 4, None, masks, names)
    with pytest.raises(ValueError, match=r"\(b, d\)"):
        for_images(MaskSettings("each"), ids, 4, 4, None, masks)


def test_masks_are_found_by_an_index_that_is_made_once():
    class Counting(np.ndarray):
        listed = 0

        def tolist(self):
            Counting.listed += 1
            return super().tolist()

    ids = np.array([f"image {number}" for number in range(20)])
    masks = ImageMasks(ids.view(Counting), np.arange(20, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2))
    for _ in range(3):
        found = for_images(MaskSettings("each"), ids[[7, 3, 7]], 2, 2, None, masks)
        np.testing.assert_allclose(found[:, 0, 0], 1 - np.array([7, 3, 7]) / 255, atol=1e-6)
    assert Counting.listed == 1
