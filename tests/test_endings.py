import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

import hardpairs.cli
from conftest import make_predictions, run_cli, run_here, run_process
from hardpairs.cli.commands import _conclude
from hardpairs.cli.ending import Unfinished, going_on, kept
from hardpairs.cli.run import _kept_elsewhere
from hardpairs.cli.streams import prepare_streams
from hardpairs.errors import InputError
from hardpairs.files import whole_folder
from hardpairs.predictions.predictions import save_predictions


def shell(command: str, cwd: Path, **environment: str):
    """Run a command line with its pipes; `hardpairs` is this package's."""
    command = command.replace("hardpairs", f"{sys.executable} -m hardpairs", 1)
    return run_process(["bash", "-c", f"set -o pipefail; {command}"], cwd, environment)


@pytest.mark.train
def test_a_training_stays_though_its_result_cannot_be_printed(tiny_folder, tmp_path):
    arguments = f"--data {tiny_folder} --recipe fast-dense --out r"
    done = shell(f"hardpairs train {arguments} > /dev/full", tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "No space" in last
    assert "go on with `hardpairs evaluate r`" in last
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["r"]
    assert (tmp_path / "r" / "predictions.npz").exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_a_terminal_of_few_characters(tmp_path, encoding):
    save_predictions(make_predictions(), tmp_path / "p.npz")
    done = run_cli("evaluate", tmp_path / "p.npz", PYTHONIOENCODING=encoding)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "<- hardest" in done.stdout


def test_a_full_output_is_one_sentence(tmp_path):
    save_predictions(make_predictions(), tmp_path / "p.npz")
    done = shell("hardpairs evaluate p.npz > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "hardpairs: standard output can't be written (No space left on device)."
    )


def test_a_path_that_is_too_long_is_one_sentence(tmp_path):
    done = run_here("evaluate", "a" * 300, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "too long" in done.stderr


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), SystemExit(1)])
def test_a_training_stays_though_nobody_reads_its_result(tmp_path, error):
    """rich ends the process where nobody reads any more."""
    said = f"complete, but printing its result failed .Broken pipe.; go on with .* {tmp_path}"
    with pytest.raises(Unfinished, match=said), kept(tmp_path, "printing its result"):
        raise error


def test_whatever_ends_a_training_says_what_it_goes_on_from():
    with pytest.raises(InputError) as ended, going_on(lambda: True, "all is in .state"):
        raise InputError("r: can't be written (No space left on device).")
    assert ended.value.__notes__ == ["all is in .state, and the same command goes on from there"]
    for there, error in (
        (False, InputError("full")),
        (True, InputError(".state: is damaged; remove it.")),
        (True, Unfinished("run the same command again")),
    ):
        with pytest.raises(type(error)) as ended, going_on(lambda: there, "all is in .state"):  # noqa: B023
            raise error
        assert not getattr(ended.value, "__notes__", None)


class ResourceExhaustedError(Exception):
    """As TensorFlow's."""


@pytest.mark.parametrize("error", [MemoryError(), ResourceExhaustedError("OOM when allocating")])
def test_want_of_memory_is_one_sentence_and_what_is_kept(error, capsys):
    error.add_note("the epochs trained so far are kept")
    assert _conclude(error) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("hardpairs: there isn't enough memory here; ")
    assert second == "hardpairs: the epochs trained so far are kept."


def test_a_run_whose_place_was_taken_is_kept_and_its_state_is_not(tmp_path):
    run, state = tmp_path / "run", tmp_path / ".0.training.npz"
    state.write_text("all epochs")

    def train() -> None:
        with _kept_elsewhere(lambda: state), whole_folder(run) as partial:
            (partial / "predictions.npz").write_text("")
            run.mkdir()

    said = r"run was made by something else meanwhile; the run is .* complete in .*run-2; go on"
    with pytest.raises(Unfinished, match=said):
        train()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2"]


def test_a_run_that_was_removed_is_not_said_to_be_there(tmp_path):
    said = "run was trained and complete, and something else removed it"
    with pytest.raises(Unfinished, match=said), kept(tmp_path / "run", "its analysis"):
        raise InputError("run: can't be read (No such file or directory); check the path.")


def test_a_terminal_that_says_it_has_no_width_is_printed_to(monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.StringIO())
    prepare_streams()
    assert Console(file=io.StringIO()).width > 0


def test_from_python_the_command_line_is_a_function(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["hardpairs", "--version"])
    with pytest.raises(SystemExit) as ended:
        hardpairs.cli.main()
    assert ended.value.code == 0
    assert hardpairs.__version__ in capsys.readouterr().out
