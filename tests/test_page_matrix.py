import numpy as np

from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.matrix import (
    LONGEST_NAME,
    group_classes,
    head_names,
    likeness_order,
    people_rows,
)
from hardpairs.report.page.render import render_report
from report_pages import of_labels, parts_of


def test_similar_classes_stand_together():
    labels = np.repeat(np.arange(6), 20)
    predicted = labels.copy()
    for first, second in ((0, 3), (1, 4), (2, 5)):  # Three pairs, interleaved.
        predicted[first * 20 : first * 20 + 8] = second
    order = likeness_order(Subject(of_labels(labels, predicted, tuple("abcdef"))).evaluation)
    assert sorted(order) == list(range(6))
    for first, second in ((0, 3), (1, 4), (2, 5)):
        assert abs(order.index(first) - order.index(second)) == 1


def test_many_classes_are_grouped_by_what_the_model_mixes_up():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 64, 3000)
    family = labels // 8
    predicted = np.where(rng.random(3000) < 0.5, labels, family * 8 + rng.integers(0, 8, 3000))
    names = tuple(f"class {index}" for index in range(64))
    predictions = Predictions(labels, None, names, predicted=predicted)
    groups = group_classes(Subject(predictions))
    assert sorted(index for group in groups for index in group["classes"]) == list(range(64))
    for group in groups:
        assert len({index // 8 for index in group["classes"]}) == 1
    mistakes = int((labels != predicted).sum())
    assert sum(group["inside"] + group["outside"] for group in groups) == mistakes
    counts = np.array([[cell["count"] for cell in group["cells"]] for group in groups])
    assert counts.diagonal().tolist() == [group["inside"] for group in groups]
    assert counts.sum(axis=1).tolist() == [g["inside"] + g["outside"] for g in groups]
    assert counts.diagonal().tolist() == sorted(counts.diagonal(), reverse=True)
    members = [np.isin(labels, group["classes"]) for group in groups]
    taken = [np.isin(predicted, group["classes"]) for group in groups]
    assert counts[0, 1] == (members[0] & taken[1]).sum()
    assert group_classes(Subject(make_predictions())) == []
    seen, _ = parts_of(render_report(Subject(predictions)))
    assert "#group=0" in seen


def test_names_in_a_matrix_head_are_short_and_still_differ():
    names = [f"species of bird number {index}" for index in range(40)] + ["owl"]
    short = head_names(names)
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= LONGEST_NAME
    assert short[-1] == "owl"
    assert head_names(["ankle boot", "a very long name of a class"])[1].startswith("a very long")


def test_the_classes_of_a_group_that_are_mixed_up_most_come_first():
    labels = np.repeat(np.arange(60), 20)
    predicted = labels.copy()
    predicted[7 * 20 : 7 * 20 + 9] = 9  # Half of class 7 is taken for class 9.
    groups = group_classes(Subject(of_labels(labels, predicted, tuple(map(str, range(60))))))
    assert set(groups[0]["classes"][:2]) == {7, 9}


def test_no_pair_stands_out_where_each_is_mixed_up_once():
    for predicted, found, door in (
        ([1, 2, 2], "No pair of classes stands out: 2 are mixed up, each once", "#pairs"),
        ([1, 0, 2], "\u2068a\u2069 and \u2068b\u2069: 2 of 2 mistakes", "#pair=0"),
        ([1, 1, 2], "\u2068a\u2069 and \u2068b\u2069: the only mistake", "#pair=0"),
    ):
        page = render_report(Subject(of_labels([0, 1, 2], predicted, ("a", "b", "c"))))
        seen, data = parts_of(page)
        assert f'<a href="{door}">{found}</a>' in seen
        assert len(data["first"]) == (predicted != [1, 1, 2]) + 1


def test_who_does_better_has_one_colour_on_and_off_the_diagonal():
    predictions = of_labels([0, 0, 1, 1], [0, 0, 1, 1], ("a", "b"))
    rows = people_rows(Subject(predictions, class_votes=np.array([[0.6, 0.4], [0.0, 1.0]])))
    assert [cell["better"] for cell in rows[0]] == ["model", "model"]
    assert [cell["difference_level"] for cell in rows[1]] == [0, 0]
