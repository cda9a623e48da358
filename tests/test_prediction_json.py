import json

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES, same


def test_json_of_bare_rows(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps(PROBABILITIES.tolist()))
    (tmp_path / "hot.json").write_text(json.dumps(np.eye(3, dtype=int)[LABELS].tolist()))
    (tmp_path / "names.json").write_text(json.dumps(NAMES[LABELS].tolist()))
    same(load_predictions(tmp_path / "p.json", labels=tmp_path / "names.json"))
    numbered = load_predictions(tmp_path / "p.json", labels=tmp_path / "hot.json")
    same(numbered, names=("0", "1", "2"))
    (tmp_path / "p.json").write_text('[[0.9, 0.1, "cat"], [0.2, 0.8, "dog"]]')
    with pytest.raises(InputError, match="rows of texts and numbers without names"):
        load_predictions(tmp_path / "p.json")


RECORDS = [
    {**dict(zip(NAMES.tolist(), line, strict=True)), "label": str(NAMES[label])}
    for line, label in zip(PROBABILITIES.tolist(), LABELS, strict=True)
]


LISTS = {"labels": LABELS.tolist(), "probabilities": PROBABILITIES.tolist()}


SOUND_JSON = {
    "records beside other things": {"model": "resnet50", "predictions": RECORDS},
    "class names beside lists": {"class_names": NAMES.tolist(), **LISTS},
    "class names as a dict": {"label_names": {"0": "cat", "1": "dog", "2": "owl"}, **LISTS},
    "an .npz's arrays": {**LISTS, "class_names": NAMES.tolist(), "ids": list(range(60)),
                         "format_version": 1, "split": "test", "metadata": {"recipe": "x"}},
    "lists of another length beside": {**LISTS, "classes": NAMES.tolist(), "losses": [0.5, 0.4]},
    "labels in lists of one": [{**record, "label": [record["label"]]} for record in RECORDS],
    "one-hot labels": [{**record, "label": np.eye(3)[label].tolist()}
                       for record, label in zip(RECORDS, LABELS, strict=True)],
    "scores in lists of one": [{name: value if name == "label" else [value]
                                for name, value in record.items()} for record in RECORDS],
    "ragged lists beside": [{**record, "tags": ["a"] * (row % 3)}
                            for row, record in enumerate(RECORDS)],
    "deeper lists beside": [{**record, "boxes": [[1, 2], [3] * (row % 3)]}
                            for row, record in enumerate(RECORDS)],
    "numbers and a text beside": [{**record, "age": "unknown" if row == 51 else row}
                                  for row, record in enumerate(RECORDS)],
}  # fmt: skip


@pytest.mark.parametrize("form", SOUND_JSON)
def test_sound_json(tmp_path, form):
    (tmp_path / "p.json").write_text(json.dumps(SOUND_JSON[form]))
    same(load_predictions(tmp_path / "p.json"))


def test_json_lists_of_classes_beside_numbers(tmp_path):
    content = {"y_true": LABELS.tolist(), "y_pred": PLAIN.predicted.tolist(), "accuracy": 0.7}
    (tmp_path / "p.json").write_text(json.dumps(content))
    np.testing.assert_array_equal(load_predictions(tmp_path / "p.json").predicted, PLAIN.predicted)


def test_what_a_pipeline_returns_for_a_list(tmp_path):
    order = np.argsort(-PROBABILITIES, axis=1)
    content = [
        [{"label": str(NAMES[k]), "score": PROBABILITIES[row, k]} for k in order[row]]
        for row in range(60)
    ]
    (tmp_path / "p.json").write_text(json.dumps(content))
    (tmp_path / "y.txt").write_text("\n".join(NAMES[LABELS]))
    same(load_predictions(tmp_path / "p.json", labels=tmp_path / "y.txt"))


@pytest.mark.parametrize("value", [None, [None] * 3, [float("nan")] * 3])
def test_a_record_without_scores_is_named(tmp_path, value):
    records = [
        {"label": str(NAMES[label]), "probs": value if row == 4 else line}
        for row, (label, line) in enumerate(zip(LABELS, PROBABILITIES.tolist(), strict=True))
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, records)))
    with pytest.raises(InputError, match="row 4 of probabilities has NaN"):
        load_predictions(tmp_path / "p.jsonl")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([{"label": "a", "probs": [0.5, 0.5]}] * 3 + [{"label": "a", "probs": [1]}],
         r"image 4 of 4 has '\[1\]' in the column 'probs', where a list as long as the others"),
        ([{"label": [["a"], "b"], "x": 0.5, "y": 0.5}] * 3, "where one label should be"),
        ({"labels": [1, 0], "losses": [1.5, 2.5, 3.5]}, "different lengths .*'losses' of 3"),
        ({"a": [{"x": 1}], "b": [{"x": 1}]}, "isn't known|no column of"),
    ],
)  # fmt: skip
def test_a_sound_file_of_no_predictions_is_not_called_damaged(tmp_path, content, complaint):
    (tmp_path / "p.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=complaint) as refusal:
        load_predictions(tmp_path / "p.json")
    assert "damaged" not in str(refusal.value)


def test_a_sigmoid_in_lists_of_one(tmp_path):
    labels = (LABELS == 1).astype(int)
    records = [
        {"label": int(label), "prediction": [score]}
        for label, score in zip(labels, PROBABILITIES[:, 1].tolist(), strict=True)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, records)))
    got = load_predictions(tmp_path / "p.jsonl")
    np.testing.assert_allclose(got.probabilities[:, 1], PROBABILITIES[:, 1], atol=1e-6)


LISTS_OF_TEXTS = {
    "beside scores": {
        "cat": [0.9, 0.2, 0.6],
        "dog": [0.1, 0.8, 0.4],
        "tags": [["big", "red"], ["big", "old"], ["new", "red"]],
    },
    "of ranks": {
        "index": [["cat", "dog"], ["dog", "cat"], ["cat", "dog"]],
        "prob": [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]],
    },
}


@pytest.mark.parametrize("form", LISTS_OF_TEXTS)
def test_a_column_of_lists_of_texts_is_none_of_texts(tmp_path, form):
    columns = {"label": ["cat", "dog", "dog"], **LISTS_OF_TEXTS[form]}
    (tmp_path / "p.json").write_text(json.dumps(columns))
    got = load_predictions(tmp_path / "p.json")
    assert (got.labels == got.predicted).tolist() == [True, True, False]


def test_lists_of_texts_are_called_so(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({"label": ["a", "b"], "tags": [["x", "y"]] * 2}))
    with pytest.raises(InputError, match=r"'tags' \(lists of 2 texts\)"):
        load_predictions(tmp_path / "p.json")
