"""Every format and colour mode that people have on their disks, and what is not an image at all."""

import io
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from engine.loading import image_files, scanning
from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.loading.image_files import FilePixels, decoded, file_hash, looked_at, plain
from engine.loading.scanning import scan_of_files
from engine.runs.progress import Cancelled, Progress


def content(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def half_red_half_blue(mode="RGB"):
    image = Image.new("RGB", (8, 4), "red")
    image.paste("blue", (4, 0, 8, 4))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("1", "PNG", "L"),
        ("L", "PNG", "L"),
        ("LA", "PNG", "L"),
        ("P", "PNG", "RGB"),
        ("P", "GIF", "RGB"),
        ("RGB", "BMP", "RGB"),
        ("RGB", "PPM", "RGB"),
        ("RGB", "WEBP", "RGB"),
        ("RGB", "TIFF", "RGB"),
        ("RGBA", "PNG", "RGB"),
        ("RGBA", "WEBP", "RGB"),
        ("CMYK", "JPEG", "RGB"),
        ("CMYK", "TIFF", "RGB"),
        ("YCbCr", "TIFF", "RGB"),
        ("L", "JPEG", "L"),
    ],
)
def test_every_mode_becomes_grey_or_rgb_and_is_known_to_before(mode, kind, expected):
    data = content(half_red_half_blue(mode), kind, **({"lossless": True} if kind == "WEBP" else {}))
    image, look = decoded(data), looked_at(data)
    assert image.mode == expected
    assert look.grey == (expected == "L")
    assert (look.height, look.width) == (image.height, image.width) == (4, 8)
    if expected == "RGB":
        left, right = (np.array(image.getpixel((x, 2)), dtype=int) for x in (0, 7))
        assert left.argmax() == 0
        assert right.argmax() == 2


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    levels = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(np.asarray(decoded(content(Image.fromarray(levels), kind))), [[0, 1, 128, 255]])


def test_a_sixteen_bit_pgm_is_scaled_too():
    levels = np.array([[0, 257, 32768, 65535]], dtype=">u2")
    data = b"P5 4 1 65535\n" + levels.tobytes()
    np.testing.assert_array_equal(np.asarray(decoded(data)), [[0, 1, 128, 255]])


def test_what_is_see_through_is_shown_on_white():
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    clear.putpixel((1, 0), (0, 0, 255, 255))
    image = decoded(content(clear))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 255)]
    assert looked_at(content(clear)).see_through


def test_a_palette_with_a_clear_colour_is_shown_on_white():
    image = half_red_half_blue("P")
    data = content(image, transparency=image.getpixel((0, 0)))
    assert decoded(data).getpixel((0, 0)) == (255, 255, 255)
    assert decoded(data).getpixel((7, 0)) == (0, 0, 255)


