"""metrics.json against its published schema, docs/metrics.schema.json."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import hardpairs
from conftest import make_predictions
from hardpairs.analysis.evaluation import SCHEMA_VERSION
from hardpairs.analysis.subject import Subject

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json.loads((DOCS / "metrics.schema.json").read_text(encoding="utf-8"))
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def subjects() -> dict[str, Subject]:
    made = make_predictions(400)
    labels, probabilities = made.labels, made.probabilities
    votes = np.random.default_rng(0).integers(0, 9, (400, 5))
    votes[:, 0] += 1
    foreign = {"recipe": {"name": "<b>"}, "loss": [1.5, None], "": {"a": True}}
    return {
        "usual": Subject(make_predictions(400, split="test", fingerprint="0a", metadata=foreign)),
        "with votes, runs and validation": Subject(
            made,
            votes=votes,
            other_runs=(make_predictions(400, seed=0),),
            validation=make_predictions(300, seed=2),
        ),
        "perfect": Subject(hardpairs.explore(labels, one_hot(labels, 5)).subject.predictions),
        "never right": Subject(
            hardpairs.explore(labels, one_hot((labels + 1) % 5, 5)).subject.predictions
        ),
        "hard labels": hardpairs.explore(labels, made.predicted).subject,
        "logits": hardpairs.explore(labels, np.log(probabilities) * 3, logits=True).subject,
        "one image": hardpairs.explore([1], [[0.2, 0.8]], class_names=["a", "b"]).subject,
        "a class without images": hardpairs.explore(
            [0, 1], [0, 0], class_names=["", "b", "c"]
        ).subject,
        "many classes": Subject(make_predictions(500, 120)),
    }


@pytest.mark.parametrize("name", subjects())
def test_metrics_are_as_published(name):
    metrics = json.loads(json.dumps(subjects()[name].metrics, allow_nan=False))
    CHECK.validate(metrics)


def test_a_file_that_evaluate_wrote_is_as_published(tmp_path):
    rows = ["label,cat,dog", "cat,0.9,0.1", "dog,0.6,0.4", "dog,0.2,0.8"]
    (tmp_path / "p.csv").write_text("\n".join(rows))
    hardpairs.analyse(tmp_path / "p.csv", folder=tmp_path / "out")
    CHECK.validate(json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": 1.2},
        {"images": 0},
        {"surprise": 1},
        {"cells": [[0, 0, 1]]},
        {"confusion": None},
        {"schema_version": SCHEMA_VERSION + 1},
        {"hard_pairs": [{}]},
    ],
)
def test_the_schema_refuses_what_is_otherwise(change):
    metrics = json.loads(json.dumps(Subject(make_predictions()).metrics))
    assert not CHECK.is_valid({**metrics, **change})
    del metrics["accuracy"]
    assert not CHECK.is_valid(metrics)


def test_the_schema_is_one_and_of_this_version():
    CHECK.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    described = (DOCS / "metrics.md").read_text(encoding="utf-8")
    for name in SCHEMA["properties"]:
        assert f"`{name}`" in described, name
