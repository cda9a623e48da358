"""A Keras callback: predictions and the report, written when ``fit`` ends."""

import warnings
from pathlib import Path
from typing import Any

from hardpairs.analysis.subject import Subject
from hardpairs.files import make_folder
from hardpairs.predictions.predictions import save_predictions
from hardpairs.report.explore import explore
from hardpairs.report.write import write_analysis
from hardpairs.training.backend import keras

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


class ReportCallback(keras.callbacks.Callback):
    """Predicts some images when training ends, and writes what follows into a folder.

    It writes predictions.npz, report.html, metrics.json and the rest of an analysis. Put it last:
    `EarlyStopping` restores the best weights when it is called, not before. Any failure is a
    warning, so that ``fit`` returns and the trained model isn't lost.
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
            labels, class_names: As for `hardpairs.explore`.
            folder: Where to write, made where missing.
            images: What to show, as for `hardpairs.explore`; by default the inputs, where they
                are images.

        Raises:
            InputError: The folder can't be made.
        """
        super().__init__()
        self.inputs, self.labels, self.class_names = inputs, labels, class_names
        self.images = inputs if images is None and getattr(inputs, "ndim", 0) == 4 else images
        self.folder = Path(folder)
        make_folder(self.folder)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Write."""
        try:
            scores = self.model.predict(self.inputs, verbose=0)
            found = explore(self.labels, scores, images=self.images, class_names=self.class_names)
            subject, curves = found.subject, self.model.history.history
            save_predictions(subject.predictions, self.folder / "predictions.npz")
            write_analysis(
                Subject(
                    subject.predictions,
                    images=subject.images,
                    inverted=subject.inverted,
                    history={name: curves[name] for name in CURVES if name in curves},
                ),
                self.folder,
            )
        except Exception as error:  # Whatever it is: what was trained is worth more than a report.
            warnings.warn(f"no report was written: {error}", stacklevel=2)
