"""What a study's job does on the machine that it runs on: one training, two sets of predictions."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hardpairs.data.split import Dataset
from hardpairs.studies.jobs import Files, Job
from hardpairs.training.backend import keras
from hardpairs.training.runs import create_run


def run_job(job: Job, dataset: Dataset) -> Files:
    """Train and predict; return the files of the finished job by name.

    They are predictions.npz, history.csv and, where the recipe holds images out, validation.npz.
    """
    count = max(round(len(dataset.train) * job.fraction), 1)
    dataset = replace(dataset, train=dataset.train.take(slice(count)))
    keras.backend.clear_session()  # A worker's nets would pile up otherwise.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_run(folder, job.source, dataset, job.recipe, seed=job.seed, for_study=True)
        return {path.name: path.read_bytes() for path in folder.iterdir()}
