"""Speed: every recipe and its competitors in one run, one table, and benchmarks/speed.json.

    make bench                              all of it; the seeds that each row asks for
    make bench SEEDS=3 ONLY=lesson,sprint   a part of it
    make bench-quick                        the short recipes in under 10 minutes: speed_quick.json

Each training runs in a process of its own, so that peak memory is its own and nothing is warm.
All ratios are to the median `fit` of the lesson's script in the same run, and one file holds all
that a run measured: the machine's rate, the rows, how time grows. "command" is what a person waits
for: `hardpairs run` of seed 0 from its start to its last file, or the lesson's whole script.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.significance import mean_interval
from hardpairs.training.recipes import RECIPES

HERE = Path(__file__).parent
LESSON = "lesson-script"
DEFAULT_SEEDS = 3
CLASSICAL = ("hog-svm", "lightgbm", "random-convolutions")
# Those that are compared by their accuracy need many, those that take long or hardly spread one.
ONE_SEED = ("lesson", "torch-lesson", *CLASSICAL)
SEEDS = {"sprint": 10, "quick": 10, "strong": 5, "best": 5, **dict.fromkeys(ONE_SEED, 1)}
LONG = ("small", "best")  # Beside whose `fit` the rest of a command doesn't count.
QUICK_SEEDS = {LESSON: 1, "sprint": 3, "quick": 3, "fast": 1}
SCALING_RECIPE = "sprint"


def main() -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help="the same number of seeds for every row")
    parser.add_argument("--only", help="comma-separated names of rows")
    parser.add_argument("--short", action="store_true", help="the short recipes, 10 minutes")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    names = [LESSON, *RECIPES, "torch-lesson", *CLASSICAL]
    chosen = options.only.split(",") if options.only else [*QUICK_SEEDS] if options.short else names
    of_row = QUICK_SEEDS if options.short else SEEDS
    names = [name for name in names if name in chosen or name == LESSON]
    console = Console(width=190)
    rate = measure("machine", 0)["gflops"]
    console.print(f"bf16 matrix products on this machine: {rate:.0f} GFLOP/s")
    out = options.out or HERE / ("speed_quick.json" if options.short else "speed.json")
    outcomes: dict[str, list[dict[str, Any]]] = {}
    seeds = {name: options.seeds or of_row.get(name, DEFAULT_SEEDS) for name in names}
    # Seed by seed, so that a machine which gets slower in between is slower for all.
    for seed in range(max(seeds.values())):
        for name in (name for name in names if seed < seeds[name]):
            outcome = measure(name, seed)
            if name in RECIPES and name not in LONG and seed == 0:
                outcome["command_seconds"] = measure_command(name)
            outcomes.setdefault(name, []).append(outcome)
            Console(stderr=True).print(name, seed, outcome)
            # All that is known so far: whoever stops it keeps what was measured.
            rows = [summarise(each, outcomes[each], outcomes[LESSON], rate) for each in outcomes]
            write(out, rate, rows, [])
    scaling = measure_scaling() if SCALING_RECIPE in names and not options.short else []
    write(out, rate, rows, scaling)
    console.print(speed_table(rows))
    if scaling:
        console.print(scaling_table(scaling))


def write(
    path: Path, rate: float, rows: list[dict[str, Any]], scaling: list[dict[str, Any]]
) -> None:
    """Write what was measured as JSON."""
    told = {"bf16_gflops": rate, "rows": rows, "scaling": scaling}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def measure(name: str, seed: int, **variant: Any) -> dict[str, Any]:
    """Run one training in a process of its own and return what it prints last."""
    with tempfile.TemporaryDirectory() as folder:
        command = (
            [HERE / "lesson_script.py", str(seed), folder]
            if name == LESSON
            else [HERE / "one_training.py", name, str(seed), json.dumps(variant)]
        )
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{name}, seed {seed}, failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure_command(name: str) -> float:
    """Seconds of `hardpairs run`, all of it."""
    with tempfile.TemporaryDirectory() as folder:
        words = ("run", "--recipe", name, "--seed", "0", "--quiet", "--out", f"{folder}/run")
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "hardpairs", *words], capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"hardpairs {' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def summarise(
    name: str, outcomes: list[dict[str, Any]], lesson: list[dict[str, Any]], rate: float
) -> dict[str, Any]:
    """One row: accuracy over seeds with its t interval, time, operations, memory."""
    script = median(outcome["process_seconds"] for outcome in lesson)
    command = script if name == LESSON else outcomes[0].get("command_seconds")
    accuracies = [outcome["accuracy"] for outcome in outcomes]
    seconds = [outcome["fit_seconds"] for outcome in outcomes]
    operations = [o["operations"] * o["images"] * o["epochs"] for o in outcomes]
    gflops = median(work / time for work, time in zip(operations, seconds, strict=True)) / 1e9
    one_side = [o["one_side_accuracy"] for o in outcomes if o.get("one_side_accuracy") is not None]
    return {
        "name": name,
        "accuracy_mean": float(np.mean(accuracies)),
        "accuracy_interval": mean_interval(np.array(accuracies)) if len(outcomes) > 1 else None,
        "accuracies": accuracies,
        "one_side_accuracy_mean": float(np.mean(one_side)) if one_side else None,
        "seeds": len(outcomes),
        "fit_seconds_median": median(seconds),
        "fit_seconds_min": min(seconds),
        "fit_seconds_max": max(seconds),
        "ratio_to_lesson": median(seconds) / median(each["fit_seconds"] for each in lesson),
        "process_seconds_median": median(o["process_seconds"] for o in outcomes),
        "command_seconds": command,
        "command_ratio_to_lesson": command and command / script,
        "images_per_second": median(o["images"] * o["epochs"] / o["fit_seconds"] for o in outcomes),
        "parameters": outcomes[0].get("parameters", 0),
        "operations": median(operations),
        "gflops": gflops,
        "share_of_bf16_rate": gflops / rate,
        "peak_megabytes": max(o["peak_megabytes"] for o in outcomes),
    }


def measure_scaling() -> list[dict[str, Any]]:
    """Time and memory against the number of training images, and against the net's width."""
    rows = []
    for share in (1 / 8, 1 / 4, 1 / 2, 1):
        images = round(60_000 * share)
        outcome = measure(SCALING_RECIPE, 0, images=images)
        rows.append({"varied": "images", "value": f"{images:,}", **outcome})
    for share in (1 / 4, 1 / 2, 1, 2):
        filters = [round(share * each) for each in RECIPES[SCALING_RECIPE].net_options["filters"]]
        outcome = measure(SCALING_RECIPE, 0, filters=filters)
        rows.append(
            {
                "varied": "filters of the trained layers",
                "value": ", ".join(map(str, filters)),
                **outcome,
            }
        )
    return rows


