"""The short form of `make fuzz`."""

import pytest

from fuzz import try_one
from fuzz_targets import TARGETS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_the_sample_is_read(name, tmp_path):
    sample, read = TARGETS[name]
    path = tmp_path / name
    path.write_bytes(sample)
    read(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_refused_in_one_sentence_or_read(name, tmp_path):
    faults = {index: try_one(name, index, tmp_path) for index in range(120)}
    assert {index: fault for index, fault in faults.items() if fault} == {}
