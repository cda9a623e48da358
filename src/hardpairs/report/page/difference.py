"""The page of a difference: what B fixes and breaks, image by image, in one HTML file."""

from typing import Any

import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from hardpairs.analysis.changes import FORMATS, STRICTER_TEST, WIDER_INTERVALS, disagree, signed
from hardpairs.analysis.difference import Difference, PairChange
from hardpairs.analysis.evaluation import count_cells
from hardpairs.analysis.verdicts import ONE_WITNESS, VERDICTS, judge_images
from hardpairs.foreign import one_line, spoken_names
from hardpairs.report.choice import rank_within
from hardpairs.report.describe import facts
from hardpairs.report.page.both import KINDS, Both, mixed_up, see_both
from hardpairs.report.page.evidence import evidence_sentences
from hardpairs.report.page.gallery import LEAST_TOLD, ten_thousandths
from hardpairs.report.page.matrix import MOST_CLASSES_IN_FULL, head_names
from hardpairs.report.page.shell import id_text, own_files, page_environment
from hardpairs.report.page.spectrum import draw_spectrum
from hardpairs.report.page.sprites import images_sprite

MOST_IMAGES = 5_000
MOST_PROBABLE = 5
MOST_CELLS = 200
SPECTRA = 5
STYLES = ("base", "first", "matrix", "view", "difference", "print")
SCRIPTS = ("every", "common", "difference")
LEVELS = 5  # Steps of each of the two colours, see difference.css.
CLEAR = "model error"  # A broken image whose label is clear.


def render_difference(difference: Difference, *, quick: bool = False) -> str:
    """Fill in the page; every statistic on it is one of ``difference.to_dict()``.

    Args:
        difference: Of B against A.
        quick: Whether it is of a quick study; the page then says so and concludes nothing.
    """
    both = see_both(difference)
    rows, changed = choose_rows(both), both.count()
    data = _page_data(difference, both, rows)
    names = spoken_names(difference.class_names)
    environment = page_environment().overlay()
    environment.filters = {**environment.filters, **FORMATS}
    return environment.get_template("difference.html.jinja").render(
        difference=difference,
        quick=quick,
        a=one_line(difference.a.name),
        b=one_line(difference.b.name),
        names=names,
        short_names=head_names(names),
        wider_intervals=WIDER_INTERVALS,
        stricter_test=STRICTER_TEST,
        disagreement={
            "accuracy": disagree([difference.accuracy]),
            "classes": disagree(each.change for each in difference.classes),
        },
        one_witness=ONE_WITNESS,
        matrix=_matrix(difference),
        spectra=_spectra(difference, both),
        facts=[facts(side[0].metadata) for side in difference.runs],
        has_images=data["sprite"] is not None,
        carried=len(rows),
        left_out=sum(changed.values()) - len(rows),
        changed=changed,
        agreed={"fixed": int((both.gap == 1).sum()), "broken": int((both.gap == -1).sum())},
        several=difference.several,
        clear=CLEAR,
        data=htmlsafe_json_dumps(data, separators=(",", ":")),
        **own_files(STYLES, SCRIPTS),
    )


def _spectra(difference: Difference, both: Both) -> list[tuple[PairChange, Markup | None]]:
    """The hardest pairs that changed, each with its spectrum where there are probabilities."""
    changed = [pair for pair in difference.pairs if pair.change.fixed or pair.change.broken]
    return [(pair, draw_spectrum(both, pair.first, pair.second)) for pair in changed[:SPECTRA]]


def choose_rows(both: Both) -> np.ndarray:
    """int64, the images that the page carries: those that changed, see `Both.kinds`.

    First come those that most runs fix or break, and of those the ones that A or B was surest of;
    where they are more than 5,000, the surest of each cell of the matrix of A and B stay.
    """
    changed = np.flatnonzero(both.kinds >= 0)
    gap = np.abs(both.gap[changed])
    surest = np.maximum(*(_confidence(each, changed) for each in both.probabilities))
    cell = tuple(each[changed] for each in (both.labels, *both.predicted))
    classes = 1 + max(int(each.max(initial=0)) for each in cell)
    rank = rank_within(np.ravel_multi_index(cell, (classes,) * 3), -surest)
    kept = np.lexsort((-surest, rank, -gap))[:MOST_IMAGES]
    return changed[kept[np.lexsort((-surest[kept], -gap[kept]))]]


