import contextlib
import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from conftest import write_idx
from hardpairs.data.idx import read_idx
from hardpairs.errors import InputError

VALID = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    array=arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, max_side=9)), zipped=st.booleans()
)
def test_round_trip(tmp_path, array, zipped):
    path = tmp_path / ("file.gz" if zipped else "file")
    write_idx(path, array)
    np.testing.assert_array_equal(read_idx(path, array.ndim), array)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "magic number"),
        (b"\0\0", "magic number"),
        (b"PK\3\4 something else", "magic number"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "type 0x0d"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 1]), "3 dimensions, expected 1"),
        (VALID[:6], "ends inside its header"),
        (VALID[:-1], "announces 3 bytes of data but there are only 2"),
        (VALID + b"x", "announces 3 bytes of data but there are more"),
        (gzip.compress(VALID, mtime=0)[:-9], "damaged gzip"),
        (gzip.compress(VALID, mtime=0)[:-8] + b"12345678", "damaged gzip"),
        (b"\x1f\x8b" + b"not gzip at all", "damaged gzip"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, complaint):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as caught:
        read_idx(path, 1)
    assert str(path) in str(caught.value)


def test_plain_bytes_under_a_gz_name(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(VALID)
    with pytest.raises(InputError, match="not a gzip file"):
        read_idx(path, 1)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_idx(tmp_path / "nothing", 1)
    with pytest.raises(InputError, match="directory"):
        read_idx(tmp_path, 1)


@pytest.mark.parametrize("claimed", [2**31 - 1, 2**32 - 1])
def test_a_header_that_claims_billions_allocates_nothing(tmp_path, claimed):
    path = tmp_path / "file"
    path.write_bytes(bytes([0, 0, 8, 1]) + claimed.to_bytes(4, "big") + b"abc")
    tracemalloc.start()
    with pytest.raises(InputError, match=r"claims|only 3"):
        read_idx(path, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.binary(max_size=64), st.binary(max_size=20).map(lambda tail: VALID[:4] + tail)))
def test_no_bytes_make_a_traceback(tmp_path, content):
    for path in (tmp_path / "file", tmp_path / "file.gz"):
        path.write_bytes(gzip.compress(content, 1) if path.suffix else content)
        with contextlib.suppress(InputError):
            read_idx(path, 1)
