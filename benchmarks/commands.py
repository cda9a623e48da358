"""Commands of two checkouts, in turn: median time and largest memory of whole processes.

    git worktree add ../before b985a0e
    python benchmarks/commands.py ../before .

prints a table and writes benchmarks/commands.json. Each checkout trains a run of its own first
(`--recipe sprint --seed 0`), which `evaluate` then reads; modules are compiled by then, as they are
after any first start. Both run on this Python with its packages. For a quiet machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

TRAIN = ("run", "--recipe", "sprint", "--seed", "0", "--out")


def main() -> None:
    """Train once each, then measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--trainings", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder, places = Path(name), [str(path.resolve()) for path in options.checkouts]
        for number, place in enumerate(places):
            measure(place, *TRAIN, str(folder / f"run{number}"))
        for command in ("--help", "evaluate", "run"):
            measured: list[list[tuple[float, float]]] = [[], []]
            for repeat in range(options.trainings if command == "run" else options.repeats):
                for number, place in enumerate(places):
                    again = str(folder / f"again{number}-{repeat}")
                    run = {"run": (*TRAIN, again), "evaluate": (str(folder / f"run{number}"),)}
                    words = run.get(command, ())
                    words = words if command == "run" else (command, *words)
                    measured[number].append(measure(place, *words))
            rows.append({"command": command, "checkouts": [summary(each) for each in measured]})
    Console(width=100).print(table_of(rows))
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measure(checkout: str, *words: str) -> tuple[float, float]:
    """Run a command of a checkout: seconds of the whole process, and its peak in megabytes."""
    environment = {**os.environ, "PYTHONPATH": f"{checkout}/src", "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "hardpairs", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{checkout}: hardpairs {' '.join(words)} failed")
    return time.perf_counter() - started, usage.ru_maxrss * 1024 / 1e6  # Linux counts kilobytes.


def summary(measured: list[tuple[float, float]]) -> dict[str, float]:
    """The median of the times with their range, and the largest of the peaks."""
    seconds = [each for each, _ in measured]
    return {
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "peak_megabytes": max(peak for _, peak in measured),
    }


def table_of(rows: list[dict]) -> Table:
    """The table that is printed."""
    table = Table()
    for name in ("command", "before, s", "after, s", "ratio", "before, MB", "after, MB"):
        table.add_column(name, justify="left" if name == "command" else "right")
    for row in rows:
        before, after = row["checkouts"]
        times = [
            f"{each['seconds']:.2f} ({each['fastest']:.2f} to {each['slowest']:.2f})"
            for each in (before, after)
        ]
        ratio = f"{after['seconds'] / before['seconds']:.2f}"
        peaks = [f"{each['peak_megabytes']:.0f}" for each in (before, after)]
        table.add_row(row["command"], *times, ratio, *peaks)
    return table


if __name__ == "__main__":
    main()
