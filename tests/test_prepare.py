"""Photos of test images must come back as the test images, and doubts where there is reason."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from hardpairs.errors import InputError
from hardpairs.serving.photo import open_photo, read_photo
from hardpairs.serving.preparation import Preparation
from hardpairs.serving.prepare import CUT, LOW, NOTHING, SEVERAL, prepare

CLOTHES = Preparation(28, 28, 1, True, 28, "box")
DIGITS = Preparation(28, 28, 1, True, 20, "mass")
BLUE, WHITE, BLACK, RED = (30, 40, 120), (250, 250, 250), (5, 5, 5), (200, 30, 30)


def photo_of(image, *, ground=WHITE, cloth=BLUE, size=(300, 400), side=220, at=(40, 60)):
    """A test image (28, 28), enlarged, in one colour on another."""
    share = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    mask = Image.new("L", size)
    mask.paste(share, at)
    return Image.composite(Image.new("RGB", size, cloth), Image.new("RGB", size, ground), mask)


def coat(fashion):
    """A coat that fills its frame from top to bottom."""
    return fashion.test.images[np.flatnonzero(fashion.test.labels == 4)[1]][..., 0]


def as_bytes(photo, format_="PNG", **options) -> bytes:
    file = io.BytesIO()
    photo.save(file, format_, **options)
    return file.getvalue()


def difference(picture, image) -> float:
    return float(np.abs(picture[..., 0].astype(float) - image).mean())


@pytest.mark.parametrize(
    ("ground", "cloth"), [(WHITE, BLUE), (BLACK, WHITE), (BLUE, RED), (RED, WHITE), (WHITE, BLACK)]
)
def test_a_photo_in_any_colours_gives_the_test_image(fashion, ground, cloth):
    image = coat(fashion)
    prepared = prepare(photo_of(image, ground=ground, cloth=cloth), CLOTHES)
    assert prepared.picture.shape == (28, 28, 1)
    assert prepared.picture.dtype == np.uint8
    assert difference(prepared.picture, image) < 14
    assert prepared.doubts == ()


def test_uneven_light_is_evened(fashion):
    image = coat(fashion)
    photo = np.asarray(photo_of(image, ground=(220, 210, 190)), np.float32)
    light = np.linspace(0.5, 1, photo.shape[1])[None, :, None]
    dimmed = Image.fromarray((photo * light).astype(np.uint8))
    assert difference(prepare(dimmed, CLOTHES).picture, image) < 16


def test_a_soft_shadow_is_ground():
    photo = Image.new("RGB", (300, 300), (230, 230, 230))
    pixels = np.asarray(photo, np.float32).copy()
    y, x = np.mgrid[0:300, 0:300]
    shadow = np.exp(-(((x - 180) / 25) ** 2) - ((y - 165) / 60) ** 2)
    pixels *= 1 - 0.3 * shadow[..., None]
    pixels[80:230, 100:180] = (20, 30, 90)
    picture = prepare(Image.fromarray(pixels.astype(np.uint8)), CLOTHES).picture[..., 0]
    columns = np.flatnonzero((picture > 40).any(0))
    assert columns[-1] - columns[0] + 1 == pytest.approx(28 * 80 / 150, abs=1.5)


def test_a_small_thing_is_looked_at_closer(fashion):
    image = coat(fashion)
    photo = photo_of(image, size=(1600, 1200), side=200, at=(1200, 100))
    opened = open_photo(as_bytes(photo), "photo")
    assert difference(prepare(opened, CLOTHES).picture, image) < 16


def test_digits_are_placed_by_their_mass():
    photo = Image.new("RGB", (200, 200), WHITE)
    draw = ImageDraw.Draw(photo)
    draw.rectangle((90, 40, 109, 159), fill=BLACK)
    draw.rectangle((90, 40, 169, 69), fill=BLACK)
    picture = prepare(photo, DIGITS).picture[..., 0].astype(float)
    rows = np.flatnonzero((picture > 60).any(1))
    assert len(rows) == 20
    for axis in (0, 1):
        profile = picture.sum(axis)
        assert (profile * (np.arange(28) + 0.5)).sum() / profile.sum() == pytest.approx(14, abs=0.6)


def test_transparency_shows_the_thing_on_either_ground(fashion):
    image = coat(fashion)
    mask = Image.fromarray(image).resize((200, 200), Image.Resampling.BICUBIC)
    for colour in (WHITE, BLACK):
        photo = Image.new("RGBA", (300, 300), (*colour, 0))
        solid = Image.new("RGBA", (200, 200), (*colour, 255))
        photo.paste(solid, (50, 50), mask)
        opened = open_photo(as_bytes(photo), "photo")
        assert opened.mode == "RGBA"
        assert difference(prepare(opened, CLOTHES).picture, image) < 20


@pytest.mark.parametrize("colour", [WHITE, BLACK])
def test_what_was_cut_out_may_fill_its_picture(fashion, colour):
    image = coat(fashion)
    mask = Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC)
    photo = Image.new("RGBA", mask.size, colour)
    photo.putalpha(mask)
    prepared = prepare(photo.crop(mask.getbbox()), CLOTHES)
    assert difference(prepared.picture, image) < 20
    assert prepared.doubts == ()


def test_round_corners_are_clear_and_cut_nothing_out(fashion):
    photo = photo_of(coat(fashion))
    corners = Image.new("L", photo.size)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, *photo.size), 20, fill=255)
    rounded = photo.copy()
    rounded.putalpha(corners)
    whole, same = (prepare(each, CLOTHES).picture for each in (photo, rounded))
    assert difference(whole, same[..., 0]) < 2


def test_turned_as_the_camera_says(fashion):
    image = coat(fashion)
    lying = photo_of(image).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_photo(as_bytes(lying, "JPEG", exif=exif, quality=95), "photo")
    assert difference(prepare(opened, CLOTHES).picture, image) < 16


def test_nothing_there():
    for photo in (Image.new("RGB", (100, 80), WHITE), Image.new("RGB", (1, 1), BLACK)):
        prepared = prepare(photo, CLOTHES)
        assert prepared.doubts == (NOTHING,)
        assert not prepared.picture.any()


def test_two_things(fashion):
    image = coat(fashion)
    photo = photo_of(image, size=(600, 400), side=200, at=(30, 60))
    photo.paste(photo_of(image, size=(250, 300), side=200, at=(20, 40)), (340, 60))
    assert SEVERAL in prepare(photo, CLOTHES).doubts


def test_cut_by_the_frame(fashion):
    assert CUT in prepare(photo_of(coat(fashion), at=(-60, 60)), CLOTHES).doubts


def test_low_contrast(fashion):
    photo = photo_of(coat(fashion), ground=(200, 200, 200), cloth=(180, 180, 180))
    assert LOW in prepare(photo, CLOTHES).doubts


def test_colour_pictures_are_taken_from_the_middle():
    photo = Image.new("RGB", (300, 100), RED)
    photo.paste(BLUE, (100, 0, 200, 100))
    picture = prepare(photo, Preparation(16, 16, 3, False, 16, "box")).picture
    assert picture.shape == (16, 16, 3)
    assert (picture[8, 8] == BLUE).all()
    assert prepare(photo, Preparation(8, 8, 1, False, 8, "box")).picture.shape == (8, 8, 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.binary(min_size=1, max_size=64), st.booleans())
def test_whatever_the_pixels_a_picture_comes_back(width, height, seed, alpha):
    rng = np.random.default_rng(list(seed))
    pixels = rng.integers(0, 256, (height, width, 4 if alpha else 3), dtype=np.uint8)
    for preparation in (CLOTHES, DIGITS, Preparation(8, 8, 3, False, 8, "box")):
        prepared = prepare(Image.fromarray(pixels), preparation)
        assert prepared.picture.shape == (
            preparation.height,
            preparation.width,
            preparation.channels,
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (b"%PDF-1.4", "no picture"),
        (b"GIF89a" + b"\xff" * 40, "damaged|no picture"),
    ],
)
def test_what_is_no_photo_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        open_photo(content, "it")


def test_truncated_and_enormous_photos_are_refused(fashion):
    whole = as_bytes(photo_of(coat(fashion)))
    with pytest.raises(InputError, match="damaged"):
        open_photo(whole[: len(whole) // 2], "it")
    with pytest.raises(InputError, match="pixels"):
        open_photo(whole, "it", most_pixels=1000)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK"])
def test_every_mode_opens(tmp_path, mode):
    gray = Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20))
    format_ = "TIFF" if mode in ("I", "F", "CMYK") else "PNG"
    opened = open_photo(as_bytes(gray.convert(mode), format_), "it")
    assert opened.mode in ("RGB", "RGBA")
    assert opened.size == (20, 20)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch):
    with pytest.raises(InputError, match="can't be read"):
        read_photo(tmp_path / "none.png")
    monkeypatch.setattr("hardpairs.serving.photo.MOST_BYTES", 10)
    (tmp_path / "large.png").write_bytes(b"0" * 11)
    with pytest.raises(InputError, match="larger"):
        read_photo(tmp_path / "large.png")


@pytest.mark.parametrize(
    ("format_", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "LA")),
        *(("TIFF", mode) for mode in ("1", "L", "RGB", "RGBA", "CMYK")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_large_photos_stay_what_they_are(format_, mode):
    """They are reduced before they are copied; turning and transparency mustn't suffer."""
    drawn = Image.new("RGB", (3000, 900), "white")
    ImageDraw.Draw(drawn).rectangle((300, 100, 1500, 500), fill="black")
    photo = drawn.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_photo(as_bytes(photo, format_, exif=exif), "large")
    assert opened.width < opened.height <= 1024
    gray = np.asarray(opened.convert("RGB").convert("L").resize((9, 30)))
    assert gray[10, 6] < 20
    assert gray[25, 6] > 235
