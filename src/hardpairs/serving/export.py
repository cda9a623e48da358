"""A run's net as ONNX, with all that predicting a photo needs beside it. Needs Keras."""

import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import Evaluation, evaluate, find_hard_pairs
from hardpairs.data.about import load_class_votes
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Split
from hardpairs.errors import InputError
from hardpairs.files import made_folder, whole_file, write_text
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions
from hardpairs.serving.likeness import measure_likeness
from hardpairs.serving.model import EXPORT_NEEDS, FORMAT, Session, open_session
from hardpairs.serving.preparation import Preparation, measure_preparation
from hardpairs.training.backend import keras
from hardpairs.training.stored_model import load_model

COMPARED = 1_000
MOST_PAIRS = 500


@dataclass(frozen=True)
class Exported:
    """What was written, and how far ONNX Runtime's probabilities are from Keras' own.

    Attributes:
        files: The files, in the order written.
        compared: Images that both were asked about.
        largest_difference: Of any probability.
        same_class: Images for which both name the same class.
        notes: What was left out, and why; a sentence each.
    """

    files: tuple[Path, ...]
    compared: int
    largest_difference: float
    same_class: int
    notes: tuple[str, ...]


def export_run(run: Path, folder: Path) -> Exported:
    """Write model.onnx, model.json and nearest.npz of a run.

    model.onnx takes bytes, "images" uint8 (N, H, W, C), and gives "probabilities" float32 (N, K)
    and "hidden" float32 (N, D), what its last layer is given. Its metadata say how photos are
    prepared, and model.json says the same for other programs.

    Args:
        run: A run's folder, as `hardpairs run` makes it.
        folder: Where to write, made where missing; the run's own is usual.

    Raises:
        InputError: It isn't a run with a net, or the folder can't be written.
    """
    for name in ("predictions.npz", "environment.json", "model.keras"):
        if not (run / name).is_file():
            raise InputError(f"{run / name}: is missing; give a folder that `hardpairs run` made.")
    with made_folder(folder):
        return _export(run, folder)


def _export(run: Path, folder: Path) -> Exported:
    predictions = load_predictions(run / "predictions.npz")
    net = load_model(run)
    notes: list[str] = []
    height, width, channels = net.input_shape[1:]
    shape = height, width, channels
    splits = _find_splits(predictions, shape, notes)
    described = _describe(predictions, splits, shape)
    with whole_file(folder / "model.onnx") as partial:
        write_onnx(net, described, partial)
        session = open_session(partial)
        images = splits[1].pixels[:COMPARED] if splits else _noise(shape)
        difference, same = _compare(net, session, images)
        classes = len(predictions.class_names)
        nearest = measure_likeness(session.predict, *splits, classes) if splits else None
        content = hashlib.sha256(partial.read_bytes()).hexdigest()
        # Before the net: who finds model.onnx finds what belongs to it.
        files = _write_beside(folder, described, nearest, content)
    return Exported((folder / "model.onnx", *files), len(images), difference, same, tuple(notes))


def _find_splits(
    predictions: Predictions, shape: tuple[int, int, int], notes: list[str]
) -> tuple[Split, Split] | None:
    """The run's training and test images, where they are still what the run was given."""
    source = predictions.metadata.get("data")
    try:
        if not isinstance(source, str):
            raise InputError("the run doesn't say what it was trained on.")
        dataset = load_dataset(source)
        trained_on = predictions.metadata.get("train_fingerprint")
        if (
            dataset.class_names != predictions.class_names
            or dataset.train.fingerprint != trained_on
            or dataset.train.pixels.shape[1:] != shape
        ):
            raise InputError(f"{source}: isn't what the run was trained on.")
        return dataset.train, dataset.test
    except InputError as error:
        notes.append(f"Nearest training images and the measure of likeness are left out: {error}")
        return None


