"""True labels from elsewhere: files of labels, class folders, and how they are joined."""

import json

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.truth import read_truth
from tool_predictions import FILES, LABELS, NAMES, PAIRS, PLAIN, PROBABILITIES, same, write_truth

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return write_truth(tmp_path_factory.mktemp("truth"))


def test_class_folders_are_the_truth(tmp_path):
    root = tmp_path / "photos"
    files = []
    for row, label in enumerate(LABELS):
        (root / str(NAMES[label])).mkdir(parents=True, exist_ok=True)
        files.append(f"{NAMES[label]}/{row:03}.jpg")
        (root / files[-1]).write_bytes(b"")
    (root / "notes.txt").write_text("no image")
    # A generator reads folders by name, and files in them by name.
    order = sorted(range(60), key=lambda row: files[row])
    np.save(tmp_path / "p.npy", PROBABILITIES[order])
    got = load_predictions(tmp_path / "p.npy", labels=root)
    np.testing.assert_array_equal(got.labels, LABELS[order])
    assert got.class_names == tuple(NAMES)
    assert any("joined by order" in note for note in got.notes)
    frame = pd.DataFrame(PROBABILITIES, columns=NAMES)
    frame["filename"] = [f"/home/me/photos/{file}" for file in files]
    frame.to_csv(tmp_path / "p.csv", index=False)
    same(load_predictions(tmp_path / "p.csv", labels=root))
    np.savez(tmp_path / "p.npz", predictions=PROBABILITIES, filenames=files)
    same(load_predictions(tmp_path / "p.npz", labels=root))
    (tmp_path / "split").mkdir()
    root.rename(tmp_path / "split" / "val")
    (tmp_path / "split" / "train" / "ant").mkdir(parents=True)
    same(load_predictions(tmp_path / "p.csv", labels=tmp_path / "split"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("val.txt", "".join(f"{f} {k}\n" for f, k in zip(FILES, LABELS, strict=True))),
        ("val.txt", "".join(f"{f}\t{k}\n" for f, k in zip(FILES, LABELS, strict=True))),
        ("labels.txt", "".join(f"{k}\n" for k in LABELS)),
        ("labels.csv", "label\n" + "".join(f"{k}\n" for k in LABELS)),
        ("labels.csv", "".join(f"{k}\n" for k in LABELS)),
        ("labels.csv", "".join(f"{f},{k}\n" for f, k in PAIRS)),
        ("labels.csv", "".join(f"{f.rpartition('.')[0]},c{k}\n" for f, k in PAIRS)),
        ("labels.csv", "".join(f"c{k}\n" for k in LABELS)),
        ("labels.csv", "".join(f"c{k};{f}\n" for f, k in PAIRS)),
        ("labels.csv", "id,y\n" + "".join(f"{f},{k}\n" for f, k in PAIRS)),
        ("labels.tsv", "f\tk\n" + "".join(f"{f}\t{k}\n" for f, k in PAIRS)),
        ("labels.json", json.dumps(LABELS.tolist())),
        ("labels.json", json.dumps(dict(zip(FILES, LABELS.tolist(), strict=True)))),
        ("labels.json", json.dumps([{"image": f, "label": k}
                                    for f, k in zip(FILES, LABELS.tolist(), strict=True)])),
        ("labels.jsonl", "".join(json.dumps({"file_name": f, "label": int(k)}) + "\n"
                                 for f, k in zip(FILES, LABELS, strict=True))),
    ],
)  # fmt: skip
def test_labels_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    np.savez(tmp_path / "p.npz", probabilities=PROBABILITIES, ids=FILES)
    names = [f"c{k}" if ",c" in text or text.startswith("c") else str(k) for k in range(6)]
    same(load_predictions(tmp_path / "p.npz", labels=tmp_path / name), names=names)


