"""Predictions as people's tools write them: each form means the same as the plain one."""

import bz2
import gzip
import json
import lzma
import zipfile

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.errors import InputError
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions

PLAIN = make_predictions(60, 3, class_names=("cat", "dog", "owl"))
LABELS, PROBABILITIES = PLAIN.labels, PLAIN.probabilities.astype(np.float64)
NAMES = np.array(PLAIN.class_names)
LOGITS = np.log(PROBABILITIES) + 0.3


def rows_csv(delimiter=",", number=repr, columns=PLAIN.class_names, first=(), label=None) -> str:
    """A table of the plain predictions, with columns before them and the label last."""
    header = [*(name for name, _ in first), *columns, "label"]
    lines = [delimiter.join(header)]
    for row, line in enumerate(PROBABILITIES.tolist()):
        before = [str(value(row)) for _, value in first]
        truth = NAMES[LABELS[row]] if label is None else label(row)
        lines.append(delimiter.join([*before, *map(number, line), str(truth)]))
    return "\n".join(lines) + "\n"


def same(got, *, names=PLAIN.class_names, tolerance=1e-6) -> None:
    assert got.class_names == tuple(names)
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    np.testing.assert_allclose(got.probabilities, PLAIN.probabilities, atol=tolerance)


def comma(value: float) -> str:
    return repr(value).replace(".", ",")


def quoted(text: str) -> str:
    return f'"{text}"'


