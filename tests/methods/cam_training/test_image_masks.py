from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.methods.cam_training.image_masks import framed_box, from_boxes, read_boxes, read_mask_folder
from engine.subject.frame import Frame
from engine.subject.image_set import ImageSet

HEADER = "file_name,top,left,bottom,right\n"


class Files:
    """Images of several sizes, white; a mask painted over them would be fitted as they are."""

    one_size = False

    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        self.sizes = sizes

    def image(self, index: int) -> Image.Image:
        height, width = self.sizes[index]
        return Image.new("L", (width, height), 255)

    def block(self, indices, frame):
        return None


def image_set(sizes: list[tuple[int, int]], frame: Frame, names: list[str] | None = None) -> ImageSet:
    count = len(sizes)
    return ImageSet(
        name="made",
        classes=("a",),
        ids=np.array([f"id {number}" for number in range(count)]),
        labels=np.zeros(count, np.int64),
        names=np.array(names or [f"train/a/{number}.png" for number in range(count)]),
        roles=np.full(count, "train"),
        seen=np.zeros(count, np.int8),
        groups=np.full(count, ""),
        pixels=Files(sizes),
        frame=frame,
    )


def test_plates_are_their_pixels():
    found = from_boxes(np.array(["a", "b"]), np.array([[1, 2, 4, 6], [0, 0, 8, 8]]), 8, 8)
    expected = np.zeros((8, 8))
    expected[1:4, 2:6] = 255
    np.testing.assert_array_equal(found.inside[0], expected)
    assert (found.inside[1] == 255).all()
    assert found.inside.dtype == np.uint8
    assert from_boxes(np.array(["a"]), np.array([[0, 0, 112, 224]]), 224, 224).inside.shape == (1, 64, 64)


def test_boxes_in_pixels_and_in_shares_are_the_same():
    images = image_set([(20, 40), (10, 10)], Frame(1, 10, 20))
    pixels, _ = read_boxes(HEADER + "0.png,4,8,12,32\n", images)
    shares, _ = read_boxes(HEADER + "0.png,0.2,0.2,0.6,0.8\n", images)
    np.testing.assert_array_equal(pixels.inside, shares.inside)
    assert pixels.ids.tolist() == ["id 0"]
    expected = np.zeros((10, 20))
    expected[2:6, 4:16] = 255
    np.testing.assert_array_equal(pixels.inside[0], expected)


def test_columns_may_be_called_by_their_axes_and_stand_in_any_order():
    images = image_set([(8, 8)], Frame(1, 8, 8))
    named, _ = read_boxes(HEADER + "0.png,1,2,4,6\n", images)
    other, _ = read_boxes("\ufeffx_min, Y_MIN ,x_max,y_max,score,File_Name\n2,1,6,4,0.9,train/a/0.png\n", images)
    np.testing.assert_array_equal(named.inside, other.inside)


def test_several_boxes_of_one_image_are_united():
    found, skipped = read_boxes(HEADER + "0.png,0,0,2,2\n0.png,1,1,4,4\n", image_set([(4, 4)], Frame(1, 4, 4)))
    np.testing.assert_array_equal(found.inside[0] > 0, [[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]])
    assert skipped == ()


@pytest.mark.parametrize("size", [(30, 30), (30, 50), (50, 31), (7, 9), (200, 130)])
@pytest.mark.parametrize("frame", [Frame(1, 16, 16, "bilinear"), Frame(1, 16, 20, "bilinear", 0.8), Frame(1, 30, 30)])
def test_boxes_are_fitted_as_the_image_is(size, frame):
    """The box painted white into the image, and the image then fitted, lies where the mask does."""
    height, width = size
    box = np.array([0.3 * height, 0.2 * width, 0.8 * height, 0.65 * width]).round().astype(int)
    images = image_set([size], frame)
    rows = f"0.png,{','.join(map(str, box))}\n"
    if box.max() <= 1:
        pytest.skip("too small to tell pixels from shares")
    found, _ = read_boxes(HEADER + rows, images)
    painted = np.zeros(size, np.uint8)
    painted[box[0] : box[2], box[1] : box[3]] = 255
    expected = frame.fit(Image.fromarray(painted))[0] / 255
    blurred_edge = 1.6 * max(frame.height / height, 1)  # Pillow's filter is wider than a pixel
    difference = np.abs(found.inside[0] / 255 - expected)
    assert difference.mean() < 0.02 * blurred_edge + 0.02
    assert abs(found.inside[0].mean() / 255 - expected.mean()) < 0.02


