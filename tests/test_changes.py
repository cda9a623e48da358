"""What is said of a change: its interval with few seeds, and its numbers as texts."""

import re

import numpy as np
import pytest

from hardpairs.analysis.changes import (
    STRICTER_TEST,
    count_text,
    disagree,
    images_text,
    measure_change,
    p_text,
    points,
)
from hardpairs.analysis.difference import Difference, diff
from hardpairs.analysis.gate import find_worse, nothing_worse
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.difference import render_summary
from hardpairs.report.page.difference import render_difference


def comparison(a, b, labels=None) -> Difference:
    """Of predicted classes, by default of images that are all of class 0."""
    labels = np.zeros(len(a), int) if labels is None else labels
    return diff(
        *(Predictions(labels, None, ("x", "y"), predicted=np.array(side)) for side in (a, b))
    )


def visible(page: str) -> str:
    body = page.split("<main")[1].split("<script", maxsplit=1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def with_broken(count: int, images: int = 1000) -> Difference:
    return comparison(np.zeros(images, int), (np.arange(images) < count).astype(int))


@pytest.mark.parametrize(("seeds", "matched"), [((2, 2), True), ((3, 3), True), ((2, 1), False)])
def test_few_seeds_that_agree_by_chance_prove_nothing(seeds, matched):
    """Equal recipes whose runs differ by chance alone, image by image."""
    rng, comparisons, named, held = np.random.default_rng(0), 400, 0, 0
    for _ in range(comparisons):
        right = rng.beta(4, 0.5, 400)
        a, b = (rng.random((count, 400)) < right for count in seeds)
        change = measure_change(a, b, matched=matched)
        named += change.significant
        low, high = change.interval
        held += low <= 0 <= high
    assert named <= 0.05 * comparisons
    assert held >= 0.95 * comparisons


def test_an_interval_ends_where_differences_do():
    change = measure_change(np.zeros((2, 1), bool), np.array([[False], [True]]), matched=True)
    assert change.interval == (-1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (points(0.00004), "+0.004"),
        (points(-0.1234), "-12.34"),
        (points(-1e-17), "+0.00"),
        (p_text(0.0496), "0.0496"),
        (p_text(0.05003), "0.05003"),
        (p_text(0.05), "0.05"),
        (p_text(1.0), "1"),
        (count_text(0.04), "0.04"),
        (count_text(12.0), "12"),
        (images_text(1.0), "1 image"),
        (images_text(0.5), "0.5 images"),
    ],
)
def test_numbers_as_texts(text, expected):
    assert text == expected


def test_it_is_said_where_the_interval_leaves_out_0_and_the_test_does_not():
    difference = with_broken(5)
    low, high = difference.accuracy.interval
    assert low < high < 0
    assert difference.accuracy.p_value > 0.05
    assert disagree([difference.accuracy])
    assert STRICTER_TEST in render_summary(difference).replace("&#39;", "'")
    assert STRICTER_TEST.split(":")[0] in visible(render_difference(difference))
    assert not disagree([with_broken(20).accuracy, with_broken(1).accuracy])


def test_one_image_in_sentences():
    difference = comparison([0], [1])
    assert "B fixes 0 images and breaks 1 (p = 1)." in render_summary(difference)
    assert "B fixes 1 image and breaks 0" in render_summary(comparison([1], [0]))
    assert "(Holm over 1 class)" in render_summary(difference)
    page = visible(render_difference(comparison([1], [0])))
    for said in (
        "of 1 image is right in A",
        "1 image fixed",
        "1 image that changed from A to B travels",
    ):
        assert said in page
    assert "all 1 classes" not in page


def test_the_gate_says_what_was_looked_at():
    worse = with_broken(2)
    assert not find_worse(worse, 0)
    assert (
        nothing_worse(0) == "Accuracy is not significantly worse by more than the 0 points allowed."
    )
    assert "the recall of any class is significantly" in nothing_worse(0.2, per_class=True)
    assert "significantly" not in nothing_worse(0.2, strict=True)
    said = render_summary(worse, (), nothing_worse(0))
    assert "not significantly worse" in said
    assert "Nothing is worse" not in said


def test_the_gate_tells_a_loss_from_what_is_allowed():
    (told,) = find_worse(with_broken(204, 100_000), 0.2, strict=True)
    assert "worse by 0.204 points" in told
    assert "more than the 0.2 allowed" in told
