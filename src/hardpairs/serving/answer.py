"""What a net says of a photo, and when not to trust it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardpairs.analysis.neighbours import unit_rows
from hardpairs.data.pictures import FORMATS
from hardpairs.serving.likeness import Likeness, find_nearest
from hardpairs.serving.model import ExportedModel
from hardpairs.serving.photo import MOST_PIXELS, open_photo
from hardpairs.serving.prepare import NOTHING, Doubt, prepare
from hardpairs.wording import percent

UNLIKE_SHARE = 0.02  # So many of the test images would be called unlike as well.
UNSURE = 0.5
SECOND = 0.05  # A second class less probable than this isn't spoken of.
RARE = 0.005  # Nor of a pair that is mixed up less often.
UNLIKE = Doubt(
    "unlike",
    f"It looks unlike anything trained on; of the test images {UNLIKE_SHARE:.0%} do so as well.",
)
UNDECIDED = Doubt("unsure", "No class is more probable than all others together.")


@dataclass(frozen=True)
class Kept:
    """A training image that is kept with the net.

    Attributes:
        row: In the training split.
        label: Its class's name, foreign text.
        picture: uint8 (h, w, C), small.
    """

    row: int
    label: str
    picture: np.ndarray


@dataclass(frozen=True)
class Answer:
    """A prediction.

    Attributes:
        name: The photo's, foreign text.
        picture: uint8 (H, W, C), what the net saw.
        probabilities: float32 (K,).
        classes: K names, foreign text.
        nearest: The nearest kept training images, nearest first.
        typical: Those nearest to the middle of the most probable class.
        unlike: Share of the test images that are less like the training images; None unknown.
        doubts: Why not to trust it; empty where nothing speaks against it.
        pair: How often the two most probable classes are mixed up, a sentence or "".
    """

    name: str
    picture: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]
    nearest: tuple[Kept, ...]
    typical: tuple[Kept, ...]
    unlike: float | None
    doubts: tuple[Doubt, ...]
    pair: str

    @property
    def order(self) -> list[int]:
        """The classes, most probable first."""
        return np.argsort(-self.probabilities, kind="stable").tolist()

    @property
    def nothing(self) -> bool:
        """Whether the photo shows nothing: what the net says is of a black picture then."""
        return NOTHING in self.doubts

    def to_dict(self) -> dict[str, Any]:
        """As JSON: plain numbers, lists and texts; no class where the photo shows nothing."""
        first = self.order[0]
        return {
            "photo": self.name,
            "class": None if self.nothing else self.classes[first],
            "probability": None if self.nothing else float(self.probabilities[first]),
            "probabilities": {
                self.classes[index]: float(self.probabilities[index]) for index in self.order
            },
            "doubts": [{"code": d.code, "sentence": d.sentence} for d in self.doubts],
            "pair": self.pair,
            "less_like_than": self.unlike,
            "nearest": [{"train_image": kept.row, "class": kept.label} for kept in self.nearest],
            "picture": self.picture.tolist(),
        }


def answer(
    model: ExportedModel,
    content: bytes,
    name: str,
    *,
    formats: tuple[str, ...] = FORMATS,
    most_pixels: int = MOST_PIXELS,
) -> Answer:
    """Prepare a photo and ask the net about it.

    Raises:
        InputError: It is no photo, see `hardpairs.serving.photo.open_photo`.
    """
    described = model.description
    photo = open_photo(content, name, formats=formats, most_pixels=most_pixels)
    prepared = prepare(photo, described.preparation)
    (probabilities,), hidden = model.session.predict(prepared.picture[None])
    unlike = None
    nearest: tuple[Kept, ...] = ()
    typical: tuple[Kept, ...] = ()
    if model.likeness is not None:
        kept = model.likeness
        found, distances = find_nearest(kept.vectors, unit_rows(hidden) @ kept.directions)
        nearest = _kept(model, kept, found[0])
        typical = _kept(model, kept, kept.typical[int(probabilities.argmax())])
        unlike = float(np.mean(kept.distances >= distances[0, -1]))
    return Answer(
        name,
        prepared.picture,
        probabilities,
        described.classes,
        nearest,
        typical,
        unlike,
        _doubts(prepared.doubts, probabilities, unlike),
        "" if NOTHING in prepared.doubts else _pair_sentence(model, probabilities),
    )


def _doubts(
    of_photo: tuple[Doubt, ...], probabilities: np.ndarray, unlike: float | None
) -> tuple[Doubt, ...]:
    if NOTHING in of_photo:
        return of_photo
    of_net = {
        UNLIKE: unlike is not None and unlike < UNLIKE_SHARE,
        UNDECIDED: bool(probabilities.max() < UNSURE),
    }
    return (*of_photo, *(doubt for doubt, holds in of_net.items() if holds))


def _kept(model: ExportedModel, likeness: Likeness, indices: np.ndarray) -> tuple[Kept, ...]:
    return tuple(
        Kept(
            int(likeness.rows[index]),
            model.description.classes[int(likeness.labels[index])],
            likeness.images[index],
        )
        for index in indices
        if index >= 0
    )


def _pair_sentence(model: ExportedModel, probabilities: np.ndarray) -> str:
    first, second = (int(index) for index in np.argsort(-probabilities, kind="stable")[:2])
    pair = model.description.pairs.get((min(first, second), max(first, second)))
    if pair is None or pair.model < RARE or probabilities[second] < SECOND:
        return ""
    names = model.description.classes
    people = "" if pair.people is None else f", by people in {percent(pair.people, 0)} of theirs"
    cases = f"{percent(pair.model, 0)} of cases{people}"
    return f"{names[first]} or {names[second]}: this pair is mixed up in {cases}."


def half_blocks(picture: np.ndarray) -> list[str]:
    """Lines of half blocks in 24 grays, for terminals of 256 colours; two rows of pixels a line."""
    gray = picture.astype(np.float32).mean(-1)
    if len(gray) % 2:
        gray = np.pad(gray, ((0, 1), (0, 0)))
    tones = (232 + gray * 23 / 255 + 0.5).astype(int)
    return [
        "".join(
            f"\x1b[38;5;{top};48;5;{bottom}m\u2580"
            for top, bottom in zip(upper, lower, strict=True)
        )
        + "\x1b[0m"
        for upper, lower in zip(tones[::2], tones[1::2], strict=True)
    ]


def halved(picture: np.ndarray) -> np.ndarray:
    """A picture at half its size, uint8 (H // 2, W // 2, C): each pixel the mean of four."""
    height, width = picture.shape[:2]
    even = picture[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, -1)
    return np.rint(even.mean((1, 3))).astype(np.uint8)
