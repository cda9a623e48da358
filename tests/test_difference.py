import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from conftest import make_predictions
from difference_calibration import two_models
from hardpairs.analysis.changes import class_changes, hardest_pairs, measure_change, pair_changes
from hardpairs.analysis.comparisons import effects, make_block
from hardpairs.analysis.difference import Difference, diff
from hardpairs.analysis.gate import find_worse
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.sides import first_subject
from hardpairs.analysis.significance import mcnemar, mcnemar_mid_p, newcombe_bounds
from hardpairs.analysis.subject import Subject
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions


def runs(
    accuracy: float, seeds: int, images: int = 4000, first: int = 0, **fields
) -> list[Predictions]:
    """Runs of one recipe: the same images are hard for all, chance and seed decide the rest."""
    rng = np.random.default_rng(99)
    labels, ease = rng.integers(0, 5, images), rng.normal(0, 1.5, images)
    made = []
    for seed in range(first, first + seeds):
        chance = np.random.default_rng([seed, round(1000 * accuracy)])
        lift = np.log(accuracy / (1 - accuracy)) * 1.6 + chance.normal(0, 0.03)
        right = chance.random(images) < 1 / (1 + np.exp(-ease - lift))
        predicted = np.where(right, labels, (labels + chance.integers(1, 5, images)) % 5)
        probabilities = np.full((images, 5), 0.05)
        probabilities[np.arange(images), predicted] = 0.8
        metadata = {"seed": seed, "recipe": {"name": f"r{accuracy}"}}
        names = tuple("abcde")
        made.append(Predictions(labels, probabilities, names, metadata=metadata, **fields))
    return made


def shuffled(run: Predictions, seed: int = 1, keep: float = 1.0) -> Predictions:
    order = np.random.default_rng(seed).permutation(len(run))[: round(keep * len(run))]
    return replace(
        run,
        labels=run.labels[order],
        probabilities=run.probabilities[order],
        predicted=run.predicted[order],
        ids=run.ids[order],
    )


def renamed(run: Predictions, order: tuple[int, ...]) -> Predictions:
    """The same predictions with the classes in another order."""
    place = np.argsort(order)
    return replace(
        run,
        labels=place[run.labels],
        probabilities=run.probabilities[:, order],
        predicted=place[run.predicted],
        class_names=tuple(run.class_names[index] for index in order),
    )


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


def numbers(difference: Difference) -> dict:
    told = difference.to_dict()
    return {key: told[key] for key in ("accuracy", "classes", "pairs", "verdicts", "images")}


def test_images_are_joined_by_id_and_classes_by_name():
    a, b = runs(0.8, 1)[0], runs(0.85, 1)[0]
    expected = numbers(diff(a, b))
    assert numbers(diff(a, shuffled(b))) == expected
    assert numbers(diff(a, renamed(b, (3, 1, 4, 0, 2)))) == expected
    assert numbers(diff(a, shuffled(renamed(b, (4, 3, 2, 1, 0))))) == expected
    files = np.array([f"val/{row}.png" for row in range(4000)])
    apart = np.array([f"/data/val/{row}.png" for row in range(4000)])
    assert numbers(diff(replace(a, ids=files), shuffled(replace(b, ids=apart)))) == expected
    numbered = replace(b, class_names=("0", "1", "2", "3", "4"))
    assert diff(numbered, a).class_names == tuple("abcde")
    assert numbers(diff(a, numbered)) == expected


def test_neighbours_are_joined_as_the_images_are():
    predictions = make_predictions(images=6, classes=3, ids=np.arange(6))
    near = np.arange(12).reshape(6, 2) % 3
    hidden, edges = np.random.default_rng(0).dirichlet(np.ones(3), (2, 6)).astype(np.float32)
    known = Neighbours(near.astype(np.int32), near.astype(np.uint8), hidden=hidden, edges=edges)
    rows, classes = np.array([4, 1]), np.array([2, 0, 1])  # Class 0 is the other side's class 2.
    subject = Subject(predictions, neighbours=known)
    joined = first_subject(subject, rows, classes, [make_predictions(2, 3)]).neighbours
    np.testing.assert_array_equal(joined.labels, classes[near[rows]])
    np.testing.assert_array_equal(joined.hidden[:, classes], hidden[rows])
    np.testing.assert_array_equal(joined.edges[:, classes], edges[rows])


def test_embeddings_are_joined_as_the_images_are():
    predictions = make_predictions(images=6, classes=3)
    hidden = np.arange(12, dtype=np.float32).reshape(6, 2)
    few = replace(
        predictions,
        labels=predictions.labels[:4],
        probabilities=predictions.probabilities[:4],
        predicted=predictions.predicted[:4],
        ids=np.array([5, 0, 2, 3]),
    )
    few = replace(few, labels=predictions.labels[few.ids])
    a, _ = diff(Subject(predictions, hidden=hidden), few).subjects
    np.testing.assert_array_equal(a.hidden, hidden[a.predictions.ids])


