"""`hardpairs run` and `hardpairs train`."""

import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import click
import numpy as np

from hardpairs.cli.ending import Unfinished, going_on, kept
from hardpairs.cli.options import (
    SHELF,
    corrections_option,
    data_option,
    file_path,
    precision_option,
    quiet_option,
    recipe_option,
    seed_option,
    votes_option,
)
from hardpairs.cli.progress import phases
from hardpairs.cli.streams import say
from hardpairs.data.corrections import apply_corrections, correct_training, read_corrections
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.data.votes import load_votes
from hardpairs.files import Elsewhere, Taken, whole_folder
from hardpairs.training.edges import edge_shares_beside
from hardpairs.training.progress import OnProgress, Progress
from hardpairs.training.recipes import find_recipe, for_images
from hardpairs.training.start import start_keras


@click.command()
@data_option
@recipe_option
@seed_option
@precision_option
@click.option(
    "--out",
    type=file_path,
    help="Folder to make; else runs/DATE-TIME-RECIPE.",
)
@votes_option
@corrections_option
@quiet_option
def run(
    data: str,
    recipe: str,
    seed: int,
    precision: str | None,
    out: Path | None,
    votes: Path | None,
    corrections: Path | None,
    quiet: bool,
) -> None:
    """Train, evaluate and explain: everything, into a new folder."""
    with phases(quiet) as show:
        folder = _train(
            *(data, recipe, seed, precision, out, show), votes=votes, corrections=corrections
        )
        with kept(folder, "its analysis"):
            show(Progress("drawing and writing the report"))
            from hardpairs.report.write import analyse

            subject = analyse(folder, votes=votes, corrections=corrections, folder=folder)
    with kept(folder, "printing its result"):
        from hardpairs.cli.evaluate import print_analysis

        print_analysis(subject, folder)


@click.command()
@data_option
@recipe_option
@seed_option
@precision_option
@click.option("--out", required=True, type=file_path, help="Folder to make.")
@quiet_option
def train(data: str, recipe: str, seed: int, precision: str | None, out: Path, quiet: bool) -> None:
    """Train and predict the test images once, into a new folder; no analysis."""
    with phases(quiet) as show:
        folder = _train(data, recipe, seed, precision, out, show)
    with kept(folder, "printing its name"):
        click.echo(f"everything is in {folder}")


def _train(
    data: str,
    recipe_name: str,
    seed: int,
    precision: str | None,
    out: Path | None,
    show: OnProgress,
    *,
    votes: Path | None = None,
    corrections: Path | None = None,
) -> Path:
    """Train into a new folder and return it."""
    chosen = find_recipe(recipe_name)
    state: Path | None = None
    with ExitStack() as stack:
        stack.enter_context(_kept_elsewhere(lambda: state))
        folder, partial = _reserve(stack, out, recipe_name)
        show(Progress("reading the data"))
        dataset, train_rows = load_dataset(data), None
        if corrections is not None:
            dataset, train_rows = _corrected(dataset, corrections)
            shutil.copyfile(corrections, partial / "corrections.csv")
        images = len(dataset.train) if train_rows is None else len(train_rows)
        recipe, changed = for_images(chosen, images)
        for note in filter(None, (*dataset.notes, changed)):
            say(note)
        if votes is not None:  # A file that doesn't fit is refused before the training, not after.
            load_votes(votes, dataset.test.labels, dataset.test.ids, dataset.class_names)
        edges = stack.enter_context(
            edge_shares_beside(dataset.train, dataset.test, len(dataset.class_names))
        )
        show(Progress("starting Keras"))
        start_keras()
        from hardpairs.training.runs import create_run
        from hardpairs.training.state import describe_training, state_path

        training = describe_training(dataset, recipe, seed=seed, precision=precision)
        state = state_path(folder.parent, training)
        with going_on(state.exists, f"the epochs trained so far are kept in {state}"):
            create_run(
                *(partial, dataset, recipe),
                seed=seed,
                precision=precision,
                train_rows=train_rows,
                state=state,
                edges=edges,
                on_progress=show,
            )
    _forget(state)
    return folder


@contextmanager
def _kept_elsewhere(state: Callable[[], Path | None]) -> Iterator[None]:
    """Say where a run is whose place something else took; it is complete, and its state goes."""
    try:
        yield
    except Elsewhere as error:
        _forget(state())
        again = shlex.join(["hardpairs", "evaluate", str(error.place)])
        raise Unfinished(
            f"{error.path} was made by something else meanwhile; the run is trained and complete "
            f"in {error.place}; go on with `{again}`."
        ) from error


def _forget(state: Path | None) -> None:
    """Remove the state of a training that is complete."""
    if state is not None:
        with suppress(OSError):
            state.unlink(missing_ok=True)


def _corrected(dataset: Dataset, path: Path) -> tuple[Dataset, np.ndarray | None]:
    """The data with corrected training labels, and the rows to train on."""
    corrections = read_corrections(path, dataset.class_names)
    apply_corrections(dataset, corrections)  # What doesn't fit the test images is refused as well.
    return correct_training(dataset, corrections)


def _reserve(stack: ExitStack, out: Path | None, recipe: str) -> tuple[Path, Path]:
    """Return the folder to make, which nobody else is making, and the hidden one to fill."""
    if out is not None:
        return out, stack.enter_context(whole_folder(out))
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{recipe}"
    for number in count(1):
        folder = SHELF / (name if number == 1 else f"{name}-{number}")
        with suppress(Taken):
            return folder, stack.enter_context(whole_folder(folder))
    raise AssertionError  # Numbers don't end.