def test_grey_with_transparency_stays_grey():
    clear = Image.new("LA", (2, 1), (0, 0))
    assert decoded(content(clear)).getpixel((0, 0)) == 255
    assert looked_at(content(clear)).grey


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_image_lying_on_its_side_is_turned_upright(kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it
    data = content(half_red_half_blue(), kind, exif=exif)
    image, look = decoded(data), looked_at(data)
    assert image.size == (4, 8) == (look.width, look.height)
    assert np.argmax(image.getpixel((2, 0))) == 0  # red was on the left, and is on top
    assert np.argmax(image.getpixel((2, 7))) == 2


def test_one_pixel_is_an_image():
    look = looked_at(content(Image.new("L", (1, 1), 7)))
    assert (look.height, look.width, look.grey) == (1, 1, True)


def test_of_a_moving_gif_the_first_frame_counts():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    assert decoded(content(frames[0], "GIF", save_all=True, append_images=frames[1:])).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_refused_with_the_formats(data):
    with pytest.raises(ValueError, match=r"not an image in a known format \(PNG, JPEG, WebP, BMP, GIF, TIFF, PPM\)"):
        looked_at(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_file_cut_short_is_refused(kind, noise):
    data = content(noise, kind)
    with pytest.raises(ValueError, match="damaged or not supported"):
        looked_at(data[: len(data) * 2 // 3])


def test_floating_point_pixels_are_refused():
    with pytest.raises(ValueError, match="floating point numbers of no agreed range"):
        looked_at(content(Image.new("F", (2, 2)), "TIFF"))


def test_thirty_two_bits_are_refused():
    with pytest.raises(ValueError, match="32 bits and no agreed range"):
        plain(Image.fromarray(np.array([[70000]], dtype=np.int32)))


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    data = content(Image.new("1", (1000, 1000)))
    monkeypatch.setattr(image_files, "MOST_PIXELS", 999_999)
    with pytest.raises(ValueError, match=r"it has 1000 x 1000 pixels, more than 999,999"):
        looked_at(data)


def test_a_bomb_for_pillow_is_refused_too():
    header = content(Image.new("1", (1, 1)))
    huge = bytearray(header)
    huge[16:24] = (60_000).to_bytes(4) * 2  # a PNG's width and height
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4)
    with pytest.raises(ValueError, match="more than 64,000,000"):
        looked_at(bytes(huge))


def test_what_passed_the_look_can_be_decoded_however_it_was_damaged(noise):
    draw = np.random.default_rng(0)
    passed = 0
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "WEBP"):
        data = content(noise, kind)
        for _ in range(40):
            damaged = bytearray(data)
            for place in draw.integers(0, len(data), 3):
                damaged[place] = draw.integers(256)
            try:
                look = looked_at(bytes(damaged))
            except ValueError:
                continue
            image = decoded(bytes(damaged))
            assert (image.height, image.width) == (look.height, look.width)
            passed += 1
    assert passed > 10


def test_files_are_read_from_many_threads_alike(tmp_path):
    for index in range(20):
        Image.new("L", (3, 3), index).save(tmp_path / f"{index}.png")
    pixels = FilePixels(tmp_path, [f"{index}.png" for index in range(20)], True, hashes_of(tmp_path, 20))
    with ThreadPoolExecutor(4) as threads:
        assert [image.getpixel((0, 0)) for image in threads.map(pixels.image, range(20))] == list(range(20))


def test_a_file_that_went_away_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.png could be read when the data was loaded, and now can't .*again"):
        FilePixels(tmp_path, ["gone.png"], True, [""]).image(0)


def test_the_frame_is_the_common_size_else_the_median(tmp_path):
    for index, (width, height) in enumerate([(10, 20), (12, 20), (30, 90)]):
        Image.new("RGB" if index else "L", (width, height)).save(tmp_path / f"{index}.png")
    mixed = scan_of_files(tmp_path, ["0.png", "1.png", "2.png"], Progress())
    assert (mixed.frame.channels, mixed.frame.height, mixed.frame.width, mixed.pixels.one_size) == (3, 20, 12, False)
    alone = scan_of_files(tmp_path, ["0.png"], Progress())
    assert (alone.frame.channels, alone.frame.height, alone.frame.width, alone.pixels.one_size) == (1, 20, 10, True)


def test_what_is_no_image_is_listed_and_the_rest_is_read(tmp_path):
    Image.new("RGB", (5, 5), "red").save(tmp_path / "good.png")
    (tmp_path / "text.png").write_text("I am no image")
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "empty.jpg").touch()
    images = load_images(tmp_path, DataOptions())
    assert images.names.tolist() == ["good.png"]
    assert {file.file_name for file in images.skipped} == {"text.png", "paper.pdf", ".DS_Store", "empty.jpg"}
    assert all(file.reason for file in images.skipped)
    np.testing.assert_array_equal(images.read([0])[0, :, 0, 0], [255, 0, 0])


def test_without_any_image_there_is_one_error(tmp_path):
    (tmp_path / "text.png").write_text("I am no image")
    with pytest.raises(ValueError, match=r"no image that can be read was found among 1 files; the first is text\.png"):
        load_images(tmp_path, DataOptions())


def test_transparency_is_remarked(tmp_path):
    Image.new("RGBA", (5, 5), (0, 0, 0, 9)).save(tmp_path / "clear.png")
    assert (
        "Images shown on white where they are see-through (torchvision drops the transparency): 1."
        in load_images(tmp_path, DataOptions()).remarks
    )


@pytest.fixture(scope="module")
def noise():
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def hashes_of(folder, count):
    return [file_hash((folder / f"{index}.png").read_bytes()) for index in range(count)]


def test_a_file_that_was_overwritten_is_not_taken_for_the_image_it_was(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "0.png")
    pixels = FilePixels(tmp_path, ["0.png"], True, hashes_of(tmp_path, 1))
    assert pixels.image(0).getpixel((0, 0)) == (255, 0, 0)
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "0.png")
    with pytest.raises(ValueError, match="another content"):
        pixels.image(0)


def test_a_stop_leaves_the_rest_unlooked_at(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(scanning, "looked_at_file", lambda path: looked.append(path) or "no image")

    class Stopped(Progress):
        def report(self, fraction, label):
            raise Cancelled

    with pytest.raises(Cancelled):
        scanning.scan_of_files(tmp_path, [f"{number}.png" for number in range(100_000)], Stopped())
    assert len(looked) < 100_000