def _confidence(probabilities: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    return np.zeros(len(rows)) if probabilities is None else probabilities[rows].max(axis=1)


def _page_data(difference: Difference, both: Both, rows: np.ndarray) -> dict[str, Any]:
    """What the page's script is given: names, and one list per field of the images carried."""
    subject = difference.subjects[0]
    sprite = None
    if subject.images is not None and len(rows):
        sprite = images_sprite(subject.images, rows, inverted=subject.inverted)
    a, b = both.predicted
    of_a, of_b = both.probabilities
    return {
        "names": spoken_names(difference.class_names),
        "a": one_line(difference.a.name),
        "b": one_line(difference.b.name),
        "runs": both.runs,
        "kinds": KINDS,
        "pairs": [_pair_data(difference, pair, rows) for pair in difference.pairs],
        "link": subject.link,
        "verdicts": list(VERDICTS),
        "sprite": sprite,
        "images": {
            "id": [id_text(each) for each in both.ids[rows].tolist()],
            "true": both.labels[rows].tolist(),
            "kind": both.kinds[rows].tolist(),
            "a": a[rows].tolist(),
            "b": b[rows].tolist(),
            "ra": both.right[0][rows].tolist(),
            "rb": both.right[1][rows].tolist(),
            "pa": _most_probable(of_a, both.labels, b, rows),
            "pb": _most_probable(of_b, both.labels, a, rows),
            **_verdicts(difference, both, rows),
        },
    }


def _pair_data(difference: Difference, pair: PairChange, rows: np.ndarray) -> dict[str, Any]:
    """The classes of a pair, and the places of its images no longer and newly mixed up."""
    apart, mixed = mixed_up(difference, pair.first, pair.second)
    return {
        "classes": [pair.first, pair.second],
        "apart": np.flatnonzero(apart[rows]).tolist(),
        "mixed": np.flatnonzero(mixed[rows]).tolist(),
    }


def _most_probable(
    probabilities: np.ndarray | None, labels: np.ndarray, others: np.ndarray, rows: np.ndarray
) -> list[list[int]]:
    """[class, ten-thousandths, ...] of the likeliest classes, the label and the other's guess."""
    if probabilities is None:
        return [[] for _ in rows]
    lists = []
    for row in rows.tolist():
        shares = probabilities[row]
        count = min(MOST_PROBABLE, len(shares))
        largest = np.argpartition(-shares, count - 1)[:count]
        kept = sorted({*largest.tolist(), int(labels[row]), int(others[row])})
        kept.sort(key=lambda index: -shares[index])
        named = int(labels[row]), int(others[row])  # Told even where next to nothing.
        told = [index for index in kept if shares[index] > LEAST_TOLD or index in named]
        lists.append(np.column_stack([told, ten_thousandths(shares[told])]).ravel().tolist())
    return lists


def _verdicts(difference: Difference, both: Both, rows: np.ndarray) -> dict[str, list[Any]]:
    """Verdict and evidence of the side that is wrong, A's where both are; empty without."""
    kinds: list[int | None] = [None] * len(rows)
    evidence: list[list[str]] = [[] for _ in rows]
    if difference.verdicts:
        broken = both.kinds[rows] == KINDS.index("broken")
        for subject, mine in zip(difference.subjects, (~broken, broken), strict=True):
            judged, sentences = judge_images(subject.evidence), evidence_sentences(subject, rows)
            for place in np.flatnonzero(mine).tolist():
                kinds[place] = int(judged[rows[place]])
                evidence[place] = sentences[place]
    return {"verdict": kinds, "evidence": evidence}


def _matrix(difference: Difference) -> dict[str, Any]:
    """Cells of the confusion matrix that change, means over runs: a table and the largest changes.

    Above 40 classes there is no table. "better" is more right images and fewer mistakes, on
    whatever side of the diagonal.
    """
    labels = difference.runs[0][0].labels
    mean: dict[tuple[int, int], float] = {}
    for sign, side in ((-1, difference.runs[0]), (1, difference.runs[1])):
        for run in side:
            for true, taken_for, count in count_cells(labels, run.predicted).tolist():
                key = true, taken_for
                mean[key] = mean.get(key, 0.0) + sign * count / len(side)
    support = np.bincount(labels, minlength=len(difference.class_names))
    changes = {key: value for key, value in mean.items() if abs(value) > 1e-9}
    largest = max((abs(value) / support[true] for (true, _), value in changes.items()), default=1)
    cells: dict[tuple[int, int], dict[str, Any]] = {
        (true, taken_for): {
            "true": true,
            "predicted": taken_for,
            "images": signed(value, 1).removesuffix(".0"),
            "share": signed(100 * value / support[true], 1),
            "size": abs(value),
            "kind": "better" if (value > 0) == (true == taken_for) else "worse",
            "level": max(1, int(np.ceil(LEVELS * np.sqrt(abs(value) / support[true] / largest)))),
        }
        for (true, taken_for), value in changes.items()
    }
    classes = len(difference.class_names)
    in_full = classes <= MOST_CLASSES_IN_FULL
    return {
        "rows": [[cells.get((t, p)) for p in range(classes)] for t in range(classes)]
        if in_full
        else None,
        "list": sorted(cells.values(), key=lambda cell: -cell["size"])[:MOST_CELLS],
        "count": len(cells),
    }
