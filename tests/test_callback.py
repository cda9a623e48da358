import json
import warnings

import numpy as np
import pytest

from hardpairs.errors import InputError

pytestmark = pytest.mark.train


def test_fit_ends_with_predictions_and_a_report(tmp_path, fashion):
    from hardpairs.training.backend import keras
    from hardpairs.training.callback import ReportCallback

    part = fashion.test.take(slice(120))
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10))  # Logits.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    folder = tmp_path / "new" / "run"
    images = part.pixels / 255.0
    callback = ReportCallback(images, part.labels, folder, class_names=fashion.class_names)
    history = model.fit(images, part.labels, epochs=2, verbose=0, callbacks=[callback])
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    expected = model.predict(images, verbose=0).argmax(axis=1)
    assert metrics["correct"] == (expected == part.labels).sum()
    assert metrics["class_names"] == list(fashion.class_names)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "loss by epoch" in page
    assert "data:image/png" in page
    assert len(history.history["loss"]) == 2
    assert (folder / "predictions.npz").exists()

    for wrong in ({"labels": part.labels[:5]}, {"inputs": images[:, :9], "labels": part.labels}):
        vars(callback).update(wrong)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(images, part.labels, epochs=1, verbose=0, callbacks=[callback])
        assert any("no report was written" in str(each.message) for each in caught)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        ReportCallback(np.zeros((1, 28, 28, 1)), [0], tmp_path / "file")
