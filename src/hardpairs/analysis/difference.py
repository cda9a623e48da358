"""Difference: what side B fixes and breaks of side A's predictions, and whether it is luck."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.alignment import align
from hardpairs.analysis.changes import (
    Change,
    class_changes,
    hardest_pairs,
    measure_change,
    pair_changes,
    points,
)
from hardpairs.analysis.sides import (
    Run,
    Side,
    as_subjects,
    describe_sides,
    file_names,
    first_subjects,
    lone_side,
    match_seeds,
)
from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS, judge_images
from hardpairs.predictions.found import Hints
from hardpairs.predictions.predictions import Predictions
from hardpairs.showing import as_frame, as_html

SCHEMA_VERSION = 1
KEPT_PAIRS = 10


@dataclass(frozen=True)
class ClassChange:
    """The change of one class's recall; ``index`` is into the class names."""

    index: int
    name: str
    change: Change


@dataclass(frozen=True)
class PairChange:
    """The change of the mistakes between two classes, both directions, among all their images.

    Attributes:
        first, second: Class indices.
        names: Of the two.
        change: "Right" is whatever isn't taken for the other class of the pair, so its ``wrong``
            are the mistakes, ``fixed`` images no longer mixed up and ``broken`` newly mixed up.
    """

    first: int
    second: int
    names: tuple[str, str]
    change: Change


@dataclass(frozen=True)
class VerdictChange:
    """What of a difference lies in images of one verdict.

    Attributes:
        verdict: Of the side that is wrong.
        fixed, broken: Images, means over all pairs of one run of each side.
        difference: What they add to ``after - before`` of the accuracy.
    """

    verdict: str
    fixed: float
    broken: float
    difference: float


@dataclass(frozen=True, eq=False)
class Difference:
    """Side B against side A on the same images.

    Attributes:
        a, b: The two sides; ``before`` and ``after`` in every change.
        matched: Whether runs of the same seeds were compared with each other.
        class_names: K names.
        accuracy: The change of the accuracy.
        classes: The change of each class's recall.
        pairs: The change of the mistakes within the ten hardest pairs of both sides together.
        verdicts: Where the difference lies; empty where no verdicts can be given.
        notes: What was left out, and why, a sentence each.
        subjects: What the first run of each side was analysed from, row by row the same images.
        runs: All runs of each side.
    """

    a: Side
    b: Side
    matched: bool
    class_names: tuple[str, ...]
    accuracy: Change
    classes: tuple[ClassChange, ...]
    pairs: tuple[PairChange, ...]
    verdicts: tuple[VerdictChange, ...]
    notes: tuple[str, ...]
    subjects: tuple[Subject, Subject]
    runs: tuple[tuple[Predictions, ...], tuple[Predictions, ...]]

    @property
    def conclusion(self) -> str:
        """ "better", "worse" or "not significantly different": B, compared with A."""
        if not self.accuracy.significant:
            return "not significantly different"
        return "better" if self.accuracy.difference > 0 else "worse"

    @property
    def headline(self) -> str:
        """The finding in a sentence."""
        change = self.accuracy
        if self.conclusion == "not significantly different":
            return f"B is not significantly different from A ({points(change.difference)} points)"
        size = points(change.difference).lstrip("+-")
        return f"B is {self.conclusion} than A by {size} points"

    @property
    def several(self) -> bool:
        """Whether a side has several runs."""
        return max(len(side.accuracies) for side in (self.a, self.b)) > 1

    @property
    def can_tell(self) -> bool:
        """Whether there are verdicts that tell an ambiguous picture from the model's error."""
        return bool(self.verdicts) and not all(side.verdicts.alone for side in self.subjects)

    @property
    def method(self) -> str:
        """How intervals and p-values were made, in a sentence."""
        if not self.several:
            return (
                "Two fitted models: Newcombe's interval for paired proportions (1998, method 10), "
                "exact McNemar test; the spread between seeds isn't in it."
            )
        seeds = "matched seed by seed" if self.matched else "each side with seeds of its own"
        if lone := lone_side(*self.runs):
            return (
                f"{_CROSSED}, {lone}'s spread between seeds taken to be the other side's; it "
                "speaks of other seeds and other images."
            )
        return (
            f"{_CROSSED}, {seeds}; it speaks of other seeds and other images. Classes and pairs "
            "by moderated variances between seeds (Smyth 2004)."
        )

    def to_dict(self) -> dict[str, Any]:
        """What difference.json holds: plain numbers, lists and texts."""
        return {
            "schema_version": SCHEMA_VERSION,
            "headline": self.headline,
            "method": self.method,
            "images": self.accuracy.images,
            "a": asdict(self.a),
            "b": asdict(self.b),
            "matched": self.matched,
            "accuracy": self.accuracy.to_dict(),
            "classes": [{"name": each.name, **each.change.to_dict()} for each in self.classes],
            "pairs": [
                {
                    "first": each.names[0],
                    "second": each.names[1],
                    "mistakes_before": each.change.wrong[0],
                    "mistakes_after": each.change.wrong[1],
                    **each.change.to_dict(),
                }
                for each in self.pairs
            ],
            "verdicts": [asdict(each) for each in self.verdicts],
            "notes": list(self.notes),
        }

    def to_frame(self) -> Any:
        """A DataFrame with a row for all images, for each class and for each pair.

        Raises:
            InputError: Neither pandas nor Polars is installed.
        """
        rows = [("all", "", self.accuracy)]
        rows += [("class", each.name, each.change) for each in self.classes]
        rows += [("pair", " / ".join(each.names), each.change) for each in self.pairs]
        table = []
        for of, name, change in rows:
            low, high = change.interval or (None, None)
            row = {"of": of, "name": name, **change.to_dict(), "low": low, "high": high}
            table.append({key: value for key, value in row.items() if key != "interval"})
        return as_frame({key: [row[key] for row in table] for key in table[0]})

    def __repr__(self) -> str:
        return f"Difference({self.headline}; {self.accuracy.images:,} images)"

    def _repr_html_(self) -> str:
        return as_html(self)


