from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis.difference import Difference, diff
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.sides import first_subject
from hardpairs.analysis.subject import Subject
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.explore import explore
from model_runs import runs


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
    assert difference.notes[0].startswith("1,000 of the 4,000 images of predictions a are left")
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


def test_two_of_one_name_are_told_apart_by_file_or_by_order(tmp_path):
    a = make_predictions()
    save_predictions(a, tmp_path / "one.npz")
    in_memory, same = diff(a, a), diff(tmp_path / "one.npz", tmp_path / "one.npz")
    assert (in_memory.a.name, in_memory.b.name) == ("predictions a", "predictions b")
    seeds = diff([a, a], [a, a])
    assert (seeds.a.name, seeds.b.name) == (
        "predictions a, 2 seeds",
        "predictions b, 2 seeds",
    )
    assert same.b.name == f"{same.a.name}, again"


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


def of_zeros(first=0):
    """40 images of one class, by number from ``first`` on; every second is taken for the other."""
    return Predictions(
        np.zeros(40, int), None, ("a", "b"), ids=np.arange(40) + first, predicted=np.arange(40) % 2
    )


def test_a_side_from_python_is_told_by_its_letter():
    found = diff(of_zeros(), of_zeros(10))
    assert (found.a.name, found.b.name) == ("predictions a", "predictions b")
    assert found.notes[:2] == (
        "10 of the 40 images of predictions a are left out: others lack them.",
        "10 of the 40 images of predictions b are left out: others lack them.",
    )
    named = replace(of_zeros(), ids=np.array([f"{row}.png" for row in range(40)]))
    with pytest.raises(InputError, match=r"^predictions b: has ids as '0\.png' and predictions a"):
        diff(of_zeros(), named)
    several = diff([of_zeros(), of_zeros()], [of_zeros(10), of_zeros(10)])
    assert any("of predictions b, run 2 are left out" in note for note in several.notes)


def test_a_side_may_be_what_explore_returns_and_nothing_unknown():
    report = explore(of_zeros())
    assert diff(report, [report]).accuracy.images == 40
    for side in ((np.arange(3), np.eye(3)), None, {"labels": [0, 1]}):
        with pytest.raises(InputError, match=r"is no predictions; give hardpairs\.Predictions"):
            diff(report, side)
