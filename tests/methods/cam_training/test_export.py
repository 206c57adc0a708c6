from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from engine.methods.cam_training.contact_sheet import WIDE, captions_of, contact_sheet, sheet_png
from engine.methods.cam_training.export import CAM_COLUMNS, cam_rows, cams_npz
from engine.methods.cam_training.groups import groups
from engine.methods.cam_training.localisation import localise
from engine.methods.cam_training.result import Groups
from engine.methods.cam_training.settings import GroupSettings
from engine.runs.progress import Progress
from engine.subject.frame import Frame
from engine.toolkit.tables import from_csv, to_csv
from tests.methods.cam_training.made_maps import blobs, cams_of
from tests.methods.cam_training.test_image_masks import image_set


@pytest.fixture
def looked():
    images = image_set([(8, 8)] * 4, Frame(1, 8, 8), ["=a.png", "b.png", "c.png", "d.png"])
    maps = blobs(np.array([[0.2, 0.2], [0.8, 0.8], [0.5, 0.5]]), 4)
    maps[2] = 0
    cams = cams_of(
        maps,
        ids=images.ids[[2, 0, 3]],
        labels=np.array([1, -1, 0]),
        predictions=np.array([1, 2, 0]),
    )
    forbidden = np.ones((1, 4, 4))
    forbidden[:, :2, :2] = 0
    return images, cams, localise(cams.maps, forbidden)


def test_a_row_says_what_there_is_and_leaves_empty_what_there_is_not(looked):
    images, cams, places = looked
    found = Groups(np.array([0, 1, -1]), np.zeros((2, 4, 4)), np.zeros(0), np.zeros(3))
    rows = from_csv(to_csv(cam_rows(cams, images, places, found, [1, 0, 2]), CAM_COLUMNS))
    assert [row["file_name"] for row in rows] == ["=a.png", "c.png", "d.png"]
    assert [row["id"] for row in rows] == ["id 0", "id 2", "id 3"]
    assert [row["label"] for row in rows] == ["", "dog", "cat"]
    assert [row["prediction"] for row in rows] == ["eel", "dog", "cat"]
    assert [row["group"] for row in rows] == ["2", "1", ""]
    assert float(rows[1]["energy"]) == pytest.approx(places.energy[0], rel=1e-5)
    assert [float(row["pointing"]) for row in rows[:2]] == [0, 1]
    assert {rows[2][name] for name in ("energy", "corrected", "pointing", "iou", "outside")} == {""}
    bare = from_csv(to_csv(cam_rows(cams, images, None, None, [0]), CAM_COLUMNS))[0]
    assert {bare[name] for name in ("energy", "iou", "group")} == {""}


def test_maps_come_back_from_their_file_without_pickles(looked):
    _, cams, _ = looked
    found = np.load(io.BytesIO(cams_npz(cams)), allow_pickle=False)
    for name in ("ids", "labels", "predictions", "confidence", "scores", "maps"):
        np.testing.assert_array_equal(found[name], getattr(cams, name))
        assert found[name].dtype == getattr(cams, name).dtype
    assert (str(found["method"]), str(found["layer"]), bool(found["exact"])) == ("cam", "features", True)
    assert found["classes"].tolist() == ["cat", "dog", "eel"]
    assert found["seen"].tolist() == [0, 0, 1, 1]


def test_captions_say_label_answer_and_what_is_inside(looked):
    _, cams, places = looked
    said = captions_of(cams, places, [0, 1, 2])
    assert said[0].startswith("dog as dog, 90%, ")
    assert said[0].endswith("% inside")
    assert said[1].startswith("eel, 90%")
    assert said[2] == "cat as cat, 90%, no evidence"
    assert captions_of(cams, None, [1]) == ["eel, 90%"]


@pytest.mark.parametrize("count", [1, 4, 6])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 10), (3, 300, 300)])
def test_a_sheet_holds_each_image_with_its_map_in_the_order_given(count, shape):
    pictures = np.zeros((count, *shape), np.uint8)
    maps = np.zeros((count, 2, 2), np.float32)
    maps[-1] = 1
    sheet = np.asarray(contact_sheet(pictures, cams_of(maps), list(range(count))[::-1], ["x" * 500] * count, most=1.0))
    assert sheet.shape[1] == max(2, min(4, count)) * WIDE + 4
    blue = (sheet == [0, 114, 178]).all(axis=2)
    rows, columns = np.nonzero(blue[: -2 * 16])
    assert len(rows) > 1000
    assert columns.max() < WIDE  # only the first, and nothing runs over into the next
    assert rows.max() < 110


def test_the_scale_is_printed_and_a_sheet_without_evidence_is_white_but_for_images():
    cams = cams_of(np.zeros((1, 2, 2)))
    image = contact_sheet(np.zeros((1, 1, 8, 8), np.uint8), cams, [0], ["level"])
    assert set(image.crop((200, 4, 290, 90)).getcolors()) == {(90 * 86, (255, 255, 255))}
    png = sheet_png(np.zeros((1, 1, 8, 8), np.uint8), cams, [0], ["level"])
    assert png.startswith(b"\x89PNG")
    strong = contact_sheet(np.zeros((1, 1, 8, 8), np.uint8), cams_of(np.full((1, 2, 2), 123.0)), [0], [""], most=9.75)
    assert (
        strong.crop((0, strong.height - 32, *strong.size)).tobytes()
        != image.crop((0, image.height - 32, *image.size)).tobytes()
    )


def test_an_empty_sheet_is_one(looked):
    _, cams, _ = looked
    assert contact_sheet(np.zeros((0, 1, 8, 8), np.uint8), cams, [], []).width > 0


def test_rows_know_the_groups_that_were_found():
    images = image_set([(8, 8)] * 20, Frame(1, 8, 8))
    cams = cams_of(blobs(np.repeat([[0.2, 0.2], [0.8, 0.8]], [12, 8], axis=0), 8), ids=images.ids)
    rows = cam_rows(cams, images, None, groups(cams, GroupSettings(), Progress()), range(20))
    assert [row["group"] for row in rows] == [1] * 12 + [2] * 8


def test_by_a_rule_that_adds_up_to_nothing_the_share_from_outside_is_empty(looked):
    images, cams, places = looked
    assert cam_rows(cams, images, places, None, [0])[0]["outside"] != ""
    (row,) = cam_rows(replace(cams, method="layercam"), images, places, None, [0])
    assert row["outside"] == ""
    assert row["energy"] != ""
