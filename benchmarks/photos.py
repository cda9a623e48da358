"""Turns test images into photos and asks a run about them: `python benchmarks/photos.py RUN`.

Each photo is a test image enlarged and laid on a coloured ground, then spoilt as real photos are.
Some of the preparation's thresholds were chosen on photos of 300 test images; those are left out.
`--split train` takes training images, to choose by.
"""

import argparse
import io
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from hardpairs.analysis.intervals import wilson_interval
from hardpairs.data.datasets import load_split
from hardpairs.serving.model import ExportedModel, load_exported
from hardpairs.serving.photo import open_photo
from hardpairs.serving.preparation import Preparation
from hardpairs.serving.prepare import prepare

KINDS = (
    "plain",
    "colours",
    "light on dark",
    "light gradient",
    "shadow",
    "noise",
    "JPEG",
    "margins and shifts",
    "turned",
    "200 pixels",
    "2,000 pixels",
)
CHOSEN_ON = 300

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Photo:
    """How one photo comes about; lengths are shares of the photo's shorter side.

    Attributes:
        width, height: Pixels.
        ground, cloth: Colours from 0 to 1.
        share: Side of the test image's frame.
        shift: Where its frame lies in what is left beside it, from 0 to 1.
        turn: Degrees.
        gradient: How much darker the light gets across the photo, and in which direction.
        shadow: How much light the thing's shadow takes, and where it falls.
        noise: Standard deviation, of the range from 0 to 1.
        jpeg: Quality; 0 for a lossless file.
    """

    width: int = 400
    height: int = 400
    ground: Colour = (1.0, 1.0, 1.0)
    cloth: Colour = (0.0, 0.0, 0.0)
    share: float = 0.8
    shift: tuple[float, float] = (0.5, 0.5)
    turn: float = 0.0
    gradient: tuple[float, float] = (0.0, 0.0)
    shadow: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    jpeg: int = 0


def random_photo(kind: str, rng: np.random.Generator) -> Photo:
    """Draw a photo that has one kind of disturbance, or all of them ("everything")."""
    every = kind == "everything"
    photo = Photo()
    if every or kind in ("200 pixels", "2,000 pixels"):
        long = {"200 pixels": 200.0, "2,000 pixels": 2000.0}.get(
            kind, float(np.exp(rng.uniform(np.log(200), np.log(2000))))
        )
        short = max(200.0, long * rng.choice([1, 3 / 4, 2 / 3]))
        sides = (round(long), round(short))
        photo = replace(photo, width=sides[rng.integers(2)], height=0)
        photo = replace(photo, height=sides[0] + sides[1] - photo.width)
    if every or kind == "colours":
        ground, cloth = _colours(rng, dark_cloth=not every or rng.random() < 0.5)
        photo = replace(photo, ground=ground, cloth=cloth)
    if kind == "light on dark":
        light, dark = rng.uniform(0.75, 1), rng.uniform(0, 0.15)
        photo = replace(photo, ground=(dark,) * 3, cloth=(light,) * 3)
    if every or kind == "light gradient":
        photo = replace(photo, gradient=(rng.uniform(0.1, 0.5), rng.uniform(0, 2 * np.pi)))
    if every or kind == "shadow":
        photo = replace(photo, shadow=(rng.uniform(0.1, 0.4), rng.uniform(0, 2 * np.pi)))
    if every or kind == "noise":
        photo = replace(photo, noise=rng.uniform(0.01, 0.06))
    if every or kind == "JPEG":
        photo = replace(photo, jpeg=int(rng.integers(30, 95)))
    if every or kind == "margins and shifts":
        photo = replace(
            photo, share=rng.uniform(0.35, 0.9), shift=(rng.uniform(0, 1), rng.uniform(0, 1))
        )
    if every or kind == "turned":
        photo = replace(photo, turn=rng.uniform(-10, 10))
    return photo


def _colours(rng: np.random.Generator, *, dark_cloth: bool) -> list[Colour]:
    """Ground and cloth, whose brightness differs by 0.35 at least."""
    while True:
        dark, light = rng.uniform(0, 1, (2, 3))
        if light @ (0.299, 0.587, 0.114) - dark @ (0.299, 0.587, 0.114) > 0.35:
            cloth, ground = (dark, light) if dark_cloth else (light, dark)
            return [(float(r), float(g), float(b)) for r, g, b in (ground, cloth)]


