"""Tables of predictions as people write them: each means the same as the plain one."""

import bz2
import gzip
import json
import lzma
import zipfile

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.cells import has_decimal_commas
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES, rows_csv, same


def comma(value: float) -> str:
    return repr(value).replace(".", ",")


def quoted(text: str) -> str:
    return f'"{text}"'


def in_r(delimiter: str, row_name=lambda row: row + 1) -> str:
    """As write.table has it: texts quoted, no name for the names of the rows."""
    columns, label = [quoted(name) for name in NAMES], lambda row: quoted(NAMES[LABELS[row]])
    first = [("", lambda row: quoted(row_name(row)))]
    text = rows_csv(delimiter, columns=columns, first=first, label=label)
    return text.removeprefix(delimiter)


TABLES = {
    "plain": ("p.csv", rows_csv()),
    "upper-case ending": ("P.CSV", rows_csv()),
    "semicolon": ("p.csv", rows_csv(";")),
    "decimal comma": ("p.csv", rows_csv(";", comma)),
    "tab": ("p.tsv", rows_csv("\t")),
    "blanks": ("p.txt", rows_csv(" ")),
    "aligned by blanks": ("p.csv", rows_csv("   ").replace("\n", " \n  ")),
    "R's write.table": ("p.txt", in_r(" ")),
    "R's write.table with commas": ("p.csv", in_r(",")),
    "R's write.table, rows named": ("p.txt", in_r("\t", row_name=lambda row: f"r{row}.png")),
    "quoted decimal commas": ("p.csv", rows_csv(",", lambda p: quoted(comma(p)))),
    "first lines of comments": ("p.csv", "# made on Monday\n#\n\n" + rows_csv()),
    "a header in a comment": ("p.csv", "# of a net\n# " + rows_csv()),
    "a text among numbers beside": (
        "p.csv",
        rows_csv(first=[("age", lambda row: "unknown" if row in {3, 55} else row)]),
    ),
    "ragged lists beside": (
        "p.csv",
        rows_csv(";", first=[("tags", lambda row: ["a"] * (row % 3))]),
    ),
    "labels in lists of one": ("p.csv", rows_csv(label=lambda row: [str(NAMES[LABELS[row]])])),
    "scores in lists of one": ("p.csv", rows_csv(number=lambda p: f"[{p}]")),
    "tab under .txt": ("p.txt", rows_csv("\t")),
    "bar": ("p.csv", rows_csv("|")),
    "byte-order mark": ("p.csv", "\ufeff" + rows_csv()),
    "the spreadsheet's hint": ("p.csv", "sep=;\n" + rows_csv(";", comma)),
    "Windows' lines": ("p.csv", rows_csv().replace("\n", "\r\n")),
    "blank last lines": ("p.csv", rows_csv() + "\n\n,,,\n"),
    "blanks around": ("p.csv", rows_csv().replace(",", " , ")),
    "quoted names": ("p.csv", rows_csv(columns=[quoted(name) for name in NAMES])),
    "delimiter at the end": ("p.csv", rows_csv().replace("\n", ",\n")),
    "pandas' index": ("p.csv", rows_csv(first=[("", str)])),
    "pandas' index, read and written again": ("p.csv", rows_csv(first=[("Unnamed: 0", str)])),
    "labels as indices": ("p.csv", rows_csv(label=lambda row: LABELS[row])),
    "labels as whole floats": ("p.csv", rows_csv(label=lambda row: float(LABELS[row]))),
    "labels in capitals": ("p.csv", rows_csv(label=lambda row: NAMES[LABELS[row]].upper())),
    "another case": ("p.csv", rows_csv().replace("label", "LABEL")),
    "y_true": ("p.csv", rows_csv().replace("label", "y_true")),
    "target": ("p.csv", rows_csv().replace("label", "Target")),
    "prefixed columns": ("p.csv", rows_csv(columns=[f"prob_{name}" for name in NAMES])),
    "percent signs": ("p.csv", rows_csv(number=lambda p: f"{100 * p:.6f}%")),
    "percentages": ("p.csv", rows_csv(number=lambda p: f"{100 * p:.6f}")),
    "other numbers beside": (
        "p.csv",
        rows_csv(first=[("width", lambda _: 640), ("fold", lambda row: row % 5)]),
    ),
    "JSON lines": (
        "p.jsonl",
        "".join(
            json.dumps({**dict(zip(NAMES, line, strict=True)), "label": NAMES[label]}) + "\n"
            for line, label in zip(PROBABILITIES.tolist(), LABELS, strict=True)
        ),
    ),
    "JSON lines, probabilities in one field": (
        "p.ndjson",
        "".join(
            json.dumps({"label": NAMES[label], "scores": dict(zip(NAMES, line, strict=True))})
            + "\n"
            for line, label in zip(PROBABILITIES.tolist(), LABELS, strict=True)
        ),
    ),
    "JSON records": (
        "p.json",
        json.dumps(
            [
                {**dict(zip(NAMES, line, strict=True)), "label": NAMES[label]}
                for line, label in zip(PROBABILITIES.tolist(), LABELS, strict=True)
            ]
        ),
    ),
    "JSON columns": (
        "p.json",
        json.dumps(
            {
                "label": [NAMES[label] for label in LABELS],
                **{name: PROBABILITIES[:, k].tolist() for k, name in enumerate(NAMES)},
            }
        ),
    ),
    "lists as pipelines return them": (
        "p.json",
        json.dumps(
            [
                {
                    "label": NAMES[label],
                    "prediction": [
                        {"label": name, "score": score}
                        for name, score in zip(NAMES, line, strict=True)
                    ],
                }
                for line, label in zip(PROBABILITIES.tolist(), LABELS, strict=True)
            ]
        ),
    ),
}


