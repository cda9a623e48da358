import bz2
import io
import json
import lzma
import zipfile

import numpy as np
import pytest

from hardpairs.data.datasets import load_dataset
from hardpairs.errors import InputError
from hardpairs.npz import npz_shapes, read_npy, read_npz
from hardpairs.predictions.load import load_predictions
from hardpairs.reading import (
    guarded,
    json_safe,
    read_csv,
    read_json,
    read_numbers_csv,
    read_start,
    read_text,
    read_toml,
    read_unpacked,
    understood,
)


def npy_bytes(shape: tuple[int, ...], content: bytes = b"", dtype: str = "<f8") -> bytes:
    """An array's header, and whatever should follow."""
    file = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


def test_npz_and_npy_come_back(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(6).reshape(2, 3), y=np.array(["é", "b"]))
    arrays = read_npz(tmp_path / "a.npz")
    assert arrays["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert arrays["y"].tolist() == ["é", "b"]
    assert read_npz(str(tmp_path / "a.npz"), ["y", "z"]).keys() == {"y"}
    assert npz_shapes(tmp_path / "a.npz") == {"x": ((2, 3), "int64"), "y": ((2,), "<U1")}
    np.save(tmp_path / "a.npy", np.asfortranarray(np.eye(3, 4)))
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), np.eye(3, 4))


def test_what_unpacks_to_more_than_it_should_is_never_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy_bytes((2**21,), bytes(2**24)))
    assert read_npz(tmp_path / "a.npz")["x"].shape == (2**21,)
    with pytest.raises(InputError, match=r"unpacks to 16,777,\d+ bytes"):
        read_npz(tmp_path / "a.npz", most_bytes=2**20)


@pytest.mark.parametrize("shape", [(10**12,), (10**12, 0), (0, 10**12), (2**62, 2**62), (-1,)])
def test_shapes_that_cannot_be_true(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(npy_bytes(shape))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy_bytes(shape))
    for read, name in ((read_npy, "a.npy"), (read_npz, "a.npz")):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize("dtype", ["|O", "<c16", "<M8[s]", "|V7", "<U1000000"])
def test_only_numbers_and_texts_are_read(tmp_path, dtype):
    (tmp_path / "a.npy").write_bytes(npy_bytes((1,), bytes(10_000_000), dtype))
    with pytest.raises(InputError):
        read_npy(tmp_path / "a.npy")


def test_methods_that_cannot_be_stopped_are_refused(tmp_path):
    assert len(bz2.compress(bytes(2**24))) < 100
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", npy_bytes((2,), bytes(16)))
    with pytest.raises(InputError, match="packed in another way"):
        read_npz(tmp_path / "a.npz")


def test_texts(tmp_path):
    (tmp_path / "a.json").write_text('{"a": NaN, "b": [1]}')
    assert read_json(tmp_path / "a.json") == {"a": None, "b": [1]}
    (tmp_path / "a.toml").write_text("a = 1")
    assert read_toml(tmp_path / "a.toml") == {"a": 1}
    (tmp_path / "a.csv").write_text("\ufeffa,b\n1,2\n")
    assert read_csv(tmp_path / "a.csv") == [{"a": "1", "b": "2"}]
    assert read_numbers_csv(tmp_path / "a.csv") == {"a": [1.0], "b": [2.0]}


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (read_json, b"{"),
        (read_json, b"[" * 100_000),
        (read_json, b"1" * 10_000),
        (read_json, b"\xff"),
        (read_toml, b"a ="),
        (read_csv, b""),
        (read_csv, b"a,a\n1,2\n"),
        (read_csv, b"a,b\n1\n"),
        (read_csv, b'a,b\n"1\n'),
        (read_csv, b"a\n" + b"1" * 200_000),
        (read_numbers_csv, b"a,b\n1,x\n"),
        (read_numbers_csv, b"a,b\n1,nan\n"),
        (read_npy, b""),
        (read_npy, b"\x93NUMPY\x03\x00\x00\x00\x00\x00"),
        (read_npz, b"PK\x03\x04"),
        (read_npz, b""),
    ],
)
def test_every_fault_names_the_file(tmp_path, read, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match=str(tmp_path / "file")):
        read(tmp_path / "file")
    for missing in (tmp_path / "no", tmp_path, tmp_path / ("a" * 300)):
        with pytest.raises(InputError, match="can't be read"):
            read(missing)


def test_foreign_metadata_becomes_strict_json():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    value = {
        1: float("nan"),
        "a\ud800": "b\udce9",
        "n": np.float32(0.5),
        "x": np.arange(2),
        "big": 10**10_000,
        "s": {1},
        "deep": deep,
    }
    safe = json_safe(value)
    assert json.loads(json.dumps(safe, allow_nan=False)) == safe
    assert safe["1"] is None
    assert (safe["a\ufffd"], safe["n"], safe["x"]) == (
        "b\ufffd",
        0.5,
        [0, 1],
    )


def test_a_package_that_claims_a_gigabyte_of_memory_gets_none(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**29}]
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"text", filters=filters))
    with pytest.raises(InputError, match="a\\.xz"):
        read_unpacked(tmp_path / "a.xz", 100)
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"text", preset=9))
    assert read_unpacked(tmp_path / "a.xz", 100) == b"text"
    with pytest.raises(InputError, match="more than 3 bytes"):
        read_unpacked(tmp_path / "a.xz", 3)


def test_a_zip_of_one_file_is_read_and_no_other(tmp_path):
    path = tmp_path / "a.csv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/a.csv", b"text")
    assert read_unpacked(path, 4) == b"text"
    assert read_start(path, 2) == b"te"
    with pytest.raises(InputError, match="more than 3 bytes"):
        read_unpacked(path, 3)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.csv", b"text")
    with pytest.raises(InputError, match="a zip of 2 files; unpack it and name one of them"):
        read_unpacked(path, 4)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", b"text")
    with pytest.raises(InputError, match="unusual way"):
        read_unpacked(path, 4)
    path.write_bytes(b"text")
    with pytest.raises(InputError, match="isn't packed with zip, as its name says"):
        read_unpacked(path, 4)


@pytest.mark.parametrize("door", [guarded, understood])
def test_want_of_memory_is_no_damage(door):
    with pytest.raises(InputError, match="takes more memory than is free"), door("x.npz", "a file"):
        raise MemoryError


def test_an_address_is_no_path():
    for read in (read_text, load_predictions, load_dataset):
        with pytest.raises(InputError, match=r"^https?:/.*: is an address.* download it first\.$"):
            read("https://example.com/predictions.csv")
