"""The command line: parse, call, print. Results go to standard output, the rest to stderr."""

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from hardpairs.errors import InputError
from hardpairs.options import (
    data_option,
    precision_option,
    quiet_option,
    recipe_option,
    seed_option,
    votes_option,
)
from hardpairs.study_commands import ablate, compare, curve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hardpairs")
def cli() -> None:
    """Train an image classifier, and see which classes it mixes up, on which images."""


@cli.command()
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


@cli.command()
@data_option
@recipe_option
@seed_option
@precision_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@quiet_option
def train(data: str, recipe: str, seed: int, precision: str | None, out: Path, quiet: bool) -> None:
    """Train and predict the test images once, into a new folder; no analysis."""
    _train(data, recipe, seed, precision, out, quiet, analyse_too=False)


@cli.command()
@click.argument("run_or_file", type=click.Path(path_type=Path))
@click.option(
    "--data",
    metavar="NAME|DIR",
    help="Where the images are; by default what the predictions name.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for report.html and all else; by default the run's own, and none for a file.",
)
@votes_option
@click.option(
    "--also",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RUN_OR_FILE",
    help="Another run of the same images, as evidence for the verdicts; may be repeated.",
)
def evaluate(
    run_or_file: Path,
    data: str | None,
    out: Path | None,
    votes: Path | None,
    also: tuple[Path, ...],
) -> None:
    """Repeat the whole analysis from a run's folder or any predictions file."""
    folder = out or (run_or_file if run_or_file.is_dir() else None)
    if folder is not None:
        _make_folder(folder)
    _analyse(run_or_file, folder, data=data, votes=votes, others=also)
    if folder is not None:
        click.echo(f"report.html, figures, fashion.md, mistakes.csv and metrics.json: {folder}")


@cli.command()
@click.option(
    "--out",
    default="fmh_counts.csv",
    show_default=True,
    type=click.Path(path_type=Path),
    help="File to make.",
)
@quiet_option
def votes(out: Path, quiet: bool) -> None:
    """Fetch people's votes on Fashion-MNIST's test images from their authors.

    Fashion-MNIST-H, about 67 people per image, GPL-3.0 (Ishida et al., ICLR 2023), 230 kB. A
    download that breaks off goes on where it stopped.
    """
    from hardpairs.terminal import download_bar
    from hardpairs.votes import fetch_votes

    with download_bar(quiet) as on_bytes:
        fresh = fetch_votes(out, on_bytes=on_bytes)
    click.echo(f"{out}: {'fetched' if fresh else 'is there already'}; give it to --votes")


@cli.command()
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
    from hardpairs.audit import audit_dataset, write_audit
    from hardpairs.datasets import load_dataset
    from hardpairs.files import whole_folder
    from hardpairs.recipes import find_recipe
    from hardpairs.terminal import Console, print_audit, training_bar

    chosen = find_recipe(recipe)
    with whole_folder(out) as partial:
        dataset = load_dataset(data)
        from hardpairs.cross_validation import cross_validate

        with training_bar(quiet) as on_progress:
            train_predictions, test_predictions = cross_validate(
                dataset, chosen, seed=seed, on_progress=on_progress
            )
        result = audit_dataset(dataset, train_predictions, test_predictions)
        write_audit(result, dataset, partial)
        print_audit(result, Console())
    click.echo(f"audit.md, its pictures and tables: {out}")


@cli.command()
def recipes() -> None:
    """List what can be trained, with measured accuracy and time."""
    from hardpairs.terminal import Console, print_recipes

    print_recipes(Console())


for command in (compare, ablate, curve):
    cli.add_command(command)


def main() -> None:
    """Run the command line; exit code 2 and one line for bad input, 130 for Ctrl-C."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except InputError as error:
        click.echo(f"hardpairs: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("hardpairs: stopped; nothing half-written is left.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # The reader of a pipe has gone, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


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
    import numpy as np

    from hardpairs.datasets import load_dataset
    from hardpairs.files import whole_folder
    from hardpairs.recipes import find_recipe
    from hardpairs.votes import load_votes

    recipe = find_recipe(recipe_name)
    with whole_folder(folder) as partial:
        dataset = load_dataset(data)
        if votes is not None:  # A file that doesn't fit is refused before the training, not after.
            ids = np.arange(len(dataset.test))
            load_votes(votes, dataset.test.labels, ids, len(dataset.class_names))
        from hardpairs.runs import create_run
        from hardpairs.terminal import training_bar

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
            _analyse(partial, partial, votes=votes)
    click.echo(f"everything is in {folder}")


def _analyse(
    run_or_file: Path,
    folder: Path | None,
    *,
    data: str | None = None,
    votes: Path | None = None,
    others: Sequence[Path] = (),
) -> None:
    from hardpairs.analysis import load_subject, write_analysis
    from hardpairs.evaluation import evaluate
    from hardpairs.terminal import Console, print_evaluation
    from hardpairs.verdicts import headline

    subject = load_subject(run_or_file, data, votes=votes, others=others)
    evaluation = evaluate(subject.predictions)
    if folder is not None:
        write_analysis(subject, evaluation, folder)
    print_evaluation(evaluation, Console())
    click.echo(f"{headline(subject.verdicts)} Misclassified isn't yet mislabelled.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: can't be made ({error.strerror}); name a folder you may write to."
        ) from error
