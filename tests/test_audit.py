import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from conftest import run_here, write_folder
from hardpairs.analysis.audit import Accuracy, audit_dataset
from hardpairs.data.split import Dataset, Split
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.audit import write_audit

HOSTILE = ("$x^{", "<b>", "a|b", "*c*", "plain", "f", "g", "h", "i", "j" * 300)


def confident(split: Split, name: str, wrong: tuple[int, ...] = ()) -> Predictions:
    """Nets that are sure of every label but the ``wrong`` ones."""
    others = np.random.default_rng(0).uniform(0.5, 1.5, (len(split), 10)) / 1000
    probabilities = np.where(np.eye(10)[split.labels] > 0, 0.99, others)
    for row in wrong:
        probabilities[row] = np.roll(probabilities[row], 1)
        probabilities[row, split.labels[row]] = 0.0005
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Predictions(split.labels, probabilities, HOSTILE, split=name)


@pytest.fixture(scope="module")
def audited(fashion):
    """300 + 100 images: test 5 is train 0, test 8 is test 7, three labels are wrong."""
    train = Split(fashion.train.images[:300], fashion.train.labels[:300].copy())
    test = Split(fashion.test.images[:100].copy(), fashion.test.labels[:100].copy())
    test.images[5], test.labels[5] = train.images[0], train.labels[0]
    test.images[8] = test.images[7]
    for labels, rows in ((train.labels, [3]), (test.labels, [5, 9])):
        labels[rows] = (labels[rows] - 1) % 10
    dataset = Dataset("<i>small", "small", HOSTILE, train, test)
    audit = audit_dataset(dataset, confident(train, "train", (3,)), confident(test, "test", (5, 9)))
    return dataset, audit


def test_planted_faults_are_found(audited):
    _, audit = audited
    assert audit.duplicates.pairs.tolist() == [[0, 305], [307, 308]]
    counts = audit.kind_counts()
    assert counts["between train and test"] == {"exact": 1, "near": 0}
    assert counts["within test"] == {"exact": 1, "near": 0}
    assert counts["within train"] == {"exact": 0, "near": 0}
    assert audit.train_suspects.tolist() == [3]
    assert sorted(audit.test_suspects.tolist()) == [5, 9]
    assert audit.train_counts.sum() == 300


