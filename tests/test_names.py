"""The names of the package itself, as `help` and completion ask for them."""

import importlib.util

import hardpairs


def test_without_keras_only_names_that_can_be_imported_are_listed(monkeypatch):
    assert {"train", "explore", "__version__"} <= set(dir(hardpairs))
    asked = []
    monkeypatch.setattr(importlib.util, "find_spec", asked.append)
    names = dir(hardpairs)
    assert asked == ["keras"]
    assert {"explore", "find_recipe", "RECIPES", "diff"} <= set(names)
    needs_keras = set(hardpairs.__all__) - set(names)
    assert needs_keras == {
        *("ReportCallback", "TrainedModel", "create_run", "easiest", "load_model", "predict"),
        "train",
    }
