"""Trainings that are stopped at random moments go on to the same weights; and what that costs.

    python benchmarks/kills.py [--kills 50] [--seed 0]

Trains three recipes on 3,000 images of Fashion-MNIST, undisturbed and then stopped by SIGINT,
SIGTERM or SIGKILL again and again; the same command goes on each time, and what it comes to is
compared byte by byte: weights, predictions and history. Then it trains three recipes at full size
and times how long they write their states. Prints tables, writes benchmarks/kills.json.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.data.datasets import load_dataset

IMAGES, TEST_IMAGES = 3_000, 500
STOPPED = ("lesson", "quick", "fast-dense")  # Early stopping and dropout; Muon and flips; AdamW.
TIMED = ("sprint", "quick", "fast")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
EXPECTED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
LEAST_SECONDS = 1.0  # Before a signal: sooner there is nothing but imports.


@dataclass(frozen=True)
class Row:
    """One recipe under one signal.

    Attributes:
        recipe, signal: Which.
        kills: How often a running training got it.
        went_on: How many of those trainings had a finished epoch to go on from.
        wrong_codes: How many ended with another exit code than the signal's.
    """

    recipe: str
    signal: str
    kills: int
    went_on: int
    wrong_codes: int


@dataclass(frozen=True)
class Chain:
    """A training that was stopped until it was through: what it came to."""

    recipe: str
    kills: int
    same: bool
    left_over: int


def main() -> None:
    """Parse, kill, time, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-times", action="store_true", help="leave the full-size part out")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    shares = [len(range(place, options.kills, len(STOPPED))) for place in range(len(STOPPED))]
    rows: list[Row] = []
    chains: list[Chain] = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "part.npz"
        write_part(data)
        for recipe, kills in zip(STOPPED, shares, strict=True):
            of_recipe = stop_again_and_again(recipe, kills, data, Path(folder), rng)
            rows += of_recipe[0]
            chains += of_recipe[1]
    times = [] if options.no_times else [time_states(recipe) for recipe in TIMED]
    print_tables(rows, chains, times)
    told = {
        "kills": [asdict(row) for row in rows],
        "trainings": [asdict(chain) for chain in chains],
        "states": times,
    }
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if not all(chain.same for chain in chains) or any(row.wrong_codes for row in rows):
        sys.exit(1)


def write_part(path: Path) -> None:
    """Write a part of Fashion-MNIST."""
    dataset = load_dataset("fashion-mnist")
    np.savez(
        path,
        x_train=dataset.train.pixels[:IMAGES],
        y_train=dataset.train.labels[:IMAGES],
        x_test=dataset.test.pixels[:TEST_IMAGES],
        y_test=dataset.test.labels[:TEST_IMAGES],
    )


def stop_again_and_again(
    recipe: str, kills: int, data: Path, folder: Path, rng: random.Random
) -> tuple[list[Row], list[Chain]]:
    """Stop trainings of one recipe so many times, and compare each that gets through."""
    place = folder / recipe
    place.mkdir()
    command = [sys.executable, "-m", "hardpairs", "train", "--data", str(data), "--quiet"]
    command += ["--recipe", recipe, "--seed", "1", "--out"]
    started = time.perf_counter()
    subprocess.run([*command, str(place / "whole")], check=True, stdout=subprocess.DEVNULL)
    longest = time.perf_counter() - started
    expected = contents(place / "whole")
    count: dict[signal.Signals, list[int]] = {number: [0, 0, 0] for number in SIGNALS}
    chains, done, number = [], 0, 0
    while done < kills:
        number += 1
        home, in_chain = place / f"killed{number}", 0
        home.mkdir()
        run = home / "run"
        while not run.exists():
            sent = rng.choice(SIGNALS) if done < kills else None
            moment = rng.uniform(LEAST_SECONDS, longest)
            code, was_running = start([*command, str(run)], sent, moment)
            if sent is None or not was_running:
                continue
            done, in_chain = done + 1, in_chain + 1
            tally = count[sent]
            tally[0] += 1
            tally[1] += any(home.glob(".*.training.npz"))
            tally[2] += code != EXPECTED[sent] and not run.exists()
        left_over = sum(path.name != "run" for path in home.iterdir())
        same = contents(run) == expected
        chains.append(Chain(recipe, in_chain, same, left_over))
        Console(stderr=True).print(chains[-1])
    return [Row(recipe, each.name, *tally) for each, tally in count.items()], chains


