"""`hardpairs audit`."""

from pathlib import Path

import click

from hardpairs.analysis.audit import audit_dataset
from hardpairs.cli.options import data_option, quiet_option, recipe_option, seed_option
from hardpairs.cli.progress import training_bar
from hardpairs.cli.terminal import Console, print_audit
from hardpairs.data.datasets import load_dataset
from hardpairs.files import whole_folder
from hardpairs.report.audit import write_audit
from hardpairs.training.recipes import find_recipe


@click.command()
@data_option
@recipe_option
@seed_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@quiet_option
def audit(data: str, recipe: str, seed: int, out: Path, quiet: bool) -> None:
    """Look for faults in a dataset: duplicates, suspect labels, class balance.

    Trains three nets, each on two thirds of the training images, so that every image is judged by
    a net that hasn't seen it.
    """
    chosen = find_recipe(recipe)
    with whole_folder(out) as partial:
        dataset = load_dataset(data)
        from hardpairs.training.cross_validation import cross_validate

        with training_bar(quiet) as on_progress:
            train_predictions, test_predictions = cross_validate(
                dataset, chosen, seed=seed, on_progress=on_progress
            )
        result = audit_dataset(dataset, train_predictions, test_predictions)
        write_audit(result, dataset, partial)
        print_audit(result, Console())
    click.echo(f"audit.md, its pictures and tables: {out}")
