"""What is given in the place of predictions or labels: said, never counted."""

import shutil

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.cli.ending import going_on
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import save_predictions
from hardpairs.report.explore import explore
from hardpairs.report.write import analyse
from hardpairs.training.state import Record, load_state, save_state

TABLE = "id,label,prediction\n" + "".join(
    f"{row}.png,{'abc'[row % 3]},{'abc'[(row + (row % 5 == 0)) % 3]}\n" for row in range(60)
)
NAMES = ("cat", "dog", "owl")
COUNTS = {(a, b): 18 if a == b else 1 for a in NAMES for b in NAMES}
LONG = {
    "R's": ('"","Prediction","Reference","Freq"', lambda n, a, b, c: f'"{n}","{a}","{b}",{c}'),
    "pandas'": ("true,predicted,count", lambda n, a, b, c: f"{b},{a},{c}"),
    "ours": ("true,predicted,verdict,mistakes", lambda n, a, b, c: f"{b},{a},ambiguous,{c}"),
}


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


def damaged(how, content):
    """An archive cut short, or with a byte changed in the middle of an array."""
    middle = len(content) // 2
    return content[:middle] if how == "cut" else content[:middle] + b"\xff" + content[middle + 1 :]


@pytest.mark.parametrize("how", ["cut", "changed"])
def test_a_damaged_state_of_a_training_is_to_be_removed(tmp_path, how):
    path = tmp_path / ".key.training.npz"
    save_state(path, {"seed": 0}, Record(epochs=1), [np.zeros(5000, np.float32)])
    path.write_bytes(damaged(how, path.read_bytes()))
    with (
        pytest.raises(InputError, match=r"remove it, and the training starts") as found,
        going_on(path.exists, "the epochs are kept"),
    ):
        load_state(path, {"seed": 0})
    assert not hasattr(found.value, "__notes__")  # That the same command goes on from there.
    assert "numpy.save" not in str(found.value)


def test_a_damaged_file_of_a_run_is_not_to_be_saved_with_numpy(run):
    (run / "hidden.npy").write_bytes((run / "hidden.npy").read_bytes()[:20])
    (run / "neighbours.npz").write_bytes(b"PK")
    subject = analyse(run)
    left_out = " ".join(subject.notes)
    assert "hidden.npy: is damaged" in left_out
    assert "neighbours.npz: is damaged" in left_out
    assert left_out.count("train again") == 2
    assert "numpy.save" not in left_out


@pytest.mark.parametrize("form", LONG)
def test_a_row_for_each_pair_is_refused(tmp_path, form):
    header, line = LONG[form]
    rows = [line(n, *pair, count) for n, (pair, count) in enumerate(COUNTS.items(), start=1)]
    (tmp_path / "m.csv").write_text("\n".join([header, *rows]))
    with pytest.raises(InputError, match="holds how often each class was taken for which"):
        load_predictions(tmp_path / "m.csv")


def test_a_number_beside_each_image_is_none(tmp_path):
    rows = [f"{a},{b},{c}" for (a, b), c in COUNTS.items()] * 2
    (tmp_path / "p.csv").write_text("\n".join(["true,predicted,n", *rows]))
    assert len(load_predictions(tmp_path / "p.csv")) == 18


def test_a_row_for_each_class_is_told(tmp_path):
    rows = [",".join([name, *map(str, row)]) for name, row in zip(NAMES, np.eye(3), strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(["true,cat,dog,owl", *rows]))
    notes = load_predictions(tmp_path / "m.csv").notes
    assert any("one row for each class" in note for note in notes)
    (tmp_path / "m.csv").write_text("\n".join(["true,cat,dog,owl", *rows[::-1]]))
    assert not any("one row" in note for note in load_predictions(tmp_path / "m.csv").notes)
