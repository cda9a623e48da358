"""`hardpairs evaluate`."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import click

from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import headline
from hardpairs.cli.options import (
    FilePath,
    corrections_option,
    file_path,
    link_option,
    votes_option,
)
from hardpairs.cli.progress import reading_bar
from hardpairs.cli.terminal import Console, print_evaluation
from hardpairs.errors import InputError
from hardpairs.files import clear_abandoned
from hardpairs.foreign import one_line
from hardpairs.predictions.found import Hints
from hardpairs.report.write import analyse
from hardpairs.wording import plainly


@click.command()
@click.argument("run_or_file", type=file_path)
@click.option(
    "--data",
    type=FilePath(path_type=str),
    metavar="NAME|PATH",
    help="Where the images are; by default what the predictions name.",
)
@click.option(
    "--out",
    type=file_path,
    help="Folder for report.html and all else; by default the run's own, and none for a file.",
)
@votes_option
@click.option(
    "--also",
    multiple=True,
    type=file_path,
    metavar="RUN_OR_FILE",
    help="Another run of the same images, as evidence for the verdicts; may be repeated.",
)
@click.option(
    "--labels",
    type=file_path,
    metavar="FILE|DIR",
    help="True labels, joined by id or by order: a file, or a folder with one for each class.",
)
@corrections_option
@click.option("--label-column", default="", metavar="NAME", help="The column of true labels.")
@click.option("--id-column", default="", metavar="NAME", help="The column of ids or file names.")
@click.option("--logits", is_flag=True, help="The scores are logits: softmax is applied.")
@link_option
@click.option(
    "--map",
    "neighbour_map",
    is_flag=True,
    help="Make the page's map by t-SNE: 10 seconds for 10,000 images. Extra: map.",
)
@click.option("--json", "as_json", is_flag=True, help="metrics.json on standard output alone.")
@click.option(
    "--min-accuracy",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 1 where fewer are right, as 0.92 of the images.",
)
def evaluate(
    run_or_file: Path,
    data: str | None,
    out: Path | None,
    votes: Path | None,
    also: tuple[Path, ...],
    labels: Path | None,
    corrections: Path | None,
    label_column: str,
    id_column: str,
    logits: bool,
    link: str,
    neighbour_map: bool,
    as_json: bool,
    min_accuracy: float | None,
) -> None:
    """Repeat the whole analysis from a run's folder or any predictions file.

    Predictions are read as most tools write them: .npz, .npy, .csv, .tsv, .jsonl, .json, .parquet,
    .feather.
    Exit code 0, 1 where --min-accuracy isn't reached, 2 for bad input.
    """
    # Another tool's folder of results is read, and left as it is.
    folder = out or (run_or_file if (run_or_file / "predictions.npz").is_file() else None)
    hints = Hints(label_column=label_column, id_column=id_column, logits=logits)
    sources: dict[str, Any] = {
        "data": data,
        "votes": votes,
        "others": also,
        "labels": labels,
        "corrections": corrections,
        "hints": hints,
        "link": link,
        "neighbour_map": neighbour_map,
    }
    if min_accuracy is not None and math.isnan(min_accuracy):  # Which is in every range.
        raise InputError("--min-accuracy: nan is no accuracy; give one from 0 to 1.")
    if folder is not None:
        clear_abandoned(folder.parent)
    with reading_bar():
        subject = analyse(run_or_file, folder=folder, **sources)
    if as_json:
        click.echo(json.dumps(subject.metrics, allow_nan=False))
    else:
        print_analysis(subject, folder)
    accuracy = subject.evaluation.accuracy
    if min_accuracy is not None and accuracy < min_accuracy:
        shown = plainly(accuracy, 4, apart_from=[min_accuracy])
        click.echo(f"hardpairs: accuracy {shown} is below {min_accuracy:g}", err=True)
        sys.exit(1)


def print_analysis(subject: Subject, folder: Path | None) -> None:
    """Print the tables, the headline and, where one was written, where the report is."""
    print_evaluation(subject.evaluation, Console())
    if subject.verdicts:
        click.echo(f"{headline(subject.verdicts)} Misclassified isn't yet mislabelled.")
    fault = getattr(subject.train_images, "fault", "")
    for remark in (*subject.remarks, *([fault] if fault else [])):
        click.echo(one_line(remark), err=True)
    if folder is not None:
        click.echo(f"Report: {(folder / 'report.html').resolve().as_uri()}")
    else:
        click.echo("Nothing is written; --out FOLDER writes the report and all else.", err=True)
