import io
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from conftest import run_here
from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.studies.jobs import Job, describe_job
from hardpairs.studies.worker import run_elsewhere, run_job
from hardpairs.training import fit
from hardpairs.training.fit import train
from hardpairs.training.predict import predict
from hardpairs.training.progress import Progress
from hardpairs.training.recipes import RECIPES

pytestmark = pytest.mark.train

# Dropout and early stopping; Muon, batch norm, augmentation and easy images in turns.
RECIPES_TO_STOP = [
    replace(RECIPES["lesson"], epochs=6, patience=1),
    replace(
        RECIPES["strong"],
        epochs=4,
        net_options={**RECIPES["strong"].net_options, "channels": (8, 16, 16)},
    ),
]
STOPPED = replace(RECIPES["quick"], epochs=3)


@pytest.fixture(scope="module")
def data(fashion) -> Dataset:
    return replace(fashion, train=fashion.train.take(slice(300)))


class StopNow(BaseException):
    pass


def stop_in(epoch: int, step: int = 1):
    def show(progress: Progress) -> None:
        if (progress.epoch, progress.step) >= (epoch, step):
            raise StopNow

    return show


def test_a_training_that_comes_to_no_number_ends_and_leaves_no_state(data, tmp_path):
    few = replace(data, train=data.train.take(slice(200)))
    recipe = replace(RECIPES["dense"], epochs=3, learning_rate=1e30, batch_size=20, patience=0)
    told = []
    with pytest.raises(InputError, match=r"dense: the loss isn't a number any more after epoch 1"):
        train(few, recipe, state=tmp_path / "state.npz", on_progress=told.append)
    assert told[-1].epoch == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recipe", RECIPES_TO_STOP, ids=lambda recipe: recipe.name)
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(data, tmp_path, recipe, stepwise):
    if recipe.easy_by:  # Of graphs one is enough.
        stepwise()
    easy = np.arange(0, 300, 3) if recipe.easy_by else None
    whole = train(data, recipe, seed=3, easy=easy)
    state = tmp_path / "state.npz"
    for epoch in (2, 4):
        with pytest.raises(StopNow):
            train(data, recipe, seed=3, easy=easy, state=state, on_progress=stop_in(epoch))
        assert state.exists()
    again = train(data, recipe, seed=3, easy=easy, state=state)
    for name, values in whole.history.items():
        if name != "seconds":
            assert again.history[name] == values
    assert again.kept_epoch == whole.kept_epoch
    for expected, weights in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    # What is finished is trained no second time.
    finished = train(data, recipe, seed=3, easy=easy, state=state, on_progress=stop_in(1))
    some = data.test.pixels[:50]
    np.testing.assert_array_equal(predict(finished.model, some), predict(whole.model, some))
    assert finished.kept_epoch == whole.kept_epoch


@pytest.fixture(scope="module")
def stopped_state(data, tmp_path_factory) -> bytes:
    """What a training left that was stopped in its second epoch."""
    state = tmp_path_factory.mktemp("stopped") / "state.npz"
    with pytest.raises(StopNow):
        train(data, STOPPED, state=state, on_progress=stop_in(2))
    return state.read_bytes()


@pytest.mark.parametrize(
    "change", ["seed", "recipe", "data", "precision", "damaged", "empty", "fewer arrays"]
)
def test_the_state_of_another_training_is_refused(data, tmp_path, stopped_state, change):
    recipe, state = STOPPED, tmp_path / "state.npz"
    state.write_bytes(stopped_state)
    options = {"seed": 1} if change == "seed" else {}
    if change == "recipe":
        recipe = replace(recipe, learning_rate=0.01)
    elif change == "data":
        data = replace(data, train=data.train.take(slice(290)))
    elif change == "precision":
        other = {"float32": "mixed_bfloat16", "mixed_bfloat16": "float32"}
        options["precision"] = other[load_state_precision(state)]
    elif change == "damaged":
        content = bytearray(state.read_bytes())
        content[len(content) // 2] ^= 255
        state.write_bytes(content)
    elif change == "empty":
        state.write_bytes(b"")
    elif change == "fewer arrays":
        arrays = dict(np.load(state))
        del arrays[f"array{len(arrays) - 2}"]
        np.savez(state, **arrays)
    with pytest.raises(InputError, match=r"state\.npz"):
        train(data, recipe, state=state, **options)


def probabilities_of(files: dict[str, bytes]) -> np.ndarray:
    return np.load(io.BytesIO(files["predictions.npz"]))["probabilities"]


def test_a_studys_job_goes_on_from_its_last_finished_epoch(data, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "SECONDS_BETWEEN_STATES", 0)
    job = Job("fashion", replace(RECIPES["fast-dense"], epochs=3), seed=1)
    wanted, state = describe_job(job, data), tmp_path / "state.npz"
    expected = probabilities_of(run_job(job, data, wanted))
    with pytest.raises(StopNow):
        run_job(job, data, wanted, state, stop_in(3))
    # On a machine that doesn't share the folder, the state comes and goes as bytes.
    stopped, sent = state.read_bytes(), []
    files = run_elsewhere(job, data, wanted, stopped, sent.append)
    np.testing.assert_array_equal(probabilities_of(files), expected)
    assert len(sent) == 1  # The finished net; the epochs before were here.
    state.write_bytes(stopped[:-100])  # Damaged: as good as none.
    epochs = []
    again = run_job(job, data, wanted, state, lambda progress: epochs.append(progress.epoch))
    assert set(filter(None, epochs)) == {1, 2, 3}
    np.testing.assert_array_equal(probabilities_of(again), expected)


def load_state_precision(state) -> str:
    text = str(np.load(state)["told"])
    return "mixed_bfloat16" if '"precision": "mixed_bfloat16"' in text else "float32"


def test_kills_at_random_moments_change_nothing(tiny_folder, tmp_path):
    """Two kills; the weights are those of a training that nobody killed."""
    arguments = ("train", "--data", tiny_folder, "--recipe", "fast-dense", "--quiet", "--out")
    assert run_here(*arguments, tmp_path / "whole").returncode == 0
    expected = load_predictions(tmp_path / "whole" / "predictions.npz").probabilities
    place = tmp_path / "killed"
    place.mkdir()
    rng = random.Random(0)
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "hardpairs", *map(str, arguments), place / "run"],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and not list(place.iterdir()):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_here(*arguments, place / "run").returncode == 0 or (place / "run").exists()
    np.testing.assert_array_equal(
        load_predictions(place / "run" / "predictions.npz").probabilities, expected
    )
    assert [path.name for path in place.iterdir()] == ["run"]
