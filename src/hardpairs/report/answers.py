"""The answer sheet: what the homework asks, answered with one run's figures, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from hardpairs.analysis.calibration import plain_points
from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.foreign import spoken_names
from hardpairs.report.describe import (
    describe,
    finding,
    image_noun,
    ratio_texts,
    separates,
    split_name,
    stands_out,
)
from hardpairs.report.markdown import markdown_environment
from hardpairs.report.names import without_letters
from hardpairs.wording import counted, percent

SHOWN_PAIRS = 3
SHOWN_CLASSES = 100


def render_answers(subject: Subject, pictures: Mapping[str, str]) -> str:
    """Fill in the sheet.

    Args:
        subject: What it tells of.
        pictures: File names of the pictures there are, by their usual names, as "pairs.png".
    """
    evaluation, metrics, about = subject.evaluation, subject.metrics, subject.about
    names = spoken_names(evaluation.class_names)
    environment = markdown_environment()
    environment.filters["plain_points"] = lambda share: Markup(plain_points(share))
    environment.filters["images_of"] = _images_of
    environment.filters["listed"] = _listed
    return environment.get_template("answers.md.jinja").render(
        title="What the model mixes up, and why",
        described=describe(subject),
        origin=_origin(subject.predictions.metadata),
        image=image_noun(subject.predictions),
        images=split_name(subject.predictions),
        seed=_plain(subject.predictions.metadata, "seed", int),
        evaluation=evaluation,
        classes=_classes(evaluation, names),
        left_out=max(len(names) - SHOWN_CLASSES, 0),
        pictures=pictures,
        pairs=[
            _pair(subject, names, rank)
            for rank in range(min(SHOWN_PAIRS, len(evaluation.hard_pairs)))
        ],
        none_stands_out="" if stands_out(evaluation) else finding(evaluation, names),
        hardest=_hardest(subject, names),
        nothing_wrong=evaluation.correct == evaluation.images,
        class_votes=subject.class_votes,
        verdicts=metrics["verdicts"],
        calibration=metrics["calibration"],
        shared=_shared(evaluation, metrics),
        paragraphs=about.paragraphs if about is not None else (),
        # Why there are no verdicts stands where they would.
        notes=(
            *(each for each in subject.remarks if each != metrics["verdicts"]["reason"]),
            *_renamed(evaluation.class_names),
        ),
    )


def _images_of(count: int, name: str) -> str:
    return f"{'image' if count == 1 else 'images'} of {name}"


def _listed(items: Iterable[str]) -> str:
    """Join as a sentence does.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last


def _renamed(names: Sequence[str]) -> list[str]:
    count = without_letters(names)
    if not count:
        return []
    if count == 1:
        return ["1 class has a number in the figures: no font here has its letters."]
    return [f"{count:,} classes have numbers in the figures: no font here has their letters."]


def _plain(metadata: Mapping[str, Any], key: str, kind: type) -> Any:
    """A fact of foreign metadata, None where it is missing or of another kind."""
    value = metadata.get(key)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _origin(metadata: Mapping[str, Any]) -> list[str]:
    """How a run was trained, in sentences, as far as its metadata tells."""
    sentences = []
    recipe = metadata.get("recipe")
    net = recipe.get("net", recipe.get("model")) if isinstance(recipe, dict) else None
    parameters = _plain(metadata, "parameters", int)
    if isinstance(net, str) and parameters is not None:
        sentences.append(f"Net {net} with {parameters:,} parameters.")
    images, seconds = _plain(metadata, "train_images", int), _plain(metadata, "fit_seconds", float)
    if images is not None and seconds is not None:
        more, epochs = metadata.get("held_out_images"), _plain(metadata, "epochs", int)
        sentences.append(
            f"Trained on {counted(images, 'image')}"
            + (f" ({more:,} more held out)" if more and isinstance(more, int) else "")
            + f" in {seconds:.1f} s"
            + (f", {epochs} epoch{'' if epochs == 1 else 's'}" if epochs is not None else "")
            + "."
        )
    kept = _plain(metadata, "kept_epoch", int)
    if kept:
        sentences.append(f"The weights of epoch {kept} were kept.")
    return sentences


def _classes(evaluation: Evaluation, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": names[index],
            **dict(zip(("precision", "recall", "f1"), ratio_texts(score), strict=True)),
            "support": score.support,
            "mark": evaluation.marks.get(index, ""),
        }
        for index, score in enumerate(evaluation.classes[:SHOWN_CLASSES])
    ]