def speed_table(rows: list[dict[str, Any]]) -> Table:
    """The first table."""
    table = Table(title="accuracy on the test set, time of fit, ratio to the lesson's fit")
    for name in (
        *("name", "accuracy", "interval", "one side", "seeds", "fit s", "min", "max", "ratio"),
        *(
            "process s",
            "command s",
            "ratio",
            "images/s",
            "parameters",
            "TFLOP",
            "GFLOP/s",
            "of bf16",
            "MB",
        ),
    ):
        table.add_column(name, justify="left" if name == "name" else "right")
    for row in rows:
        interval, one_side = row["accuracy_interval"], row["one_side_accuracy_mean"]
        command, known = row["command_seconds"], row["operations"] > 0
        table.add_row(
            row["name"],
            f"{row['accuracy_mean']:.2%}",
            f"{interval[0]:.2%}-{interval[1]:.2%}" if interval else "",
            f"{one_side:.2%}" if one_side else "",
            f"{row['seeds']}",
            *(f"{row[f'fit_seconds_{key}']:.1f}" for key in ("median", "min", "max")),
            f"{row['ratio_to_lesson']:.3f}",
            f"{row['process_seconds_median']:.1f}",
            f"{command:.1f}" if command else "",
            f"{row['command_ratio_to_lesson']:.3f}" if command else "",
            f"{row['images_per_second']:,.0f}",
            f"{row['parameters']:,}" if row["parameters"] else "",
            f"{row['operations'] / 1e12:.1f}" if known else "",
            f"{row['gflops']:.0f}" if known else "",
            f"{row['share_of_bf16_rate']:.0%}" if known else "",
            f"{row['peak_megabytes']:.0f}",
        )
    return table


def scaling_table(rows: list[dict[str, Any]]) -> Table:
    """The second table."""
    table = Table(title=f"how {SCALING_RECIPE} grows")
    for name in ("varied", "value", "accuracy", "fit s", "parameters", "MB"):
        table.add_column(name, justify="left" if name == "varied" else "right")
    for row in rows:
        table.add_row(
            row["varied"],
            row["value"],
            f"{row['accuracy']:.2%}",
            f"{row['fit_seconds']:.1f}",
            f"{row['parameters']:,}",
            f"{row['peak_megabytes']:.0f}",
        )
    return table


if __name__ == "__main__":
    main()