@pytest.mark.parametrize("form", TABLES)
def test_tables(tmp_path, form):
    name, text = TABLES[form]
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    same(load_predictions(tmp_path / name))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_packing(tmp_path, encoding):
    content = rows_csv().encode(encoding)
    (tmp_path / "p.csv").write_bytes(content)
    same(load_predictions(tmp_path / "p.csv"))
    for name, packed in (("p.csv.gz", gzip), ("p.CSV.BZ2", bz2), ("p.csv.xz", lzma)):
        (tmp_path / name).write_bytes(packed.compress(content))
        same(load_predictions(tmp_path / name))
    with zipfile.ZipFile(tmp_path / "p.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.csv", content)
    same(load_predictions(tmp_path / "p.csv.zip"))


def test_another_encoding_is_told(tmp_path):
    (tmp_path / "p.csv").write_bytes(rows_csv().replace("cat", "chät").encode("latin-1"))
    with pytest.raises(
        InputError, match=r"is not UTF-8 text \(byte .* is 0xe4\); save it as UTF-8"
    ):
        load_predictions(tmp_path / "p.csv")


def test_file_names_are_ids_wherever_they_stand(tmp_path):
    files = [f"val/{NAMES[label]}/{row:03}.jpg" for row, label in enumerate(LABELS)]
    for column in ("filename", "id", "image", "path", "anything"):
        text = rows_csv(first=[(column, lambda row: files[row])])
        (tmp_path / "p.csv").write_text(text)
        assert load_predictions(tmp_path / "p.csv").ids.tolist() == files
    (tmp_path / "p.csv").write_text(rows_csv(first=[("", lambda row: files[row])]))
    assert load_predictions(tmp_path / "p.csv").ids.tolist() == files
    (tmp_path / "p.csv").write_text(rows_csv(first=[("id", lambda row: f"{row:05}")]))
    assert load_predictions(tmp_path / "p.csv").ids.tolist()[:2] == ["00000", "00001"]
    (tmp_path / "p.csv").write_text(rows_csv(first=[("id", lambda row: 7 * row)]))
    assert load_predictions(tmp_path / "p.csv").ids.tolist()[:2] == [0, 7]


