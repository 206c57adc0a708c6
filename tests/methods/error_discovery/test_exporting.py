import csv
import hashlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from engine.methods.error_discovery.exporting import bundle
from engine.methods.error_discovery.image_table import IMAGE_COLUMNS, error_rows, image_row, images_of
from engine.toolkit.error_table import COLUMNS
from tests.methods.error_discovery.made_discovery import made_discovery


class Painted:
    """A decoder whose picture of a code is of one colour: red tells the code's first number, green the label."""

    def pixels(self, codes, labels):
        image = np.zeros((len(codes), 3, 8, 8), np.uint8)
        image[:, 0] = np.clip(codes[:, 0] * 20 + 128, 0, 255).astype(np.uint8)[:, None, None]
        image[:, 1] = labels[:, None, None]
        return image


def opened(data):
    files = zipfile.ZipFile(io.BytesIO(data))
    tables = {
        name: list(csv.DictReader(io.StringIO(files.read(name).decode())))
        for name in files.namelist()
        if name.endswith(".csv")
    }
    return files, tables


def test_the_bundle_holds_three_tables_and_a_picture_for_each_row():
    found = made_discovery(held=frozenset({2}))
    files, tables = opened(bundle(found, Painted()))
    assert set(tables) == {"regions.csv", "images.csv", "errors.csv"}
    rows = tables["images.csv"]
    assert tuple(rows[0]) == IMAGE_COLUMNS
    assert len(rows) == 180 + 3 * 16
    assert sorted(row["file"] for row in rows) == sorted(name for name in files.namelist() if name.endswith(".png"))
    assert len({row["image_id"] for row in rows}) == len(rows)
    for row in rows[::17]:
        picture = files.read(row["file"])
        assert hashlib.sha256(picture).hexdigest() == row["sha256"]
        assert Image.open(io.BytesIO(picture)).size == (8, 8)
    draws = [row for row in rows if row["seed_image_id"] == ""]
    assert {row["use"] for row in draws if row["region_id"] == "2"} == {"heldout"}
    assert {row["use"] for row in draws if row["region_id"] == "0"} == {"train"}
    assert [row["image_id"] for row in draws if row["excluded"] == "true"] == ["r000-d0003", "r000-d0011"]


def test_pictures_are_of_their_own_codes_in_their_own_colours():
    found = made_discovery()
    files, tables = opened(bundle(found, Painted()))
    for row, image in zip(tables["images.csv"], images_of(found), strict=True):
        code = found.errors.codes[image.error] if image.error >= 0 else found.tests.codes[image.region, image.draw]
        expected = Painted().pixels(code[None], found.regions.label[[image.region]])[0, :, 0, 0]
        picture = Image.open(io.BytesIO(files.read(row["file"])))
        assert picture.getpixel((0, 0)) == tuple(expected.tolist())


def test_only_chosen_regions_are_taken_out():
    _, tables = opened(bundle(made_discovery(), Painted(), [1]))
    assert {row["region_id"] for name in ("regions.csv", "images.csv") for row in tables[name]} == {"1"}
    assert {row["cluster_id"] for row in tables["errors.csv"]} == {"1"}


def test_real_errors_are_taken_out_as_they_are():
    found = made_discovery(source="real")
    files, tables = opened(bundle(found, None, [0]))
    own = [row for row in tables["images.csv"] if row["seed_image_id"]]
    index = found.subject.images.position[own[5]["seed_image_id"]]
    picture = np.asarray(Image.open(io.BytesIO(files.read(own[5]["file"]))))
    assert np.array_equal(picture, found.subject.images.pixels.array[index])


def test_the_shared_table_has_one_row_for_each_error():
    found = made_discovery()
    rows = error_rows(found, images_of(found))
    assert len(rows) == 180
    assert all(set(row) == set(COLUMNS) for row in rows)
    row = rows[0]
    assert (row["label"], row["prediction"], row["corrected_label"]) == ("cat", "=dog", "fox")
    assert (row["cluster_id"], row["cluster_name"], row["cluster_size"]) == (0, "cat taken for =dog", 60)
    assert row["loss"] == pytest.approx(np.log(8), abs=1e-5)
    assert row["margin"] == pytest.approx(-np.log(6), abs=1e-5)
    assert (row["source"], row["method"], row["is_error"]) == ("generated", "error_discovery", "true")


def test_an_image_has_what_is_known_of_its_error():
    found = made_discovery()
    row = image_row(found, images_of(found)[0])
    assert row["seed_image_id"] == found.errors.ids[0]
    assert (row["p_pred"], row["p_seed"], row["noise_norm"]) == (0.75, 0.125, 1.0)
    assert row["assigned_label"] == "fox"