def _describe(
    predictions: Predictions, splits: tuple[Split, Split] | None, shape: tuple[int, int, int]
) -> dict[str, Any]:
    if splits:
        train = splits[0]
        preparation = measure_preparation(train.pixels, inverted=train.inverted)
    else:
        preparation = Preparation(*shape, False, max(shape[:2]), "box")
    recipe, evaluation = predictions.metadata.get("recipe"), evaluate(predictions)
    return {
        "format": FORMAT,
        "classes": list(predictions.class_names),
        "preparation": preparation.to_dict(),
        "data": str(predictions.metadata.get("data", "")),
        "recipe": str(recipe.get("name", "")) if isinstance(recipe, dict) else "",
        "accuracy": evaluation.accuracy,
        "pairs": _pairs(evaluation, predictions.fingerprint),
    }


def _pairs(evaluation: Evaluation, fingerprint: str) -> list[dict[str, Any]]:
    """The pairs mixed up most: the share of their images, and of people's votes on them."""
    people = load_class_votes(fingerprint)
    pairs: list[dict[str, Any]] = []
    for pair in find_hard_pairs(evaluation.cells, MOST_PAIRS):
        a, b = sorted((pair.first, pair.second))
        images = evaluation.classes[a].support + evaluation.classes[b].support
        row = {"classes": [a, b], "model": pair.mistakes / max(images, 1)}
        if people is not None:
            row["people"] = float(people[a, b] + people[b, a]) / 2
        pairs.append(row)
    return pairs


def write_onnx(net: "keras.Model", described: dict[str, Any], path: Path) -> None:
    """Write a net that takes bytes, through Keras' own export; see `export_run`.

    Raises:
        InputError: What exports isn't installed.
    """
    try:
        import onnx
        import tf2onnx  # noqa: F401 -- Keras' export needs it, and says so less clearly.
    except ImportError as error:
        raise InputError(EXPORT_NEEDS) from error
    layers, ops = keras.layers, keras.ops
    shape = net.input_shape[1:]
    images = layers.Input(shape, dtype="uint8", name="images")
    pixels = ops.cast(images, "float32") / 255
    # The last layer's input first: asked for together, a net's graph is walked once.
    both = keras.Model(net.inputs, [net.layers[-1].output, net.layers[-1].input])
    probabilities, hidden = both(pixels)
    whole = keras.Model(
        images, {"hidden": layers.Flatten()(hidden), "probabilities": probabilities}
    )
    whole(np.zeros((1, *shape), np.uint8))  # Keras exports what was called once.
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of Keras about NumPy, in Keras' own patch of tf2onnx.
        raw = os.path.join(place, "model.onnx")
        whole.export(raw, format="onnx", verbose=False)
        model = onnx.load(raw)
    model.producer_name, model.doc_string = "hardpairs", _prose(described)
    onnx.helper.set_model_props(model, {"hardpairs": json.dumps(described)})
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.save(model, path)


def _prose(described: dict[str, Any]) -> str:
    kept = described["preparation"]
    how = (
        f"one thing, white on black (gray, 0 is the ground), its longer side {kept['longest']} "
        f"pixels, centred by its {kept['centre']}"
        if kept["thing"]
        else "the middle of the photo, as it is"
    )
    return (
        f"Takes images, uint8 (N, {kept['height']}, {kept['width']}, {kept['channels']}): {how}. "
        "Gives probabilities, float32 (N, K), and hidden, float32 (N, D). Classes: "
        + ", ".join(described["classes"][:100])
    )


def _compare(net: "keras.Model", session: Session, images: np.ndarray) -> tuple[float, int]:
    pixels = images.astype(np.float32) / 255
    keras_own = np.concatenate(
        [np.asarray(net(pixels[i : i + 250], training=False)) for i in range(0, len(pixels), 250)]
    )
    ours, _ = session.predict(images)
    difference = float(np.abs(ours - keras_own).max())
    return difference, int((ours.argmax(1) == keras_own.argmax(1)).sum())


def _noise(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (COMPARED, *shape), dtype=np.uint8)


def _write_beside(
    folder: Path, described: dict[str, Any], nearest: dict[str, np.ndarray] | None, content: str
) -> tuple[Path, ...]:
    write_text(folder / "model.json", json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    if nearest is None:
        (folder / "nearest.npz").unlink(missing_ok=True)
        return (folder / "model.json",)
    arrays: dict[str, Any] = {"model": np.array(content), **nearest}
    with whole_file(folder / "nearest.npz") as partial:
        np.savez_compressed(partial, **arrays)
    return folder / "model.json", folder / "nearest.npz"