def test_labels_arrays(tmp_path):
    np.savez(tmp_path / "p.npz", probabilities=PROBABILITIES, class_names=NAMES.astype(str))
    np.save(tmp_path / "y.npy", LABELS)
    np.save(tmp_path / "hot.npy", np.eye(6)[LABELS])
    np.savez(tmp_path / "y.npz", y_test=LABELS)
    for name in ("y.npy", "hot.npy", "y.npz"):
        same(load_predictions(tmp_path / "p.npz", labels=tmp_path / name))
    with pytest.raises(InputError, match="lacks the array 'labels'"):
        load_predictions(tmp_path / "p.npz")


def test_an_npy_of_one_column(tmp_path):
    np.save(tmp_path / "y.npy", LABELS % 2)
    np.save(tmp_path / "p.npy", PLAIN.predicted % 2)
    classes = load_predictions(tmp_path / "p.npy", labels=tmp_path / "y.npy")
    np.testing.assert_array_equal(classes.predicted, PLAIN.predicted % 2)
    assert not classes.has_probabilities
    np.save(tmp_path / "p.npy", np.where(LABELS % 2, 0.8, 0.3))
    scores = load_predictions(tmp_path / "p.npy", labels=tmp_path / "y.npy")
    np.testing.assert_allclose(scores.probabilities[:, 1], np.where(LABELS % 2, 0.8, 0.3))
    np.save(tmp_path / "p.npy", np.zeros((60, 2, 2)))
    with pytest.raises(InputError, match=r"give scores of shape \(images, classes\)"):
        load_predictions(tmp_path / "p.npy", labels=tmp_path / "y.npy")


def test_a_join_says_what_did_not_match(tmp_path, truth):
    path = tmp_path / "p.csv"
    lines = [f"{file},{NAMES[k]}" for file, k in zip(FILES, PLAIN.predicted, strict=True)]
    path.write_text("\n".join(["filename,label", *lines]))
    few = truth.read_text().splitlines()[:51]
    (tmp_path / "few.csv").write_text("\n".join(few))
    got = load_predictions(path, labels=tmp_path / "few.csv")
    assert len(got) == 50
    assert any("50 of 60 predictions found their label" in note for note in got.notes)
    assert any("left out, without a label: '" in note for note in got.notes)
    (tmp_path / "other.csv").write_text("file,label\nx.png,ant\ny.png,bee\n")
    with pytest.raises(InputError, match=r"none of the predictions' ids \('000.jpg'.*'x.png'"):
        load_predictions(path, labels=tmp_path / "other.csv")
    np.save(tmp_path / "y.npy", LABELS[:7])
    with pytest.raises(InputError, match="7 labels for 60 predictions"):
        load_predictions(path, labels=tmp_path / "y.npy")


@pytest.mark.parametrize("label", [-1, 9])
def test_numbers_that_name_no_class_are_refused(tmp_path, label):
    np.save(tmp_path / "p.npy", PROBABILITIES)
    labels = np.where(np.arange(60) == 7, label, LABELS)
    np.savez(tmp_path / "y.npz", labels=labels, class_names=np.array(NAMES).astype(str))
    with pytest.raises(InputError, match=r"labels of .*y\.npz run from .*expected 0 to"):
        load_predictions(tmp_path / "p.npy", labels=tmp_path / "y.npz")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("l.csv", "a,b\nx,1\ny,1\n", "l.csv has 2 labels for 60 predictions"),
        ("l.csv", "a,b\nx,v\nx,v\n", "can't tell which column holds the labels.*'a' .text."),
        ("l.csv", "", "is empty"),
        ("l.txt", "\n", "is empty"),
        ("l.xyz", "a", "labels are read from"),
        ("l.json", "[1, 2]", "l.json has 2 labels for 60 predictions"),
        ("l.json", "[]", "holds no records"),
    ],
)
def test_labels_files_that_are_none(tmp_path, name, text, complaint):
    (tmp_path / name).write_text(text)
    np.savez(tmp_path / "p.npz", probabilities=PROBABILITIES)
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / "p.npz", labels=tmp_path / name)
    with pytest.raises(InputError, match="0 class folders"):
        load_predictions(tmp_path / "p.npz", labels=tmp_path)


