"""`hardpairs run` and `hardpairs train`."""

from datetime import datetime
from pathlib import Path

import click
import numpy as np

from hardpairs.cli.options import (
    data_option,
    precision_option,
    quiet_option,
    recipe_option,
    seed_option,
    votes_option,
)
from hardpairs.cli.progress import training_bar
from hardpairs.data.datasets import load_dataset
from hardpairs.data.votes import load_votes
from hardpairs.files import whole_folder
from hardpairs.training.recipes import find_recipe


@click.command()
@data_option
@recipe_option
@seed_option
@precision_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to make; else runs/DATE-TIME-RECIPE.",
)
@votes_option
@quiet_option
def run(
    data: str,
    recipe: str,
    seed: int,
    precision: str | None,
    out: Path | None,
    votes: Path | None,
    quiet: bool,
) -> None:
    """Train, evaluate and explain: everything, into a new folder."""
    folder = out or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{recipe}"
    _train(data, recipe, seed, precision, folder, quiet, analyse_too=True, votes=votes)


@click.command()
@data_option
@recipe_option
@seed_option
@precision_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@quiet_option
def train(data: str, recipe: str, seed: int, precision: str | None, out: Path, quiet: bool) -> None:
    """Train and predict the test images once, into a new folder; no analysis."""
    _train(data, recipe, seed, precision, out, quiet, analyse_too=False)


def _train(
    data: str,
    recipe_name: str,
    seed: int,
    precision: str | None,
    folder: Path,
    quiet: bool,
    *,
    analyse_too: bool,
    votes: Path | None = None,
) -> None:
    recipe = find_recipe(recipe_name)
    with whole_folder(folder) as partial:
        dataset = load_dataset(data)
        if votes is not None:  # A file that doesn't fit is refused before the training, not after.
            ids = np.arange(len(dataset.test))
            load_votes(votes, dataset.test.labels, ids, len(dataset.class_names))
        from hardpairs.training.runs import create_run

        with training_bar(quiet) as on_progress:
            create_run(
                partial,
                data,
                dataset,
                recipe,
                seed=seed,
                precision=precision,
                on_progress=on_progress,
            )
        if analyse_too:
            from hardpairs.cli.evaluate import analyse_and_print

            analyse_and_print(partial, partial, votes=votes)
    click.echo(f"everything is in {folder}")
