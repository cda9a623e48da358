"""Predictions in all forms that tools offer, made here after their source.

Files that the tools wrote themselves: tests/test_tool_files.py.
"""

import json

import numpy as np
import pytest

from conftest import run_here
from hardpairs.errors import InputError
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from tool_predictions import FILES, LABELS, NAMES, PLAIN, PROBABILITIES, same, write_truth

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return write_truth(tmp_path_factory.mktemp("truth"))


# ---- timm's inference.py (huggingface/pytorch-image-models), main() and save_results()


def timm_frame(top_k: int, *, index=False, labels=True, separate=False, outputs=PROBABILITIES):
    filenames, all_indices, all_labels, all_outputs = FILES, None, None, outputs
    if top_k:
        all_indices = np.argsort(-outputs, axis=1, kind="stable")[:, :top_k]
        all_outputs = np.take_along_axis(outputs, all_indices, axis=1)
        all_labels = NAMES[all_indices] if labels else None
        all_indices = all_indices if index else None
    data_dict = {"filename": filenames}
    if separate and all_outputs.shape[-1] > 1:
        for name, values in (("index", all_indices), ("label", all_labels)):
            if values is not None:
                for i in range(values.shape[-1]):
                    data_dict[f"{name}_{i}"] = values[:, i]
        for i in range(all_outputs.shape[-1]):
            data_dict[f"prob_{i}"] = all_outputs[:, i]
    else:
        for name, values in (("index", all_indices), ("label", all_labels), ("prob", all_outputs)):
            if values is not None:
                data_dict[name] = list(values.squeeze(-1) if values.shape[-1] == 1 else values)
    return pd.DataFrame(data=data_dict)


def timm_save(df, folder, results_format):
    path = folder / f"resnet50-224.{results_format.partition('-')[0]}"
    if results_format == "parquet":
        pytest.importorskip("pyarrow")
        df.set_index("filename").to_parquet(path)
    elif results_format == "json":
        df.set_index("filename").to_json(path, indent=4, orient="index")
    elif results_format == "json-records":
        df.to_json(path, lines=True, orient="records")
    elif results_format == "json-split":
        df.to_json(path, indent=4, orient="split", index=False)
    else:
        with np.printoptions(threshold=10**9):
            df.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("form", ["csv", "json", "json-records", "json-split", "parquet"])
@pytest.mark.parametrize("top_k", [0, 1, 5])
@pytest.mark.parametrize("separate", [False, True])
def test_timm(tmp_path, truth, form, top_k, separate):
    path = timm_save(timm_frame(top_k, separate=separate, index=top_k > 0), tmp_path, form)
    if top_k == 0:  # All classes, without names: the truth is by index.
        (tmp_path / "truth.csv").write_text(
            "".join(
                f"{f},{label}\n" for f, label in zip(["f", *FILES], ["y", *LABELS], strict=True)
            )
        )
        got = load_predictions(path, labels=tmp_path / "truth.csv")
        same(got, names=map(str, range(6)))
        np.testing.assert_allclose(got.probabilities, PROBABILITIES, atol=1e-5)
        return
    got = load_predictions(path, labels=truth)
    same(got)
    assert got.top_k == top_k
    assert got.ids.tolist() == FILES
    top = PROBABILITIES.max(axis=1)
    np.testing.assert_allclose(got.probabilities[range(60), got.predicted], top, atol=1e-5)


def test_timm_without_labels_says_what_it_holds(tmp_path, truth):
    path = timm_save(timm_frame(1), tmp_path, "csv")
    with pytest.raises(InputError, match=r"holds predictions without true labels.*--labels"):
        load_predictions(path)
    done = run_here("evaluate", path, "--labels", truth)
    assert done.returncode == 0, done.stderr
    assert "60 of 60 predictions found their label" in done.stderr
    assert "not predicted: 'images/900.jpg', 'images/901.jpg'" in done.stderr


def test_timm_logits_of_some_classes_count_as_classes(tmp_path, truth):
    frame = timm_frame(3, outputs=np.log(PROBABILITIES)).rename(columns={"prob": "logit"})
    got = load_predictions(timm_save(frame, tmp_path, "csv"), labels=truth)
    same(got, scores=False)


def test_timm_with_indices_alone(tmp_path):
    path = timm_save(timm_frame(1, index=True, labels=False), tmp_path, "csv")
    lines = "".join(f"{file},{label}\n" for file, label in zip(FILES, LABELS, strict=True))
    (tmp_path / "truth.csv").write_text("filename,target\n" + lines)
    same(load_predictions(path, labels=tmp_path / "truth.csv"), names=map(str, range(6)))


# ---- Hugging Face transformers: Trainer.predict, examples' predict_results, pipelines


def test_trainer_predict(tmp_path):
    np.savez(tmp_path / "p.npz", predictions=np.log(PROBABILITIES), label_ids=LABELS)
    got = load_predictions(tmp_path / "p.npz")
    same(got, names=map(str, range(6)))
    np.testing.assert_allclose(got.probabilities, PROBABILITIES, atol=1e-6)


def test_predict_results_of_the_examples(tmp_path):
    # writer.write("index\tprediction\n"); writer.write(f"{index}\t{item}\n")
    with (tmp_path / "predict_results.txt").open("w") as writer:
        writer.write("index\tprediction\n")
        for index, item in enumerate(PLAIN.predicted):
            writer.write(f"{index}\t{NAMES[item]}\n")
    (tmp_path / "labels.txt").write_text("\n".join(NAMES[LABELS]) + "\n")
    got = load_predictions(tmp_path / "predict_results.txt", labels=tmp_path / "labels.txt")
    same(got, scores=False)
    assert any("joined by order" in note for note in got.notes)