TABLES = {
    "plain": ("p.csv", rows_csv()),
    "upper-case ending": ("P.CSV", rows_csv()),
    "semicolon": ("p.csv", rows_csv(";")),
    "decimal comma": ("p.csv", rows_csv(";", comma)),
    "tab": ("p.tsv", rows_csv("\t")),
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
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


ARRAYS = {
    "plain": {},
    "labels by name": {"labels": NAMES[LABELS]},
    "labels as bytes": {"labels": NAMES[LABELS].astype("S")},
    "labels of shape (N, 1)": {"labels": LABELS[:, None]},
    "labels as whole floats": {"labels": LABELS.astype(np.float32)},
    "labels one-hot": {"labels": np.eye(3, dtype=np.uint8)[LABELS]},
    "labels one-hot, as bools": {"labels": np.eye(3, dtype=bool)[LABELS]},
    "names as bytes": {"class_names": NAMES.astype("S")},
    "logits": {"probabilities": LOGITS},
    "log-probabilities": {"probabilities": np.log(PROBABILITIES)},
    "float16": {"probabilities": PROBABILITIES.astype(np.float16)},
    "percentages": {"probabilities": PROBABILITIES * 100},
    "a tiny negative": {"probabilities": np.where(PROBABILITIES < 0.001, -1e-7, PROBABILITIES)},
    "pooled to 1 x 1": {"probabilities": PROBABILITIES[:, :, None, None]},
    "as texts": {"probabilities": PROBABILITIES.astype(str)},
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays(tmp_path, form):
    arrays = {"labels": LABELS, "probabilities": PROBABILITIES, "class_names": NAMES}
    np.savez(tmp_path / "p.npz", **{**arrays, **ARRAYS[form]})
    same(load_predictions(tmp_path / "p.npz"), tolerance=2e-3)


def test_arrays_without_names_or_with_numbers_for_names(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES)
    same(load_predictions(tmp_path / "p.npz"), names=("0", "1", "2"))
    np.savez(
        tmp_path / "p.npz", labels=LABELS + 3, probabilities=PROBABILITIES, class_names=[3, 4, 5]
    )
    got = load_predictions(tmp_path / "p.npz")
    same(got, names=("3", "4", "5"))
    assert any("numbers that the classes are named by" in note for note in got.notes)
    # Without names, labels by name are in scikit-learn's order, and it is said.
    np.savez(tmp_path / "p.npz", labels=NAMES[LABELS], probabilities=PROBABILITIES)
    got = load_predictions(tmp_path / "p.npz")
    same(got)
    assert any("taken in sorted order, 'cat', 'dog', 'owl'" in note for note in got.notes)


def test_bfloat16(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    probabilities = PROBABILITIES.astype(ml_dtypes.bfloat16)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=probabilities, class_names=NAMES)
    got = load_predictions(tmp_path / "p.npz")
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_allclose(got.probabilities, PLAIN.probabilities, atol=0.01)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("decimals", [2, 3])
def test_rounded_rows_are_scaled_and_it_is_said_once(tmp_path, decimals):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES.round(decimals))
    got = load_predictions(tmp_path / "p.npz")
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    assert sum("as rounded ones do" in note for note in got.notes) == 1


def test_logits_are_recognised_and_said_or_asked_for(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=LOGITS)
    got = load_predictions(tmp_path / "p.npz")
    assert any("are logits" in note for note in got.notes)
    # Above 0 alone they can't be told from sloppy probabilities: the user says it.
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=LOGITS - LOGITS.min() + 0.1)
    with pytest.raises(InputError, match="say --logits"):
        load_predictions(tmp_path / "p.npz")
    asked = load_predictions(tmp_path / "p.npz", hints=Hints(logits=True))
    np.testing.assert_allclose(asked.probabilities, got.probabilities, atol=1e-6)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES)
    with pytest.raises(InputError, match="leave out --logits"):
        load_predictions(tmp_path / "p.npz", hints=Hints(logits=True))


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_one_column_of_two_classes(tmp_path, shape):
    labels = np.arange(40) % 2
    second = np.where(labels == 1, 0.8, 0.3)
    for scores in (second, 100 * second, np.log(second / (1 - second))):
        np.savez(
            tmp_path / "p.npz", labels=labels.astype(bool), probabilities=scores.reshape(shape)
        )
        got = load_predictions(tmp_path / "p.npz")
        np.testing.assert_allclose(got.probabilities[:, 1], second, atol=1e-6)
        assert got.class_names == ("0", "1")
        assert any("second class's" in note for note in got.notes)
    lines = "".join(f"{bool(label)},{p}\n" for label, p in zip(labels, second, strict=True))
    (tmp_path / "p.csv").write_text("y_true,prob\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == ("False", "True")
    np.testing.assert_allclose(got.probabilities[:, 1], second, atol=1e-6)


HARD = {
    "arrays": ("p.npz", {"labels": LABELS, "predicted": PLAIN.predicted, "class_names": NAMES}),
    "predictions": ("p.npz", {"labels": LABELS, "predictions": PLAIN.predicted,
                              "class_names": NAMES}),
    "y_pred by name": ("p.npz", {"y_true": NAMES[LABELS], "y_pred": NAMES[PLAIN.predicted]}),
    "a table": ("p.csv", "true,pred\n" + "".join(
        f"{NAMES[a]},{NAMES[b]}\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True))),
    "label and prediction": ("p.csv", "label,prediction\n" + "".join(
        f"{NAMES[a]},{NAMES[b]}\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True))),
}  # fmt: skip


@pytest.mark.parametrize("form", HARD)
def test_classes_alone(tmp_path, form):
    name, content = HARD[form]
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    else:
        np.savez(tmp_path / name, **content)
    got = load_predictions(tmp_path / name)
    assert not got.has_probabilities
    assert got.class_names == PLAIN.class_names
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)


def test_a_class_and_its_score_spread_the_rest(tmp_path):
    confidence = PROBABILITIES.max(axis=1)
    lines = "".join(
        f"{NAMES[a]},{NAMES[b]},{c}\n"
        for a, b, c in zip(LABELS, PLAIN.predicted, confidence, strict=True)
    )
    (tmp_path / "p.csv").write_text("label,prediction,confidence\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    assert got.top_k == 1
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    given = got.probabilities[np.arange(60), got.predicted]
    np.testing.assert_allclose(given, confidence, atol=1e-6)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    assert any("spread evenly over the others" in note for note in got.notes)
    assert not any("too small" in note for note in got.notes)


def test_classes_that_are_not_listed_stay_below_those_that_are(tmp_path):
    lines = "".join(
        f"{NAMES[a]},{NAMES[b]},0.002\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True)
    )
    (tmp_path / "p.csv").write_text("label,prediction,confidence\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    np.testing.assert_array_equal(got.probabilities.argmax(axis=1), PLAIN.predicted)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    assert any("too small to be the largest" in note for note in got.notes)


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


def test_a_class_may_be_called_as_a_column_is(tmp_path):
    (tmp_path / "p.csv").write_text("label,id,true,image\nid,0.5,0.2,0.3\nimage,0.1,0.2,0.7\n"
                                    "true,0.1,0.7,0.2\n")  # fmt: skip
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == ("id", "true", "image")
    assert got.labels.tolist() == [0, 2, 1]


def test_what_is_left_out_of_a_table_is_said(tmp_path):
    (tmp_path / "p.csv").write_text(rows_csv(first=[("width", lambda row: 640)]))
    assert "Not used: 'width'." in load_predictions(tmp_path / "p.csv").notes


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("p.pkl", "pickled"),
        ("p.pt", "numpy.savez"),
        ("p.xlsx", "predictions are read from .npz, .npy, .csv"),
        ("p", "of no known kind"),
        ("p.h5", "of no known kind"),
        ("p.npz.gz", "only tables and JSON are read so; unpack it"),
        ("p.zip", "only tables and JSON are read so; unpack it"),
    ],
)
def test_other_kinds_of_files(tmp_path, name, complaint):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / name)


def test_files_without_an_ending_are_known_by_their_first_bytes(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES, class_names=NAMES)
    (tmp_path / "p.npz").rename(tmp_path / "predictions")
    same(load_predictions(tmp_path / "predictions"))


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


def test_arrays_saved_without_names(tmp_path):
    np.savez(tmp_path / "p.npz", PROBABILITIES, LABELS)
    same(load_predictions(tmp_path / "p.npz"), names=("0", "1", "2"))
    np.savez(tmp_path / "p.npz", LABELS, PROBABILITIES, NAMES)
    same(load_predictions(tmp_path / "p.npz"))


def test_a_refusal_lists_what_is_there(tmp_path):
    np.savez(tmp_path / "p.npz", wahr=LABELS, netz=PROBABILITIES)
    with pytest.raises(InputError, match=r"'wahr' \(int64 of shape \(60,\)\), 'netz' \(float64"):
        load_predictions(tmp_path / "p.npz")


def test_parquet_of_pandas_and_of_datasets(tmp_path):
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pd.DataFrame(PROBABILITIES, columns=NAMES, index=[f"{n}.png" for n in range(60)])
    table["label"] = pd.Categorical(NAMES[LABELS])
    table.to_parquet(tmp_path / "p.parquet")
    got = load_predictions(tmp_path / "p.parquet")
    same(got)
    assert got.ids.tolist()[:2] == ["0.png", "1.png"]
    # As datasets.Dataset.to_parquet describes its features.
    features = {
        "image": {"_type": "Image"},
        "label": {"names": NAMES.tolist(), "_type": "ClassLabel"},
        "probabilities": {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"},
    }
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    arrow = pa.table(
        {
            "image": [{"bytes": b"png", "path": f"{n}.png"} for n in range(60)],
            "label": LABELS,
            "probabilities": PROBABILITIES.astype(np.float32).tolist(),
        }
    ).replace_schema_metadata(meta)
    pq.write_table(arrow, tmp_path / "d.parquet")
    same(load_predictions(tmp_path / "d.parquet"))


def test_parquet_without_pyarrow_is_one_sentence(tmp_path, monkeypatch):
    import sys

    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'hardpairs\[tables\]'"):
        load_predictions(tmp_path / "p.parquet")


def test_a_small_file_never_unpacks_to_gigabytes(tmp_path):
    import io
    import zipfile

    path = tmp_path / "p.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (200_000, 1_000)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("probabilities.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(800):
                member.write(bytes(10**6))
        archive.writestr("labels.npy", b"")
    with pytest.raises(InputError, match="unpacks to 800,"):
        load_predictions(path)
