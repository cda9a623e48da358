"""An exported net, asked through ONNX Runtime: what `hardpairs export` wrote, read with care."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.foreign import reason_of
from hardpairs.npz import read_npz
from hardpairs.serving.likeness import NEAREST, QUANTILES, TYPICAL, Likeness
from hardpairs.serving.preparation import Preparation
from hardpairs.training.threads import available_cores

EXPORT_NEEDS = "exporting needs Keras and tf2onnx; pip install 'hardpairs[export]'."
FORMAT = 1
MOST_MODEL_BYTES = 2**30
MOST_NEAREST_BYTES = 2**28
BATCH = 64  # What goes through the net at once: it stays in a processor's cache.


@dataclass(frozen=True)
class Pair:
    """How often two classes are mixed up.

    Attributes:
        first, second: The classes, by index.
        model: Share of the two classes' test images that the net took for the other one.
        people: Share of people's votes that do so, None where unknown.
    """

    first: int
    second: int
    model: float
    people: float | None


@dataclass(frozen=True)
class Description:
    """What the file says of its net.

    Attributes:
        classes: K names.
        preparation: How photos are prepared.
        accuracy: On the run's test images.
        recipe, data: What was trained on what; foreign text.
        pairs: By their two classes' indices, the smaller first.
    """

    classes: tuple[str, ...]
    preparation: Preparation
    accuracy: float
    recipe: str
    data: str
    pairs: dict[tuple[int, int], Pair]


class Session:
    """A net in ONNX Runtime: uint8 images in, probabilities and the hidden layer out."""

    def __init__(self, content: bytes, name: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError(
                "predicting needs ONNX Runtime; pip install 'hardpairs[serve]'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = available_cores()
        options.log_severity_level = 4
        # Threads that wait without sleeping take a core from whoever else needs it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # From bytes: a file that names other files to be read finds none.
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            (given,) = self._session.get_inputs()
            outputs = {output.name: output for output in self._session.get_outputs()}
            height, width, channels = given.shape[1:]
            self.shape = height, width, channels
            self.classes: int = outputs["probabilities"].shape[1]
            self.hidden_values: int = outputs["hidden"].shape[1]
            sizes = (*self.shape, self.classes, self.hidden_values)
            if given.type != "tensor(uint8)" or len(sizes) != 5:
                raise ValueError(f"takes {given.type} of shape {given.shape}")
            if not all(isinstance(size, int) and size > 0 for size in sizes):
                raise ValueError(f"has sizes {sizes}")
        except Exception as error:
            # ONNX Runtime's exceptions have no common class.
            raise InputError(
                f"{name}: isn't a net that hardpairs exported ({reason_of(error)}); "
                "export the run again."
            ) from error
        self._input = given.name
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities float32 (N, K) and hidden float32 (N, D) of uint8 (N, H, W, C)."""
        starts = range(0, max(len(images), 1), BATCH)  # Of no image the shapes are right as well.
        batches = (images[start : start + BATCH] for start in starts)
        parts = [
            self._session.run(
                ["probabilities", "hidden"], {self._input: np.ascontiguousarray(batch)}
            )
            for batch in batches
        ]
        probabilities, hidden = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return probabilities, hidden


@dataclass(frozen=True)
class ExportedModel:
    """A net ready to be asked, what is known of it, and its training images where they are kept."""

    session: Session
    description: Description
    likeness: Likeness | None
    folder: Path


def open_session(path: Path) -> Session:
    """Open a net.

    Raises:
        InputError: Missing, too large, or not what `hardpairs export` writes.
    """
    return Session(_read(path), str(path))