def take_photo(image: np.ndarray, photo: Photo, rng: np.random.Generator) -> bytes:
    """Return the file's bytes, PNG or JPEG, for a test image uint8 (28, 28), 0 its background."""
    cloth = _in_place(image, photo)
    rows, columns = np.mgrid[0 : photo.height, 0 : photo.width].astype(np.float32)
    depth, direction = photo.gradient
    along = rows / photo.height * np.sin(direction) + columns / photo.width * np.cos(direction)
    along = (along - along.min()) / max(np.ptp(along), 1e-6)
    light = 1 - depth * along
    taken, direction = photo.shadow
    if taken:
        light *= 1 - taken * _shadow(cloth, direction, round(photo.share * _short(photo)))
    ground, colour = np.array(photo.ground, np.float32), np.array(photo.cloth, np.float32)
    scene = ground + (colour - ground) * cloth[..., None]
    scene *= light[..., None]
    if photo.noise:
        scene += rng.normal(0, photo.noise, scene.shape).astype(np.float32)
    picture = Image.fromarray(np.uint8(np.clip(scene, 0, 1) * 255 + 0.5))
    file = io.BytesIO()
    if photo.jpeg:
        picture.save(file, "JPEG", quality=photo.jpeg)
    else:
        picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _in_place(image: np.ndarray, photo: Photo) -> np.ndarray:
    """Return float32 (height, width), 0 where the ground shows, as enlarged, turned and shifted."""
    side = round(photo.share * _short(photo))
    # A turned frame's corners stick out; what lies in them is ground, mostly.
    enlarged = Image.fromarray(np.pad(image, 3)).resize(
        (round(side * 34 / 28),) * 2, Image.Resampling.BICUBIC
    )
    if photo.turn:
        enlarged = enlarged.rotate(photo.turn, Image.Resampling.BICUBIC)
    margin = (enlarged.width - side) / 2
    x = round((photo.width - side) * photo.shift[0] - margin)
    y = round((photo.height - side) * photo.shift[1] - margin)
    canvas = Image.new("L", (photo.width, photo.height))
    canvas.paste(enlarged, (x, y))
    return np.asarray(canvas, np.float32) / 255


def _shadow(cloth: np.ndarray, direction: float, side: int) -> np.ndarray:
    """A soft shadow on the ground beside the thing, which hides what falls under it."""
    full = cloth.shape[::-1]
    scale = min(1, 112 / side)
    thing = Image.fromarray(np.uint8(255 * (cloth > 0.04)))
    thing = thing.resize([max(1, round(length * scale)) for length in full])
    # Seams and prints are no holes.
    thing = thing.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))
    side = round(side * scale)
    fallen = Image.new("L", thing.size)
    fallen.paste(
        thing, (round(0.05 * side * np.cos(direction)), round(0.05 * side * np.sin(direction)))
    )
    soft = fallen.filter(ImageFilter.GaussianBlur(0.04 * side)).resize(full)
    edge = thing.filter(ImageFilter.GaussianBlur(side / 100)).resize(full)
    return np.asarray(soft, np.float32) / 255 * (1 - np.asarray(edge, np.float32) / 255)


def _short(photo: Photo) -> int:
    return min(photo.width, photo.height)


def take_one(kind: str, row: int, image: np.ndarray, seed: int) -> bytes:
    """A photo of an image that is the same whichever others are taken."""
    rng = np.random.default_rng([seed, [*KINDS, "everything"].index(kind), row])
    return take_photo(image[..., 0], random_photo(kind, rng), rng)


def _prepare_both(
    job: tuple[str, int, np.ndarray, int], preparation: Preparation
) -> tuple[np.ndarray, np.ndarray]:
    """What the net sees of one photo: prepared, and only made small."""
    photo = open_photo(take_one(*job), job[0])
    gray = photo.convert("L").resize((28, 28), Image.Resampling.BILINEAR)
    return prepare(photo, preparation).picture, 255 - np.asarray(gray)[..., None]


def main() -> None:
    """Print accuracy by kind of disturbance; write it as JSON beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="that `hardpairs export` was called for")
    parser.add_argument("--photos", type=int, default=2000, help="with every disturbance at once")
    parser.add_argument("--each", type=int, default=2000, help="with one kind of disturbance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=["test", "train"], default="test")
    parser.add_argument("--kinds", nargs="*", default=[*KINDS, "everything"])
    options = parser.parse_args()
    model = load_exported(options.run)
    split = load_split("fashion-mnist", options.split)
    rng = np.random.default_rng(options.seed)
    free = np.arange(len(split))
    if options.split == "test":
        free = np.setdiff1d(free, np.random.default_rng(1).choice(len(split), CHOSEN_ON, False))
    chosen = rng.choice(free, max(options.photos, options.each), replace=False)
    print(f"{model.description.recipe}, accuracy with 95% intervals")
    print(
        f"{'photos':20} {'':6} {'prepared':>23} {'only resized':>23} {'the images as they are':>23}"
    )
    rows: dict[str, Any] = {}
    work = partial(_prepare_both, preparation=model.description.preparation)
    with ProcessPoolExecutor() as pool:
        for kind in options.kinds:
            some = chosen[: options.photos if kind == "everything" else options.each]
            labels, images = split.labels[some], split.pixels[some]
            jobs = [
                (kind, int(row), image, options.seed)
                for row, image in zip(some, images, strict=True)
            ]
            prepared, resized = zip(*pool.map(work, jobs, chunksize=20), strict=True)
            rows[kind] = {
                "photos": len(some),
                "prepared": _accuracy(model, np.stack(prepared), labels),
                "resized": _accuracy(model, np.stack(resized), labels),
                "images": _accuracy(model, images, labels),
            }
            said = " ".join(_said(rows[kind][way]) for way in ("prepared", "resized", "images"))
            print(f"{kind:20} {len(some):6,} {said}", flush=True)
    told = {
        "recipe": model.description.recipe,
        "split": options.split,
        "seed": options.seed,
        "kinds": rows,
    }
    if options.split == "test":
        Path(__file__).with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")


def _accuracy(model: ExportedModel, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    right = int((model.session.predict(images)[0].argmax(1) == labels).sum())
    return {
        "accuracy": right / len(labels),
        "interval": wilson_interval(right, len(labels)),
    }


def _said(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['accuracy']:7.1%} ({low:5.1%}-{high:5.1%})"


if __name__ == "__main__":
    main()
