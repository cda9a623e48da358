"""How long a training step takes on 1, 2, 4, 8 and 16 cores, its batch in parts and whole.

    python benchmarks/cores.py [--recipes sprint,quick] [--steps 100] [--repeats 3]

"keras" trains the net as Keras does, every core in every operation; "whole" the same with this
package's own operations; then the batch is cut into halves, as recipes are trained, and quarters,
with as many operations at a time. Each measurement is a process of its own, held to its cores; the
ways take turns. Prints a table, writes benchmarks/cores.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

WAYS = {"keras": 1, "whole": 1, "halves": 2, "quarters": 4}


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default="sprint,quick")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    available = sorted(os.sched_getaffinity(0))
    counts = [count for count in (1, 2, 4, 8, 16) if count <= len(available)]
    rows = []
    for recipe in options.recipes.split(","):
        for count in counts:
            times: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(options.repeats):
                for way in WAYS:
                    times[way].append(measure(recipe, way, available[:count], options.steps))
            rows.append({"recipe": recipe, "cores": count, "milliseconds": times})
            Console(stderr=True).print(rows[-1])
    table = Table(title=f"milliseconds of a step, median of {options.repeats}")
    for name in ("recipe", "cores", *WAYS):
        table.add_column(name, justify="left" if name == "recipe" else "right")
    for row in rows:
        shown = [f"{median(values):.1f}" for values in row["milliseconds"].values()]
        table.add_row(row["recipe"], f"{row['cores']}", *shown)
    Console(width=100).print(table)
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measure(recipe: str, way: str, cores: list[int], steps: int) -> float:
    """Time the steps in a process of its own; milliseconds of one."""
    parts = WAYS[way]
    threads = {
        "TF_NUM_INTEROP_THREADS": str(min(parts, len(cores))),
        "TF_NUM_INTRAOP_THREADS": str(max(len(cores) // parts, 1)),
    }
    code = f"import cores; cores.print_step({recipe!r}, {way!r}, {steps})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, **threads},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def print_step(name: str, way: str, steps: int) -> None:
    """Train for a few steps and print how long each took, in milliseconds."""
    from hardpairs.data.datasets import load_dataset
    from hardpairs.training import fit
    from hardpairs.training.backend import default_precision, keras
    from hardpairs.training.batches import Batches, as_fit_takes_them
    from hardpairs.training.recipes import RECIPES

    recipe, train = RECIPES[name], load_dataset("fashion-mnist").train
    targets = np.eye(10, dtype=np.float32)[train.labels]
    rows = np.arange(steps * recipe.batch_size)
    order: Any = {"batch_size": recipe.batch_size, "seed": 0, "table": recipe.augment}
    batches = Batches(train.pixels, targets, rows, **order)
    keras.utils.set_random_seed(0)
    shape, policy = train.pixels.shape[1:], default_precision()
    net = fit.build_net(recipe.net, shape, 10, options=recipe.net_options, precision=policy)
    trainer = in_parts(fit.trained_part(net), way)
    fit._compile((trainer,), recipe, 2 * steps)
    times = []
    for _ in range(2):  # The first traces.
        started = time.perf_counter()
        trainer.fit(**as_fit_takes_them(batches, range(1)), shuffle=False, verbose=0)
        times.append(time.perf_counter() - started)
    print(1000 * times[-1] / steps)


def in_parts(net: Any, way: str) -> Any:
    """A net as `SideBySide` trains it, but in another number of parts."""
    from hardpairs.training.backend import keras
    from hardpairs.training.nets import SideBySide, with_fast_operations

    ops = keras.ops

    class InParts(SideBySide):
        def __init__(self) -> None:
            keras.Model.__init__(self)
            self.net = net if way == "keras" else with_fast_operations(net)

        def call(self, images: Any, training: bool | None = None) -> Any:
            cut = ops.split(ops.cast(images, "float32") / 255, WAYS[way])
            return ops.concatenate([self.net(part, training=training) for part in cut])

    return InParts()


if __name__ == "__main__":
    main()
