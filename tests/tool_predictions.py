"""Predictions of six classes, for the forms of tools, and their true labels."""

import numpy as np

from conftest import make_predictions

PLAIN = make_predictions(60, 6, class_names=("ant", "bee", "cat", "dog", "eel", "tabby cat"))

LABELS, PROBABILITIES = PLAIN.labels, PLAIN.probabilities

NAMES = np.array(PLAIN.class_names, dtype=object)

FILES = [f"{row:03}.jpg" for row in range(60)]

PAIRS = list(zip(FILES, LABELS.tolist(), strict=True))


def write_truth(folder):
    """The true labels as people keep them beside their images."""
    # In another order, and with images that nobody predicted.
    order = np.random.default_rng(0).permutation(60)
    lines = [f"images/{FILES[row]},{NAMES[LABELS[row]]}" for row in order]
    lines += ["images/900.jpg,ant", "images/901.jpg,bee"]
    (folder / "labels.csv").write_text("file_name,class\n" + "\n".join(lines) + "\n")
    return folder / "labels.csv"


def same(got, *, scores: bool = True, names=tuple(NAMES)) -> None:
    assert got.class_names == tuple(names)
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    assert got.has_probabilities == scores
