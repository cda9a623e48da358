"""Labels and predictions as people have them in memory: batches, series, categories, records."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from hardpairs.errors import InputError
from hardpairs.predictions.memory import make_predictions

NAMES = np.array(["zebra", "ant", "cat"])  # Not in sorted order.
LABELS = np.arange(30) % 3
PREDICTED = np.where(np.arange(30) % 5 == 0, (LABELS + 1) % 3, LABELS)  # 80% right.
SCORES = np.full((30, 3), 0.1)
SCORES[np.arange(30), PREDICTED] = 0.8
HOT = np.eye(3, dtype=int)[LABELS]
RECORDS = [
    {"label": str(name), **dict(zip(NAMES.tolist(), row, strict=True))}
    for name, row in zip(NAMES[LABELS], SCORES.tolist(), strict=True)
]
PIPELINE = [
    [{"label": str(name), "score": score} for name, score in zip(NAMES, row, strict=True)]
    for row in SCORES.tolist()
]


def cut(values: np.ndarray, parts: int) -> list[np.ndarray]:
    return np.array_split(values, parts)


def accuracy(*given, **more) -> float:
    predictions = make_predictions(*given, **more)
    assert len(predictions.labels) == 30
    return float((predictions.predicted == predictions.labels).mean())


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_batches_are_joined(parts: int) -> None:
    assert accuracy(cut(LABELS, parts), cut(SCORES, parts)) == 0.8
    assert accuracy(tuple(cut(HOT, parts)), tuple(cut(SCORES, parts))) == 0.8
    assert accuracy(LABELS.tolist(), cut(SCORES, parts)) == 0.8
    assert accuracy(cut(LABELS, parts), cut(PREDICTED, parts)) == 0.8


def test_rows_are_no_batches() -> None:
    assert accuracy(list(LABELS), list(SCORES)) == 0.8
    assert accuracy(list(HOT), list(SCORES)) == 0.8
    assert accuracy(list(HOT), list(np.eye(3)[PREDICTED])) == 0.8
    with pytest.raises(InputError, match=r"\(3, 30, 3\).*average over the first axis"):
        make_predictions(LABELS, [SCORES, SCORES, SCORES])


@pytest.mark.parametrize("given", [
    pd.Series(SCORES.tolist()),
    pl.Series(SCORES.tolist()),
    pl.Series(SCORES.tolist(), dtype=pl.Array(pl.Float64, 3)),
    sparse.csr_matrix(SCORES),
    sparse.csr_array(SCORES),
    PIPELINE,
], ids=["pandas", "Polars' lists", "Polars' arrays", "matrix", "array", "pipeline"])  # fmt: skip
def test_scores_of_other_libraries(given) -> None:
    names = None if given is PIPELINE else NAMES
    assert accuracy(NAMES[LABELS], given, class_names=names) == 0.8


def test_texts_of_pyarrow() -> None:
    texts = pa.array(NAMES[LABELS].tolist())
    for labels in (texts, texts.dictionary_encode(), pa.chunked_array([texts])):
        assert accuracy(labels, SCORES, class_names=NAMES) == 0.8


@pytest.mark.parametrize("given", [
    RECORDS,
    {name: [record[name] for record in RECORDS] for name in RECORDS[0]},
    pd.DataFrame(RECORDS).to_records(),
    pd.DataFrame(RECORDS).rename(columns=lambda name: ("meta", name)),
], ids=["records", "columns", "structured", "levels"])  # fmt: skip
def test_all_in_one(given) -> None:
    assert accuracy(given) == 0.8


def test_one_column_on_each_side() -> None:
    labels = pd.DataFrame({"label": NAMES[LABELS]})
    assert accuracy(labels, pd.DataFrame({"pred": NAMES[PREDICTED]})) == 0.8
    is_cat = LABELS == 2
    right = float((is_cat == (SCORES[:, 2] > 0.5)).mean())
    assert accuracy(is_cat, pd.DataFrame({"p": SCORES[:, 2]})) == right


def test_columns_of_one_hot_labels_are_their_names() -> None:
    hot = pd.get_dummies(pd.Series(NAMES[LABELS]))  # ant, cat, zebra.
    order = np.argsort(NAMES)
    assert accuracy(hot, pd.DataFrame(SCORES, columns=NAMES)) == 0.8
    assert accuracy(hot, SCORES, class_names=NAMES) == 0.8
    assert accuracy(hot[NAMES], SCORES) == 0.8  # A net trained on it has its columns' order.
    assert make_predictions(hot, SCORES[:, order]).class_names == ("ant", "cat", "zebra")


def test_an_own_order_of_categories_needs_names() -> None:
    own = pd.Series(pd.Categorical(NAMES[LABELS], categories=NAMES))
    for labels in (own, pl.Series(NAMES[LABELS]).cast(pl.Enum(NAMES.tolist()))):
        with pytest.raises(InputError, match="categories in the order 'zebra', 'ant', 'cat'"):
            make_predictions(labels, SCORES)
        assert accuracy(labels, SCORES, class_names=NAMES) == 0.8
    twelve = pd.Series(np.arange(12)).astype("category")
    assert make_predictions(twelve, np.eye(12)).class_names == tuple(map(str, range(12)))


def test_indexes_in_different_orders_are_refused() -> None:
    order = np.random.default_rng(0).permutation(30)
    names = np.array([f"{row}.png" for row in range(30)])
    labels, moved = pd.Series(LABELS, index=names), pd.DataFrame(SCORES[order], index=names[order])
    with pytest.raises(InputError, match=r"row 0 .*'0.png'.*reindex"):
        make_predictions(labels, moved)
    with pytest.raises(InputError, match=r"reset_index"):
        make_predictions(pd.Series(LABELS), pd.DataFrame(SCORES[order], index=order))
    assert accuracy(labels, moved.reindex(labels.index)) == 0.8
    # What was split off keeps its index, and what is predicted for it may have a new one.
    assert accuracy(pd.Series(LABELS, index=order), pd.DataFrame(SCORES)) == 0.8
    assert accuracy(pd.Series(LABELS, index=order + 100), pd.DataFrame(SCORES)) == 0.8


def test_masked_values_are_missing() -> None:
    with pytest.raises(InputError, match="1 values are masked"):
        make_predictions(np.ma.array(LABELS, mask=np.arange(30) == 3), SCORES)


@pytest.mark.parametrize("numbers", [[1, 2, 3], [3, 5, 90], [-1, 0, 1]])
def test_as_many_numbers_as_columns_are_in_sorted_order(numbers: list[int]) -> None:
    predictions = make_predictions(np.array(numbers)[LABELS], SCORES)
    assert (predictions.predicted == predictions.labels).mean() == 0.8
    assert predictions.class_names == tuple(map(str, numbers))
    assert any("in sorted order" in note for note in predictions.notes)


def test_labels_of_minus_one_and_one() -> None:
    labels = np.where(LABELS == 2, 1, -1)
    right = float(((LABELS == 2) == (SCORES[:, 2] > 0.5)).mean())
    assert accuracy(labels, SCORES[:, 2]) == right
    with pytest.raises(InputError, match="subtract 1"):  # One of the columns has no label.
        make_predictions(np.array([1, 3, 1]), SCORES[:3])


def test_a_dict_may_name_other_numbers() -> None:
    for numbers in ([1, 2, 3], [3, 5, 90]):
        names = dict(zip(numbers, NAMES.tolist(), strict=True))
        labels, predicted = np.array(numbers)[LABELS], np.array(numbers)[PREDICTED]
        for given in (SCORES, predicted):
            predictions = make_predictions(labels, given, class_names=names)
            assert (predictions.predicted == predictions.labels).mean() == 0.8
            assert predictions.class_names == tuple(NAMES)
    with pytest.raises(InputError, match="labels are '0', which class_names doesn't name"):
        make_predictions(LABELS, SCORES, class_names={1: "a", 2: "b", 3: "c"})


@pytest.mark.parametrize("scores", [("confidence",), ("prob_0", "prob_1"), ()])
def test_a_dict_names_the_numbers_of_predicted_classes_with_scores_too(scores):
    table = {"label": [1, 7, 7, 1], "prediction": [1, 7, 1, 1]}
    if len(scores) > 1:
        table = {"label": [1, 7, 7, 1], "class_0": [1, 7, 1, 1], "class_1": [7, 1, 7, 7]}
    table |= {name: [0.6 - place / 4] * 4 for place, name in enumerate(scores)}
    got = make_predictions(pd.DataFrame(table), class_names={1: "zebra", 7: "ant"})
    assert got.class_names == ("zebra", "ant")
    assert got.predicted.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_either_side_may_be_joined_already(parts: int) -> None:
    if parts > 1:
        assert accuracy(cut(LABELS, parts), SCORES) == 0.8
        assert accuracy(cut(HOT, parts), SCORES) == 0.8
        assert accuracy(LABELS, cut(PREDICTED, parts)) == 0.8
        assert accuracy(LABELS.tolist(), cut(PREDICTED, parts)) == 0.8
    assert accuracy(LABELS, cut(SCORES, parts)) == 0.8
    assert accuracy(iter(cut(LABELS, parts)), (each for each in cut(SCORES, parts))) == 0.8


def test_batches_of_one_each_in_a_list() -> None:
    assert accuracy(LABELS, [[row[None]] for row in SCORES]) == 0.8


def test_batches_of_one_size_of_two_classes() -> None:
    binary, second = LABELS % 2, np.where(np.arange(30) % 5 == 0, 1 - LABELS % 2, LABELS % 2)
    scores = cut(np.where(second == 1, 0.9, 0.1), 3)
    assert accuracy(cut(binary, 3), scores) == 0.8
    assert accuracy(cut(binary[:, None], 3), scores) == 0.8
    assert accuracy(cut(binary, 3), cut(second, 3)) == 0.8


def test_rows_of_logits_beside_one_hot_rows_are_no_batches() -> None:
    assert accuracy(list(HOT), list(5 * SCORES - 1)) == 0.8


def test_embeddings_in_batches_and_pooled() -> None:
    embeddings = np.arange(60.0).reshape(30, 2)
    for given in (
        cut(embeddings, 4),
        embeddings[..., None, None],
        cut(embeddings[..., None, None], 4),
    ):
        made = make_predictions(LABELS, SCORES, embeddings=given)
        np.testing.assert_array_equal(made.embeddings, embeddings)


def test_batches_of_lists_and_of_ids() -> None:
    names = [f"{row}.png" for row in range(30)]
    scores = [batch.tolist() for batch in cut(SCORES, 4)]
    for labels in (LABELS, NAMES[LABELS]):
        batches = [tuple(batch.tolist()) for batch in cut(labels, 4)]
        assert accuracy(batches, scores, class_names=NAMES) == 0.8
    for ids in (cut(np.array(names), 4), [tuple(batch) for batch in cut(np.array(names), 4)]):
        assert make_predictions(LABELS, SCORES, ids=ids).ids.tolist() == names


def test_rows_of_several_labels_are_refused() -> None:
    several = (SCORES > 0.05).astype(int)
    for labels, scores in ((list(several), list(SCORES)), (several.tolist(), SCORES.tolist())):
        with pytest.raises(InputError, match="30 lists of 3 zeros and ones: of several labels"):
            make_predictions(labels, scores)


def test_what_wraps_logits() -> None:
    def wrapped(rows):
        return SimpleNamespace(loss=None, logits=5 * rows - 1)

    assert accuracy(LABELS, wrapped(SCORES)) == 0.8
    assert accuracy(cut(LABELS, 4), [wrapped(rows) for rows in cut(SCORES, 4)]) == 0.8
    trainer = SimpleNamespace(predictions=(SCORES, SCORES[:, :2]), label_ids=LABELS, metrics={})
    assert accuracy(LABELS, trainer) == accuracy(trainer) == 0.8
    assert accuracy(LABELS, {"logits": SCORES}) == 0.8
    columns = dict(zip(NAMES.tolist(), SCORES.T, strict=True))
    assert accuracy(NAMES[LABELS], columns) == 0.8


def test_records_of_images_and_of_batches() -> None:
    records = [
        {"label": str(name), "confidence": float(row.max()), "logits": row.tolist()}
        for name, row in zip(NAMES[PREDICTED], SCORES, strict=True)
    ]
    truth = [{"label": str(name)} for name in NAMES[LABELS]]
    for labels in (LABELS, NAMES[LABELS], truth):
        assert accuracy(labels, records, class_names=NAMES) == 0.8
        classes = [{name: record[name] for name in ("label", "confidence")} for record in records]
        assert accuracy(labels, classes, class_names=NAMES) == 0.8
    batches = [
        {"targets": labels, "logits": scores}
        for labels, scores in zip(cut(LABELS, 4), cut(SCORES, 4), strict=True)
    ]
    assert accuracy(batches) == 0.8
    assert accuracy([{"label": np.int64(1), "probs": row} for row in SCORES]) < 0.8


def test_frames_of_labels_and_of_predictions_are_joined_by_ids() -> None:
    ids = [f"{row}.png" for row in range(30)]
    truth = pd.DataFrame({"id": ids, "label": NAMES[LABELS], "fold": 1})
    predicted = pd.DataFrame(SCORES, columns=NAMES).assign(id=ids)
    order = np.random.default_rng(0).permutation(30)
    for theirs in (predicted, predicted.iloc[order], pl.DataFrame(predicted.iloc[order])):
        made = make_predictions(truth, theirs)
        assert (made.predicted == made.labels).mean() == 0.8
        assert made.notes == ("30 of 30 predictions found their label in the labels' table.",)
    assert make_predictions(truth, SCORES, class_names=NAMES).ids.tolist() == ids
    assert accuracy(truth["label"], predicted) == 0.8
    assert accuracy(truth, pd.DataFrame({"prediction": NAMES[PREDICTED], "time": "1 s"})) == 0.8


def test_objects_that_say_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="labels hold objects of the type object; give") as refused:
        make_predictions([object() for _ in LABELS], SCORES)
    assert "0x" not in str(refused.value)
    with pytest.raises(InputError, match="of the type Loader, which is no array; its items are"):
        make_predictions(type("Loader", (), {"__iter__": lambda _: iter([[HOT, HOT]])})(), SCORES)
