"""Tables whose first line is "0" or "0,1": names of columns, or the first image's values."""

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions

LABELS = np.repeat([0, 1, 2], 4)
GUESSED = np.where(np.arange(12) == 5, 2, LABELS)


def lines(path, values, *, header=""):
    path.write_text(header + "".join(f"{value}\n" for value in values))
    return path


@pytest.mark.parametrize("named", ["labels", "predictions", "neither, from 1", "both"])
def test_as_many_labels_as_predictions_tell_what_it_is(tmp_path, named):
    turn = slice(None, None, -1) if named == "neither, from 1" else slice(None)
    header = {name: "0\n" if named in (name, "both") else "" for name in ("labels", "predictions")}
    labels = lines(tmp_path / "l.csv", LABELS[turn], header=header["labels"])
    guessed = lines(tmp_path / "p.csv", GUESSED[turn], header=header["predictions"])
    got = load_predictions(guessed, labels=labels)
    assert got.labels.tolist() == LABELS[turn].tolist()
    assert got.predicted.tolist() == GUESSED[turn].tolist()


def test_where_nothing_tells_it_is_said(tmp_path):
    labels, guessed = lines(tmp_path / "l.csv", LABELS), lines(tmp_path / "p.csv", GUESSED)
    got = load_predictions(guessed, labels=labels)
    assert len(got) == 11
    assert any("first line of both files, '0', is taken for a name" in each for each in got.notes)


def test_labels_beside_scores_keep_their_first_image(tmp_path):
    labels = lines(tmp_path / "l.csv", LABELS)
    np.save(tmp_path / "p.npy", np.eye(3)[GUESSED] * 0.7 + 0.1)
    got = load_predictions(tmp_path / "p.npy", labels=labels)
    assert got.labels.tolist() == LABELS.tolist()
    two = lines(tmp_path / "two.csv", [f"{label},{1 - label}" for label in (0, 1, 1, 0)])
    assert load_predictions(two, labels=lines(labels, [1, 0, 0, 1])).labels.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("first", ["0,1", "0,0", "1,1", "1,2"])
def test_two_columns_without_names_are_not_guessed(tmp_path, first):
    path = lines(tmp_path / "p.csv", [first, "1,1", "2,2", "1,2", "0,0"])
    with pytest.raises(InputError, match="give it a first line of names"):
        load_predictions(path)
    with pytest.raises(InputError, match="give it a first line of names"):
        load_predictions(lines(tmp_path / "q.csv", GUESSED[:5]), labels=path)


@pytest.mark.parametrize(
    ("header", "second"),
    [
        ("label,prediction", "class,class"),
        ("label,prediction", "(true),(predicted)"),
        ("file,label,prediction", "(name),[class],[class]"),
        ("label,prediction", "-,-"),
        ("note,label,prediction", ",Klasse,Klasse"),
    ],
)
def test_a_row_of_kinds_or_units_under_the_names_is_no_image(tmp_path, header, second):
    names = np.array(["cat", "dog", "owl"])
    before = {"file": "img_{}", "note": ""}.get(header.split(",")[0])
    rows = [
        ",".join(([before.format(row)] if before is not None else []) + [names[a], names[b]])
        for row, (a, b) in enumerate(zip(LABELS, GUESSED, strict=True))
    ]
    path = lines(tmp_path / "p.csv", [second, *rows], header=header + "\n")
    with pytest.raises(InputError, match=r"p\.csv: line 2 .* seems to say what the columns hold"):
        load_predictions(path)


@pytest.mark.parametrize("first", ["img_100,emu,emu", "emu.png,emu,emu", "x,emu,cat", "7,emu,emu"])
def test_a_first_image_of_a_class_of_its_own_is_one(tmp_path, first):
    rows = [f"img_{row},{'cat' if row % 2 else 'dog'},cat" for row in range(20)]
    path = lines(tmp_path / "p.csv", [first, *rows], header="file,label,prediction\n")
    assert len(load_predictions(path)) == 21


@pytest.mark.parametrize("numbers", [range(12), range(1, 13), range(40, 4, -3)])
def test_an_index_before_scores_without_names_is_no_class(tmp_path, numbers):
    # As pandas' to_csv(header=False) writes logits.
    logits = np.random.default_rng(0).normal(size=(12, 3)) + 3 * np.eye(3)[LABELS]
    path = tmp_path / "p.csv"
    np.savetxt(path, np.column_stack([numbers, logits]), delimiter=",")
    got = load_predictions(path, labels=lines(tmp_path / "l.csv", LABELS, header="label\n"))
    assert got.class_names == ("0", "1", "2")
    assert got.predicted.tolist() == logits.argmax(axis=1).tolist()
    assert any("is an index and isn't used" in note for note in got.notes)


@pytest.mark.parametrize("place", ["first", "last"])
def test_labels_beside_scores_without_names_are_no_class(tmp_path, place):
    logits = np.random.default_rng(0).normal(size=(12, 3))
    both = [LABELS, logits] if place == "first" else [logits, LABELS]
    np.savetxt(tmp_path / "p.csv", np.column_stack(both), delimiter=",")
    labels = lines(tmp_path / "l.csv", LABELS, header="label\n")
    with pytest.raises(InputError, match=r"whole numbers alone in column \d of 4, beside scores"):
        load_predictions(tmp_path / "p.csv", labels=labels)
