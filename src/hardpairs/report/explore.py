"""`explore`: from arrays in memory to a report, in one call."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.joining import join
from hardpairs.analysis.subject import Subject
from hardpairs.arrays import to_numpy
from hardpairs.data.datasets import dataset_name, load_class_names, load_split
from hardpairs.errors import InputError
from hardpairs.files import write_text
from hardpairs.predictions.memory import make_predictions
from hardpairs.report.page.render import render_report
from hardpairs.report.write import write_analysis

FRAME_HEIGHT = 720  # Pixels that a notebook gives the page.


@dataclass(frozen=True, repr=False)
class Report:
    """An analysis that can be looked at, asked and saved.

    Attributes:
        subject: Everything it is made from and everything that follows; see `Subject`.
    """

    subject: Subject

    @property
    def evaluation(self) -> Evaluation:
        """Accuracy, every class, the confusion matrix, the hard pairs."""
        return self.subject.evaluation

    @property
    def notes(self) -> tuple[str, ...]:
        """What was converted or left out, a sentence each."""
        return self.subject.remarks

    def save(self, path: str | Path) -> Path:
        """Write the page, or into a folder the page and everything else.

        Args:
            path: A file whose name ends in .html, or a folder, which is made where missing.

        Returns:
            The page's path.

        Raises:
            InputError: It can't be written there.
        """
        path = Path(path)
        if path.suffix.lower() in (".html", ".htm"):
            write_text(path, render_report(self.subject))
            return path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{path}: can't be made ({error.strerror}); name a folder you may write to."
            ) from error
        write_analysis(self.subject, path)
        return path / "report.html"

    def __repr__(self) -> str:
        return f"Report of {self.subject.predictions!r}; save it with .save('report.html')"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for notebooks."""
        page = base64.b64encode(render_report(self.subject).encode("utf-8")).decode("ascii")
        return (
            f'<iframe src="data:text/html;base64,{page}" sandbox="allow-scripts" '
            f'style="width: 100%; height: {FRAME_HEIGHT}px; border: 0"></iframe>'
        )


def explore(
    labels: Any,
    probabilities: Any = None,
    *,
    images: Any = None,
    class_names: Any = None,
    data: str | Path | None = None,
    **more: Any,
) -> Report:
    """Show which classes a classifier mixes up, on which images.

    Args:
        labels, probabilities, class_names: See `hardpairs.predictions.memory.make_predictions`;
            in place of both also a frame, `Predictions`, or a predictions file's path.
        images: N images: uint8 (N, H, W) or (N, H, W, C), or None.
        data: Where the images are instead: a dataset's name or folder.
        more: ``ids`` (N file names or numbers), ``embeddings`` (N, D), ``logits=True``.

    Returns:
        The report; ``.save("report.html")`` writes it.

    Raises:
        InputError: Something doesn't fit together (see the message).

    >>> probabilities = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]
    >>> explore([0, 1, 1, 0], probabilities, class_names=["cat", "dog"]).evaluation.accuracy
    0.75
    """
    predictions = make_predictions(labels, probabilities, class_names=class_names, **more)
    given = images if images is not None else predictions.images
    if data is None:
        return Report(Subject(predictions, images=_in_memory(given)))
    split = load_split(data, "train" if predictions.split == "train" else "test")
    joined = join(predictions, split, load_class_names(data), str(data))
    return Report(
        Subject(
            joined.predictions,
            images=_in_memory(given) if given is not None else joined.images,
            inverted=joined.inverted,
            dataset=dataset_name(data),
        )
    )


def _in_memory(images: Any) -> Any:
    """Images as the analysis takes them."""
    if images is None:
        return None
    if isinstance(images, list | tuple):
        return images if images and hasattr(images[0], "ndim") else to_numpy(images, "images")
    return to_numpy(images, "images")
