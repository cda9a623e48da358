"""A small net as `hardpairs export` writes one, made without Keras: the nearest class mean."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hardpairs.data.split import Dataset
from hardpairs.serving.likeness import measure_likeness
from hardpairs.serving.model import FORMAT, open_session
from hardpairs.serving.preparation import measure_preparation

SHARPNESS = 0.5


def write_exported(folder: Path, dataset: Dataset, images: int = 1000) -> Path:
    """Write model.onnx, model.json and nearest.npz of some images of a set into a folder."""
    folder.mkdir(exist_ok=True)
    train, test = dataset.train.take(slice(images)), dataset.test.take(slice(500))
    preparation = measure_preparation(train.pixels, inverted=train.inverted)
    described = {
        "format": FORMAT,
        "classes": list(dataset.class_names),
        "preparation": asdict(preparation),
        "data": "fashion-mnist",
        "recipe": "means",
        "accuracy": 0.7,
        "pairs": [
            {"classes": [a, b], "model": 0.09, "people": 0.1} for a in range(10) for b in range(a)
        ],
    }
    for pair in described["pairs"]:
        pair["classes"].sort()
    model = _net(train.pixels, train.labels, len(dataset.class_names))
    helper.set_model_props(model, {"hardpairs": json.dumps(described)})
    path = folder / "model.onnx"
    onnx.save(model, path)
    (folder / "model.json").write_text(json.dumps(described))
    arrays = measure_likeness(open_session(path).predict, train, test, 10)
    name = np.array(hashlib.sha256(path.read_bytes()).hexdigest())
    np.savez_compressed(folder / "nearest.npz", model=name, **arrays)
    return folder


def _net(images: np.ndarray, labels: np.ndarray, classes: int) -> onnx.ModelProto:
    flat = images.reshape(len(images), -1).astype(np.float32) / 255
    means = np.stack([flat[labels == k].mean(0) for k in range(classes)])
    constants = {
        "scale": np.float32(255),
        "weights": (2 * SHARPNESS * means.T).astype(np.float32),
        "bias": (-SHARPNESS * (means**2).sum(1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["pixels"]),
        helper.make_node("Flatten", ["pixels"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *images.shape[1:]])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes]),
            helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["N", flat.shape[1]]),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
