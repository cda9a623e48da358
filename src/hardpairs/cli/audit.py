"""`hardpairs audit`."""

import shlex
import sys
from contextlib import suppress
from pathlib import Path

import click

from hardpairs.cli.ending import going_on, kept
from hardpairs.cli.options import (
    corrections_option,
    data_option,
    file_path,
    quiet_option,
    recipe_option,
    seed_option,
)
from hardpairs.cli.progress import phases
from hardpairs.cli.streams import say
from hardpairs.cli.terminal import Console, print_audit
from hardpairs.data.corrections import apply_corrections, read_corrections
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import Taken, whole_folder
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.training.progress import OnProgress, Progress
from hardpairs.training.recipes import Recipe, find_recipe, for_images, recipe_record
from hardpairs.training.start import start_keras

PREDICTED = ("train", "test")  # In a file each; audit.json, written last, says the audit is whole.


@click.command()
@data_option
@recipe_option
@seed_option
@click.option("--out", required=True, type=file_path, help="Folder to make.")
@corrections_option
@quiet_option
def audit(
    data: str, recipe: str, seed: int, out: Path, corrections: Path | None, quiet: bool
) -> None:
    """Look for faults in a dataset: duplicates, suspect labels, class balance.

    Trains three nets, each on two thirds of the training images, so that every image is judged by
    a net that hasn't seen it.
    """
    chosen = find_recipe(recipe)
    again = shlex.join(["hardpairs", *sys.argv[1:]])
    with phases(quiet) as show:
        show(Progress("reading the data"))
        dataset = load_dataset(data)
        if corrections is not None:
            read = read_corrections(corrections, dataset.class_names)
            dataset = apply_corrections(dataset, read)
        chosen, changed = for_images(chosen, len(dataset.train) * 2 // 3)
        for note in filter(None, (*dataset.notes, changed)):
            say(note)
        predictions = _predict(dataset, chosen, seed, out, show)
        with kept(out, "its audit", go_on=again):
            show(Progress("looking for duplicates and suspect labels"))
            from hardpairs.analysis.audit import audit_dataset
            from hardpairs.report.audit import write_audit

            result = audit_dataset(dataset, *predictions)
            write_audit(result, dataset, out)
    with kept(out, "printing its result", go_on=again):
        print_audit(result, Console())
        click.echo(f"audit.md, its pictures and tables: {out}")


def _predict(
    dataset: Dataset, recipe: Recipe, seed: int, out: Path, show: OnProgress
) -> list[Predictions]:
    """Predict both splits with nets that haven't seen the image; keep the predictions in ``out``.

    An audit that stopped after this point left them there: then nothing is trained again.
    """
    try:
        with whole_folder(out) as partial:
            show(Progress("starting Keras"))
            start_keras()
            from hardpairs.training.cross_validation import cross_validate, fold_states

            def found() -> bool:
                return any(path.exists() for path in fold_states(dataset, recipe, seed, out.parent))

            with going_on(found, f"what was trained so far is kept beside {out}"):
                predictions = list(
                    cross_validate(
                        *(dataset, recipe), seed=seed, states=out.parent, on_progress=show
                    )
                )
                for name, predicted in zip(PREDICTED, predictions, strict=True):
                    save_predictions(predicted, partial / f"{name}.npz")
    except Taken:
        if not out.exists():  # Another audit is making it.
            raise
        return _load_earlier(dataset, recipe, seed, out)
    for path in fold_states(dataset, recipe, seed, out.parent):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return predictions


def _load_earlier(dataset: Dataset, recipe: Recipe, seed: int, out: Path) -> list[Predictions]:
    """Read what an audit of the same data, recipe and seed predicted before it was stopped.

    Raises:
        InputError: ``out`` is something else.
    """
    taken = InputError(f"{out}: exists already; name another folder or move it away.")
    if (out / "audit.json").exists():
        raise taken
    predictions = []
    for name, split in zip(PREDICTED, (dataset.train, dataset.test), strict=True):
        try:
            predicted = load_predictions(out / f"{name}.npz")
        except InputError:
            raise taken from None
        known = (predicted.fingerprint, predicted.metadata.get("seed"))
        same = predicted.metadata.get("recipe") == recipe_record(recipe)
        if known != (split.fingerprint, seed) or not same:
            raise taken
        predictions.append(predicted)
    return predictions
