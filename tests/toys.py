"""Small studies, of random images by an engine that trains nothing, and real."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conftest import make_predictions
from hardpairs.data.split import Dataset, Split
from hardpairs.predictions.predictions import save_predictions
from hardpairs.studies.jobs import Job, describe_job
from hardpairs.training.recipes import RECIPES, recipe_record
from hardpairs.training.state import key_of


def dataset(images: int = 200) -> Dataset:
    pixels = np.random.default_rng(7).integers(0, 255, (images, 28, 28), dtype=np.uint8)
    labels = make_predictions(images).labels
    split = Split(pixels, labels)
    return Dataset("toy", "toy", tuple(f"class {index}" for index in range(5)), split, split)


DATASETS = {"toy": dataset()}
JOBS = [Job("toy", RECIPES[name], seed) for name in ("fast", "fast-dense") for seed in range(3)]


def files_of(job: Job, tmp_path) -> dict[str, bytes]:
    predictions = make_predictions(
        seed=job.seed,
        fingerprint=DATASETS["toy"].test.fingerprint,
        metadata={
            "job": describe_job(job, DATASETS["toy"]),
            "seed": job.seed,
            "recipe": recipe_record(job.recipe),
            "fit_seconds": 1.0,
        },
        split="test",
    )
    predictions = replace(predictions, labels=DATASETS["toy"].test.labels)
    splits = {"predictions.npz": "test", "validation.npz": "train"}
    files = {}
    for name, split in list(splits.items())[: 2 if job.recipe.validation_share else 1]:
        save_predictions(replace(predictions, split=split), tmp_path / "x.npz")
        files[name] = (tmp_path / "x.npz").read_bytes()
    return files


def home_of(job: Job, folder):
    return folder / "jobs" / key_of(describe_job(job, DATASETS["toy"]))


class Recorder:
    """An engine that trains nothing and remembers what it was asked for."""

    def __init__(self, tmp_path, failing=()):
        self.tmp_path, self.failing, self.asked = tmp_path, failing, []

    def __call__(self, jobs, datasets):
        for job in jobs:
            self.asked.append(job)
            fails = job in self.failing
            yield job, RuntimeError("no luck") if fails else files_of(job, self.tmp_path)


def ignore(done: int, total: int) -> None:
    pass


# A core for each training, as on a cluster: how many it has decides how sums are rounded.
REAL_STUDY = (
    *("compare", "fast-dense", "fast", "--quick", "--quiet"),
    *("--jobs", str(os.cpu_count())),
)


def without_times(folder: Path) -> Any:
    """What study.json says, but for what a clock decides."""

    def without(value):
        if isinstance(value, dict):
            return {
                key: without(of)
                for key, of in value.items()
                if "seconds" not in key and "hours" not in key
            }
        return [without(of) for of in value] if isinstance(value, list) else value

    return without(json.loads((folder / "study.json").read_text()))