def _shared(evaluation: Evaluation, metrics: dict[str, Any]) -> dict[str, Any] | None:
    """How many of the hardest class's mistakes people share, None where nobody was asked."""
    people = metrics["people"]
    shared = people["classes"][evaluation.hardest] if people else None
    return shared if shared and shared["mistakes"] else None


def _pair(subject: Subject, names: list[str], rank: int) -> dict[str, Any]:
    pair, class_votes = subject.evaluation.hard_pairs[rank], subject.class_votes
    there = None if class_votes is None else float(class_votes[pair.first, pair.second])
    back = None if class_votes is None else float(class_votes[pair.second, pair.first])
    return {
        "first": names[pair.first],
        "second": names[pair.second],
        "pair": pair,
        "human_first": there,
        "human_second": back,
        "harder_for_people": there is not None
        and back is not None
        and there + back > pair.first_share + pair.second_share,
        "separates": separates(subject, pair.first, pair.second),
    }


def _hardest(subject: Subject, names: list[str]) -> dict[str, Any] | None:
    """None where nothing is wrong, or all classes are as hard."""
    evaluation, shares = subject.evaluation, subject.class_votes
    index = evaluation.hardest
    if not evaluation.marks:
        return None
    row, images = evaluation.row(index), subject.images
    score, right = evaluation.classes[index], int(row[index])
    order = [c for c in np.argsort(-row, kind="stable") if c != index and row[c]]
    taken_for = [
        {
            "name": names[column],
            "voted": ""
            if shares is None
            else f"{percent(shares[index, column], 0)} go to {names[column]}",
            "separates": separates(subject, index, int(column)),
        }
        for column in order
    ]
    return {
        "name": names[index],
        "as_hard": _as_hard(evaluation, names),
        "found": _found(score.support, right, names[index]),
        "mistakes": score.support - right,
        "taken_for": taken_for[:SHOWN_PAIRS],
        "taken_for_told": _told([(names[c], int(row[c])) for c in order]),
        "wrongly": _wrongly(evaluation, names[index]),
        "gray_values": (
            images.shape[1] * images.shape[2]
            if subject.about is not None and isinstance(images, np.ndarray)
            else None
        ),
        "human_right": None if shares is None else float(shares[index, index]),
        "human_best": None if shares is None else float(np.diag(shares).max()),
        "human_best_name": None if shares is None else names[int(np.diag(shares).argmax())],
    }


def _told(others: list[tuple[str, int]]) -> str:
    """Names with their counts, as in a sentence: the first few, and how many more are of others."""
    if len(others) <= SHOWN_PAIRS + 1:
        return _listed(f"{name} ({count:,})" for name, count in others) if others else ""
    rest = sum(count for _, count in others[SHOWN_PAIRS:])
    return _listed(
        [*(f"{name} ({count:,})" for name, count in others[:SHOWN_PAIRS]), f"others ({rest:,})"]
    )


def _as_hard(evaluation: Evaluation, names: list[str]) -> str:
    """Which other classes have the hardest class's F1 as well, in a sentence; "" for none."""
    others = [
        names[index]
        for index, mark in evaluation.marks.items()
        if mark == "hardest" and index != evaluation.hardest
    ]
    if not others:
        return ""
    told = _listed(others) if len(others) <= SHOWN_PAIRS else f"{len(others):,} other classes"
    return f"No class has a lower F1; {told} {'has' if len(others) == 1 else 'have'} the same."


def _found(support: int, right: int, name: str) -> str:
    """How many images of a class are found, in a sentence."""
    images = _images_of(support, name)
    if support == 1:
        return f"The model {'finds' if right else 'misses'} the only {images}."
    if right in (0, support):
        return f"The model finds {'all' if right else 'none of the'} {support:,} {images}."
    missed = f"misses {support - right:,}"
    return f"The model finds {percent(right / support)} of the {support:,} {images} and {missed}."


def _wrongly(evaluation: Evaluation, name: str) -> str:
    """How many images are wrongly taken for the hardest class, in a sentence; "" for none."""
    cells = evaluation.cells[evaluation.cells[:, 1] == evaluation.hardest]
    taken, wrong = (
        int(part[:, 2].sum()) for part in (cells, cells[cells[:, 0] != evaluation.hardest])
    )
    if not taken:
        return f"It takes no image for {name}."
    if taken == 1:
        return f"The only image that it takes for {name} is of another class." if wrong else ""
    verb = "is" if wrong == 1 else "are"
    told = f"Of the {taken:,} images that it takes for {name}, {wrong:,} {verb} of another class."
    return told if wrong else ""
