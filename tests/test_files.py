import errno
from pathlib import Path

import pytest

from hardpairs.errors import InputError
from hardpairs.files import whole_file, whole_folder, write_text


def write_half_and_stop(path):
    path.write_text("half of the sec")
    raise KeyboardInterrupt


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "first")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as partial:
        write_half_and_stop(partial)
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "run") as partial:
        write_half_and_stop(partial / "half")
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "a" / "run") as partial:
        (partial / "all").write_text("")
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["run"]
    assert [entry.name for entry in (tmp_path / "a" / "run").iterdir()] == ["all"]


def test_a_folder_is_never_overwritten(tmp_path):
    with pytest.raises(InputError, match="exists already"), whole_folder(tmp_path):
        pass


def test_a_full_disk_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="No space left") as caught, whole_file(tmp_path / "f"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(tmp_path / "f") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"), whole_folder(tmp_path / "file" / "x"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_really_full_device(tmp_path, monkeypatch):
    def full(self, data, encoding):
        with open("/dev/full", "w", encoding=encoding) as device:
            device.write(data)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left"):
        write_text(tmp_path / "file", "x" * 10)
