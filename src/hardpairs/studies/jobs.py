"""Studies: lists of independent trainings, each done once, wherever an engine runs them.

An engine takes jobs and yields each with its files or what stopped it, in any order. Only this
module writes: what a job is and what its folder holds doesn't depend on the engine.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import whole_folder
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions
from hardpairs.training.recipes import Recipe, recipe_record

KEY_LENGTH = 16  # Hexadecimal digits: 64 bits, for studies of a few hundred jobs.


@dataclass(frozen=True)
class Job:
    """One training: ``recipe`` with ``seed`` on the first ``fraction`` of the training images."""

    source: str
    recipe: Recipe
    seed: int
    fraction: float = 1.0


@dataclass(frozen=True)
class Result:
    """What a finished job says of the test images and, where some were held out, of those."""

    test: Predictions
    validation: Predictions | None


Files = dict[str, bytes]
Engine = Callable[[Sequence[Job], Mapping[str, Dataset]], Iterator[tuple[Job, Files | Exception]]]


def run_jobs(
    jobs: Sequence[Job],
    datasets: Mapping[str, Dataset],
    folder: Path,
    engine: Engine,
    on_progress: Callable[[int, int], None],
) -> tuple[dict[Job, Result], dict[Job, Exception]]:
    """Do what isn't done yet and return every job's result, or what stopped it.

    Args:
        jobs: What to train; repeated ones are done once.
        datasets: By source, for every source that a job names.
        folder: Finished jobs are kept in ``folder/jobs/KEY``; hold its `study_lock`.
        engine: Where and when the jobs run.
        on_progress: Called with (jobs done, jobs in all), first with those found finished.

    Raises:
        InputError: The folder can't be written.
    """
    results: dict[Job, Result] = {}
    failures: dict[Job, Exception] = {}
    homes = {job: folder / "jobs" / job_key(job, datasets[job.source]) for job in jobs}
    for abandoned in (folder / "jobs").glob(".*.partial"):
        shutil.rmtree(abandoned, ignore_errors=True)
    for job, home in homes.items():
        try:
            if home.exists():
                results[job] = load_result(job, datasets[job.source], home)
        except InputError:  # Damaged since: as if it had never been done.
            shutil.rmtree(home)
    waiting = [job for job in homes if job not in results]
    on_progress(len(results), len(homes))
    for job, outcome in engine(waiting, datasets) if waiting else ():
        if isinstance(outcome, Exception):
            failures[job] = outcome
        else:
            with whole_folder(homes[job]) as partial:
                for name, content in outcome.items():
                    (partial / name).write_bytes(content)
            results[job] = load_result(job, datasets[job.source], homes[job])
        on_progress(len(results) + len(failures), len(homes))
    return results, failures


def job_key(job: Job, dataset: Dataset) -> str:
    """Name a job by its content: recipe, data, seed, fraction and this package's version."""
    content = {
        "recipe": recipe_record(job.recipe, words=False),
        "data": [dataset.train.fingerprint, dataset.test.fingerprint],
        "seed": job.seed,
        "fraction": job.fraction,
        "version": importlib.metadata.version("hardpairs"),
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def load_result(job: Job, dataset: Dataset, home: Path) -> Result:
    """Read a finished job's predictions.

    Raises:
        InputError: A file is missing or damaged, or isn't this job's.
    """
    test = load_predictions(home / "predictions.npz")
    if test.fingerprint != dataset.test.fingerprint or len(test.labels) != len(dataset.test):
        raise InputError(f"{home}: holds predictions of other images; remove it.")
    trained = (test.metadata.get("seed"), test.metadata.get("recipe", {}).get("net"))
    if trained != (job.seed, job.recipe.net):
        raise InputError(f"{home}: holds predictions of another training; remove it.")
    held_out = job.recipe.validation_share > 0
    return Result(test, load_predictions(home / "validation.npz") if held_out else None)


@contextmanager
def study_lock(folder: Path) -> Iterator[None]:
    """Make ``folder`` and hold it for one study; a killed process lets go of it.

    Raises:
        InputError: The folder can't be written, or another study is running in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder}: can't be written ({error.strerror}); name a folder you may write to."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{folder}: another study is running in it; wait for it or name another folder."
            ) from error
        yield
