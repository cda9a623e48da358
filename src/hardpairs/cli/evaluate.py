"""`hardpairs evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import click

from hardpairs.analysis.verdicts import headline
from hardpairs.cli.options import votes_option
from hardpairs.cli.terminal import Console, print_evaluation
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.report.write import analyse


@click.command()
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
    analyse_and_print(run_or_file, folder, data=data, votes=votes, others=also)
    if folder is not None:
        click.echo(f"Report: {(folder / 'report.html').resolve().as_uri()}")


def analyse_and_print(
    run_or_file: Path,
    folder: Path | None,
    *,
    data: str | None = None,
    votes: Path | None = None,
    others: Sequence[Path] = (),
) -> None:
    """Write the analysis into a folder, if one is given, and print its tables."""
    subject = analyse(run_or_file, data=data, votes=votes, others=others, folder=folder)
    print_evaluation(subject.evaluation, Console())
    if subject.verdicts:
        click.echo(f"{headline(subject.verdicts)} Misclassified isn't yet mislabelled.")
    for remark in subject.remarks:
        click.echo(one_line(remark))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: can't be made ({error.strerror}); name a folder you may write to."
        ) from error
