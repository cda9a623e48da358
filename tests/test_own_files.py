"""What this package wrote, given in the place of predictions or labels: said, never counted."""

import shutil

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import save_predictions
from hardpairs.report.explore import explore
from hardpairs.report.write import analyse

TABLE = "id,label,prediction\n" + "".join(
    f"{row}.png,{'abc'[row % 3]},{'abc'[(row + (row % 5 == 0)) % 3]}\n" for row in range(60)
)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    save_predictions(make_predictions(split="test"), folder / "predictions.npz")
    analyse(folder, folder=folder)
    np.save(folder / "hidden.npy", np.ones((200, 64), np.float16))
    (folder / "config.toml").write_text("seed = 0\n")
    return folder


def test_another_file_of_a_run_names_the_run(run):
    for name in ("mistakes.csv", "metrics.json", "hidden.npy", "config.toml", "confusion.png"):
        for give in (
            load_predictions,
            lambda path: load_predictions(run / "predictions.npz", labels=path),
        ):
            with pytest.raises(InputError, match=rf"{name}: is a file of a run.*folder, .*run\.$"):
                give(run / name)


def test_mistakes_are_no_predictions_and_no_labels(run, tmp_path):
    shutil.copy(run / "mistakes.csv", tmp_path / "of_run.csv")
    (tmp_path / "hard.csv").write_text(TABLE)
    report = explore(str(tmp_path / "hard.csv"))
    report.to_frame().to_csv(tmp_path / "frame.csv", index=False)
    for name in ("of_run.csv", "frame.csv"):
        with pytest.raises(InputError, match=r"is a list of mistakes.* made from"):
            load_predictions(tmp_path / name)
        with pytest.raises(InputError, match=r"is a list of mistakes.* made from"):
            load_predictions(tmp_path / "hard.csv", labels=tmp_path / name)
    report.to_frame("images").to_csv(tmp_path / "images.csv", index=False)
    again = explore(str(tmp_path / "images.csv")).evaluation
    assert again.accuracy == report.evaluation.accuracy
    assert again.class_names == ("a", "b", "c")


def test_numbers_and_corrections_are_no_predictions(run, tmp_path):
    shutil.copy(run / "metrics.json", tmp_path / "copied.json")
    (tmp_path / "c.csv").write_text(
        "split,id,label,mark,correction\ntest,0,a,label wrong,b\ntest,5,c,leave out,\n"
    )
    with pytest.raises(InputError, match="holds what hardpairs counted"):
        load_predictions(tmp_path / "copied.json")
    with pytest.raises(InputError, match=r"holds corrections.*--corrections"):
        load_predictions(tmp_path / "c.csv")
    with pytest.raises(InputError, match=r"holds corrections.*--corrections"):
        load_predictions(run / "predictions.npz", labels=tmp_path / "c.csv")
