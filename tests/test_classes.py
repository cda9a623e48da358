"""Tables that tell a class twice, by number and by name, and numbers that are no scores."""

import numpy as np
import pandas as pd
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.memory import make_predictions

NAMES = np.array(["zebra", "ant", "cat"])  # In the order of their numbers, which isn't sorted.
LABELS = np.arange(30) % 3
PREDICTED = np.where(np.arange(30) % 5 == 0, (LABELS + 1) % 3, LABELS)  # 80% right.
TOLD_TWICE = {
    "ids beside names": {
        "label_id": LABELS,
        "label": NAMES[LABELS],
        "prediction_id": PREDICTED,
        "prediction": NAMES[PREDICTED],
    },
    "names beside numbers": {
        "class": LABELS,
        "class_name": NAMES[LABELS],
        "predicted_class": PREDICTED,
        "predicted_class_name": NAMES[PREDICTED],
    },
    "indices": {
        "true_label_idx": LABELS,
        "true_label": NAMES[LABELS],
        "pred_label_idx": PREDICTED,
        "pred_label": NAMES[PREDICTED],
    },
    "of the labels alone": {"label": NAMES[LABELS], "label_idx": LABELS, "pred": PREDICTED},
}


@pytest.mark.parametrize("table", TOLD_TWICE.values(), ids=list(TOLD_TWICE))
def test_numbers_and_names_of_one_class_are_joined(table: dict[str, np.ndarray]) -> None:
    predictions = make_predictions(pd.DataFrame(table))

    assert (predictions.predicted == predictions.labels).mean() == 0.8
    assert sorted(predictions.class_names) == sorted(NAMES)
    named = np.array(predictions.class_names)[predictions.labels]
    assert named.tolist() == NAMES[LABELS].tolist()


def scores() -> np.ndarray:
    """(30, 3), the columns in the order of the classes' numbers."""
    rows = np.full((30, 3), 0.1)
    rows[np.arange(30), PREDICTED] = 0.8
    return rows


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 2, 0]], ids=["by number", "by name"])
def test_label_numbers_are_no_places_among_named_columns(order: list[int]) -> None:
    table = pd.DataFrame(scores()[:, order], columns=NAMES[order])
    predictions = make_predictions(table.assign(label_id=LABELS, label_name=NAMES[LABELS]))

    assert (predictions.predicted == predictions.labels).mean() == 0.8


def test_numbered_columns_are_named_by_the_labels_numbers() -> None:
    table = pd.DataFrame(scores()).add_prefix("prob_")
    told = {"true": NAMES[LABELS], "true_idx": LABELS, "pred_idx": PREDICTED}
    predictions = make_predictions(table.assign(**told))

    assert predictions.class_names == tuple(NAMES)
    assert (predictions.predicted == predictions.labels).mean() == 0.8


def test_rows_of_scores_are_in_the_order_of_the_labels_numbers() -> None:
    table = {"label": NAMES[LABELS], "label_idx": LABELS, "probs": scores().tolist()}
    predictions = make_predictions(pd.DataFrame(table))

    assert predictions.class_names == tuple(NAMES)


def test_a_table_of_labels_may_have_both(tmp_path) -> None:
    truth, given = tmp_path / "truth.csv", tmp_path / "predictions.csv"
    table = {"id": range(30), "label_id": LABELS, "label": NAMES[LABELS]}
    pd.DataFrame(table).to_csv(truth, index=False)
    order = np.argsort(NAMES)
    pd.DataFrame(scores()[:, order], columns=NAMES[order]).assign(id=range(30)).to_csv(given)
    predictions = load_predictions(given, labels=truth)

    assert (predictions.predicted == predictions.labels).mean() == 0.8


@pytest.mark.parametrize("names", [NAMES, np.arange(3)], ids=["names", "numbers"])
def test_numbers_beside_a_predicted_class_are_no_scores(names: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    beside = {"width": generator.integers(100, 200, 30), "time": generator.random(30)}
    table = {"label": names[LABELS], "prediction": names[PREDICTED], **beside}
    predictions = make_predictions(pd.DataFrame(table))

    assert (predictions.predicted == predictions.labels).mean() == 0.8
    assert predictions.probabilities is None


def test_predicted_names_tell_the_order_of_unnamed_columns(tmp_path):
    names, rng = np.array(["zebra", "ant", "cat"]), np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    scores = rng.dirichlet((1, 1, 1), 60)
    predicted = names[scores.argmax(axis=1)]
    right = float((scores.argmax(axis=1) == labels).mean())
    lists = {"prediction": predicted.tolist(), "probs": scores.tolist()}
    columns = {f"prob_{place}": scores[:, place] for place in range(3)}
    truth = pd.DataFrame({"label": names[labels]})
    for own, theirs in (
        (pd.DataFrame({"y_true": names[labels], **lists}), None),
        (pd.DataFrame({"y_true": names[labels], "prediction": predicted, **columns}), None),
        (pd.DataFrame(lists), truth),
        (pd.DataFrame({"label": predicted, **columns}), truth),
        (pd.DataFrame({"prediction": predicted, **columns}), pd.DataFrame({"label": labels})),
    ):
        made = make_predictions(*([own] if theirs is None else [theirs["label"], own]))
        assert made.class_names == tuple(names)
        assert (made.labels == made.predicted).mean() == right
        assert (made.probabilities.argmax(axis=1) == made.predicted).all()
    np.savez(tmp_path / "p.npz", y_true=names[labels], y_pred=predicted, probs=scores)
    assert load_predictions(tmp_path / "p.npz").class_names == tuple(names)
    few = pd.DataFrame({"y_true": names[labels], "prediction": predicted, "probs": scores.tolist()})
    few["probs"] = [[*row, 0.0, 0.0] for row in scores]
    few.loc[:1, "y_true"] = ["bee", "dog"]
    with pytest.raises(InputError, match="aren't in sorted order, and 2 classes are never predic"):
        make_predictions(few)


def test_numbers_beside_predicted_names_name_the_numbers_of_the_truth():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet((1, 1, 1), 60)
    labels, order = rng.integers(0, 3, 60), np.argsort(-scores, axis=1)[:, :2]
    right = float((order[:, 0] == labels).mean())
    ids = {"filename": [f"{row}.png" for row in range(60)]}
    probabilities = np.take_along_axis(scores, order, axis=1)
    ranked = {"index": order, "label": NAMES[order], "prob": probabilities}
    best = {name: values[:, 0] for name, values in ranked.items()}
    for columns in (ranked, best):
        predicted = pd.DataFrame({**ids, **{n: v.tolist() for n, v in columns.items()}})
        for given in (labels, NAMES[labels]):
            made = make_predictions(pd.DataFrame({**ids, "label": given}), predicted)
            assert made.class_names == ("ant", "cat", "zebra")
            assert (made.predicted == made.labels).mean() == right
