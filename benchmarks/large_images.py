"""10,000 colour images of 224 x 224: time, memory and size of `hardpairs evaluate --data --out`.

    python benchmarks/large_images.py     prints a table and writes benchmarks/large_images.json

The pictures are JPEG files in a folder for each class, about 130 MB in the temporary folder: the
bundled test images, enlarged and tinted, with noise. One image in fifteen is wrong, then nine in
ten. Making the files isn't timed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from hardpairs.data.datasets import load_split
from large import measure

SIDE, CLASSES = 224, 10
SHARES_WRONG = (1 / 15, 9 / 10)
MOST_SECONDS, MOST_GIGABYTES, MOST_MEGABYTES = 30, 1.0, 15.0


def main() -> None:
    """Make, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_pictures(options.make)
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        # In a process of its own: what this one takes would count as its children's peak.
        subprocess.run([sys.executable, __file__, "--make", str(pictures)], check=True)
        for share in SHARES_WRONG:
            path = Path(folder) / "predictions.csv"
            write_predictions(path, pictures, share)
            measured = measure("evaluate", [path], "--data", str(pictures))
            report = (path.parent / "out" / "report.html").stat().st_size / 1e6
            rows.append({"share_wrong": share, **measured, "report_megabytes": report})
    Console(width=100).print(table_of(rows))
    most = {"seconds": MOST_SECONDS, "gigabytes": MOST_GIGABYTES, "megabytes": MOST_MEGABYTES}
    options.out.write_text(json.dumps({"rows": rows, "most": most}, indent=1) + "\n")


def make_pictures(folder: Path) -> None:
    """Write the pictures as ``folder/CLASS/NUMBER.jpg``."""
    split, rng = load_split("fashion-mnist", "test"), np.random.default_rng(0)
    for name in range(CLASSES):
        (folder / f"class {name}").mkdir(parents=True)
    for number, (image, label) in enumerate(zip(split.pixels, split.labels, strict=True)):
        large = Image.fromarray(image[..., 0]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        tinted = np.asarray(large)[..., None] * rng.uniform(0.4, 1, 3).astype(np.float32)
        noise = rng.integers(-12, 13, tinted.shape)
        pixels = np.clip(tinted + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"class {label}" / f"{number}.jpg", quality=85)


def write_predictions(path: Path, pictures: Path, share_wrong: float) -> None:
    """Write file names, labels and probabilities; wrong ones fall on all other classes."""
    rng = np.random.default_rng(0)
    files = sorted(pictures.glob("*/*.jpg"))
    labels = np.array([int(file.parent.name.split()[1]) for file in files])
    taken_for = (labels + rng.integers(1, CLASSES, len(files))) % CLASSES
    predicted = np.where(rng.random(len(files)) < share_wrong, taken_for, labels)
    sure = max(1 - share_wrong, 0.5)
    scores = rng.dirichlet(np.ones(CLASSES), len(files)) * (1 - sure)
    scores[np.arange(len(files)), predicted] += sure
    names = [f"class {index}" for index in range(CLASSES)]
    lines = [",".join(["file", "label", *names])]
    for file, label, line in zip(files, labels, scores, strict=True):
        numbers = ",".join(f"{score:.6f}" for score in line)
        lines.append(f"{file.relative_to(pictures).as_posix()},{names[label]},{numbers}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def table_of(rows: list[dict[str, float]]) -> Table:
    """The table that is printed."""
    table = Table()
    names = ("wrong", "seconds", "of processor", "at most", "GB", "at most")
    for name in (*names, "MB of the report", "at most"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{row['share_wrong']:.0%}",
            *(f"{row[name]:.1f}" for name in ("seconds", "processor_seconds")),
            f"{MOST_SECONDS}",
            *(f"{row['gigabytes']:.2f}", f"{MOST_GIGABYTES:.1f}"),
            *(f"{row['report_megabytes']:.1f}", f"{MOST_MEGABYTES:.0f}"),
        )
    return table


if __name__ == "__main__":
    main()
