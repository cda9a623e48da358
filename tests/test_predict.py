"""`hardpairs predict`, as it is called."""

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from hardpairs.cli import predict as command
from hardpairs.errors import InputError
from hardpairs.serving.answer import answer, half_blocks, halved
from hardpairs.serving.figure import draw_answers
from hardpairs.serving.model import load_exported


@pytest.fixture(scope="module")
def photo(tmp_path_factory, fashion):
    """A test image of a class that is easily told, as a photo: black on white."""
    row = int(np.flatnonzero(fashion.test.labels == 1)[0])
    path = tmp_path_factory.mktemp("photos") / "trousers.png"
    Image.fromarray(255 - fashion.test.pixels[row, ..., 0]).resize((120, 120)).save(path)
    return path


def run(*arguments, **options):
    return CliRunner().invoke(command.predict, [str(each) for each in arguments], **options)


def test_text_that_is_piped_has_no_pictures(exported, photo):
    done = run(exported, photo)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == str(photo)
    assert lines[1].split()[1] == "Trouser"
    assert any(line.startswith("  Nearest training images: Trouser (") for line in lines)
    assert "\x1b" not in done.stdout


def test_without_a_run_the_last_one_exported_predicts(exported, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    none = run(photo)
    assert isinstance(none.exception, InputError)
    assert "trousers.png: is a photo, and no run in runs/ is exported" in str(none.exception)
    shutil.copytree(exported, tmp_path / "runs" / "mine")
    done = run(photo)
    assert done.exit_code == 0, done.output
    assert done.stderr == "Predicted by runs/mine.\n"
    assert done.stdout == run(tmp_path / "runs" / "mine", photo).stdout
    alone = run(exported)
    assert "is the run; name photos behind it" in str(alone.exception)


def test_a_first_word_that_is_a_file_is_a_photo_whatever_its_name(exported, photo, tmp_path):
    (tmp_path / "runs").mkdir()
    shutil.copytree(exported, tmp_path / "runs" / "mine")
    shutil.copy(photo, tmp_path / "trousers")
    (tmp_path / "cat.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with contextlib.chdir(tmp_path):
        assert "Trouser" in run("trousers").stdout
        assert "cat.heic: is no picture in a format that is read here" in run("cat.heic").stderr
        assert "gone.heic: can't be read" in run("gone.heic").stderr
        assert "runs/mine: is a folder; name photos, as" in run("trousers", "runs/mine").stderr


def test_what_is_no_exported_run_is_told_what_it_is(exported, photo, tmp_path):
    trained = tmp_path / "runs" / "trained"
    trained.mkdir(parents=True)
    (trained / "model.keras").touch()

    def said(*words):
        return str(run(*words, photo).exception)

    assert said(trained).endswith(f"is missing; write it with `hardpairs export {trained}`.")
    assert f"holds runs, as {trained}; export one, then name it" in said(tmp_path / "runs")
    mine = shutil.copytree(exported, tmp_path / "runs" / "mine")
    assert f"holds runs, as {mine}; name one." in said(tmp_path / "runs")
    assert "model.onnx: is a file; name the folder of a run" in said(mine / "model.onnx")
    assert "runs/gone: is no folder here" in said(tmp_path / "runs" / "gone")
    assert "holds no exported net" in said(tmp_path)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals to open")
def test_a_terminal_shows_pictures(exported, photo):
    def shown(**environment: str) -> str:
        ours, theirs = os.openpty()
        given = {"COLUMNS": "80", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
        process = subprocess.Popen(
            [sys.executable, "-m", "hardpairs", "predict", exported, photo],
            env={**os.environ, **given, **environment},
            stdout=theirs,
        )
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed.
                part = b""
            if not part:
                break
            said += part
        os.close(ours)
        assert process.wait() == 0
        return said.decode()

    lines = [line for line in shown().splitlines() if "\u2580" in line]
    assert [line.count("\u2580") for line in lines] == [28] * 14 + [5 * 14] * 7
    assert "\u2580" not in shown(NO_COLOR="1")


def test_json_and_csv(exported, photo, tmp_path):
    said = json.loads(run(exported, photo, "--json").stdout)
    assert said["class"] == "Trouser"
    assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert np.shape(said["picture"]) == (28, 28, 1)
    bad = tmp_path / "=bad\n.png"
    bad.write_bytes(b"no picture")
    done = run(exported, photo, bad, photo, "--csv")
    assert isinstance(done.exception, InputError)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["class"] for row in rows] == ["Trouser", "Trouser"]
    assert "no picture" in done.stderr
    assert isinstance(run(exported, photo, "--csv", "--json").exception, InputError)
    assert isinstance(run(tmp_path, photo).exception, InputError)


def test_reads_standard_input(exported, photo):
    said = json.loads(run(exported, "-", "--json", input=photo.read_bytes()).stdout)
    assert (said["photo"], said["class"]) == ("standard input", "Trouser")
    done = run(exported, "-", input=b"")
    assert isinstance(done.exception, InputError)
    assert done.stdout == ""


def test_draws_a_figure(exported, photo, tmp_path):
    path = tmp_path / "figure.png"
    done = run(exported, photo, photo, "--figure", path)
    assert done.exit_code == 0, done.output
    two = Image.open(path).size
    run(exported, photo, "--figure", path)
    one = Image.open(path).size
    assert two[0] == one[0]
    assert two[1] > 1.7 * one[1]
    refused = run(exported, photo, "--figure", tmp_path / "none" / "figure.png")
    assert isinstance(refused.exception, InputError)
    other = run(exported, photo, "--figure", tmp_path / "figure.pdf")
    assert "ends in .png" in str(other.exception)
    assert other.stdout == ""


def test_where_nothing_is_found_no_class_is_named(exported, tmp_path):
    path = tmp_path / "wall.png"
    Image.new("RGB", (60, 60), "gray").save(path)
    sentence = "Nothing was found that differs from its background."
    assert run(exported, path).stdout == f"{path}\n  Doubt: {sentence}\n"
    asked = json.loads(run(exported, path, "--json").stdout)
    assert [row["code"] for row in asked["doubts"]] == ["nothing"]
    assert asked["class"] is asked["probability"] is None
    (row,) = csv.DictReader(io.StringIO(run(exported, path, "--csv").stdout))
    assert row == {"photo": str(path), "class": "", "probability": "", "doubts": "nothing"}
    found = answer(load_exported(exported), path.read_bytes(), "wall.png")
    shown = {text.get_text() for text in draw_answers([found]).texts}
    assert {"nothing found", "doubts: nothing"} <= shown


def test_a_figure_of_many_photos_ends(exported, photo, monkeypatch):
    monkeypatch.setattr("hardpairs.serving.figure.MOST_PHOTOS", 2)
    found = answer(load_exported(exported), photo.read_bytes(), "$x^2$" * 50)
    figure = draw_answers([found] * 3)
    assert "2 photos of 3" in {t.get_text() for t in figure.texts}


def test_pictures_as_half_blocks():
    picture = np.zeros((5, 4, 1), np.uint8)
    picture[:2] = 255
    lines = half_blocks(picture)
    assert len(lines) == 3
    assert lines[0].startswith("\x1b[38;5;255;48;5;255m")
    assert halved(picture).shape == (2, 2, 1)
    assert halved(picture)[0, 0, 0] == 255


def test_a_standard_input_that_is_closed_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)  # As Python has it then.
    with pytest.raises(InputError, match=r"standard input: is closed; send it a photo"):
        command._standard_input(10)
