"""How often does the interval of the calibration error hold the true error?

    python benchmarks/calibration_coverage.py

Samples of images whose true probability of being right is known: as the confidence says, less the
same for all, less only where the confidence is above 90%, or in turns more and less from bin to
bin. The true error is that of 400,000 images, with the same bins. Two minutes on two cores.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.calibration import BINS, calibration_error

HERE = Path(__file__).parent
SAMPLES, WHOLE = 400, 400_000
IMAGES = (300, 1_000, 10_000, 30_000)
ERRORS = (0.005, 0.01, 0.02, 0.05)
SHAPES = ("everywhere", "above 90%", "in turns")


def main() -> None:
    """Simulate, print a table and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=HERE / "calibration_coverage.json")
    out = parser.parse_args().out
    rng = np.random.default_rng(0)
    cases = [("calibrated", 0.0), *((shape, error) for shape in SHAPES for error in ERRORS)]
    rows = [
        {"images": n, **_coverage(rng, shape, error, n)} for n in IMAGES for shape, error in cases
    ]
    table = Table("images", "miscalibrated", "true error", "holds it", "mean width")
    for row in rows:
        table.add_row(
            f"{row['images']:,}",
            str(row["shape"]),
            f"{row['true']:.2%}",
            f"{row['holds']:.1%}",
            f"{100 * row['width']:.2f} points",
        )
    Console().print(table)
    for count in IMAGES:
        held = [row["holds"] for row in rows if row["images"] == count]
        print(f"{count:,} images: from {min(held):.1%} to {max(held):.1%}")
    out.write_text(json.dumps({"samples": SAMPLES, "rows": rows}, indent=1) + "\n")


def _coverage(rng: np.random.Generator, shape: str, error: float, images: int) -> dict:
    whole = _confidence(rng, WHOLE)
    excess = _probability(whole, shape, error) - whole
    true = np.abs(np.bincount(_bins(whole), excess, BINS)).sum() / WHOLE
    held, width = 0, 0.0
    for _ in range(SAMPLES):
        confidence = _confidence(rng, images)
        correct = rng.random(images) < _probability(confidence, shape, error)
        low, high = calibration_error(correct, confidence).interval
        held += low <= true <= high
        width += high - low
    return {"shape": shape, "true": true, "holds": held / SAMPLES, "width": width / SAMPLES}


def _confidence(rng: np.random.Generator, images: int) -> np.ndarray:
    """As a net of ten classes has it: mostly near 1, with a tail down to 0.1."""
    return 1 - 0.9 * rng.beta(0.6, 4, images)


def _probability(confidence: np.ndarray, shape: str, error: float) -> np.ndarray:
    less = {
        "calibrated": 0.0,
        "everywhere": error,
        "above 90%": np.where(confidence > 0.9, 1.5 * error, 0),
        "in turns": np.where(_bins(confidence) % 2, error, -error),
    }[shape]
    return np.clip(confidence - less, 0, 1)


def _bins(confidence: np.ndarray) -> np.ndarray:
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


if __name__ == "__main__":
    main()
