"""How well pictures of something else are told from clothes: `python benchmarks/unlike.py RUN`.

RUN is a run on Fashion-MNIST that `hardpairs export` was called for. Digits are shown to the net as
they are; noise, textures and icons are photos of 200 x 200 pixels and prepared as such. The area
under the ROC curve is that of `Answer.unlike` against test images; the threshold's error rate is
counted on test images that it wasn't set by.
"""

import argparse
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageFilter
from scipy import stats

from hardpairs.analysis.intervals import wilson_interval
from hardpairs.analysis.neighbours import unit_rows
from hardpairs.analysis.samples import even_sample
from hardpairs.data.datasets import load_split
from hardpairs.serving.answer import UNLIKE_SHARE
from hardpairs.serving.likeness import MOST_TEST_IMAGES, find_nearest
from hardpairs.serving.model import ExportedModel, load_exported
from hardpairs.serving.photo import open_photo
from hardpairs.serving.prepare import prepare

SIDE = 200
ICONS = "★☎☂✈☀☁☃♞♣♠♥♦⚓⚙⚑✂✉✎✓✗❄❤➔♫☯☮☢⚖⚡♻⌂☕✪✿❖"  # DejaVu Sans, which Matplotlib brings, has all.
AT_A_TIME = 500


def noise(_: int, rng: np.random.Generator) -> Image.Image:
    """Independent pixels, coarse or fine, gray or coloured."""
    grain = int(rng.choice([4, 8, 28, 100, 200]))
    channels = int(rng.choice([1, 3]))
    pixels = rng.integers(0, 256, (grain, grain, channels), dtype=np.uint8)
    pixels = np.broadcast_to(pixels, (grain, grain, 3))
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((SIDE, SIDE))


def texture(_: int, rng: np.random.Generator) -> Image.Image:
    """Waves, checks, dots or clouds, all over the photo."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    turn, count = rng.uniform(0, np.pi), rng.uniform(2, 15)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    waves = np.sin(2 * np.pi * count * u)
    across = np.sin(2 * np.pi * count * v)
    kind = rng.integers(4)
    if kind == 0:
        value = waves
    elif kind == 1:
        value = np.sign(waves) * np.sign(across)
    elif kind == 2:
        value = np.where(waves + across > 1, 1.0, -1.0)
    else:
        grains = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8))
        soft = np.asarray(grains.filter(ImageFilter.GaussianBlur(rng.uniform(3, 15))), np.float64)
        value = 2 * (soft - soft.min()) / max(np.ptp(soft), 1) - 1
    dark, light = rng.uniform(0, 100, 3), rng.uniform(155, 255, 3)
    pixels = dark + (light - dark) * (value[..., None] + 1) / 2
    return Image.fromarray(pixels.astype(np.uint8))


def icon(index: int, rng: np.random.Generator) -> Image.Image:
    """A symbol of a typeface, turned a little, in a colour on white."""
    figure = Figure(figsize=(2, 2), dpi=SIDE // 2)
    FigureCanvasAgg(figure)
    figure.text(
        *(0.5, 0.5, ICONS[index % len(ICONS)]),
        ha="center",
        va="center",
        fontsize=rng.uniform(60, 110),
        family="DejaVu Sans",
        color=tuple(rng.uniform(0, 0.7, 3)),
        rotation=rng.uniform(-20, 20),
    )
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def main() -> None:
    """Print the areas and the error rate; write them as JSON beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=1000, help="of each kind")
    options = parser.parse_args()
    model = load_exported(options.run)
    if model.likeness is None:
        raise SystemExit("the run was exported without its training images")
    # Half of the test images set the threshold; the others tell how often it errs.
    test = load_split("fashion-mnist", "test").pixels
    unseen = np.delete(test, even_sample(len(test), MOST_TEST_IMAGES), axis=0)
    usual = distances(model, unseen)
    limit = float(np.quantile(model.likeness.distances, 1 - UNLIKE_SHARE))
    wrong = int((usual > limit).sum())
    low, high = wilson_interval(wrong, len(usual))
    print(
        f"{model.description.recipe}: {wrong / len(usual):.1%} of {len(usual):,} test images are "
        f"called unlike (95% interval {low:.1%} to {high:.1%}), stated {UNLIKE_SHARE:.0%}"
    )
    kinds = {}
    for name, images in _others(model, options.images).items():
        found = distances(model, images)
        area, interval = _area(found, usual)
        called = float((found > limit).mean())
        kinds[name] = {"images": len(found), "area": area, "interval": interval, "called": called}
        print(
            f"{name:10} area under the ROC curve {area:.3f} ({interval[0]:.3f} to "
            f"{interval[1]:.3f}), {called:.1%} called unlike"
        )
    told = {
        "recipe": model.description.recipe,
        "test_images": len(usual),
        "called_unlike": wrong / len(usual),
        "interval": [low, high],
        "stated": UNLIKE_SHARE,
        "kinds": kinds,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")


def _others(model: ExportedModel, count: int) -> dict[str, np.ndarray]:
    digits = load_split("digits", "test").pixels
    shown: dict[str, np.ndarray] = {"digits": digits[:: max(1, len(digits) // count)][:count]}
    makers: dict[str, Callable[[int, np.random.Generator], Image.Image]] = {
        "noise": noise,
        "textures": texture,
        "icons": icon,
    }
    for number, (name, make) in enumerate(makers.items()):
        pictures = []
        for index in range(count):
            file = io.BytesIO()
            make(index, np.random.default_rng([number, index])).save(file, "PNG", compress_level=1)
            photo = open_photo(file.getvalue(), name)
            pictures.append(prepare(photo, model.description.preparation).picture)
        shown[name] = np.stack(pictures)
    return shown


def distances(model: ExportedModel, images: np.ndarray) -> np.ndarray:
    """The distance by which `Answer.unlike` judges, float32 (N,)."""
    kept = model.likeness
    assert kept is not None  # noqa: S101
    return np.concatenate(
        [
            find_nearest(
                kept.vectors,
                unit_rows(model.session.predict(images[i : i + AT_A_TIME])[1]) @ kept.directions,
            )[1][:, -1]
            for i in range(0, len(images), AT_A_TIME)
        ]
    )


def _area(others: np.ndarray, usual: np.ndarray) -> tuple[float, list[float]]:
    """Area under the ROC curve and its 95% interval, by DeLong's variance (1988)."""
    both = np.concatenate([others, usual])
    ranks = stats.rankdata(both)
    m, n = len(others), len(usual)
    area = (ranks[:m].sum() - m * (m + 1) / 2) / (m * n)
    of_others = (ranks[:m] - stats.rankdata(others)) / n
    of_usual = 1 - (ranks[m:] - stats.rankdata(usual)) / m
    error = np.sqrt(of_others.var(ddof=1) / m + of_usual.var(ddof=1) / n)
    return float(area), [float(area - 1.96 * error), float(min(area + 1.96 * error, 1))]


if __name__ == "__main__":
    main()
