import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hardpairs.errors import InputError
from hardpairs.files import (
    Taken,
    clear_abandoned,
    locked,
    named_file,
    whole_file,
    whole_files,
    whole_folder,
    write_text,
)


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


def write_named(path, text):
    with named_file(path) as partial:
        partial.write_text(text)


def test_a_named_link_is_followed_and_a_pipe_fed(tmp_path):
    (tmp_path / "target.md").write_text("old")
    (tmp_path / "link.md").symlink_to("target.md")
    (tmp_path / "new.md").symlink_to("made.md")
    for name in ("link.md", "new.md"):
        write_named(tmp_path / name, "new")
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "target.md").read_text() == (tmp_path / "made.md").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=write_named, args=(tmp_path / "pipe", "through"))
    writer.start()
    assert (tmp_path / "pipe").read_text() == "through"
    writer.join()
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(InputError, match="/dev/full: can't be written"):
        write_named("/dev/full", "lost")
    assert Path("/dev/full").is_char_device()


def test_files_go_to_a_folder_together_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_files(tmp_path / "new") as partial:
        write_half_and_stop(partial / "half")
    assert list(tmp_path.iterdir()) == []
    folder = tmp_path / "there"
    folder.mkdir()
    for name in ("a.txt", "mine.txt"):
        (folder / name).write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_files(folder) as partial:
        write_half_and_stop(partial / "a.txt")
    assert (folder / "a.txt").read_text() == "old"
    with whole_files(folder) as partial:
        write_text(partial / "a.txt", "new")
        with pytest.raises(Taken, match="another command is writing there"), whole_files(folder):
            pass
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "a.txt": "new",
        "mine.txt": "old",
    }


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


@pytest.mark.parametrize("name", ["a" * 256, "new/.."])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_done(tmp_path, name):
    begun = False
    with pytest.raises(InputError), whole_folder(tmp_path / name):
        begun = True
    assert not begun


