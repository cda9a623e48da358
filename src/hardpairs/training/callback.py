"""A Keras callback: predictions and the report, written when ``fit`` ends."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.subject import Subject
from hardpairs.data.memory import shown_images, white_on_black
from hardpairs.data.split import Images
from hardpairs.errors import InputError
from hardpairs.files import make_folder
from hardpairs.predictions.memory import make_predictions
from hardpairs.predictions.predictions import save_predictions
from hardpairs.report.write import write_analysis
from hardpairs.training.backend import keras

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


class ReportCallback(keras.callbacks.Callback):
    """Predicts some images when training ends, and writes what follows into a folder.

    It writes predictions.npz, report.html, metrics.json and the rest of an analysis. Put it last:
    `EarlyStopping` restores the best weights when it is called, not before. What is wrong with
    the labels or the names is told before training; any failure after it is a warning, so that
    ``fit`` returns and the trained model isn't lost.
    """

    def __init__(
        self,
        inputs: Any,
        labels: Any,
        folder: str | Path,
        *,
        class_names: Any = None,
        images: Any = None,
    ) -> None:
        """Remember what to predict.

        Args:
            inputs: What the model takes, N of them; images that it wasn't trained on.
            labels, class_names: As for `hardpairs.explore`. Labels None: the inputs are batches of
                (images, labels), as a ``tf.data.Dataset`` has them, which may know the names, too.
            folder: Where to write, made where missing.
            images: What to show, as for `hardpairs.explore`; by default the inputs, where they
                are images.

        Raises:
            InputError: The folder can't be made, or there are no labels.
        """
        super().__init__()
        if labels is inputs and not hasattr(inputs, "class_indices"):
            labels = None
        if labels is None:
            _check_pairs(inputs)
            class_names = (
                getattr(inputs, "class_names", None) if class_names is None else class_names
            )
        self.inputs, self.labels, self.class_names = inputs, labels, class_names
        self.images = images
        self.folder = Path(folder)
        make_folder(self.folder)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Check what is known by now, as if every class were as probable."""
        shape = getattr(self.model, "output_shape", None)
        classes = shape[1] if isinstance(shape, tuple) and len(shape) == 2 else None
        if classes and self.labels is not None and hasattr(self.inputs, "shape"):
            scores = np.full((len(self.inputs), classes), 1 / max(classes, 2), np.float32)
            make_predictions(self.labels, scores, class_names=self.class_names)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Write."""
        try:
            inputs, labels, scores = self._predict()
            predictions = make_predictions(labels, scores, class_names=self.class_names)
            save_predictions(predictions, self.folder / "predictions.npz")
            images, notes = self._images(inputs)
            curves = self.model.history.history
            write_analysis(
                Subject(
                    predictions,
                    images=images,
                    inverted=images is not None and white_on_black(images),
                    history={name: curves[name] for name in CURVES if name in curves},
                    notes=notes,
                ),
                self.folder,
            )
        except Exception as error:  # Whatever it is: what was trained is worth more than a report.
            warnings.warn(f"no report was written: {error}", stacklevel=2)

    def _predict(self) -> tuple[Any, Any, Any]:
        """The inputs, their labels, and scores; of a set of batches all from one pass."""
        if self.labels is not None:
            return self.inputs, self.labels, self.model.predict(self.inputs, verbose=0)
        batches = [(*batch[:2], self.model.predict_on_batch(batch[0])) for batch in self.inputs]
        inputs, labels, scores = map(list, zip(*batches, strict=True))
        return inputs, labels, np.concatenate(scores)

    def _images(self, inputs: Any) -> tuple[Images | None, tuple[str, ...]]:
        """What to show, and sentences on it; inputs that can't be shown are left out."""
        if self.images is None:
            first = inputs[0] if isinstance(inputs, list) else inputs
            if getattr(first, "ndim", 0) != 4:
                return None, ()
        return shown_images(inputs if self.images is None else self.images)


def _check_pairs(inputs: Any) -> None:
    """Raise InputError where inputs without labels aren't batches of both, or have no end."""
    is_endless = isinstance(inputs, Iterator) or (
        hasattr(inputs, "cardinality") and int(inputs.cardinality()) == -1
    )
    if is_endless:
        raise InputError("the inputs are read once or without end; give a set that ends.")
    is_set = hasattr(inputs, "__iter__") and not hasattr(inputs, "shape")
    first = next(iter(inputs), None) if is_set else None
    if not isinstance(first, tuple | list) or len(first) < 2:
        raise InputError(
            "labels are None, and the inputs aren't batches of (images, labels), as a "
            "tf.data.Dataset has them; give the labels."
        )
