"""The command line: parse, call, print. Results go to standard output, the rest to stderr."""

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from hardpairs.errors import InputError

DEFAULT_DATA = "fashion-mnist"
DEFAULT_RECIPE = "fast"

data_option = click.option(
    "--data",
    default=DEFAULT_DATA,
    show_default=True,
    metavar="NAME|DIR",
    help="fashion-mnist, digits, or a folder of four IDX files.",
)
recipe_option = click.option(
    "--recipe", default=DEFAULT_RECIPE, show_default=True, help="See `hardpairs recipes`."
)
seed_option = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Random seed."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16"]),
    help="Arithmetic; by default what suits this processor.",
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress on standard error.")


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
@quiet_option
def run(
    data: str, recipe: str, seed: int, precision: str | None, out: Path | None, quiet: bool
) -> None:
    """Train, evaluate and explain: everything, into a new folder."""
    folder = out or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{recipe}"
    _train(data, recipe, seed, precision, folder, quiet, analyse_too=True)


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
def evaluate(run_or_file: Path, data: str | None, out: Path | None) -> None:
    """Repeat the whole analysis from a run's folder or any predictions file."""
    from hardpairs.analysis import analyse
    from hardpairs.terminal import Console, print_evaluation

    folder = out or (run_or_file if run_or_file.is_dir() else None)
    if folder is not None:
        _make_folder(folder)
    print_evaluation(analyse(run_or_file, data=data, folder=folder), Console())
    if folder is not None:
        click.echo(f"report.html, figures, fashion.md and metrics.json: {folder}")


@cli.command()
def recipes() -> None:
    """List what can be trained, with measured accuracy and time."""
    from hardpairs.terminal import Console, print_recipes

    print_recipes(Console())


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
) -> None:
    from hardpairs.datasets import load_dataset
    from hardpairs.files import whole_folder
    from hardpairs.recipes import find_recipe

    recipe = find_recipe(recipe_name)
    with whole_folder(folder) as partial:
        dataset = load_dataset(data)
        from hardpairs.runs import create_run
        from hardpairs.terminal import Console, print_evaluation, training_bar

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
            from hardpairs.analysis import analyse

            print_evaluation(analyse(partial, folder=partial), Console())
    click.echo(f"everything is in {folder}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: can't be made ({error.strerror}); name a folder you may write to."
        ) from error
