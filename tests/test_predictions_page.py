"""Every row of docs/predictions.md, "What do you have?", run as it is written."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import hardpairs
from conftest import make_predictions
from hardpairs.cli.commands import cli

PAGE = Path(__file__).parents[1] / "docs" / "predictions.md"
ROWS = re.findall(r"^\| (.+?) \| `(hardpairs.+?)` \|$", PAGE.read_text(encoding="utf-8"), re.M)
PLAIN = make_predictions(60, 3, class_names=("ant", "bee", "tabby cat"))
LABELS, PROBABILITIES, PREDICTED = PLAIN.labels, PLAIN.probabilities, PLAIN.predicted
NAMES = np.array(PLAIN.class_names, dtype=object)
FILES = [f"{NAMES[label]}/{row:02}.png" for row, label in enumerate(LABELS)]
IMAGES = np.zeros((60, 8, 8, 1), np.uint8)
SECOND = np.where(LABELS == 1, 0.8, 0.3)


class Tensor:
    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


class Dataset:
    """Columns by name, and the names of the classes, as Hugging Face has them."""

    def __init__(self, **columns):
        self.columns_by_name, self.column_names = columns, list(columns)
        self.features = {"label": SimpleNamespace(names=NAMES.tolist())}

    def __getitem__(self, name):
        return self.columns_by_name[name]


def frame(**columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def scores(prefix=""):
    return {f"{prefix}{name}": PROBABILITIES[:, k] for k, name in enumerate(NAMES)}


def write(name, **columns):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    frame(**columns).to_csv(name, index=False)


def labels_file(name="labels.csv"):
    write(name, file=FILES[::-1], label=NAMES[LABELS][::-1])


def photos():
    for file in FILES:
        path = Path("photos", file)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 9, 3), 200, np.uint8)).save(path)


def fiftyone(name, values):
    Path(name).mkdir()
    labels = dict(zip(FILES, map(int, values), strict=True))
    Path(name, "labels.json").write_text(json.dumps({"classes": NAMES.tolist(), "labels": labels}))


def npz():
    np.savez("predictions.npz", labels=LABELS, probabilities=PROBABILITIES,
             class_names=NAMES.astype(str))  # fmt: skip


def tsv():
    frame(**scores(), label=NAMES[LABELS]).to_csv(
        "predictions.tsv", sep=";", decimal=",", index=False
    )


def named():
    write("predictions.csv", sort=np.arange(60) % 7, photo=FILES, **scores(), truth=NAMES[LABELS])


def with_labels_file():
    write("predictions.csv", filename=FILES, **scores())
    labels_file()


def with_folders():
    write("predictions.csv", filename=[f"/data/{file}" for file in FILES], **scores())
    photos()


def with_images():
    with_folders()
    write("predictions.csv", filename=FILES, label=NAMES[LABELS], **scores())


def submission():
    numbers = np.arange(60)
    write("submission.csv", id=numbers, label=NAMES[PREDICTED])
    write("solution.csv", id=numbers[::-1], label=NAMES[LABELS][::-1])


def logits():
    values = np.log(PROBABILITIES)
    values -= values.min() - 1
    write("logits.csv", **{name: values[:, k] for k, name in enumerate(NAMES)},
          label=NAMES[LABELS])  # fmt: skip


def npy():
    np.save("scores.npy", PROBABILITIES)
    np.save("labels.npy", LABELS)


def jsonl():
    frame(**scores(), label=NAMES[LABELS]).to_json(
        "predictions.jsonl", lines=True, orient="records"
    )


def bare_json():
    Path("scores.json").write_text(json.dumps(PROBABILITIES.tolist()))
    Path("labels.json").write_text(json.dumps(NAMES[LABELS].tolist()))


def feather():
    pytest.importorskip("pyarrow")
    frame(**scores(), label=NAMES[LABELS]).to_feather("predictions.feather")


def parquet():
    pytest.importorskip("pyarrow")
    frame(**scores(), label=NAMES[LABELS]).to_parquet("predictions.parquet")


def predict_results():
    frame(index=np.arange(60), prediction=NAMES[PREDICTED]).to_csv(
        "predict_results.txt", sep="\t", index=False
    )
    Path("labels.txt").write_text("\n".join(NAMES[LABELS]) + "\n")


RESULTS = [
    [{"score": float(row[k]), "label": NAMES[k]} for k in np.argsort(-row)] for row in PROBABILITIES
]


def pipeline():
    results = [
        {"file": file, "prediction": found} for file, found in zip(FILES, RESULTS, strict=True)
    ]
    Path("results.json").write_text(json.dumps(results))
    labels_file()


def timm():
    names = [file.rpartition("/")[2] for file in FILES]  # Without --fullname.
    write("resnet50-224.csv", filename=names, label=NAMES[PREDICTED],
          prob=PROBABILITIES.max(axis=1))  # fmt: skip
    labels_file()


def ludwig():
    write("results/predictions.csv", animal_predictions=NAMES[PREDICTED],
          animal_probabilities=[row.tolist() for row in PROBABILITIES],
          animal_probability=PROBABILITIES.max(axis=1),
          **scores("animal_probabilities_"))  # fmt: skip
    write("test.csv", image_path=FILES, animal=NAMES[LABELS])


def both_fiftyone():
    fiftyone("predicted", PREDICTED)
    fiftyone("truth", LABELS)


def ultralytics():
    Path("predict", "labels").mkdir(parents=True)
    for file, row in zip(FILES, PROBABILITIES, strict=True):
        lines = [f"{row[k]:.6f} {NAMES[k]}" for k in np.argsort(-row)]
        Path("predict", "labels", f"{Path(file).stem}.txt").write_text("\n".join(lines) + "\n")
    labels_file()


def given(**values):
    return lambda: values


MODEL = SimpleNamespace(
    predict_proba=lambda _: PROBABILITIES,
    predict=lambda _: PROBABILITIES,
    classes_=NAMES.astype(str),
    config=SimpleNamespace(id2label=dict(enumerate(NAMES))),
)
GENERATOR = SimpleNamespace(
    classes=LABELS, class_indices={n: k for k, n in enumerate(NAMES)}, filenames=FILES,
    shuffle=False,
)  # fmt: skip
SETUPS = [
    npz,
    lambda: write("predictions.csv", **scores(), label=NAMES[LABELS]),
    tsv,
    named,
    with_labels_file,
    with_folders,
    with_images,
    lambda: write("classes.csv", label=NAMES[LABELS], prediction=NAMES[PREDICTED]),
    lambda: write("confident.csv", label=NAMES[LABELS], prediction=NAMES[PREDICTED],
                  confidence=PROBABILITIES.max(axis=1)),
    submission,
    logits,
    npy,
    jsonl,
    bare_json,
    parquet,
    feather,
    given(labels=LABELS.tolist(), probabilities=Tensor(PROBABILITIES), names=NAMES.tolist()),
    given(labels=LABELS, probabilities=PROBABILITIES, names=NAMES,
          images=IMAGES),
    given(labels=LABELS, probabilities=PROBABILITIES, embeddings=Tensor(PROBABILITIES)),
    given(labels=NAMES[LABELS], predicted=NAMES[PREDICTED]),
    lambda: {"frame": frame(**scores(), label=NAMES[LABELS])},
    lambda: {"truth": frame(file=FILES[::-1], label=NAMES[LABELS][::-1]),
             "predictions": frame(file=FILES, **scores())},
    given(labels=np.split(LABELS, [25, 50]), logits=np.split(np.log(PROBABILITIES), [25, 50]),
          images=np.split(IMAGES, [25, 50])),
    given(labels=LABELS, booster=MODEL, features=None),
    given(labels=LABELS, session=SimpleNamespace(run=lambda *_: [np.log(PROBABILITIES)]),
          images=IMAGES),
    given(dataset=Dataset(image=list(map(Image.fromarray, IMAGES[..., 0])), label=LABELS.tolist()),
          scores=PROBABILITIES),
    given(labels=LABELS, inputs={}, model=lambda: SimpleNamespace(logits=np.log(PROBABILITIES))),
    given(y_test=NAMES[LABELS], model=MODEL, X_test=None),
    given(y_test=LABELS, model=MODEL, x_test=np.zeros((60, 8, 8), np.uint8), names=NAMES),
    given(generator=GENERATOR, model=MODEL),
    given(labels=LABELS == 1, sigmoid=SECOND[:, None]),
    given(targets=Tensor(LABELS), net=lambda _: Tensor(np.log(PROBABILITIES)), batch=None,
          names=NAMES),
    given(targs=Tensor(LABELS), preds=Tensor(PROBABILITIES),
          learn=SimpleNamespace(dls=SimpleNamespace(vocab=NAMES.tolist()))),
    given(trainer=SimpleNamespace(predict=lambda _: SimpleNamespace(
        predictions=np.log(PROBABILITIES), label_ids=LABELS)), model=MODEL, dataset=None),
    predict_results,
    given(labels=NAMES[LABELS], pipe=lambda _: RESULTS, images=None),
    pipeline,
    timm,
    ludwig,
    both_fiftyone,
    ultralytics,
]  # fmt: skip


def test_every_row_is_run():
    assert len(ROWS) == len(SETUPS)


@pytest.mark.parametrize("number", range(len(SETUPS)))
def test_row(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, command = ROWS[number]
    prepared = SETUPS[number]() or {}
    right = 1.0 if "sigmoid" in prepared else float((PREDICTED == LABELS).mean())
    if not command.startswith("hardpairs "):
        got = eval(command, {"hardpairs": hardpairs, **prepared})
        evaluation = got.evaluation if hasattr(got, "evaluation") else got
        assert evaluation.accuracy == pytest.approx(right)
        return
    cli(command.split()[1:], standalone_mode=False)
    assert f"accuracy {right:.2%}" in capsys.readouterr().out
