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

    callback.inputs = images[:, :9]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(images, part.labels, epochs=1, verbose=0, callbacks=[callback])
    assert any("no report was written" in str(each.message) for each in caught)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        ReportCallback(np.zeros((1, 28, 28, 1)), [0], tmp_path / "file")


def test_a_set_of_batches_gives_images_and_labels_in_one_pass(tmp_path, fashion):
    import tensorflow as tf

    from hardpairs.predictions.load import load_predictions
    from hardpairs.training.backend import keras
    from hardpairs.training.callback import ReportCallback

    part = fashion.test.take(slice(120))
    images = part.pixels / np.float32(51) - 2  # Standardised: they can't be shown.
    pairs = tf.data.Dataset.from_tensor_slices((images, part.labels)).shuffle(120).batch(50)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = ReportCallback(pairs, None, tmp_path, class_names=fashion.class_names)
    model.fit(pairs, epochs=3, shuffle=False, verbose=0, callbacks=[callback])
    found = load_predictions(tmp_path / "predictions.npz")
    expected = model.predict(images, verbose=0).argmax(axis=1) == part.labels
    assert (found.predicted == found.labels).sum() == expected.sum() > 30
    assert "Images are left out" in (tmp_path / "report.html").read_text(encoding="utf-8")

    for inputs in (pairs.map(lambda image, _: image), images, None):
        with pytest.raises(InputError, match="labels are None, and the inputs aren't batches"):
            ReportCallback(inputs, None, tmp_path)
    for endless in (pairs.repeat(), iter(pairs)):
        with pytest.raises(InputError, match="without end"):
            ReportCallback(endless, None, tmp_path)
    for labels, names in ((part.labels[:5], None), (part.labels, ["a", "b"])):
        callback = ReportCallback(images, labels, tmp_path, class_names=names)
        with pytest.raises(InputError, match=r"5 labels for 120|2 class names for 10"):
            model.fit(images, part.labels, verbose=0, callbacks=[callback])
