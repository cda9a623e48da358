"""What a study's job does on the machine that it runs on: one training, two sets of predictions."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hardpairs.data.split import Dataset
from hardpairs.predictions.predictions import write_predictions
from hardpairs.studies.jobs import Files, Job, describe_job, training_rows
from hardpairs.training.backend import keras
from hardpairs.training.record import history_csv
from hardpairs.training.runs import train_and_predict


def run_job(job: Job, dataset: Dataset, wanted: Mapping[str, Any]) -> Files:
    """Train and predict; return the files of the finished job by name.

    They are predictions.npz, history.csv and, where the recipe holds images out, validation.npz.

    Args:
        job, dataset: What to train on what.
        wanted: `describe_job` of the machine that leads the study.

    Raises:
        RuntimeError: This machine would come to other numbers than the study asks for.
    """
    precision = wanted["precision"]
    mine = describe_job(job, dataset, precision)
    for name in wanted:
        if mine.get(name) != wanted[name]:
            raise RuntimeError(
                f"this machine has {name} {mine.get(name)}, the study needs {wanted[name]}"
            )
    keras.backend.clear_session()  # A worker's nets would pile up otherwise.
    part = dataset
    if job.fraction < 1:
        part = replace(dataset, train=dataset.train.take(training_rows(job, dataset)))
    outcome = train_and_predict(part, job.recipe, seed=job.seed, precision=precision)
    files = {"history.csv": history_csv(outcome.trained).encode()}
    for name, predictions in (("predictions", outcome.test), ("validation", outcome.validation)):
        if predictions is not None:
            metadata = {**predictions.metadata, "job": mine}
            packed = io.BytesIO()
            write_predictions(replace(predictions, metadata=metadata), packed)
            files[f"{name}.npz"] = packed.getvalue()
    return files
