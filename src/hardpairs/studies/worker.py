"""What a study's job does on the machine that it runs on: one training, two sets of predictions."""

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import write_predictions
from hardpairs.studies.jobs import Files, Job, describe_job, training_rows
from hardpairs.training.backend import keras
from hardpairs.training.progress import OnProgress, Progress, ignore
from hardpairs.training.record import history_csv
from hardpairs.training.runs import Outcome, train_and_predict


def run_job(
    job: Job,
    dataset: Dataset,
    wanted: Mapping[str, Any],
    state: Path | None = None,
    on_progress: OnProgress = ignore,
) -> Files:
    """Train and predict; return the files of the finished job by name.

    They are predictions.npz, history.csv and, where the recipe holds images out, validation.npz.

    Args:
        job, dataset: What to train on what.
        wanted: `describe_job` of the machine that leads the study.
        state: A file that keeps the training's state after each epoch; one that is there is gone
            on from, if it is this training's.
        on_progress: As for `hardpairs.training.fit.train`.

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
    outcome = _train(part, job, precision, state, on_progress)
    files = {"history.csv": history_csv(outcome.trained).encode()}
    for name, predictions in (("predictions", outcome.test), ("validation", outcome.validation)):
        if predictions is not None:
            metadata = {**predictions.metadata, "job": mine}
            packed = io.BytesIO()
            write_predictions(replace(predictions, metadata=metadata), packed)
            files[f"{name}.npz"] = packed.getvalue()
    return files


def run_elsewhere(
    job: Job,
    dataset: Dataset,
    wanted: Mapping[str, Any],
    kept: bytes | None,
    send: Callable[[bytes], object],
) -> Files:
    """`run_job` on a machine that doesn't share the study's folder.

    Args:
        job, dataset, wanted: As for `run_job`.
        kept: The state of a training that was stopped.
        send: Takes the state after each epoch, to be kept where the study is.
    """
    with tempfile.TemporaryDirectory() as folder:
        state, sent = Path(folder) / "state.npz", 0
        if kept is not None:
            state.write_bytes(kept)
            sent = state.stat().st_mtime_ns

        def send_new(_: Progress) -> None:
            nonlocal sent
            written = state.stat().st_mtime_ns if state.exists() else sent
            if written != sent:
                send(state.read_bytes())
                sent = written

        return run_job(job, dataset, wanted, state, send_new)


def _train(
    dataset: Dataset, job: Job, precision: str, state: Path | None, on_progress: OnProgress
) -> Outcome:
    """Train and predict; a state that is damaged or another's is as good as none."""
    once = partial(
        train_and_predict,
        dataset,
        job.recipe,
        seed=job.seed,
        precision=precision,
        state=state,
        on_progress=on_progress,
    )
    was_there = state is not None and state.exists()
    try:
        return once()
    except InputError:
        if state is None or not was_there:
            raise
        state.unlink(missing_ok=True)
    return once()
