import json

import numpy as np
import pandas as pd
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PROBABILITIES, rows_csv, same

ORDERED = sorted(range(12), key=str)  # 0, 1, 10, 11, 2, ...: as texts are sorted.


@pytest.mark.parametrize("name", ["{}", "prob_{}", "p{}", "class_{}", "{}.0"])
@pytest.mark.parametrize("ending", ["csv", "json", "dicts"])
def test_numbered_columns_in_the_order_of_texts(tmp_path, name, ending):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 12, 90)
    probabilities = rng.dirichlet(np.ones(12), 90).round(6)
    probabilities[:, 0] += 1 - probabilities.sum(axis=1)
    columns = {name.format(number): probabilities[:, number].tolist() for number in ORDERED}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if ending == "dicts":
        told = [{"label": int(k), "probs": row} for k, row in zip(labels, rows, strict=True)]
    else:
        told = [{**row, "label": int(k)} for k, row in zip(labels, rows, strict=True)]
    path = tmp_path / ("p.csv" if ending == "csv" else "p.json")
    if ending == "csv":
        lines = [",".join(map(str, row.values())) for row in told]
        path.write_text("\n".join([",".join(told[0]), *lines]))
    else:
        path.write_text(json.dumps(told))
    got = load_predictions(path)
    np.testing.assert_array_equal(got.labels, labels)
    np.testing.assert_allclose(got.probabilities, probabilities, atol=1e-5)


def test_numbers_of_labels_are_the_names_of_numbered_columns(tmp_path):
    """Of three classes 1, 2 and 3 the third has no images: 1 is no place."""
    lines = ["1,2,3,label", *(["0.7,0.2,0.1,1", "0.2,0.7,0.1,2"] * 30)]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    got = load_predictions(tmp_path / "p.csv")
    assert got.labels.tolist() == [0, 1] * 30
    assert (got.predicted == got.labels).all()


@pytest.mark.parametrize(
    "other",
    [lambda row: 20 + row, lambda row: 0.2, lambda row: 100.5 + 0.1 * row],
    ids=["an age", "a constant", "a time"],
)
def test_numbers_beside_logits_are_no_class(tmp_path, other):
    logits = np.log(PROBABILITIES)
    lines = [",".join(["file", *NAMES, "other", "label"])]
    for row, line in enumerate(logits):
        cells = [f"i{row}.png", *map(str, line), str(other(row)), NAMES[LABELS[row]]]
        lines.append(",".join(cells))
    (tmp_path / "p.csv").write_text("\n".join(lines))
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == tuple(NAMES)
    np.testing.assert_allclose(got.probabilities, PROBABILITIES, atol=1e-5)
    assert any("Not used: " in note and "'other'" in note for note in got.notes)


def test_a_number_beside_probabilities_of_a_class_without_images(tmp_path):
    seen = np.flatnonzero(LABELS != 0)
    lines = [",".join([*NAMES, "doubt", "label"])]
    for row in seen:
        doubt = f"{0.1 + row / 1000:.4f}"
        lines.append(",".join([*map(str, PROBABILITIES[row]), doubt, NAMES[LABELS[row]]]))
    (tmp_path / "p.csv").write_text("\n".join(lines))
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == tuple(NAMES)
    np.testing.assert_allclose(got.probabilities, PROBABILITIES[seen], atol=1e-5)


@pytest.mark.parametrize("row", [3, 55])
@pytest.mark.parametrize("column", ["{}", "prob_{}"])
def test_a_text_in_a_column_of_scores_is_named(tmp_path, row, column):
    lines = rows_csv(columns=[column.format(name) for name in NAMES]).split("\n")
    lines[row + 1] = "unknown," + lines[row + 1].partition(",")[2]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    complaint = rf"line {row + 2} has 'unknown' in the column '{column.format('cat')}'"
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / "p.csv")


def test_a_text_among_labels_that_are_numbers(tmp_path):
    lines = [f"{k},{k}\n" for k in [0, 1, 2] * 20]
    (tmp_path / "p.csv").write_text("label,prediction\n" + "".join(lines) + "n/a,1\n")
    with pytest.raises(InputError, match="line 62 has 'n/a' in the column 'label'"):
        load_predictions(tmp_path / "p.csv")
    # Several times it is a class.
    (tmp_path / "p.csv").write_text("label,prediction\n" + "".join(lines) + "A,1\n" * 2)
    assert load_predictions(tmp_path / "p.csv").class_names == ("0", "1", "2", "A")


@pytest.mark.parametrize("cut", ["[0.1 0.2 ... 0.3]", "[0.1, 0.9]"])
def test_a_list_that_is_cut_is_named(tmp_path, cut):
    whole = "0,[0.1 0.2 0.7]\n"
    (tmp_path / "p.csv").write_text(f"label,probs\n{whole}{whole}" + f'1,"{cut}"\n' + whole)
    with pytest.raises(InputError, match=r"line 4 has .* where a list as long as the"):
        load_predictions(tmp_path / "p.csv")


def test_a_text_among_numbers_beside_logits(tmp_path):
    first = [("age", lambda row: "unknown" if row == 3 else row + 0.5)]
    lines = rows_csv(number=lambda p: repr(float(np.log(p))), first=first)
    (tmp_path / "p.csv").write_text(lines)
    same(load_predictions(tmp_path / "p.csv"))


@pytest.mark.parametrize("name", ["{}", "prob_{}"])
def test_numbers_of_columns_name_no_classes_that_have_names(tmp_path, name):
    # As pandas.DataFrame(model.predict_proba(x)) names its columns, beside labels that are names.
    frame = pd.DataFrame(PROBABILITIES, columns=[name.format(place) for place in range(3)])
    names = sorted(NAMES)
    frame["label"] = [names[label] for label in LABELS]
    frame.to_csv(tmp_path / "p.csv", index=False)
    got = load_predictions(tmp_path / "p.csv")
    assert list(got.class_names) == names
    assert got.labels.tolist() == list(LABELS)
    np.testing.assert_allclose(got.probabilities, PROBABILITIES, atol=1e-6)
    assert any("have no names: taken in sorted order" in note for note in got.notes)