def start(command: list[str], sent: signal.Signals | None, moment: float) -> tuple[int, bool]:
    """Run a command and send it a signal; its exit code, and whether it was still running."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if sent is None:
        return process.wait(), False
    try:
        return process.wait(moment), False
    except subprocess.TimeoutExpired:
        process.send_signal(sent)
        return process.wait(), True


def contents(run: Path) -> dict[str, Any]:
    """What of a run a stop must not change, by name: bytes of every array, and the history."""

    found: dict[str, Any] = {}
    with ZipFile(run / "model.keras") as packed:
        found["weights"] = packed.read("model.weights.h5")
    for name in ("predictions.npz", "validation.npz"):
        if (run / name).exists():
            with np.load(run / name) as arrays:
                found[name] = arrays["probabilities"].tobytes()
    lines = (run / "history.csv").read_text(encoding="utf-8").splitlines()
    found["history"] = [
        {key: value for key, value in row.items() if key != "seconds"}
        for row in csv.DictReader(lines)
    ]
    return found


def time_states(name: str) -> dict[str, Any]:
    """Train at full size, with its state, in a process of its own."""
    code = f"import kills; kills.print_times({name!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def print_times(name: str) -> None:
    """Train a recipe and print how much of `fit` its states took, as JSON."""
    from hardpairs.training import fit
    from hardpairs.training.recipes import RECIPES

    seconds, save = [], fit.save_state

    def timed(*arguments: Any) -> None:
        started = time.perf_counter()
        save(*arguments)
        seconds.append(time.perf_counter() - started)

    vars(fit)["save_state"] = timed
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.npz"
        trained = fit.train(load_dataset("fashion-mnist"), RECIPES[name], state=state)
        size = state.stat().st_size
    told = {
        "recipe": name,
        "states": len(seconds),
        "megabytes": size / 1e6,
        "seconds": sum(seconds),
        "fit_seconds": trained.fit_seconds,
        "share": sum(seconds) / trained.fit_seconds,
    }
    print(json.dumps(told))


def print_tables(rows: list[Row], chains: list[Chain], times: list[dict[str, Any]]) -> None:
    """Print who was stopped how, what came of it, and what the states cost."""
    console = Console(width=110)
    table = _table("recipe", "signal", "stopped", "had an epoch", "other exit codes")
    for row in rows:
        numbers = (row.kills, row.went_on, row.wrong_codes)
        table.add_row(row.recipe, row.signal, *map(str, numbers))
    console.print(table)
    table = _table("recipe", "trainings", "stopped", "same to the byte", "files left over")
    for recipe in STOPPED:
        mine = [chain for chain in chains if chain.recipe == recipe]
        of_all: tuple[Callable[[Chain], int], ...] = (
            lambda chain: chain.kills,
            lambda chain: chain.same,
            lambda chain: chain.left_over,
        )
        table.add_row(recipe, f"{len(mine)}", *(f"{sum(map(each, mine))}" for each in of_all))
    console.print(table)
    if times:
        table = _table("recipe", "states", "MB each", "seconds in all", "fit s", "share")
        for told in times:
            table.add_row(
                *(told["recipe"], f"{told['states']}", f"{told['megabytes']:.1f}"),
                *(f"{told['seconds']:.2f}", f"{told['fit_seconds']:.1f}", f"{told['share']:.1%}"),
            )
        console.print(table)


def _table(*names: str) -> Table:
    table = Table()
    for name in names:
        table.add_column(name, justify="left" if name in ("recipe", "signal") else "right")
    return table


if __name__ == "__main__":
    main()
