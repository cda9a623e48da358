"""Studies: lists of independent trainings, each done once, wherever an engine runs them.

An engine takes jobs and yields each with its files or what stopped it, in any order. Only this
module writes: what a job is and what its folder holds doesn't depend on the engine.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import (
    STATE_ENDING,
    clear_abandoned,
    locked,
    made_folder,
    whole_folder,
    write_bytes,
    write_error,
)
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions
from hardpairs.training.environment import default_precision, training_environment
from hardpairs.training.recipes import Recipe, recipe_record
from hardpairs.training.state import key_of

SCRATCH = ".scratch"
PAGES = ("report.html", "difference.html")


@dataclass(frozen=True)
class Job:
    """One training: ``recipe`` with ``seed`` on a ``fraction`` of the training images."""

    source: str
    recipe: Recipe
    seed: int
    fraction: float = 1.0

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.recipe.name} on {self.source}, seed {self.seed}"


@dataclass(frozen=True)
class Result:
    """What a finished job says of the test images and, where some were held out, of those."""

    test: Predictions
    validation: Predictions | None


class EngineLost(Exception):
    """What runs the jobs is gone for good; those that are done are kept. Says what was awaited."""


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
        jobs: What to train; those that come to the same training are done once.
        datasets: By source, for every source that a job names.
        folder: Finished jobs are kept in ``folder/jobs/KEY``; hold it, see `study_folder`.
        engine: Where and when the jobs run.
        on_progress: Called with (jobs done, jobs in all), first with those found finished.

    Raises:
        InputError: The folder can't be written.
        EngineLost: The engine can't go on; says how many jobs are done and kept.
    """
    keys = {job: key_of(describe_job(job, datasets[job.source])) for job in jobs}
    first_of: dict[str, Job] = {}
    for job, key in keys.items():  # The same data under two paths makes two jobs of one key.
        first_of.setdefault(key, job)
    homes = {key: folder / "jobs" / key for key in first_of}
    results: dict[str, Result] = {}
    failures: dict[str, Exception] = {}
    for key, job in first_of.items():
        try:
            if homes[key].is_symlink() or homes[key].exists():
                results[key] = load_result(job, datasets[job.source], homes[key])
                job_state(folder / "jobs", key).unlink(missing_ok=True)  # Of one killed just then.
        except InputError:  # Damaged since, or another's: as if it had never been done.
            _remove(homes[key])
    waiting = [job for key, job in first_of.items() if key not in results]
    on_progress(len(results), len(first_of))
    try:
        for job, outcome in engine(waiting, datasets) if waiting else ():
            key, dataset = keys[job], datasets[job.source]
            kept = _keep(outcome, job, dataset, homes[key])
            if isinstance(kept, Result):
                results[key] = kept
            else:
                failures[key] = kept
            on_progress(len(results) + len(failures), len(first_of))
    except EngineLost as error:
        raise EngineLost(
            f"{error}; {len(results)} of {len(first_of)} trainings are done and kept in {folder}"
        ) from error
    return (
        {job: results[key] for job, key in keys.items() if key in results},
        {job: failures[key] for job, key in keys.items() if key in failures},
    )


def _keep(outcome: Files | Exception, job: Job, dataset: Dataset, home: Path) -> Result | Exception:
    """Write a finished job's files; what turns out not to be this job's isn't kept."""
    if isinstance(outcome, Exception):
        return outcome
    try:
        with whole_folder(home) as partial:
            for name, content in outcome.items():
                write_bytes(partial / name, content)
        job_state(home.parent, home.name).unlink(missing_ok=True)
    except OSError as error:
        raise write_error(home, error) from error
    try:
        return load_result(job, dataset, home)
    except InputError as error:
        _remove(home)
        return error


def _remove(home: Path) -> None:
    try:
        if home.is_dir() and not home.is_symlink():
            shutil.rmtree(home)
        else:
            home.unlink()
    except OSError as error:
        raise InputError(
            f"{home}: isn't a finished training and can't be removed ({error.strerror}); remove it."
        ) from error


def describe_job(job: Job, dataset: Dataset, precision: str | None = None) -> dict[str, Any]:
    """Everything that decides a job's numbers on this machine, as JSON has it.

    Args:
        job, dataset: What is trained on what.
        precision: A Keras dtype policy; by default the one that suits the processor.
    """
    description = {
        "recipe": recipe_record(job.recipe, words=False),
        "data": [dataset.train.fingerprint, dataset.test.fingerprint],
        "classes": dataset.class_names,
        "seed": job.seed,
        "fraction": job.fraction,
        "precision": precision or default_precision(),
        **training_environment(),
    }
    return json.loads(json.dumps(description))


def job_state(folder: Path, key: str) -> Path:
    """Where the state of a job's training is kept until it is finished, in ``study/jobs``."""
    return folder / f".{key}{STATE_ENDING}"


def training_count(fraction: float, dataset: Dataset) -> int:
    """How many images a fraction of the training images is, at least one."""
    return max(round(len(dataset.train) * fraction), 1)


def training_rows(job: Job, dataset: Dataset) -> np.ndarray:
    """int64, the training images that a job sees: every class in proportion."""
    return dataset.order_to_train()[: training_count(job.fraction, dataset)]


def load_result(job: Job, dataset: Dataset, home: Path) -> Result:
    """Read a finished job's predictions.

    Raises:
        InputError: A file is missing or damaged, or isn't this job's.
    """
    description = describe_job(job, dataset)
    test = _load_own(home / "predictions.npz", description, "test")
    if not np.array_equal(test.labels, dataset.test.labels):
        raise InputError(f"{home}: holds predictions of other images; remove it.")
    if job.recipe.validation_share == 0:
        return Result(test, None)
    return Result(test, _load_own(home / "validation.npz", description, "train"))


def _load_own(path: Path, description: Mapping[str, Any], split: str) -> Predictions:
    """Read predictions that say that they come from the job described."""
    predictions = load_predictions(path)
    of = predictions.metadata.get("job")
    if of != description or predictions.split != split:
        known = of if isinstance(of, dict) else {}
        differs = [name for name, value in description.items() if known.get(name) != value]
        what = differs[0] if differs else "split"
        raise InputError(f"{path}: is of another training (its {what} differs); remove it.")
    return predictions


@contextmanager
def study_folder(folder: Path) -> Iterator[Path]:
    """Make ``folder``, hold it for one study, and clear what a killed study left in it.

    Yields a folder for temporary files, which is gone afterwards. A folder that had to be made is
    gone as well if nothing is in it.

    Raises:
        InputError: The folder can't be written, another study is running in it, or it has a page
            that no study wrote.
    """
    new = not folder.exists()
    for page in () if (folder / "jobs").exists() else PAGES:
        if os.path.lexists(folder / page):
            raise InputError(
                f"{folder}: has a {page} of another command, which the study would replace; "
                "name another folder."
            )
    busy = f"{folder}: another study is running in it; wait for it or name another folder."
    with made_folder(folder), made_folder(folder / "jobs"), locked(folder / ".lock", busy):
        clear_abandoned(folder)
        clear_abandoned(folder / "jobs")
        scratch = folder / "jobs" / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)  # Whoever holds the lock is the only one here.
        try:
            scratch.mkdir(exist_ok=True)
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            with suppress(OSError):
                if new and not os.listdir(folder / "jobs"):
                    (folder / ".lock").unlink()
