"""Confusion matrices are no predictions."""

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions

NAMES = ("cat", "dog", "owl")
COUNTS = {(a, b): 18 if a == b else 1 for a in NAMES for b in NAMES}
LONG = {
    "R's": ('"","Prediction","Reference","Freq"', lambda n, a, b, c: f'"{n}","{a}","{b}",{c}'),
    "pandas'": ("true,predicted,count", lambda n, a, b, c: f"{b},{a},{c}"),
    "ours": ("true,predicted,verdict,mistakes", lambda n, a, b, c: f"{b},{a},ambiguous,{c}"),
}


@pytest.mark.parametrize("form", LONG)
def test_a_row_for_each_pair_is_refused(tmp_path, form):
    header, line = LONG[form]
    rows = [line(n, *pair, count) for n, (pair, count) in enumerate(COUNTS.items(), start=1)]
    (tmp_path / "m.csv").write_text("\n".join([header, *rows]))
    with pytest.raises(InputError, match="holds how often each class was taken for which"):
        load_predictions(tmp_path / "m.csv")


def test_a_number_beside_each_image_is_none(tmp_path):
    rows = [f"{a},{b},{c}" for (a, b), c in COUNTS.items()] * 2
    (tmp_path / "p.csv").write_text("\n".join(["true,predicted,n", *rows]))
    assert len(load_predictions(tmp_path / "p.csv")) == 18


def test_a_row_for_each_class_is_told(tmp_path):
    rows = [",".join([name, *map(str, row)]) for name, row in zip(NAMES, np.eye(3), strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(["true,cat,dog,owl", *rows]))
    notes = load_predictions(tmp_path / "m.csv").notes
    assert any("one row for each class" in note for note in notes)
    (tmp_path / "m.csv").write_text("\n".join(["true,cat,dog,owl", *rows[::-1]]))
    assert not any("one row" in note for note in load_predictions(tmp_path / "m.csv").notes)
