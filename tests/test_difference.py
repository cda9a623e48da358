import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from hardpairs.analysis.changes import class_changes, hardest_pairs, measure_change, pair_changes
from hardpairs.analysis.comparisons import effects, make_block
from hardpairs.analysis.difference import diff
from hardpairs.analysis.significance import mcnemar, mcnemar_mid_p, newcombe_bounds
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from model_runs import runs


def test_two_models_are_counted_as_by_hand():
    a, b = runs(0.8, 1)[0], runs(0.85, 1)[0]
    difference = diff(a, b)
    right = a.predicted == a.labels, b.predicted == b.labels
    change = difference.accuracy
    assert (change.before, change.after) == pytest.approx((right[0].mean(), right[1].mean()))
    fixed, broken = (right[1] & ~right[0]).sum(), (right[0] & ~right[1]).sum()
    assert (change.fixed, change.broken) == (fixed, broken)
    both = (right[0] & right[1]).sum()
    table = both, fixed, broken, 4000 - both - fixed - broken
    assert change.interval == pytest.approx(tuple(float(end) for end in newcombe_bounds(*table)))
    assert change.p_value == pytest.approx(float(mcnemar(fixed, broken)))
    assert change.mid_p == pytest.approx(float(mcnemar_mid_p(fixed, broken)))
    assert difference.headline.startswith("B is better than A by ")
    assert diff(b, a).conclusion == "worse"
    assert diff(a, a).conclusion == "not significantly different"
    turned = diff(b, a).accuracy
    assert (turned.fixed, turned.broken) == (broken, fixed)
    assert turned.interval == pytest.approx((-change.interval[1], -change.interval[0]))


def test_classes_and_pairs_are_families_of_their_own():
    a, b = runs(0.8, 1)[0], runs(0.85, 1)[0]
    difference = diff(a, b)
    exact, intervals = [], []
    for index in range(5):
        mine = a.labels == index
        right = (a.predicted == a.labels)[mine], (b.predicted == b.labels)[mine]
        fixed, broken = (right[1] & ~right[0]).sum(), (right[0] & ~right[1]).sum()
        both = (right[0] & right[1]).sum()
        exact.append(float(mcnemar(fixed, broken)))
        rest = mine.sum() - both - fixed - broken
        intervals.append(newcombe_bounds(both, fixed, broken, rest, 0.99))  # 95% for all five.
    adjusted = multipletests(exact, method="holm")[1]
    for index, each in enumerate(difference.classes):
        assert each.change.p_value == pytest.approx(exact[index])
        assert each.change.adjusted_p == pytest.approx(adjusted[index])
        assert each.change.significant == (adjusted[index] < 0.05)
        assert each.change.interval == pytest.approx([float(end) for end in intervals[index]])
    pair = difference.pairs[0]
    for run, wrong in ((a, pair.change.wrong[0]), (b, pair.change.wrong[1])):
        there = (run.labels == pair.first) & (run.predicted == pair.second)
        back = (run.labels == pair.second) & (run.predicted == pair.first)
        assert wrong == (there | back).sum()
    assert len(difference.pairs) == 10
    assert pair.change.images == np.isin(a.labels, [pair.first, pair.second]).sum()
    adjusted = multipletests([p.change.p_value for p in difference.pairs], method="holm")[1]
    assert [p.change.adjusted_p for p in difference.pairs] == pytest.approx(adjusted)


def test_a_recipes_seeds_are_compared_as_studies_do():
    a, b = runs(0.8, 4), runs(0.85, 4)
    difference = diff(a, b[::-1])
    assert difference.matched
    assert difference.a.name == "r0.8, 4 seeds"
    (effect,) = effects(make_block(["a", "b"], [a, b]))
    change = difference.accuracy
    assert change.difference == pytest.approx(effect.gain)
    assert change.interval == pytest.approx(effect.interval)
    assert change.p_value == pytest.approx(effect.p_value)
    assert change.mid_p is None
    for one, other in zip(difference.classes, effect.classes, strict=True):
        assert one.change == other.change
    assert change.fixed - change.broken == pytest.approx(4000 * change.difference)