@pytest.mark.parametrize("form", [int, float])
def test_a_column_of_0_and_1_for_each_class(tmp_path, form):
    # As ISIC's GroundTruth.csv, whose images have no ending.
    frame = pd.DataFrame(np.eye(6)[LABELS].astype(form), columns=NAMES)
    frame.insert(0, "image", [file.rpartition(".")[0] for file in FILES])
    frame.to_csv(tmp_path / "truth.csv", index=False)
    np.savez(tmp_path / "p.npz", probabilities=PROBABILITIES, ids=FILES)
    same(load_predictions(tmp_path / "p.npz", labels=tmp_path / "truth.csv"))
    frame.iloc[7, 1:] = 0
    frame.to_csv(tmp_path / "truth.csv", index=False)
    with pytest.raises(InputError, match="can't tell which column holds the labels"):
        load_predictions(tmp_path / "p.npz", labels=tmp_path / "truth.csv")


def test_no_header_of_more_columns_is_told(tmp_path):
    (tmp_path / "p.csv").write_text("1.png,0.2,0.8,cat\n2.png,0.3,0.7,dog\n")
    with pytest.raises(
        InputError, match=r"its first line holds '1\.png', '0\.2', '0\.8' and 1 more"
    ):
        load_predictions(tmp_path / "p.csv")


def test_names_of_files_may_begin_as_comments_do(tmp_path):
    (tmp_path / "y.csv").write_text("#1.png,cat\n#2.png,dog\n3.png,cat\n")
    np.savez(tmp_path / "p.npz", predicted=["cat", "dog", "dog"], ids=["#1.png", "#2.png", "3.png"])
    got = load_predictions(tmp_path / "p.npz", labels=tmp_path / "y.csv")
    assert got.labels.tolist() == [0, 1, 0]


def test_a_column_may_be_named_as_a_class(tmp_path):
    (tmp_path / "y.csv").write_text("image,cat\n1.png,cat\n2.png,other\n")
    np.savez(tmp_path / "p.npz", predicted=["cat", "cat"], ids=["1.png", "2.png"])
    got = load_predictions(tmp_path / "p.npz", labels=tmp_path / "y.csv")
    assert got.labels.tolist() == [0, 1]


def test_whatever_is_read_as_a_picture_is_known_by_its_name(tmp_path):
    path = tmp_path / "val.txt"
    path.write_text("a.ppm cat\nb.JFIF dog\n")
    truth = read_truth(path, Hints())
    assert truth.labels.tolist() == ["cat", "dog"]
    assert truth.ids == ["a.ppm", "b.JFIF"]


def test_arrays_of_labels_are_named_as_those_of_predictions(tmp_path):
    np.savez(tmp_path / "a.npz", Labels_test=LABELS, IDs=np.array(FILES))
    np.savez(tmp_path / "b.npz", LABELS)
    for name, ids in (("a.npz", FILES), ("b.npz", None)):
        truth = read_truth(tmp_path / name, Hints())
        assert truth.labels.tolist() == LABELS.tolist()
        assert ids is None or truth.ids.tolist() == ids


def test_names_beside_arrays_in_json_are_those_of_their_numbers(tmp_path):
    arrays = {"format_version": 1, "labels": [0, 1, 0], "predicted": [0, 1, 1]}
    (tmp_path / "y.json").write_text(json.dumps({"class_names": ["zebra", "ant"], **arrays}))
    (tmp_path / "p.csv").write_text("prediction\nzebra\nant\nant\n")
    got = load_predictions(tmp_path / "p.csv", labels=tmp_path / "y.json")
    assert got.class_names == ("zebra", "ant")
    assert (got.labels == got.predicted).tolist() == [True, True, False]


def test_a_column_of_lines_of_text_can_be_named(tmp_path):
    (tmp_path / "y.txt").write_text("kind,place\ncat,a\ndog,b\ncat,b\n")
    (tmp_path / "p.csv").write_text("prediction\ncat\ndog\ndog\n")
    hints = Hints(label_column="kind")
    got = load_predictions(tmp_path / "p.csv", labels=tmp_path / "y.txt", hints=hints)
    assert got.labels.tolist() == [0, 1, 0]
