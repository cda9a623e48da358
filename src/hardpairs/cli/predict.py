"""`hardpairs predict`."""

import json
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardpairs.cli.options import SHELF, FilePath, file_path, one_thread_for_matrices
from hardpairs.errors import InputError
from hardpairs.foreign import csv_text, one_line

if TYPE_CHECKING:
    import numpy as np

    from hardpairs.serving.answer import Answer

SHOWN = 3
RUNS_FILES = (".onnx", ".keras", ".npz")  # Of a run, given in the place of its folder.


@click.command()
@click.argument(
    "words",
    metavar="[RUN] PHOTOS...",
    nargs=-1,
    required=True,
    type=FilePath(path_type=Path, allow_dash=True),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="A table, one line a photo.")
@click.option(
    "--figure",
    type=file_path,
    metavar="FILE",
    help="Draw what the net saw, its answer and like images, as PNG.",
)
def predict(words: tuple[Path, ...], as_json: bool, as_csv: bool, figure: Path | None) -> None:
    """Say what photos show, and when not to trust it.

    RUN is a run that `hardpairs export` was called for, or a folder with what that wrote; by
    default the last one exported in runs/. A photo named - is read from standard input.
    """
    one_thread_for_matrices()
    from hardpairs.serving.answer import answer
    from hardpairs.serving.model import load_exported
    from hardpairs.serving.photo import MOST_BYTES, read_photo

    if as_json and as_csv:
        raise InputError("--json and --csv: give one of the two.")
    if figure is not None and figure.suffix.lower() != ".png":
        raise InputError(f"--figure {figure}: is drawn as PNG; name a file that ends in .png.")
    warnings.simplefilter("ignore")  # Of Pillow, about odd metadata.
    run, photos = _run_and_photos(words)
    model = load_exported(run)
    failed: list[str] = []
    answers: list[Answer] = []
    if as_csv:
        click.echo(csv_text([["photo", "class", "probability", "doubts"]]), nl=False)
    for photo in photos:
        is_input = str(photo) == "-"
        name = "standard input" if is_input else one_line(photo)
        try:
            content = _standard_input(MOST_BYTES + 1) if is_input else read_photo(photo)
            found = answer(model, content, name)
        except InputError as error:
            failed.append(str(error))
            click.echo(f"hardpairs: {one_line(error)}", err=True)
            continue
        answers.append(found)
        if as_json:
            click.echo(json.dumps(found.to_dict()))
        elif as_csv:
            click.echo(csv_text([_row(found)]), nl=False)
        else:
            _print(found)
    if figure is not None and answers:
        _draw(answers, figure)
    if failed:
        raise InputError(f"{len(failed)} of {len(photos)} photos couldn't be read.")


def _standard_input(most: int) -> bytes:
    from hardpairs.reading import guarded

    if sys.stdin is None:  # Closed by whoever started this.
        raise InputError("standard input: is closed; send it a photo, or name a file.")
    with guarded("standard input", "readable"):
        return sys.stdin.buffer.read(most)


def _run_and_photos(words: tuple[Path, ...]) -> tuple[Path, tuple[Path, ...]]:
    """The run that is named before the photos; else the last one exported."""
    first, rest = words[0], words[1:]
    if _is_run(first):
        if not rest:
            raise InputError(f"{first}: is the run; name photos behind it.")
        return first, rest
    exported = sorted(SHELF.glob("*/model.onnx"), key=lambda path: path.stat().st_mtime)
    if not exported:
        raise InputError(
            f"{first}: is a photo, and no run in {SHELF}/ is exported yet; call `hardpairs "
            "run`, then `hardpairs export` with the folder it names, or name an exported run first."
        )
    click.echo(f"Predicted by {one_line(exported[-1].parent)}.", err=True)
    return exported[-1].parent, words


def _is_run(word: Path) -> bool:
    """Whether the first word is the run: a folder, a run's file, or nothing that looks a photo."""
    if word.is_file() or str(word) == "-":
        return word.suffix in RUNS_FILES
    return word.is_dir() or not word.suffix


def _draw(answers: "list[Answer]", path: Path) -> None:
    from hardpairs.files import named_file
    from hardpairs.report.canvas import save_figure
    from hardpairs.serving.figure import draw_answers

    with named_file(path) as partial:
        save_figure(draw_answers(answers), partial)
    click.echo(f"hardpairs: drew {one_line(path)}", err=True)


def _row(found: "Answer") -> list[str]:
    first = found.order[0]
    named = [found.classes[first], f"{found.probabilities[first]:.4f}"]
    codes = " ".join(doubt.code for doubt in found.doubts)
    return [found.name, *(["", ""] if found.nothing else named), codes]


def _print(found: "Answer") -> None:
    from hardpairs.wording import probability_text

    click.echo(found.name)
    pictures = _shows_pictures()
    if pictures:
        _print_pictures([found.picture], full=True)
    if not found.nothing:
        for index in found.order[:SHOWN]:
            share = probability_text(found.probabilities[index])
            click.echo(f"  {share:>6}  {one_line(found.classes[index])}")
    for doubt in found.doubts:
        click.echo(f"  Doubt: {doubt.sentence}")
    if found.nothing:
        return
    if found.pair:
        click.echo(f"  {one_line(found.pair)}")
    if found.nearest:
        names = ", ".join(f"{one_line(kept.label)} ({kept.row})" for kept in found.nearest)
        click.echo(f"  Nearest training images: {names}.")
        if pictures:
            _print_pictures([kept.picture for kept in found.nearest], full=False)


def _shows_pictures() -> bool:
    """Whether the output is a terminal that is likely to show half blocks in 256 colours."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    plain = os.environ.get("TERM") in ("dumb", "linux", "vt100") or "NO_COLOR" in os.environ
    return sys.stdout.isatty() and encoding == "utf8" and not plain


def _print_pictures(pictures: "list[np.ndarray]", *, full: bool) -> None:
    """Print pictures side by side, in full or at half their size, as many as fit."""
    from hardpairs.serving.answer import half_blocks, halved

    if not full:
        pictures = [halved(picture) for picture in pictures]
    most = max(1, (shutil.get_terminal_size().columns - 2) // (pictures[0].shape[1] + 1))
    for line in zip(*map(half_blocks, pictures[:most]), strict=True):
        click.echo("  " + " ".join(line))
