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


def test_blanks_part_the_scores_of_many_classes(tmp_path):
    many = np.random.default_rng(0).dirichlet(np.ones(1000), 30)  # 25 characters a number.
    np.savetxt(tmp_path / "p.txt", many)
    np.savetxt(tmp_path / "y.txt", many.argmax(axis=1), fmt="%d")
    got = load_predictions(tmp_path / "p.txt", labels=tmp_path / "y.txt")
    assert got.probabilities.shape == (30, 1000)