def test_seeds_may_be_others_and_unequal_in_number():
    few = partial(runs, images=1500)
    a = few(0.8, 3)
    for b in (few(0.85, 5), few(0.85, 3, first=7), few(0.85, 1)):
        difference = diff(a, b)
        assert not difference.matched
        lone = len(b) == 1
        assert ("B's spread between seeds taken to be" in difference.method) == lone
        assert (
            any("Classes and pairs aren't tested: B" in note for note in difference.notes) == lone
        )
        assert difference.conclusion == "better"
        low, high = difference.accuracy.interval
        assert low < difference.accuracy.difference < high
    assert not any("one recipe with two seeds" in note for note in diff(a, a).notes)
    assert any("one recipe with two seeds" in note for note in diff(a[0], a[1]).notes)
    assert not any("two seeds" in note for note in diff(a[0], few(0.85, 1, first=1)[0]).notes)
    more = [*few(0.85, 3), replace(few(0.85, 1, first=8)[0], metadata={})]
    for one, other in ((a, more), (more, a)):
        difference = diff(one, other)
        assert not difference.matched
        assert [len(side) for side in difference.runs] == [len(one), len(other)]
    unknown = [replace(run, metadata={}) for run in a]
    assert not diff(unknown, unknown).matched
    assert diff(unknown, unknown).conclusion == "not significantly different"


def test_a_difference_is_divided_among_verdicts():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 3000)
    sides = []
    for strength in (1.5, 2.2):
        logits = rng.normal(0, 1, (3000, 3)) + strength * np.eye(3)[labels]
        logits *= strength  # So that confidence is about the share that is right.
        weights = np.exp(logits)
        sides.append(Predictions(labels, weights / weights.sum(1, keepdims=True), tuple("abc")))
    difference = diff(*sides)
    assert [each.verdict for each in difference.verdicts] == [
        "label suspect",
        "ambiguous",
        "model error",
        "can't tell",
    ]
    parts = sum(each.difference for each in difference.verdicts)
    assert parts == pytest.approx(difference.accuracy.difference)
    assert sum(each.fixed for each in difference.verdicts) == difference.accuracy.fixed
    kinds = Subject(sides[1]).verdicts
    broken = (sides[0].predicted == labels) & (sides[1].predicted != labels)
    suspect = sum(broken[v.row] for v in kinds if v.verdict == "label suspect")
    assert difference.verdicts[0].broken == suspect


def test_without_probabilities_the_rest_is_there():
    a, b = (replace(run, probabilities=None) for run in (runs(0.8, 1)[0], runs(0.85, 1)[0]))
    difference = diff(a, b)
    assert difference.a.calibration_error is None
    assert difference.verdicts == ()
    assert any("No verdicts are given" in note for note in difference.notes)
    assert difference.conclusion == "better"


def test_numbers_are_strict_json_and_a_frame(tmp_path):
    difference = diff(runs(0.8, 2), runs(0.85, 3))
    told = json.loads(json.dumps(difference.to_dict(), allow_nan=False))
    assert told["a"]["accuracy"] == difference.accuracy.before
    assert [each["name"] for each in told["classes"]] == list("abcde")
    frame = difference.to_frame()
    assert frame["of"].tolist() == ["all", *["class"] * 5, *["pair"] * 10]
    assert frame["difference"][0] == difference.accuracy.difference
    assert (frame["low"] < frame["high"]).all()
    table = difference._repr_html_()
    assert "B is better than A" in table
    assert "<script" not in diff(*(
        replace(run, metadata={"recipe": "<script>"}) for run in runs(0.8, 1) * 2
    ))._repr_html_()  # fmt: skip


@given(
    st.lists(
        st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=40
    )
)  # fmt: skip
def test_every_count_agrees_with_every_other(rows):
    labels, before, after = np.array(rows).T
    one, other = before[None], after[None]
    change = measure_change(one == labels, other == labels)
    classes = class_changes(labels, one, other)
    assert sum(each.fixed for each in classes.values()) == change.fixed
    assert sum(each.broken for each in classes.values()) == change.broken
    assert sum(each.images for each in classes.values()) == len(labels)
    assert change.fixed - change.broken == pytest.approx(len(labels) * change.difference)
    assert change.interval[0] - 1e-12 <= change.difference <= change.interval[1] + 1e-12
    pairs = hardest_pairs(labels, (one, other), 10)
    mistakes = [each.wrong for each in pair_changes(labels, one, other, pairs)]
    assert np.sum(mistakes or [(0, 0)], axis=0) == pytest.approx(
        [(before != labels).sum(), (after != labels).sum()]
    )
