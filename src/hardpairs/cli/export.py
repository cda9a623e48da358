"""`hardpairs export`."""

from importlib.util import find_spec
from pathlib import Path

import click

from hardpairs.cli.options import file_path
from hardpairs.errors import InputError
from hardpairs.training.start import start_keras

MODULES = ("keras", "onnx", "onnxruntime", "tf2onnx")  # Of the extra.


@click.command()
@click.argument("run", type=file_path)
@click.option("--out", type=file_path, help="Folder to write to; by default the run's own.")
def export(run: Path, out: Path | None) -> None:
    """Write a run's net as ONNX, to be used without Keras.

    model.onnx takes bytes and gives probabilities; model.json has the class names and how photos
    are prepared; nearest.npz has training images to compare with. A folder of these three is all
    that predicting needs, here or elsewhere.
    """
    if not run.is_dir():  # Said at once, before Keras is imported.
        raise InputError(f"{run}: isn't a folder; give one that `hardpairs run` made.")
    inside = sorted(path.parent for path in run.glob("*/model.keras"))
    if inside and not (run / "model.keras").is_file():
        raise InputError(f"{run}: holds runs; name one, as {inside[-1]}.")
    if not all(map(find_spec, MODULES)):
        from hardpairs.serving.model import EXPORT_NEEDS

        raise InputError(EXPORT_NEEDS)
    start_keras()
    from hardpairs.serving.export import export_run

    exported = export_run(run, out or run)
    for path in exported.files:
        click.echo(f"{path}  {path.stat().st_size:,} bytes")
    click.echo(
        f"Against Keras, on {exported.compared:,} images: {exported.same_class:,} with the same "
        f"class, probabilities at most {exported.largest_difference:.1e} apart."
    )
    for note in exported.notes:
        click.echo(note, err=True)
