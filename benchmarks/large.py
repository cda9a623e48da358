"""Predictions of many images and of many classes: time and memory of `hardpairs evaluate --out`.

    python benchmarks/large.py        prints a table and writes benchmarks/large.json

The predictions are made up: a quarter wrong, mostly for one of five neighbouring classes. The file
isn't compressed, as numpy.savez writes it; making it isn't timed. Three files of up to 0.9 GB are
made in the temporary folder, one at a time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
# Images, classes, and what one laptop should need at most: seconds, gigabytes.
SIZES = ((10_000, 21_841, 30, 3.0), (50_000, 1_000, 5, 1.0), (1_000_000, 100, 15, 1.5))
CHUNK = 1_000


def main() -> None:
    """Make, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "large.json")
    parser.add_argument("--invent", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.invent:
        path, images, classes = options.invent
        invent_file(Path(path), int(images), int(classes))
        return
    rows = []
    for images, classes, most_seconds, most_gigabytes in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "predictions.npz"
            # In a process of its own: what this one takes would count as its children's peak.
            invent = [sys.executable, __file__, "--invent", str(path), str(images), str(classes)]
            subprocess.run(invent, check=True)
            row = {"images": images, "classes": classes, **measure(path)}
        rows.append({**row, "most_seconds": most_seconds, "most_gigabytes": most_gigabytes})
        Console(width=100).print(table_of(rows[-1:]))
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def invent_file(path: Path, images: int, classes: int) -> None:
    """Write labels, probabilities and names, a quarter of the images wrong."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, images)
    taken_for = np.where(
        rng.random(images) < 0.25, (labels + rng.integers(1, 6, images)) % classes, labels
    )
    probabilities = np.empty((images, classes), np.float32)
    for start in range(0, images, CHUNK):
        rows = slice(start, start + CHUNK)
        weights = rng.standard_exponential((len(labels[rows]), classes), dtype=np.float32) ** 8
        shares = weights / weights.sum(axis=1, keepdims=True)
        sure = rng.uniform(0.3, 0.7, (len(shares), 1)).astype(np.float32)
        shares *= 1 - sure
        shares[np.arange(len(shares)), taken_for[rows]] += sure[:, 0]
        probabilities[rows] = shares
    names = np.array([f"class {index}" for index in range(classes)])
    np.savez(path, labels=labels, probabilities=probabilities, class_names=names)


def measure(path: Path) -> dict[str, Any]:
    """Evaluate in a process of its own: seconds, peak memory, and what it wrote."""
    out = path.parent / "out"
    command = [sys.executable, "-m", "hardpairs", "evaluate", str(path), "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {
        "seconds": time.perf_counter() - started,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "gigabytes": usage.ru_maxrss * 1024 / 1e9,  # Linux counts kilobytes.
        "written_megabytes": sum(file.stat().st_size for file in out.iterdir()) / 1e6,
    }


def table_of(rows: list[dict[str, Any]]) -> Table:
    """The table that is printed."""
    table = Table()
    names = ("images", "classes", "seconds", "of processor", "at most")
    for name in (*names, "GB", "at most", "MB written"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(f"{row[name]:,}" for name in ("images", "classes")),
            *(f"{row[name]:.1f}" for name in ("seconds", "processor_seconds")),
            f"{row['most_seconds']}",
            *(f"{row['gigabytes']:.2f}", f"{row['most_gigabytes']:.1f}"),
            f"{row['written_megabytes']:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
