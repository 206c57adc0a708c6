from __future__ import annotations

import pytest

from engine.methods.cam_training.file_names import FileNames, ends_of

NAMES = FileNames(
    ["train/red/0.png", "train/red/1.png", "train/blue/0.png", "test/red/0.png", "alone.jpg", "a.png", "a.jpg"]
)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("train/red/0.png", 0),
        ("train/red/0.jpg", 0),
        ("masks/train/red/0.png", 0),
        ("blue/0.tif", 2),
        ("1", 1),
        ("elsewhere/1.png", 1),
        ("alone.png", 4),
        ("test\\red\\0.png", 3),
        ("a.jpg", 6),
    ],
)
def test_a_file_is_the_image_s_whose_name_ends_most_like_its_own(name, index):
    assert NAMES.index(name) == index


@pytest.mark.parametrize("name", ["red/0.png", "0.png", "a.bmp"])
def test_a_name_that_several_images_have_is_refused(name):
    with pytest.raises(ValueError, match=r"\d images have this name; put their folder before it"):
        NAMES.index(name)


@pytest.mark.parametrize("name", ["2.png", "", "/", "red", "train/red/.png"])
def test_a_name_that_no_image_has_is_refused(name):
    with pytest.raises(ValueError, match="no image has this name"):
        NAMES.index(name)


def test_the_whole_name_goes_before_an_end():
    names = FileNames(["red/0.png", "train/red/0.png"])
    assert names.index("red/0.bmp") == 0


def test_ends_lose_a_folder_at_a_time():
    assert ends_of("a/b/c.tar.gz") == ["a/b/c.tar", "b/c.tar", "c.tar"]
    assert ends_of(".hidden") == [".hidden"]
