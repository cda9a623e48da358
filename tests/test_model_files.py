"""A model's file where its predictions are wanted."""

import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import MODELS, load_predictions


@pytest.mark.parametrize("ending", MODELS)
def test_a_model_is_told_from_its_predictions(tmp_path, ending):
    path = tmp_path / f"model{ending}"
    path.write_bytes(b"PK\x03\x04")  # As Keras' own, which is a zip.
    with pytest.raises(InputError, match="is a model, not its predictions"):
        load_predictions(path)
