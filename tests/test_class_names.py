"""Labels and predictions that name their classes each in its own way."""

import numpy as np
import pytest

import hardpairs
from hardpairs.errors import InputError

NAMES = np.array(["ant", "bee", "cow"])
LABELS = np.arange(60) % 3
PREDICTED = np.where(np.arange(60) % 5, LABELS, (LABELS + 1) % 3)
ACCURACY = float((PREDICTED == LABELS).mean())


def accuracy(labels, predicted) -> tuple[float, tuple[str, ...], str]:
    report = hardpairs.explore(labels, predicted)
    return (
        report.evaluation.accuracy,
        report.evaluation.class_names,
        " ".join(report.subject.predictions.notes),
    )


@pytest.mark.parametrize("case", [str.upper, str.title])
def test_names_are_the_same_whatever_their_case(case):
    others = np.array([case(name) for name in NAMES])
    assert accuracy(NAMES[LABELS], others[PREDICTED])[:2] == (ACCURACY, tuple(NAMES))


def test_case_tells_classes_apart_where_one_side_has_both():
    names = np.array(["a", "A"])
    labels = np.arange(20) % 2
    assert accuracy(names[labels], names[labels])[:2] == (1.0, ("A", "a"))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("kind", [int, str])
def test_numbers_are_places_among_the_names_of_the_other_side(swapped, kind):
    named, numbered = (NAMES[LABELS], PREDICTED) if not swapped else (NAMES[PREDICTED], LABELS)
    numbered = numbered.astype(kind)
    sides = (numbered, named) if swapped else (named, numbered)
    got, names, notes = accuracy(*sides)
    assert (got, names) == (ACCURACY, tuple(NAMES))
    assert "taken as places" in notes


def test_two_sides_that_name_nothing_alike_are_refused():
    for predicted in (np.array(["x", "y", "z"])[PREDICTED], PREDICTED + 1):
        with pytest.raises(InputError, match="no class is named on both sides"):
            hardpairs.explore(NAMES[LABELS], predicted)


@pytest.mark.parametrize("absent", ["NA", "nan", "N/A"])
def test_texts_for_nothing_are_no_class(absent):
    predicted = NAMES[PREDICTED].astype(object)
    predicted[3] = absent
    with pytest.raises(InputError, match=f"some predicted classes are '{absent}'"):
        hardpairs.explore(NAMES[LABELS], predicted)
    both = np.where(LABELS == 0, absent, NAMES[LABELS])
    assert accuracy(both, both)[0] == 1.0  # As the code of a country.


def test_one_side_that_counts_from_1_is_named():
    for labels, predicted, said in (
        (LABELS + 1, PREDICTED, "The labels run from 1 to 3 and the predicted classes from 0 to 2"),
        (LABELS, PREDICTED + 1, "The predicted classes run from 1 to 3 and the labels from 0"),
    ):
        assert said in accuracy(labels, predicted)[2]
    assert "from 1" not in accuracy(LABELS, PREDICTED)[2]
