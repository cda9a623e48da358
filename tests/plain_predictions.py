"""The plain predictions that tests write in every form, and what each form must come back as."""

import numpy as np

from conftest import make_predictions

PLAIN = make_predictions(60, 3, class_names=("cat", "dog", "owl"))

LABELS, PROBABILITIES = PLAIN.labels, PLAIN.probabilities.astype(np.float64)

NAMES = np.array(PLAIN.class_names)


def rows_csv(delimiter=",", number=repr, columns=PLAIN.class_names, first=(), label=None) -> str:
    """A table of the plain predictions, with columns before them and the label last."""
    header = [*(name for name, _ in first), *columns, "label"]
    lines = [delimiter.join(header)]
    for row, line in enumerate(PROBABILITIES.tolist()):
        before = [str(value(row)) for _, value in first]
        truth = NAMES[LABELS[row]] if label is None else label(row)
        lines.append(delimiter.join([*before, *map(number, line), str(truth)]))
    return "\n".join(lines) + "\n"


def same(got, *, names=PLAIN.class_names, tolerance=1e-6) -> None:
    assert got.class_names == tuple(names)
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    np.testing.assert_allclose(got.probabilities, PLAIN.probabilities, atol=tolerance)
