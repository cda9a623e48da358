"""`explore`: from arrays in memory to a report, in one call."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.images import data_truth, join_images, joined_subject
from hardpairs.analysis.subject import Subject
from hardpairs.data.memory import shown_images, to_images, white_on_black
from hardpairs.errors import InputError
from hardpairs.files import make_folder, named_file, write_text
from hardpairs.predictions.frames import is_frame, picture_column
from hardpairs.predictions.memory import check_options, make_predictions
from hardpairs.report.notebook import show_report
from hardpairs.report.page.render import render_report
from hardpairs.report.write import write_analysis

PAGE = (".html", ".htm")
# What nobody means to be a folder, as "run_v1.2" may be.
OTHER_FILES = (
    *(".pdf", ".png", ".jpg", ".jpeg", ".svg", ".webp", ".md", ".txt", ".json", ".csv", ".tsv"),
    *(".xlsx", ".docx", ".pptx", ".ipynb", ".npz", ".pkl", ".parquet", ".zip", ".gz", ".xhtml"),
    *(".mhtml", ".tex", ".xml", ".yaml"),
)


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
            path: A file whose name ends in .html, or a folder; what is missing of it is made.

        Returns:
            The page's path.

        Raises:
            InputError: It can't be written there, or is named as a file of another kind.
        """
        path = _place(path)
        if path.suffix.lower() in PAGE and not path.is_dir():
            make_folder(path.parent)
            with named_file(path) as partial:
                write_text(partial, render_report(self.subject))
            return path
        write_analysis(self.subject, path)
        return path / "report.html"

    def __repr__(self) -> str:
        return f"Report of {self.subject.predictions!r}; save it with .save('report.html')"

    def to_frame(self, what: str = "mistakes") -> Any:
        """A DataFrame of the mistakes or of another table, see `Subject.to_frame`."""
        return self.subject.to_frame(what)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for notebooks."""
        return show_report(self.subject)


def _place(path: str | Path) -> Path:
    """Where to write; InputError where the name isn't that of a page or a folder."""
    place = Path(path).expanduser()
    if not str(path) or (place.suffix.lower() in OTHER_FILES and not place.is_dir()):
        raise InputError(
            f"{str(path)!r}: a report is a page, as report.html, or a folder of all its files; "
            "name one of these (a browser prints the page as PDF)."
        )
    if place.is_file() and place.suffix.lower() not in PAGE:
        raise InputError(f"{path}: is a file; name a page, as report.html, or a folder.")
    return place


def _pictures(frame: Any) -> Any:
    """The column of pictures of a frame, or of a whole dataset of Hugging Face."""
    pictures = picture_column(frame)
    if pictures is None:
        raise InputError(
            f"images are a {type(frame).__name__} without a column 'image' of pictures; give the "
            "column that holds them or their paths."
        )
    return pictures


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
        images: N images in whatever form, see `hardpairs.data.memory.to_images`; a frame with a
            column ``image``, which one in place of the labels may have, too; or as ``data``.
        data: Where the images are instead: a dataset's name, a folder or a file. Predictions
            without labels (None) get those of the data.
        more: ``ids`` (N file names or numbers), ``embeddings`` (N, D), ``logits=True``.

    Returns:
        The report; ``.save("report.html")`` writes it.

    Raises:
        InputError: Something doesn't fit together (see the message).

    >>> probabilities = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]
    >>> explore([0, 1, 1, 0], probabilities, class_names=["cat", "dog"]).evaluation.accuracy
    0.75
    """
    check_options("explore", more, "images", "data")
    if isinstance(images, str | Path):
        data, images = images if data is None else data, None
    if is_frame(images):
        images = _pictures(images)
    source = None if data is None else str(data)
    truth = None if source is None else partial(data_truth, source)
    predictions = make_predictions(
        labels, probabilities, class_names=class_names, truth=truth, **more
    )
    if source is not None and images is None:
        return Report(joined_subject(join_images(predictions, source), source))
    notes: tuple[str, ...] = ()
    given = images if images is not None else predictions.images
    if given is not None:
        (given,), notes = to_images(given)
    elif probabilities is None and (pictures := picture_column(labels)) is not None:
        given, notes = shown_images(pictures)
    inverted = given is not None and white_on_black(given)
    return Report(Subject(predictions, images=given, inverted=inverted, notes=notes))
