"""Predictions in files of arrays and others: each form means the same as the plain one."""

import io
import json
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES, same

LOGITS = np.log(PROBABILITIES) + 0.3

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


def test_bfloat16(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    probabilities = PROBABILITIES.astype(ml_dtypes.bfloat16)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=probabilities, class_names=NAMES)
    got = load_predictions(tmp_path / "p.npz")
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_allclose(got.probabilities, PLAIN.probabilities, atol=0.01)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize("ending", ["feather", "arrow"])
def test_feather_and_arrow_files(tmp_path, compression, ending):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather, ipc

    columns = {name: PROBABILITIES[:, k] for k, name in enumerate(NAMES)}
    labels = pa.array(NAMES[LABELS].tolist()).dictionary_encode()
    table = pa.table({"label": labels, "picture": [b"png"] * 60, **columns})
    path = tmp_path / f"p.{ending}"
    if ending == "feather":
        feather.write_feather(table, path, compression=compression)
    else:  # A stream, as datasets.save_to_disk writes it.
        codec = None if compression == "uncompressed" else compression
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_stream(path, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=25)
    same(load_predictions(path))
    same(load_predictions(path, labels=path))


def test_feather_that_unpacks_to_gigabytes_is_refused_before(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather

    table = pa.table({"label": np.zeros(200_000, np.int8), "a": np.zeros(200_000)})
    feather.write_feather(table, tmp_path / "p.feather", compression="zstd")
    assert (tmp_path / "p.feather").stat().st_size < 20_000
    monkeypatch.setattr("hardpairs.predictions.arrow_files.UNPACKED_BYTES", 1_000_000)
    with pytest.raises(InputError, match=r"unpacks to 1,8\d\d,\d+ bytes in 200,000 rows"):
        load_predictions(tmp_path / "p.feather")


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


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("p.pkl", "pickled"),
        ("p.pt", "numpy.savez"),
        ("p.xlsx", "is a spreadsheet; save its sheet as CSV"),
        ("p.xyz", "predictions are read from .npz, .npy, .csv"),
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


@pytest.mark.parametrize("names", [{}, {"class_names": NAMES}])
def test_transposed_arrays_are_told(tmp_path, names):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES.T, **names)
    with pytest.raises(InputError, match=r"60 labels for 3 rows .* \(it looks transposed\)"):
        load_predictions(tmp_path / "p.npz")


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

    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'hardpairs\[tables\]'"):
        load_predictions(tmp_path / "p.parquet")


def test_a_small_file_never_unpacks_to_gigabytes(tmp_path):

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


def test_decimals_and_ragged_lists_in_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {
        name: pa.array([Decimal(f"{value:.8f}") for value in PROBABILITIES[:, k]])
        for k, name in enumerate(NAMES.tolist())
    }
    columns["tags"] = pa.array([["a"] * (row % 3) for row in range(60)])
    parquet.write_table(pa.table({"label": NAMES[LABELS], **columns}), tmp_path / "p.parquet")
    same(load_predictions(tmp_path / "p.parquet"))


def test_a_sigmoid_in_lists_of_one(tmp_path):
    labels = (LABELS == 1).astype(int)
    records = [
        {"label": int(label), "prediction": [score]}
        for label, score in zip(labels, PROBABILITIES[:, 1].tolist(), strict=True)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, records)))
    got = load_predictions(tmp_path / "p.jsonl")
    np.testing.assert_allclose(got.probabilities[:, 1], PROBABILITIES[:, 1], atol=1e-6)
