import io

import numpy as np
import pytest
from PIL import Image

from hardpairs.data.pictures import looks_like_picture, pixels_of, read_picture, scaled, stacked
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def saved(tmp_path, image: Image.Image, name: str = "a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.webp", "a.gif", "a.jpg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_is_read(tmp_path, name, channels):
    smooth = np.linspace(0, 255, 600).reshape(20, 30)
    pixels = np.repeat(smooth[..., None], channels, 2).astype(np.uint8)
    options = {"lossless": True} if name == "a.webp" else {}
    path = saved(tmp_path, Image.fromarray(pixels.squeeze()), name, **options)
    assert looks_like_picture(path)
    read = read_picture(path)
    assert read.shape[:2] == (20, 30)
    assert np.abs(read.astype(int) - pixels).max() <= (8 if name in ("a.jpg", "a.gif") else 0)


def test_turned_as_the_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by 90 degrees clockwise.
    path = saved(tmp_path, Image.fromarray(COLOUR), exif=exif)
    np.testing.assert_array_equal(read_picture(path), np.rot90(COLOUR, -1))


def test_transparency_lies_on_white(tmp_path):
    opacity = np.zeros((20, 30, 1), np.uint8)
    opacity[:, 10:20], opacity[:, 20:] = 128, 255
    half = (COLOUR[:, 10:20] * 128.0 + 255 * 127) / 255
    for pixels, mode in ((np.concatenate([COLOUR, opacity], 2), "RGBA"),
                         (np.concatenate([COLOUR[..., :1], opacity], 2), "LA")):  # fmt: skip
        read = read_picture(saved(tmp_path, Image.fromarray(pixels)))
        channels = len(mode) - 1
        assert read.shape == (20, 30, channels)
        assert (read[:, :10] == 255).all()
        assert np.abs(read[:, 10:20] - half[..., :channels]).max() <= 1
        np.testing.assert_array_equal(read[:, 20:], COLOUR[:, 20:, :channels])


def test_palettes_with_and_without_transparency(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_picture(saved(tmp_path, palette)), expected)
    clear = int(np.asarray(palette)[0, 0])
    read = read_picture(saved(tmp_path, palette, transparency=clear))
    gone = np.asarray(palette) == clear
    assert (read[gone] == 255).all()
    np.testing.assert_array_equal(read[~gone], expected[~gone])
    with_alpha = Image.fromarray(COLOUR).convert("PA")
    assert pixels_of(with_alpha).shape == (20, 30, 3)


def test_one_transparent_colour_without_a_palette(tmp_path):
    pixels = COLOUR.copy()
    pixels[:5] = (1, 2, 3)
    read = read_picture(saved(tmp_path, Image.fromarray(pixels), transparency=(1, 2, 3)))
    assert (read[:5] == 255).all()


def test_sixteen_bits_become_eight(tmp_path):
    deep = np.arange(0, 65536, 110, dtype=np.uint16)[:595].reshape(17, 35)
    read = read_picture(saved(tmp_path, Image.fromarray(deep)))
    np.testing.assert_array_equal(read[..., 0], np.rint(deep / 257))
    wide = pixels_of(Image.fromarray(deep.astype(np.int32)))
    np.testing.assert_array_equal(wide, read)
    floats = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)
    path = saved(tmp_path, Image.fromarray(floats), "a.tif")
    np.testing.assert_array_equal(read_picture(path)[..., 0], np.rint(floats * 255))
    assert pixels_of(Image.fromarray(floats * np.nan)).max() == 0


def test_black_and_white_and_inks(tmp_path):
    bits = Image.fromarray(COLOUR[..., 0] > 128)
    np.testing.assert_array_equal(
        read_picture(saved(tmp_path, bits))[..., 0], 255 * (COLOUR[..., 0] > 128)
    )
    red = Image.new("RGB", (20, 30), (250, 10, 10)).convert("CMYK")
    read = read_picture(saved(tmp_path, red, "a.jpg"))
    assert read.shape == (30, 20, 3)
    assert np.abs(read.mean(axis=(0, 1)) - (250, 10, 10)).max() < 8


def test_of_an_animation_the_first_picture(tmp_path):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue", "green")]
    for name in ("a.gif", "a.webp", "a.tif", "a.png"):
        options = {"save_all": True, "append_images": frames[1:]}
        read = read_picture(saved(tmp_path, frames[0], name, **options))
        assert read[..., 0].min() > 240, name
        assert read[..., 2].max() < 15, name


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_scaled_down_while_it_is_read(tmp_path, name):
    smooth = np.add.outer(np.arange(600), np.arange(800)) * (255 / 1400)
    path = saved(tmp_path, Image.fromarray(smooth.astype(np.uint8)), name)
    small = read_picture(path, side=40)
    assert small.shape == (30, 40, 1)
    assert np.abs(small[..., 0] - smooth[10::20, 10::20]).max() < 8
    assert read_picture(path, side=9999).shape == (600, 800, 1)


def test_scaling_keeps_proportions_and_never_loses_a_side():
    assert scaled(COLOUR, 15).shape == (10, 15, 3)
    assert scaled(COLOUR[:1], 3).shape == (1, 3, 3)
    assert scaled(COLOUR, 30) is COLOUR


def test_images_of_one_size_are_stacked():
    gray = COLOUR[..., :1]
    assert stacked([gray, gray]).shape == (2, 20, 30, 1)
    mixed = stacked([gray, COLOUR])
    assert mixed.shape == (2, 20, 30, 3)
    np.testing.assert_array_equal(mixed[0], np.repeat(gray, 3, 2))
    assert isinstance(stacked([COLOUR, COLOUR[:5]]), list)


def png(*, cut: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "PNG")
    return file.getvalue()[: -cut or None]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG", png(cut=900), b"<html>", b"%!PS-Adobe", b"GIF89a" + bytes(30), b"BM" * 60],
)
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png: can't be read as a picture \("):
        read_picture(tmp_path / "a.png")


def test_only_formats_of_the_list_are_opened(tmp_path):
    path = saved(tmp_path, Image.fromarray(COLOUR), "a.ico")
    assert not looks_like_picture(path)
    with pytest.raises(InputError, match="cannot identify image"):
        read_picture(path)


def test_a_picture_of_too_many_pixels_is_refused(tmp_path):
    bomb = saved(tmp_path, Image.new("1", (10_000, 9_000)))
    with pytest.raises(InputError, match=r"\(90000000 pixels\) exceeds limit"):
        read_picture(bomb)


def test_a_missing_file_and_a_folder(tmp_path):
    for name in ("nothing.png", "."):
        assert not looks_like_picture(tmp_path / name)
        with pytest.raises(InputError, match="can't be read as a picture"):
            read_picture(tmp_path / name)
