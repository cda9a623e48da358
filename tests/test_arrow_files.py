import json
import sys
from decimal import Decimal

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PROBABILITIES, same


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
    monkeypatch.setattr("hardpairs.reading.UNPACKED_BYTES", 1_000_000)
    with pytest.raises(InputError, match=r"unpacks to 1,8\d\d,\d+ bytes in 200,000 rows"):
        load_predictions(tmp_path / "p.feather")


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
