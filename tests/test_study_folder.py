import os
import subprocess
import sys

import pytest

from hardpairs.errors import InputError
from hardpairs.studies.jobs import study_folder


def test_two_studies_in_one_folder(tmp_path):
    code = (
        "import sys, pathlib; from hardpairs.studies.jobs import study_folder\n"
        "with study_folder(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InputError, match="another study is running"), study_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with study_folder(tmp_path):
        pass


def test_a_planted_lock_changes_nothing_elsewhere(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("link", "dangling"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / ".lock").symlink_to(victim)
    (tmp_path / "dangling" / ".lock").symlink_to(tmp_path / "made")
    for name in ("link", "dangling"):
        with pytest.raises(InputError, match="written"), study_folder(tmp_path / name):
            pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "made").exists()
    (tmp_path / "hard").mkdir()
    os.link(victim, tmp_path / "hard" / ".lock")
    with study_folder(tmp_path / "hard"):
        pass
    assert victim.read_text() == "precious"


def test_what_a_killed_study_left_is_cleared_and_nothing_else(tmp_path):
    code = (
        "import os, pathlib, sys; from hardpairs.files import whole_file, whole_folder\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with whole_folder(folder / 'jobs' / 'abc') as partial, whole_file(folder / 'x') as file:\n"
        "    (partial / 'predictions.npz').write_bytes(b'half'); file.write_text('half')\n"
        "    os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.rglob(".*.partial"))) == 2
    (tmp_path / ".mine").write_text("kept")
    left = tmp_path / "jobs" / ".scratch" / "of-a-worker"
    left.mkdir(parents=True)
    with study_folder(tmp_path) as scratch:
        assert list(scratch.iterdir()) == []
    assert {path.name for path in tmp_path.rglob("*")} == {"jobs", ".mine", ".lock"}


def test_studies_need_no_module_that_windows_lacks(tmp_path):
    code = (
        "import sys, warnings\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'): sys.modules[name] = None\n"
        "warnings.simplefilter('ignore')\n"
        "import pathlib, hardpairs.cli.studies\n"
        "from hardpairs.studies.jobs import study_folder\n"
        "with study_folder(pathlib.Path(sys.argv[1])): print('held')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("held\n", "")


def test_a_study_stopped_before_anything_is_done_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt), study_folder(tmp_path / "new" / "study"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with study_folder(tmp_path / "new" / "study"):
        (tmp_path / "new" / "study" / "jobs" / "done").mkdir()
    assert (tmp_path / "new" / "study" / ".lock").exists()


@pytest.mark.parametrize("page", ["report.html", "difference.html"])
def test_a_study_replaces_no_page_of_another_command(tmp_path, page):
    (tmp_path / page).write_text("a run's")
    with pytest.raises(InputError, match=f"has a {page} of another"), study_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [page]
    (tmp_path / "jobs").mkdir()
    with study_folder(tmp_path):
        pass
