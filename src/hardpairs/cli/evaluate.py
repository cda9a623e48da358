"""`hardpairs evaluate`."""

from pathlib import Path
from typing import Any

import click

from hardpairs.analysis.verdicts import headline
from hardpairs.cli.options import votes_option
from hardpairs.cli.terminal import Console, print_evaluation
from hardpairs.foreign import one_line
from hardpairs.predictions.found import Hints
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
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="True labels, joined by id or by order: a file, or a folder with one for each class.",
)
@click.option("--label-column", default="", metavar="NAME", help="The column of true labels.")
@click.option("--id-column", default="", metavar="NAME", help="The column of ids or file names.")
@click.option("--logits", is_flag=True, help="The scores are logits: softmax is applied.")
def evaluate(
    run_or_file: Path,
    data: str | None,
    out: Path | None,
    votes: Path | None,
    also: tuple[Path, ...],
    labels: Path | None,
    label_column: str,
    id_column: str,
    logits: bool,
) -> None:
    """Repeat the whole analysis from a run's folder or any predictions file.

    Predictions are read as most tools write them: .npz, .npy, .csv, .tsv, .jsonl, .json, .parquet.
    """
    folder = out or (run_or_file if run_or_file.is_dir() else None)
    hints = Hints(label_column=label_column, id_column=id_column, logits=logits)
    sources = {"data": data, "votes": votes, "others": also, "labels": labels, "hints": hints}
    analyse_and_print(run_or_file, folder, **sources)
    if folder is not None:
        click.echo(f"Report: {(folder / 'report.html').resolve().as_uri()}")


def analyse_and_print(path: Path, folder: Path | None, **sources: Any) -> None:
    """Write the analysis into a folder, if one is given, and print its tables.

    Args:
        path, sources: See `hardpairs.analysis.sources.load_subject`.
        folder: An existing folder, or None.
    """
    subject = analyse(path, folder=folder, **sources)
    print_evaluation(subject.evaluation, Console())
    if subject.verdicts:
        click.echo(f"{headline(subject.verdicts)} Misclassified isn't yet mislabelled.")
    for remark in subject.remarks:
        click.echo(one_line(remark), err=True)
