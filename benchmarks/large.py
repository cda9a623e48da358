"""Predictions of many images and classes: time and memory of `evaluate` and `diff`, with --out.

    python benchmarks/large.py        prints a table and writes benchmarks/large.json

The predictions are made up: a quarter wrong, mostly for one of five neighbouring classes. The file
isn't compressed, as numpy.savez writes it; making it isn't timed. Files of up to 0.9 GB are made in
the temporary folder, two at most at a time.
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
COMPARED = (50_000, 1_000, 10, 1.0)
CHUNK = 1_000


def main() -> None:
    """Make, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "large.json")
    parser.add_argument("--invent", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.invent:
        path, images, classes, seed = options.invent
        invent_file(Path(path), int(images), int(classes), int(seed))
        return
    rows = []
    cases = [("evaluate", *size) for size in SIZES] + [("diff", *COMPARED)]
    for command, images, classes, most_seconds, most_gigabytes in cases:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{seed}.npz" for seed in range(1 + (command == "diff"))]
            for seed, path in enumerate(paths):
                # In a process of its own: what this one takes would count as its children's peak.
                made = [str(path), str(images), str(classes), str(seed)]
                subprocess.run([sys.executable, __file__, "--invent", *made], check=True)
            row = {"command": command, "images": images, "classes": classes}
            row = {**row, **measure(command, paths)}
        rows.append({**row, "most_seconds": most_seconds, "most_gigabytes": most_gigabytes})
        Console(width=100).print(table_of(rows[-1:]))
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def invent_file(path: Path, images: int, classes: int, seed: int) -> None:
    """Write labels, the same for every seed, probabilities and names, a quarter wrong."""
    labels = np.random.default_rng(0).integers(0, classes, images)
    rng = np.random.default_rng([1, seed])
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


def measure(name: str, paths: list[Path], *options: str) -> dict[str, Any]:
    """Run a command in a process of its own: seconds, peak memory, and what it wrote."""
    out = paths[0].parent / "out"
    command = [
        sys.executable,
        "-m",
        "hardpairs",
        name,
        *map(str, paths),
        "--out",
        str(out),
        *options,
    ]
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
    table.add_column("command")
    names = ("images", "classes", "seconds", "of processor", "at most")
    for name in (*names, "GB", "at most", "MB written"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["command"],
            *(f"{row[name]:,}" for name in ("images", "classes")),
            *(f"{row[name]:.1f}" for name in ("seconds", "processor_seconds")),
            f"{row['most_seconds']}",
            *(f"{row['gigabytes']:.2f}", f"{row['most_gigabytes']:.1f}"),
            f"{row['written_megabytes']:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