def test_a_full_disk_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="No space left") as caught, whole_file(tmp_path / "f"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(tmp_path / "f") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be made"), whole_folder(tmp_path / "file" / "x"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_really_full_device(tmp_path, monkeypatch):
    def full(self, data):
        with open("/dev/full", "wb") as device:
            device.write(data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        write_text(tmp_path / "file", "x" * 10)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


FILLING = """
import sys, time
from hardpairs.files import whole_file, whole_folder
with {writer}(sys.argv[1]) as partial:
    ({target}).write_text("half")
    print("filling", flush=True)
    time.sleep(60)
"""


def start_filling(path: Path, writer: str = "whole_folder") -> subprocess.Popen:
    code = FILLING.format(
        writer=writer, target="partial" if writer == "whole_file" else "partial / 'half'"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "filling\n"
    return process


@pytest.mark.parametrize("writer", ["whole_file", "whole_folder"])
def test_what_a_killed_process_left_is_cleared_and_what_a_live_one_fills_is_not(tmp_path, writer):
    dead, alive = start_filling(tmp_path / "a", writer), start_filling(tmp_path / "b", writer)
    try:
        assert len(names(tmp_path)) == 2
        clear_abandoned(tmp_path)
        assert len(names(tmp_path)) == 2
        dead.kill()
        dead.communicate()
        with whole_folder(tmp_path / "c") as partial:
            (partial / "all").write_text("")
        [left, made] = names(tmp_path)
        assert (left.startswith(".b."), made) == (True, "c")
    finally:
        alive.kill()
        alive.communicate()


def test_a_place_is_reserved_from_the_beginning(tmp_path):
    first = start_filling(tmp_path / "run")
    try:
        with pytest.raises(Taken, match="another command is writing there"):
            start_second(tmp_path)
    finally:
        first.kill()
        first.communicate()
    start_second(tmp_path)  # A killed one lets go of it.
    assert names(tmp_path) == ["run"]


def start_second(folder: Path) -> None:
    with whole_folder(folder / "run"):
        pass


def test_of_many_who_want_one_place_at_once_one_gets_it(tmp_path):
    outcomes, start = [], threading.Barrier(8)

    def make() -> None:
        start.wait()
        try:
            with whole_folder(tmp_path / "run") as partial:
                (partial / "all").write_text("")
                time.sleep(1.5)
            outcomes.append("made")
        except Taken:
            outcomes.append("taken")

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["taken"] * 7
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["all"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_complete_is_kept_though_its_place_was_taken_meanwhile(tmp_path, kind):
    def make() -> None:
        with whole_folder(tmp_path / "run") as partial:
            (partial / "all").write_text("")
            if kind == "folder":
                (tmp_path / "run" / "other").mkdir(parents=True)
            else:
                (tmp_path / "run").write_text("other")

    with pytest.raises(InputError, match=r"complete in .*run-2\."):
        make()
    assert names(tmp_path) == ["run", "run-2"]
    assert names(tmp_path / "run-2") == ["all"]


def test_a_full_disk_elsewhere_is_not_told_as_this_folders(tmp_path):
    with pytest.raises(OSError, match="No space left"), whole_folder(tmp_path / "run"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_hidden_folders_of_others_stay(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "photo").write_text("")
    (tmp_path / ".rsync.partial").mkdir()
    (tmp_path / ".rsync.partial" / "part").write_text("")
    (tmp_path / ".file.partial").write_text("")
    (tmp_path / ".run.partial").symlink_to(tmp_path / "precious", target_is_directory=True)
    before = names(tmp_path)
    clear_abandoned(tmp_path)
    assert names(tmp_path) == before
    with pytest.raises(Taken, match=r"\.run\.partial"), whole_folder(tmp_path / "run"):
        pass
    assert names(tmp_path / "precious") == ["photo"]


def test_states_of_trainings_are_cleared_after_a_month(tmp_path):
    for name, days in ((".a.training.npz", 1), (".b.training.npz", 31), ("c.training.npz", 31)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time.time() - days * 86_400,) * 2)
    clear_abandoned(tmp_path)
    assert names(tmp_path) == [".a.training.npz", "c.training.npz"]


@pytest.mark.parametrize("writer", [whole_file, whole_folder])
def test_a_read_only_file_system_is_one_sentence(tmp_path, monkeypatch, writer):
    def refuse(self, *arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    for method in ("mkdir", "unlink", "rmdir"):
        monkeypatch.setattr(Path, method, refuse)
    with (
        pytest.raises(InputError, match=r"x: can't be written \(Read-only"),
        writer(tmp_path / "x"),
    ):
        pass


@pytest.mark.parametrize("writer", [whole_file, whole_folder])
def test_a_name_as_long_as_a_file_system_allows(tmp_path, writer):
    name = "é" * 127
    with writer(tmp_path / name) as partial:
        if writer is whole_file:
            partial.write_text("")
    assert names(tmp_path) == [name]
    with pytest.raises(InputError, match="can't be written"), writer(tmp_path / ("a" * 256)):
        pass


def test_a_lock_is_held_by_one_and_its_file_is_neither_followed_nor_emptied(tmp_path):
    (tmp_path / "precious").write_text("text")
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="can't be written"), locked(tmp_path / ".lock", "busy"):
        pass
    assert (tmp_path / "precious").read_text() == "text"
    with (
        locked(tmp_path / "precious", "busy"),
        pytest.raises(InputError, match="busy"),
        locked(tmp_path / "precious", "busy"),
    ):
        pass
    assert (tmp_path / "precious").read_text() == "text"


def test_text_that_is_no_unicode_is_written_with_a_replacement(tmp_path):
    write_text(tmp_path / "a.txt", "donn\udce9es")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "donn\ufffdes"


@pytest.mark.parametrize("writer", [whole_files, whole_folder])
def test_folders_that_were_made_for_nothing_go_again(tmp_path, writer):
    with pytest.raises(KeyboardInterrupt), writer(tmp_path / "new" / "in" / "it") as partial:
        write_half_and_stop(partial / "half")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError), writer(tmp_path / "new" / ("n" * 300)):
        pass
    assert list(tmp_path.iterdir()) == []
    with whole_files(tmp_path / "passed" / ".." / "new") as partial:
        write_text(partial / "a.txt", "whole")
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
