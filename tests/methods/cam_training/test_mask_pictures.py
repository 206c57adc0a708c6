from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.methods.cam_training.mask_pictures import ENOUGH, read_mask


def square(value: float, dtype=np.uint8) -> np.ndarray:
    pixels = np.zeros((6, 8), dtype)
    pixels[1:3, 2:5] = value
    return pixels


@pytest.mark.parametrize(
    ("pixels", "suffix"),
    [
        (square(255), "png"),
        (square(1), "png"),
        (square(3), "bmp"),
        (square(60000, np.uint16), "png"),
        (square(7.5, np.float32), "tif"),
        (square(True, bool), "png"),
        (np.stack([square(200)] * 3, axis=2), "png"),
    ],
)
def test_what_is_brightest_is_inside_whatever_the_range(pixels, suffix, tmp_path):
    Image.fromarray(pixels).save(tmp_path / f"mask.{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"mask.{suffix}"), square(1))


def test_of_a_see_through_picture_what_is_opaque_is_inside(tmp_path):
    cut_out = np.random.default_rng(0).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    cut_out[..., 3] = square(255)
    Image.fromarray(cut_out).save(tmp_path / "cut_out.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "cut_out.png"), square(1))
    opaque = np.stack([square(255)] * 3 + [np.full((6, 8), 255, np.uint8)], axis=2)
    Image.fromarray(opaque).save(tmp_path / "opaque.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "opaque.png"), square(1))


def test_a_mask_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(square(255))).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "turned.png"), square(1))


def test_a_black_mask_is_all_outside(tmp_path):
    Image.fromarray(square(0)).save(tmp_path / "black.png")
    assert not read_mask(tmp_path / "black.png").any()


def test_a_large_mask_is_made_smaller(tmp_path):
    Image.fromarray(np.kron(square(255), np.ones((400, 400), np.uint8))).save(tmp_path / "large.png")
    found = read_mask(tmp_path / "large.png")
    assert min(found.shape) < 2 * ENOUGH
    assert found.mean() == pytest.approx(6 / 48, abs=0.01)


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9_000, 11_000, 100_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")))
        with pytest.raises(ValueError, match="pixels"):
            read_mask(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n and then nothing", b"%PDF-1.4", b"<svg/>"])
def test_what_is_no_picture_is_one_sentence(content, tmp_path):
    (tmp_path / "strange.png").write_bytes(content)
    with pytest.raises(ValueError, match="it can't be read as a picture"):
        read_mask(tmp_path / "strange.png")


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    Image.fromarray(square(np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(ValueError, match="are no numbers"):
        read_mask(tmp_path / "nan.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_of_numbers_of_classes_all_but_0_is_inside(dtype, tmp_path):
    classes = square(20, dtype)
    classes[4, 6] = 1
    Image.fromarray(classes).save(tmp_path / "classes.tif")
    np.testing.assert_array_equal(read_mask(tmp_path / "classes.tif"), classes > 0)


@pytest.mark.parametrize("most", [255, 60])
def test_shades_stay_shades(most, tmp_path):
    shades = np.linspace(0, most, 48).round().astype(np.uint8).reshape(6, 8)
    Image.fromarray(shades).save(tmp_path / "soft.png")
    np.testing.assert_allclose(read_mask(tmp_path / "soft.png"), shades / most)
    Image.fromarray(square(128) + square(127) * (np.arange(8) > 3)).save(tmp_path / "half.png")
    assert set(np.unique(read_mask(tmp_path / "half.png"))) == {0, 128 / 255, 1}