def test_columns_can_be_named(tmp_path):
    text = rows_csv(first=[("sort", lambda row: row % 7), ("nr", lambda row: 100 + row)])
    (tmp_path / "p.csv").write_text(text.replace("label", "what it is"))
    got = load_predictions(
        tmp_path / "p.csv", hints=Hints(label_column="What it is", id_column="nr")
    )
    same(got)
    assert got.ids.tolist()[:2] == [100, 101]
    with pytest.raises(
        InputError, match="no column 'x', as --label-column says; found the columns"
    ):
        load_predictions(tmp_path / "p.csv", hints=Hints(label_column="x"))


def test_a_class_without_a_column_is_named(tmp_path):
    (tmp_path / "p.csv").write_text(rows_csv().replace("owl,label", "loss,label"))
    with pytest.raises(InputError, match="has 'owl', which is no class; the classes are 'cat', "):
        load_predictions(tmp_path / "p.csv")


def test_a_class_may_be_called_as_a_column_is(tmp_path):
    (tmp_path / "p.csv").write_text("label,id,true,image\nid,0.5,0.2,0.3\nimage,0.1,0.2,0.7\n"
                                    "true,0.1,0.7,0.2\n")  # fmt: skip
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == ("id", "true", "image")
    assert got.labels.tolist() == [0, 2, 1]


def test_what_is_left_out_of_a_table_is_said(tmp_path):
    (tmp_path / "p.csv").write_text(rows_csv(first=[("width", lambda row: 640)]))
    assert "Not used: 'width'." in load_predictions(tmp_path / "p.csv").notes


WRAPPED = {
    "cat_score": "{}_score",
    "KNIME": "P (label={})",
    "RapidMiner": "confidence({})",
    "Azure": 'Scored Probabilities for Class ""{}""',
    "CatBoost": "Probability:Class={}",
    "proba.cat": "proba.{}",
    "prob cat": "prob {}",
}


@pytest.mark.parametrize("form", WRAPPED)
def test_wrapped_names_of_classes(tmp_path, form):
    columns = [f'"{WRAPPED[form].format(name)}"' for name in NAMES]
    (tmp_path / "p.csv").write_text(rows_csv(columns=columns))
    names = ["Class=" + name for name in NAMES] if form == "CatBoost" else NAMES
    if form == "CatBoost":  # It writes labels so, too.
        (tmp_path / "p.csv").write_text(
            rows_csv(columns=columns, label=lambda row: f"Class={NAMES[LABELS[row]]}")
        )
    same(load_predictions(tmp_path / "p.csv"), names=names)


def test_other_fractions_beside_classes(tmp_path):
    right = (PLAIN.predicted == LABELS).astype(int)
    first = [("correct", lambda row: right[row]), ("loss", lambda row: 0.37 * (row + 1))]
    (tmp_path / "p.csv").write_text(rows_csv(first=first))
    got = load_predictions(tmp_path / "p.csv")
    same(got)
    assert "Not used: 'correct', 'loss'." in got.notes


def test_an_index_of_some_rows_is_the_ids(tmp_path):
    for name in ("", "Unnamed: 0"):
        (tmp_path / "p.csv").write_text(rows_csv(first=[(name, lambda row: 3 * row + 1)]))
        got = load_predictions(tmp_path / "p.csv")
        same(got)
        assert got.ids.tolist()[:2] == [1, 4]


def test_accents_of_either_spelling(tmp_path):
    composed, apart = "K\u00e4se", "Ka\u0308se"
    lines = [f"file,{composed},dog,label", *(f"{i}.png,0.8,0.2,{apart}" for i in range(5))]
    (tmp_path / "p.csv").write_text("\n".join([*lines, "9.png,0.1,0.9,dog"]), encoding="utf-8")
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == (composed, "dog")
    assert (got.predicted == got.labels).all()