def test_pipeline(tmp_path, truth):
    # [{"score": 0.9, "label": "cat"}, ...] an image, the most probable first, by default five.
    order = np.argsort(-PROBABILITIES, axis=1)[:, :5]
    results = [
        {
            "file": file,
            "predictions": [
                {"score": float(PROBABILITIES[row, k]), "label": NAMES[k]} for k in order[row]
            ],
        }
        for row, file in enumerate(FILES)
    ]
    (tmp_path / "p.json").write_text(json.dumps(results))
    got = load_predictions(tmp_path / "p.json", labels=truth)
    same(got)
    assert got.top_k == 5


# ---- Ludwig: postprocess_predictions of a category feature, to_csv and to_parquet


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_ludwig(tmp_path, form):
    with_unknown = np.column_stack([np.full(60, 1e-9), PROBABILITIES])
    idx2str = ["<UNK>", *NAMES]
    df = pd.DataFrame({"animal_predictions": [idx2str[k] for k in with_unknown.argmax(axis=1)]})
    df["animal_probabilities"] = [row.tolist() for row in with_unknown]
    df["animal_probability"] = df["animal_probabilities"].map(max)
    for i, label in enumerate(idx2str):
        df[f"animal_probabilities_{label}"] = [row[i] for row in df["animal_probabilities"]]
    if form == "csv":
        df.to_csv(tmp_path / "predictions.csv", index=False)
    else:
        pytest.importorskip("pyarrow")
        df.to_parquet(tmp_path / "predictions.parquet")
    table = "".join(f"{f},{NAMES[k]}\n" for f, k in zip(FILES, LABELS, strict=True))
    (tmp_path / "test.csv").write_text("image_path,animal\n" + table)
    got = load_predictions(
        tmp_path, labels=tmp_path / "test.csv", hints=Hints(label_column="animal")
    )
    assert got.class_names == ("<UNK>", *NAMES)
    np.testing.assert_array_equal(got.labels, LABELS + 1)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted + 1)


# ---- FiftyOne: FiftyOneImageClassificationDatasetExporter.close()


@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
def test_fiftyone(tmp_path, confidence, by_name):
    def export(name, values, scores):
        labels = {
            file.removesuffix(".jpg"): str(NAMES[value]) if by_name else int(value)
            for file, value in zip(FILES, values, strict=True)
        }
        if scores is not None:
            labels = {
                uuid: {"label": label, "confidence": float(score)}
                for (uuid, label), score in zip(labels.items(), scores, strict=True)
            }
        classes = None if by_name else NAMES.tolist()
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.json").write_text(
            json.dumps({"classes": classes, "labels": labels})
        )

    export("predicted", PLAIN.predicted, PROBABILITIES.max(axis=1) if confidence else None)
    export("truth", LABELS, None)
    got = load_predictions(tmp_path / "predicted", labels=tmp_path / "truth" / "labels.json")
    same(got, scores=confidence)
    assert got.top_k == (1 if confidence else 0)


# ---- Ultralytics: Results.save_txt of classify, and Results.summary() as a table


def ultralytics(folder):
    (folder / "labels").mkdir(parents=True)
    for row, file in enumerate(FILES):
        top5 = np.argsort(-PROBABILITIES[row])[:5]
        texts = [f"{PROBABILITIES[row][j]:.2f} {NAMES[j]}" for j in top5]
        (folder / "labels" / file.replace(".jpg", ".txt")).write_text(
            "".join(text + "\n" for text in texts)
        )
    return folder


def test_ultralytics(tmp_path, truth):
    got = load_predictions(ultralytics(tmp_path / "predict"), labels=truth)
    np.testing.assert_array_equal(got.labels, LABELS)
    assert (got.predicted == PLAIN.predicted).mean() > 0.95  # Two decimals leave ties.
    assert got.top_k == 5
    labels = tmp_path / "predict" / "labels"
    assert load_predictions(labels, labels=truth) == got
    (labels / "000.txt").write_text((labels / "000.txt").read_text() * 2)
    with pytest.raises(InputError, match="second run into the same folder"):
        load_predictions(labels, labels=truth)


def test_ultralytics_summary(tmp_path, truth):
    summary = pd.DataFrame(
        {
            "name": NAMES[PLAIN.predicted],
            "class": PLAIN.predicted,
            "confidence": PROBABILITIES.max(axis=1).round(5),
            "path": FILES,
        }
    )
    summary.to_csv(tmp_path / "p.csv")
    got = load_predictions(tmp_path / "p.csv", labels=truth)
    same(got)
    assert got.top_k == 1


# ---- Keras: a generator's filenames beside its predictions; class folders give the truth


def test_keras_generator_with_its_own_labels(tmp_path):
    np.savez(
        tmp_path / "p.npz",
        predictions=PROBABILITIES,
        classes=LABELS.astype(np.int32),
        filenames=FILES,
        class_names=NAMES.astype(str),
    )
    got = load_predictions(tmp_path / "p.npz")
    same(got)
    assert got.ids.tolist() == FILES


# ---- fastai: preds, targs = learn.get_preds()


def test_fastai(tmp_path):
    np.savez(tmp_path / "p.npz", preds=PROBABILITIES, targs=LABELS, class_names=NAMES.astype(str))
    same(load_predictions(tmp_path / "p.npz"))