def test_the_framed_part_is_the_middle():
    assert framed_box(Frame(1, 10, 10), (10, 10)) == (0, 0, 1, 1)
    assert framed_box(Frame(1, 10, 10), (20, 40)) == (0, 0.25, 1, 0.75)
    assert framed_box(Frame(1, 224, 224, "bilinear", 0.875), (256, 256)) == pytest.approx(
        (1 / 16, 1 / 16, 15 / 16, 15 / 16)
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("9.png,0,0,4,4", "line 3: no image has this name"),
        (",0,0,4,4", "line 3: no image has this name"),
        ("0.png,a,0,4,4", "line 3: its box is not four numbers: a, 0, 4, 4"),
        ("0.png,nan,0,4,4", "not four numbers"),
        ("0.png,0,0,inf,4", "not four numbers"),
        ("0.png,0,0", "not four numbers"),
        ("0.png,4,0,2,4", "ends before it begins"),
        ("0.png,2,2,2,4", "ends before it begins"),
        ("0.png,20,20,30,30", "outside what the classifier is shown"),
        ("0.png,-9,-9,-1,-1", "outside what the classifier is shown"),
    ],
)
def test_rows_that_can_t_be_used_are_listed_and_the_others_kept(row, said):
    images = image_set([(8, 8), (8, 8)], Frame(1, 8, 8))
    found, skipped = read_boxes(f"{HEADER}1.png,2,2,6,6\n{row}\n", images)
    assert found.ids.tolist() == ["id 1"]
    assert len(skipped) == 1
    assert said in skipped[0].reason


def test_what_reaches_beyond_the_image_is_cut_off():
    found, _ = read_boxes(HEADER + "0.png,-5,4,99,20\n", image_set([(8, 8)], Frame(1, 8, 8)))
    np.testing.assert_array_equal(found.inside[0] > 0, np.tile(np.arange(8) >= 4, (8, 1)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this one has none"),
        (
            "file_name,x,y,w,h\n0.png,1,1,2,2\n",
            "has the columns file_name, top, left, bottom, right or .* this one has file_name, x, y",
        ),
        ("name,top,left,bottom,right\n", "this one has name, top"),
        (HEADER, "there is no mask for any of the images: 0 were skipped"),
        (HEADER + "9.png,1,1,2,2\n", "1 were skipped; the first, 9.png: line 2: no image has this name"),
        ("\0" * 50, "this one has|can't be read"),
        ('file_name,top,left,bottom,right\n"' + "x" * 200_000 + '",1,1,2,2\n', "can't be read: field larger"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(text, said):
    with pytest.raises(ValueError, match=said) as refused:
        read_boxes(text, image_set([(8, 8)], Frame(1, 8, 8)))
    assert len(str(refused.value)) < 500


def test_a_folder_of_masks_belongs_to_the_images_of_the_same_names(tmp_path):
    images = image_set(
        [(8, 8)] * 4, Frame(1, 4, 4), ["train/a/0.png", "train/b/0.png", "train/a/1.jpg", "train/b/2.png"]
    )
    for name, corner in (("a/0.png", 0), ("b/0.bmp", 4), ("1.png", 2)):
        pixels = np.zeros((8, 8), np.uint8)
        pixels[corner : corner + 4, corner : corner + 4] = 1
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    found, skipped = read_mask_folder(tmp_path, images)
    assert found.ids.tolist() == ["id 0", "id 1", "id 2"]
    assert skipped == ()
    assert [np.argwhere(each).min() for each in found.inside] == [0, 2, 1]
    assert (found.inside.max(axis=(1, 2)) == 255).all()


def test_files_of_a_folder_that_can_t_be_used_are_listed(tmp_path):
    images = image_set([(8, 8), (8, 8), (8, 8), (8, 8)], Frame(1, 8, 8))
    white = Image.new("L", (16, 16), 255)
    for name in ("0.png", "0.bmp", "9.png"):
        white.save(tmp_path / name)
    Image.new("L", (8, 4), 255).save(tmp_path / "1.png")
    Image.new("L", (8, 8), 0).save(tmp_path / "2.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("masks")
    (tmp_path / ".DS_Store").write_text("hidden")
    found, skipped = read_mask_folder(tmp_path, images)
    assert found.ids.tolist() == ["id 0"]
    assert {each.file_name: each.reason.split(":")[0] for each in skipped} == {
        "0.png": "0.bmp is a mask of the same image",
        "1.png": "it has 8 x 4 pixels and its image 8 x 8",
        "2.png": "it is black where the classifier is shown the image, so it marks no object",
        "3.png": "it can't be read as a picture",
        "9.png": "no image has this name",
        "notes.txt": "not a picture in a known format",
    }


def test_a_folder_without_masks_is_one_sentence(tmp_path):
    images = image_set([(8, 8)], Frame(1, 8, 8))
    with pytest.raises(ValueError, match="there is no mask for any of the images: 0 were skipped"):
        read_mask_folder(tmp_path, images)
    with pytest.raises(ValueError, match="there is no folder"):
        read_mask_folder(tmp_path / "nowhere", images)
