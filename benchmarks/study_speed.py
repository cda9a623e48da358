"""A study's engines: time of the same jobs on one worker and on two, here and on Ray.

    python benchmarks/study_speed.py [--jobs 4] [--fraction 0.1]

Prints a table: seconds in all, and per job what isn't `fit` (data, predictions, files, processes).
Ray runs as a real cluster on this machine, a head without cores and one-core workers.
"""

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hardpairs.data.datasets import load_dataset
from hardpairs.studies.cluster import ray_engine
from hardpairs.studies.jobs import Engine, Job, run_jobs
from hardpairs.studies.local import local_engine
from hardpairs.training.recipes import RECIPES

SOURCE = "fashion-mnist"


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--fraction", type=float, default=0.1)
    options = parser.parse_args()
    jobs = [Job(SOURCE, RECIPES["fast"], seed, options.fraction) for seed in range(options.jobs)]
    table = Table(title=f"{len(jobs)} trainings on {options.fraction:.0%} of {SOURCE}")
    for name in ("engine", "workers", "seconds", "ratio to one worker", "fit s", "overhead s"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for name, measure in (("local", measure_local), ("Ray", measure_ray)):
        alone = 0.0
        for workers in (1, 2):
            seconds, fit = measure(jobs, workers)
            alone = alone or seconds
            overhead = seconds * workers / len(jobs) - fit
            row = (f"{seconds:.1f}", f"{alone / seconds:.2f}", f"{fit:.1f}", f"{overhead:.1f}")
            table.add_row(name, f"{workers}", *row)
    Console(width=100).print(table)


def measure_local(jobs: list[Job], workers: int) -> tuple[float, float]:
    """Seconds in all and of one `fit`, with so many processes."""
    return measure(jobs, local_engine(workers))


def measure_ray(jobs: list[Job], workers: int) -> tuple[float, float]:
    """The same with so many nodes of one core."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(workers):
            cluster.add_node(num_cpus=1)
        return measure(jobs, ray_engine(cluster.address, print))
    finally:
        ray.shutdown()
        cluster.shutdown()


def measure(jobs: list[Job], engine: Engine) -> tuple[float, float]:
    """Seconds in all and mean seconds of `fit`."""
    datasets = {SOURCE: load_dataset(SOURCE)}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        results, failures = run_jobs(jobs, datasets, Path(folder), engine, lambda *_: None)
        seconds = time.perf_counter() - started
    for failure in failures.values():
        raise failure
    fits = [result.test.metadata["fit_seconds"] for result in results.values()]
    return seconds, sum(fits) / len(fits)


if __name__ == "__main__":
    main()