def load_exported(folder: Path) -> ExportedModel:
    """Load what `hardpairs export` wrote into a folder.

    Raises:
        InputError: model.onnx is missing or isn't what `hardpairs export` writes, or nearest.npz
            is damaged. One that belongs to another net is passed over.
    """
    path = folder / "model.onnx"
    if not path.is_file():
        raise _no_net(folder)
    content = _read(path)
    session = Session(content, str(path))
    try:
        description = _read_description(session)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError) as error:
        raise InputError(
            f"{path}: isn't described as hardpairs describes nets ({error}); export the run again."
        ) from error
    return ExportedModel(
        session, description, _read_likeness(folder / "nearest.npz", content, session), folder
    )


def _no_net(folder: Path) -> InputError:
    """Say what stands in the place of an exported net, and what to do."""
    if folder.is_file():
        return InputError(f"{folder}: is a file; name the folder of a run.")
    if not folder.is_dir():
        return InputError(f"{folder}: is no folder here; name that of a run.")
    if (folder / "model.keras").is_file():
        missing = f"{folder / 'model.onnx'}: is missing"
        return InputError(f"{missing}; write it with `hardpairs export {folder}`.")
    for file, advice in (("model.onnx", "name one"), ("model.keras", "export one, then name it")):
        inside = sorted(path.parent for path in folder.glob(f"*/{file}"))
        if inside:
            return InputError(f"{folder}: holds runs, as {inside[-1]}; {advice}.")
    return InputError(
        f"{folder}: holds no exported net, no model.onnx; name a run that `hardpairs export` was "
        "called for."
    )


def _read_description(session: Session) -> Description:
    kept = json.loads(session.metadata["hardpairs"])
    if kept["format"] != FORMAT:
        raise InputError(f"it has format {kept['format']!r}, this hardpairs reads {FORMAT}")
    classes = tuple(str(name) for name in kept["classes"])
    preparation = Preparation.from_dict(kept["preparation"])
    shape = preparation.height, preparation.width, preparation.channels
    if len(classes) != session.classes or shape != session.shape:
        raise InputError("the description is of another net")
    return Description(
        classes,
        preparation,
        float(kept["accuracy"]),
        str(kept["recipe"]),
        str(kept["data"]),
        {(pair.first, pair.second): pair for pair in map(_pair, kept["pairs"])},
    )


def _pair(row: dict[str, Any]) -> Pair:
    first, second = row["classes"]
    people = row.get("people")
    return Pair(
        int(first), int(second), float(row["model"]), None if people is None else float(people)
    )


def _read_likeness(path: Path, content: bytes, session: Session) -> Likeness | None:
    if not path.is_file():
        return None
    names = ("directions", "vectors", "labels", "rows", "images", "typical", "distances", "model")
    what = "what belongs to the net; export the run again"
    arrays = read_npz(path, names, most_bytes=MOST_NEAREST_BYTES, what=what)
    if str(arrays.get("model")) != hashlib.sha256(content).hexdigest():
        return None
    del arrays["model"]
    try:
        likeness = Likeness(**arrays)
        count, width = likeness.vectors.shape
        sound = (
            likeness.directions.shape == (session.hidden_values, width)
            and likeness.labels.shape == likeness.rows.shape == (count,)
            and len(likeness.images) == count >= NEAREST
            and likeness.images.ndim == 4
            and likeness.images.dtype == np.uint8
            and likeness.distances.shape == QUANTILES.shape
            and likeness.typical.shape == (session.classes, TYPICAL)
            and -1 <= likeness.typical.min() <= likeness.typical.max() < count
            and 0 <= likeness.labels.min() <= likeness.labels.max() < session.classes
        )
    except (TypeError, ValueError, AttributeError):
        sound = False
    if not sound:
        raise InputError(f"{path}: doesn't hold what belongs to the net; export the run again.")
    return Likeness(
        **{
            **vars(likeness),
            "vectors": likeness.vectors.astype(np.float32),
            "directions": likeness.directions.astype(np.float32),
        }
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_MODEL_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); check the path.") from error
    if len(content) > MOST_MODEL_BYTES:
        raise InputError(f"{path}: is larger than {MOST_MODEL_BYTES:,} bytes; it isn't such a net.")
    return content