def diff(
    a: Run | Sequence[Run],
    b: Run | Sequence[Run],
    *,
    data: str | None = None,
    votes: str | Path | None = None,
    labels: str | Path | None = None,
    hints: Hints | None = None,
    link: str = "",
) -> Difference:
    """Compare predictions of the same images: what B fixes and breaks of A's.

    Args:
        a, b: A run folder, a file of predictions, `Predictions` or what `hardpairs.explore`
            returns, or a list of several of one recipe with different seeds; images are joined by
            id or file name, classes by name.
        data, votes, labels, hints: As for `hardpairs.analysis.sources.load_subject`.
        link: Where the original images are, see `Subject`; the page links to them.

    Raises:
        InputError: They are of other images, splits or labels, or can't be read.
    """
    load = partial(load_subject, data=data, labels=labels, hints=hints)
    before = as_subjects(a, partial(load, votes=votes))
    if link:
        before[0] = replace(before[0], link=link)
    lacking = before[0].images is None
    after = as_subjects(b, load if lacking else partial(load, with_images=False))
    return compare(before, after, names=(file_names(a, "a"), file_names(b, "b")))


def compare(
    a: Sequence[Subject], b: Sequence[Subject], *, names: tuple[Sequence[str], Sequence[str]]
) -> Difference:
    """Compare what was gathered; see `diff`.

    Args:
        a, b: One subject for each run of a side; images, votes and neighbours are the first's.
        names: What each run is called where its metadata don't know its recipe.
    """
    subjects, every = (*a, *b), (*names[0], *names[1])
    aligned = align([subject.predictions for subject in subjects], every)
    runs = aligned.runs[: len(a)], aligned.runs[len(a) :]
    same_seed = match_seeds(*runs)
    matched = same_seed is not None
    if same_seed is not None:
        runs = runs[0], tuple(runs[1][place] for place in same_seed)
    firsts = (0, len(a) + (same_seed[0] if same_seed is not None else 0))
    pair = first_subjects([subjects[place] for place in firsts], firsts, aligned, runs)
    labels, class_names = runs[0][0].labels, runs[0][0].class_names
    before, after = (np.array([run.predicted for run in side]) for side in runs)
    pairs = hardest_pairs(labels, (before, after), KEPT_PAIRS)
    of_classes = class_changes(labels, before, after, matched=matched)
    of_pairs = pair_changes(labels, before, after, pairs, matched=matched)
    verdicts, reason = _verdict_changes(pair[0], pair[1], before == labels, after == labels)
    first, second = describe_sides(runs, names)
    return Difference(
        a=first,
        b=second,
        matched=matched,
        class_names=class_names,
        accuracy=measure_change(before == labels, after == labels, matched=matched),
        classes=tuple(
            ClassChange(index, class_names[index], change) for index, change in of_classes.items()
        ),
        pairs=tuple(
            PairChange(
                each.first, each.second, (class_names[each.first], class_names[each.second]), change
            )
            for each, change in zip(pairs, of_pairs, strict=True)
        ),
        verdicts=verdicts,
        notes=(*aligned.notes, *_seed_note(runs), *((reason,) if reason else ())),
        subjects=pair,
        runs=runs,
    )


_CROSSED = (
    "Two recipes: analysis of variance of seeds crossed with images (Dorfman, Berbaum, Metz 1992; "
    "Hillis 2007)"
)


def _seed_note(runs: tuple[Sequence[Predictions], Sequence[Predictions]]) -> tuple[str, ...]:
    """Say what too few seeds can't tell, as where two fitted nets differ and not their recipe."""
    if lone := lone_side(*runs):
        return (
            f"Classes and pairs aren't tested: {lone} has one run, which doesn't show how far its "
            "classes vary from seed to seed; give it two or more.",
        )
    a, b = (side[0].metadata for side in runs)
    alone = len(runs[0]) == len(runs[1]) == 1 and isinstance(a.get("recipe"), dict)
    if alone and a["recipe"] == b.get("recipe") and a.get("seed") != b.get("seed"):
        return (
            "A and B are one recipe with two seeds: what differs is these two fitted models, as "
            "any two seeds may. To compare recipes give several seeds of each, with --with.",
        )
    return ()


def _verdict_changes(
    a: Subject, b: Subject, before: np.ndarray, after: np.ndarray
) -> tuple[tuple[VerdictChange, ...], str]:
    """Divide fixed and broken images by verdict, or say why not; bool (S, N) and (T, N)."""
    reason = a.verdicts.reason or b.verdicts.reason
    if reason:
        return (), reason
    right = before.mean(axis=0), after.mean(axis=0)
    fixed, broken = right[1] * (1 - right[0]), right[0] * (1 - right[1])
    of_fixed, of_broken = (
        np.bincount(judge_images(side.evidence), weights=each, minlength=len(VERDICTS))
        for side, each in ((a, fixed), (b, broken))
    )
    return tuple(
        VerdictChange(name, float(more), float(less), float((more - less) / len(fixed)))
        for name, more, less in zip(VERDICTS, of_fixed, of_broken, strict=True)
    ), ""