def test_accuracy_with_and_without(audited):
    measured = {row.on: (row.images, row.accuracy) for row in audited[1].accuracies}
    assert measured["all test images"] == (100, 0.98)
    assert measured["without suspect labels"] == (98, 1.0)
    assert measured["without duplicates"] == (98, 97 / 98)
    assert measured["without either"] == (97, 1.0)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_what_is_written(audited, tmp_path):
    dataset, audit = audited
    write_audit(audit, dataset, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    pictures = {"duplicates.png", "suspects_train.png", "suspects_test.png"}
    tables = {"duplicates.csv", "suspects.csv", "train.npz", "test.npz"}
    assert names == pictures | tables | {"audit.md", "audit.json"}
    page = (tmp_path / "audit.md").read_text()
    for name in ("<b>", "<i>", "a|b", "*c*"):
        assert name not in page
    assert "| train 0 |" in page
    assert re.search(r"estimated by their probabilities: \d+ in train and \d+ in test\.", page)
    with (tmp_path / "duplicates.csv").open(newline="") as file:
        pairs = list(csv.DictReader(file))
    assert [(p["split_1"], p["id_1"], p["split_2"], p["id_2"]) for p in pairs] == [
        ("train", "0", "test", "5"),
        ("test", "7", "test", "8"),
    ]
    with (tmp_path / "suspects.csv").open(newline="") as file:
        suspects = list(csv.DictReader(file))
    assert {(row["split"], row["id"]) for row in suspects} == {
        ("train", "3"),
        ("test", "5"),
        ("test", "9"),
    }
    assert json.loads((tmp_path / "audit.json").read_text())["test_suspects"] == 2


def test_above_what_is_judged_the_rest_of_the_audit_is_there(audited, tmp_path, monkeypatch):
    from hardpairs.analysis import audit as module
    from hardpairs.analysis import evidence
    from hardpairs.cli.terminal import Console, print_audit

    dataset, whole = audited
    for each in (module, evidence):
        monkeypatch.setattr(each, "MOST_SCORES", 1_500)  # 3,000 of train, 1,000 of test.
    monkeypatch.setattr(module, "FEW_IMAGES", 299)
    audit = audit_dataset(dataset, whole.train, whole.test)
    assert len(audit.notes) == 1
    assert len(audit.train_suspects) == 0
    assert sorted(audit.test_suspects.tolist()) == [5, 9]
    assert len(audit.duplicates.pairs) == 2
    assert set(audit.expected_wrong()) == {"test"}
    write_audit(audit, dataset, tmp_path)
    said = "The train labels aren't judged: 300 images times 10 classes are more than 1,500."
    assert said in (tmp_path / "audit.md").read_text()
    assert said in json.loads((tmp_path / "audit.json").read_text())["notes"]
    print_audit(audit, Console())


@pytest.mark.train
def test_audit_command(tmp_path, fashion):
    folder = write_folder(tmp_path / "data", fashion, 500, 300)
    out, marked = tmp_path / "audit", tmp_path / "corrections.csv"
    name = fashion.class_names[fashion.train.labels[0]]
    marked.write_text(f"split,id,label,mark,correction\ntrain,0,{name},leave out,\n")
    options = ("--data", folder, "--recipe", "fast-dense", "--quiet", "--out", out)
    done = run_here("audit", *options, "--corrections", marked)
    assert done.returncode == 0, done.stderr
    said = "Corrections of corrections.csv: 0 labels changed, 1 image left out."
    assert said in done.stderr
    assert said in (out / "audit.md").read_text()
    assert "suspect labels:" in done.stdout
    assert {"audit.md", "audit.json", "duplicates.csv"} <= {path.name for path in out.iterdir()}
    record = json.loads((out / "audit.json").read_text())
    assert record["accuracies"][0]["accuracy"] > 0.5
    assert sum(record["train_counts"]) == 499
    again = run_here("audit", *options)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.train
def test_each_image_is_judged_by_a_net_that_has_not_seen_it(fashion):
    from hardpairs.errors import InputError
    from hardpairs.training.cross_validation import FOLDS, train_folds
    from hardpairs.training.recipes import RECIPES

    by_class = np.argsort(fashion.train.labels[:90], kind="stable")
    data = replace(fashion, train=fashion.train.take(by_class))
    told = []
    folds = train_folds(data, RECIPES["fast"], seed=1, on_progress=told.append)
    held_out = [rows for _, rows in folds]
    assert len(held_out) == FOLDS
    assert told[0].phase == "net 1 of 3: preparing"
    assert sorted(np.concatenate(held_out).tolist()) == list(range(90))
    counts = [np.bincount(data.train.labels[rows], minlength=10) for rows in held_out]
    assert np.ptp(counts, axis=0).max() <= 2  # Every class is in every fold, in proportion.
    few = replace(data, train=data.train.take(slice(29)))
    with pytest.raises(InputError, match="too few"):
        next(train_folds(few, RECIPES["fast"]))


def test_an_audits_numbers_read_as_they_are(audited, tmp_path, capsys):
    from hardpairs.cli.terminal import Console, print_audit

    dataset, whole = audited
    nearly = Accuracy("all test images", 100_000, 0.99999, (0.99994, 0.999998))
    audit = replace(whole, accuracies=(nearly,))
    print_audit(audit, Console())
    write_audit(audit, dataset, tmp_path)
    printed, sheet = capsys.readouterr().out, (tmp_path / "audit.md").read_text()
    for text in (printed, sheet):
        assert "99.999%" in text
        assert not re.search(r"100\.00%|\b1 labels?\b.* are wrong", text)
    expected = [f"{count:.0f} in {split}" for split, count in audit.expected_wrong().items()]
    assert f"wrong labels, an estimate: {' and '.join(expected)}\n" in printed
    assert "expect right labels among them" in sheet
    assert f"estimated by their probabilities: {' and '.join(expected)}." in sheet