def test_what_numpy_savetxt_writes(tmp_path):
    labels = tmp_path / "y.txt"
    np.savetxt(labels, LABELS)
    for delimiter, header in ((" ", ""), (" ", " ".join(NAMES)), (",", ""), (",", ",".join(NAMES))):
        np.savetxt(tmp_path / "p.txt", PROBABILITIES, delimiter=delimiter, header=header)
        got = load_predictions(tmp_path / "p.txt", labels=labels)
        same(got, names=NAMES if header else map(str, range(3)))
    np.savetxt(labels, LABELS, fmt="%d", header="true labels")
    same(load_predictions(tmp_path / "p.txt", labels=labels))


@pytest.mark.parametrize("name", ["polar bear", "class 1"])
def test_blanks_in_names_are_no_delimiter(tmp_path, name):
    np.savez(tmp_path / "p.npz", probabilities=np.eye(2), class_names=[name, "x"])
    (tmp_path / "y.csv").write_text(f"label\n{name}\n{name}\n")
    got = load_predictions(tmp_path / "p.npz", labels=tmp_path / "y.csv")
    assert got.labels.tolist() == [0, 0]


def test_decimal_commas_without_quotes_are_no_names_of_rows(tmp_path):
    (tmp_path / "p.csv").write_text("id,prob\n1,0,93\n2,0,12\n")
    with pytest.raises(InputError, match="line 2 has 3 cells, the first line has 2"):
        load_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("cells", "are"),
    [(["0,5"], True), ([",5"], True), (["12,5 %"], True), (["1,234"], False), (["0.5"], False),
     (["-0,123", "1,234"], True), (["1,2,3"], False), (["1,5e-3"], True), (["cat, dog"], False)],
)  # fmt: skip
def test_commas_that_can_only_be_decimal(cells, are):
    assert has_decimal_commas(cells) == are


def test_blanks_part_the_scores_of_many_classes(tmp_path):
    many = np.random.default_rng(0).dirichlet(np.ones(1000), 30)  # 25 characters a number.
    np.savetxt(tmp_path / "p.txt", many)
    np.savetxt(tmp_path / "y.txt", many.argmax(axis=1), fmt="%d")
    got = load_predictions(tmp_path / "p.txt", labels=tmp_path / "y.txt")
    assert got.probabilities.shape == (30, 1000)


LEVELS = {
    "two levels": ",prob,prob,prob,truth\n,{names},label",
    "and the index's name": ",prob,prob,prob,truth\n,{names},label\nphoto,,,,",
    "and the levels' names": "kind,prob,prob,prob,truth\nclass,{names},label\nphoto,,,,",
    "a label without a second": ",prob,prob,prob,label\n,{names},",
    "a title": "Predictions of model 3,,,,\n,,,,\nphoto,{names},label",
}


@pytest.mark.parametrize("form", LEVELS)
def test_columns_in_levels(tmp_path, form):
    head = LEVELS[form].format(names=",".join(NAMES))
    rows = [
        f"{row}.jpg,{','.join(map(repr, PROBABILITIES[row].tolist()))},{NAMES[LABELS[row]]}"
        for row in range(len(LABELS))
    ]
    (tmp_path / "p.csv").write_text("\n".join([head, *rows]))
    got = load_predictions(tmp_path / "p.csv")
    same(got)
    assert got.ids[0] == "0.jpg"


def test_blanks_around_cells_are_none_of_the_names(tmp_path):
    text = rows_csv().replace(",", " | ")
    (tmp_path / "p.csv").write_text(text)
    same(load_predictions(tmp_path / "p.csv"))
    (tmp_path / "q.csv").write_text(
        "id , label , prediction \na.png , cat , dog \nb.png , dog , dog"
    )
    assert load_predictions(tmp_path / "q.csv").ids.tolist() == ["a.png", "b.png"]
