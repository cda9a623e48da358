"""Predictions in files that the tools themselves wrote: tests/data/tools, its README says how."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import hardpairs
from conftest import run_here
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions

TOOLS = Path(__file__).parent / "data" / "tools"
NAMES = ("ant", "bee", "tabby cat")
TRUTH = TOOLS / "labels.csv"


@pytest.mark.parametrize(
    ("file", "labels", "right", "top_k"),
    [
        ("timm_top1.csv", TRUTH, 24, 1),
        ("timm_top2.csv", TRUTH, 24, 2),
        ("timm_top2.json", TRUTH, 24, 2),
        ("timm_top2_columns.parquet", TRUTH, 24, 2),
        ("transformers_pipeline.json", TRUTH, 24, 2),
        ("fiftyone_predicted", TOOLS / "fiftyone_truth", 18, 1),
        ("fiftyone_predicted/labels.json", TOOLS / "fiftyone_truth" / "labels.json", 18, 1),
        ("ultralytics", TRUTH, 18, 0),  # Of five classes it writes the first five, here all three.
        ("keras_generator.npz", None, 24, 0),
        ("fastai.npz", None, 12, 0),
    ],
)
def test_files_that_name_their_classes(file, labels, right, top_k):
    if file.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    got = load_predictions(TOOLS / file, labels=labels)
    assert got.class_names == NAMES
    assert (got.labels == got.predicted).sum() == right
    assert got.top_k == top_k
    # A picture's name begins with its class.
    first = [int(Path(str(each)).name.rjust(2, "0")[0]) for each in got.ids]
    assert got.labels.tolist() == first


def test_a_tools_folder_is_left_as_it_is(tmp_path):
    shutil.copytree(TOOLS / "fiftyone_predicted", tmp_path / "results")
    done = run_here(
        *("evaluate", tmp_path / "results", "--labels", TOOLS / "fiftyone_truth", "--json")
    )
    assert done.returncode == 0, done.stderr
    assert [each.name for each in (tmp_path / "results").iterdir()] == ["labels.json"]


def test_trainer_predict():
    logits = load_predictions(TOOLS / "transformers_trainer.npz")
    assert len(logits) == 24
    assert (logits.labels == logits.predicted).all()
    assert any("logits" in note for note in logits.notes)
    with np.load(TOOLS / "transformers_trainer.npz") as file:
        output = type("PredictionOutput", (), dict(file.items()))
    names = {"0": "ant", "1": "bee", "2": "tabby cat"}  # transformers_id2label.json
    assert hardpairs.explore(output, class_names=names).subject.predictions.class_names == NAMES


def test_ludwig():
    pytest.importorskip("pyarrow")
    got = load_predictions(TOOLS / "ludwig", labels=TRUTH)
    assert got.class_names == ("<UNK>", *NAMES)
    assert got.predicted.tolist() == got.labels.tolist() == [1] * 8 + [2] * 8 + [3] * 8
    assert any("joined by order" in note for note in got.notes)


def test_scikit_learn():
    pair = [load_predictions(TOOLS / name) for name in ("sklearn.npz", "sklearn.csv")]
    assert pair[0].class_names == pair[1].class_names == ("setosa", "versicolor", "virginica")
    assert pair[0].predicted.tolist() == pair[1].predicted.tolist()
    assert (pair[0].labels == pair[0].predicted).sum() == 72


def test_a_net_of_more_classes_than_the_folders(tmp_path):
    (tmp_path / "truth.csv").write_text(
        "image,label\n" + "".join(f"{k}{i}.png,{name}\n" for k, name in
                                  enumerate(("maillot", "tench", "goldfish")) for i in range(8))
    )  # fmt: skip
    for name in ("maillot", "tench", "goldfish"):
        (tmp_path / "folders" / name).mkdir(parents=True)
    for k, name in enumerate(("maillot", "tench", "goldfish")):
        for i in range(8):
            (tmp_path / "folders" / name / f"{k}{i}.png").touch()
    for labels in ("truth.csv", "folders"):
        got = load_predictions(TOOLS / "timm_imagenet.csv", labels=tmp_path / labels)
        assert len(got.class_names) == 8
        assert (got.labels == got.predicted).sum() == 8
    assert "5 predicted classes have no images of their own: 'Irish setter" in got.notes[0]
    with pytest.raises(InputError, match="row 0 has 'maillot', which is no class"):
        load_predictions(TOOLS / "timm_imagenet.csv", labels=TOOLS / "fiftyone_truth")