def test_what_only_one_side_has_is_counted_and_left_out():
    a, b = runs(0.8, 1)[0], runs(0.85, 1)[0]
    some = shuffled(b, keep=0.75)
    difference = diff(a, some)
    assert difference.accuracy.images == 3000
    assert difference.notes[0].startswith("1,000 of the 4,000 images of predictions are left out")
    assert (
        difference.subjects[0].predictions.ids.tolist() == a.ids[np.isin(a.ids, some.ids)].tolist()
    )
    wider = replace(
        b,
        class_names=(*b.class_names, "f"),
        probabilities=np.pad(b.probabilities, ((0, 0), (0, 1))),
    )
    more = diff(a, wider)
    assert more.class_names == tuple("abcdef")
    assert numbers(more)["accuracy"] == numbers(diff(a, b))["accuracy"]
    assert "has no class 'f'" in more.notes[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: replace(run, ids=run.ids + 9000), "no image in common"),
        (lambda run: replace(run, labels=(run.labels + 1) % 5), "labels 4,000 of 4,000 images"),
        (lambda run: replace(run, split="train"), "of the split 'train'"),
        (lambda run: replace(run, fingerprint="other"), "fingerprints differ"),
        (lambda run: replace(run, ids=run.ids.astype(str)), "give both file names, or both numb"),
        (lambda run: replace(run, class_names=tuple("vwxyz")), "has no class 'v'"),
        (lambda run: make_predictions(400, 7, class_names=tuple("0123456")), "without names"),
    ],
)
def test_other_images_labels_and_classes_are_refused_in_a_sentence(change, said):
    run = replace(runs(0.8, 1)[0], split="test", fingerprint="this")
    with pytest.raises(InputError, match=said) as refused:
        diff(run, change(run))
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="at least one"):
        diff([], run)


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
    a = runs(0.8, 3)
    for b in (runs(0.85, 5), runs(0.85, 3, first=7), runs(0.85, 1)):
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
    assert not any("two seeds" in note for note in diff(a[0], runs(0.85, 1, first=1)[0]).notes)
    more = [*runs(0.85, 3), replace(runs(0.85, 1, first=8)[0], metadata={})]
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


def test_what_counts_as_worse():
    better, worse = runs(0.85, 1)[0], runs(0.8, 1)[0]
    difference = diff(better, worse)
    change = difference.accuracy
    upper = -100 * change.interval[1]
    assert find_worse(difference, upper - 0.01)
    assert not find_worse(difference, upper + 0.01)
    exactly = -100 * change.difference
    assert find_worse(difference, exactly - 0.001, strict=True)
    assert not find_worse(difference, exactly, strict=True)
    assert not find_worse(diff(worse, better), 0, strict=True)
    hurt = replace(worse, predicted=np.where(worse.labels == 2, 3, better.predicted))
    one = diff(better, hurt)
    told = find_worse(one, 30, per_class=True)
    assert [line.split(" is ")[0] for line in told] == ["recall of c"]
    assert not find_worse(one, 30)
    several = diff([better, better], hurt)
    with pytest.raises(InputError, match="--per-class: B has one run"):
        find_worse(several, 30, per_class=True)
    assert find_worse(several, 30, per_class=True, strict=True)


def test_equal_models_rarely_fail_and_a_planted_loss_is_found():
    equal = two_models("equal", 20_000, 10_000, 0.0)
    # At exactly 2.5%, 20,000 pairs show more than 557 in 0.5% of repetitions.
    assert equal.failed <= stats.binom.ppf(0.995, 20_000, 0.025)
    assert abs(equal.covered / 20_000 - 0.95) < 0.01
    loss = two_models("loss", 20_000, 10_000, 0.005)
    assert loss.failed > 0.6 * 20_000
    assert abs(loss.covered / 20_000 - 0.95) < 0.01


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


def test_files_folders_and_names(tmp_path):
    a, b = runs(0.8, 1)[0], runs(0.85, 1)[0]
    (tmp_path / "run").mkdir()
    save_predictions(a, tmp_path / "run" / "predictions.npz")
    save_predictions(replace(b, metadata={}), tmp_path / "branch.npz")
    difference = diff(tmp_path / "run", str(tmp_path / "branch.npz"))
    assert (difference.a.name, difference.b.name) == ("r0.8, seed 0", "branch")
    assert numbers(difference) == numbers(diff(a, b))
    same = diff(tmp_path / "run", tmp_path / "run")
    assert same.a.name != same.b.name


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
