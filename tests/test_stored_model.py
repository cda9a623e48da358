import contextlib
import io
import json
import random
import shutil
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardpairs import load_model
from hardpairs.data.split import Dataset, Split
from hardpairs.errors import InputError
from hardpairs.training.predict import predict
from hardpairs.training.recipes import RECIPES
from hardpairs.training.runs import create_run

pytestmark = [
    pytest.mark.train,
    # Keras' own, on NumPy 2, where it saves a net.
    pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning"),
]
SMALLEST, LARGEST = (8, 8, 1), (64, 64, 3)
# The net that `best` had before is among the runs that people have.
EARLIER = replace(RECIPES["best"], name="mirrored", net="mirrored", net_options={})
# As deep as it is, but narrow.
NARROW = replace(
    RECIPES["record"], net_options={**RECIPES["record"].net_options, "channels": (8, 16, 32)}
)
TRAINED = {**RECIPES, "record": NARROW, "mirrored": EARLIER}
# On the smallest images every recipe trains, two as users train them, in a graph, whose tracing is
# most of the time; on the largest every function of nets does once, narrow and step by step.
KINDS = ("lesson", "dense", "sprint", "strong")
IN_A_GRAPH = ("fast-dense", "strong")
CASES = [
    *((SMALLEST, name) for name in TRAINED),
    *((LARGEST, name) for name in KINDS),
]


def made(shape: tuple[int, int, int], images: int, classes: int = 3) -> Split:
    """Images whose class shows in the brightness of one of their corners."""
    rng = np.random.default_rng(images)
    labels = np.arange(images) % classes
    pixels = rng.integers(0, 120, (images, *shape), np.uint8)
    for label in range(classes):
        side = shape[0] // 2
        rows, columns = divmod(label, 2)
        corner = np.ix_(labels == label, range(rows * side, rows * side + side))
        pixels[corner[0].ravel(), rows * side : rows * side + side,
               columns * side : columns * side + side] += 120  # fmt: skip
    return Split(pixels, labels)


@pytest.mark.parametrize(("shape", "name"), CASES, ids=str)
def test_every_recipe_trains_on_every_shape_and_its_net_is_rebuilt(tmp_path, stepwise, name, shape):
    recipe = replace(TRAINED[name], epochs=1, batch_size=16)
    if shape != SMALLEST or name not in IN_A_GRAPH:
        stepwise()
        recipe = replace(recipe, batch_size=48)
        if recipe.net == "full_size":
            options = {**recipe.net_options, "channels": (8, 16, 32)}
            recipe = replace(recipe, net_options=options)
    images = 48 if shape == SMALLEST else 18
    data = Dataset("made", str(tmp_path), ("a", "b", "c"), made(shape, images), made(shape, 15))
    recipe = replace(recipe, easy_by=None)  # That is another recipe, which is tested itself.
    predictions = create_run(tmp_path, data, recipe, precision="float32")
    assert predictions.metadata["shape"] == list(shape)
    again = predict(load_model(str(tmp_path)), data.test.pixels)
    np.testing.assert_allclose(again, predictions.probabilities, atol=1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    shape = (12, 12, 1)
    data = Dataset("made", str(folder), ("a", "b", "c"), made(shape, 60), made(shape, 9))
    net_options = {"filters": (4, 8)}
    recipe = replace(RECIPES["sprint"], batch_size=16, net_options=net_options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        create_run(folder, data, recipe, precision="float32")
    return folder


def changed(run, tmp_path, *, record=None, weights=None):
    """The run's net with another environment.json or other bytes in model.keras."""
    folder = tmp_path / "changed"
    folder.mkdir(exist_ok=True)
    for name in ("environment.json", "model.keras"):
        shutil.copy(run / name, folder)
    if record is not None:
        known = json.loads((run / "environment.json").read_text())
        (folder / "environment.json").write_text(json.dumps({**known, **record}))
    if weights is not None:
        (folder / "model.keras").write_bytes(weights)
    return folder


def packed(arrays: dict, method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of plain arrays, or of bytes where they are such."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            if isinstance(array, bytes):
                content.write(array)
            else:
                np.save(content, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", content.getvalue())
    return file.getvalue()


def arrays_of(run) -> dict:
    return dict(np.load(run / "model.keras"))


@pytest.mark.parametrize(
    "record",
    [
        {"net": "os.system"},
        {"net": ["cosine"]},
        {"net": "dense", "net_options": {}},
        {"net_options": {"filters": [4, 8], "layers": 3}},
        {"net_options": {"filters": [4, 1024]}},
        {"net_options": {"filters": [4, 8] * 100_000}},
        {"net_options": {"filters": [4, 10**12]}},
        {"net_options": {"filters": [-4, 8]}},
        {"net_options": {"filters": "4, 8"}},
        {"net_options": {"filters": 4}},
        {"net_options": {"filters": [4, 8], "padding": "sideways"}},
        {"net_options": {"filters": [4, 8], "padding": ["valid"]}},
        {"net_options": None},
        *(
            {"net": "full_size", "net_options": {"channels": counts}}
            for counts in (
                [4, 8],
                [4, 8, 10**12],
                [4, 8, -8],
                "4, 8, 8",
                [4, 8, 1024],
            )
        ),
        *({"net": "full_size", "net_options": {"pairs": count}} for count in (-1, 10**9, True)),
        {"net": "mirrored", "net_options": {"channels": [4, 8, 8]}},
        {"classes": 10**9},
        {"classes": 4},
        {"classes": 1},
        {"classes": "3"},
        {"shape": [96, 96, 1]},
        {"shape": [10**6, 10**6, 1]},
        {"shape": [12, 12]},
        {"shape": [12, 12, 3]},
        {"shape": None},
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_record_that_claims_another_net_is_refused(run, tmp_path, record):
    with pytest.raises(InputError, match="changed"):
        load_model(changed(run, tmp_path, record=record))


def test_what_is_missing_or_no_record_at_all(run, tmp_path):
    for name, content in (
        *(("environment.json", text) for text in (b"", b"[]", b"3", b"{}", b"\xff", b"[" * 10**5)),
        *(("model.keras", data) for data in (b"", b"PK", packed({}))),
    ):
        folder = changed(run, tmp_path)
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match="changed"):
            load_model(folder)
        (folder / name).unlink()
        with pytest.raises(InputError, match="changed"):
            load_model(folder)


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    padded = text + " " * (118 - len(text) - 1) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode()


@pytest.mark.parametrize(
    "change",
    [
        {"weights/0": header("(1000000, 262144)")},  # A hundred bytes that claim a terabyte.
        {"weights/0": np.array([{"a": 1}], dtype=object)},
        {"weights/0": np.array(["a", "b"])},
        {"weights/0": np.zeros((3, 3, 1, 18))},
        {"weights/0": np.zeros((3, 3, 1, 17), np.float32)},
        {"weights/99": np.zeros(3, np.float32)},
        {"../../x": np.zeros(3, np.float32)},
    ],
    ids=lambda value: str(value)[:40],
)
def test_weights_that_are_not_the_nets_are_refused(run, tmp_path, change):
    weights = packed({**arrays_of(run), **change})
    with pytest.raises(InputError, match="changed"):
        load_model(changed(run, tmp_path, weights=weights))


def test_keras_reads_the_same_file(run):
    from hardpairs.training.backend import keras

    images = np.random.default_rng(0).integers(0, 256, (9, 12, 12, 1), np.uint8)
    theirs = keras.models.load_model(run / "model.keras")
    np.testing.assert_array_equal(predict(theirs, images), predict(load_model(run), images))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), inside=st.booleans())
def test_damaged_files_raise_nothing_else(run, tmp_path_factory, seed, inside):
    fuzz_once(run, tmp_path_factory.getbasetemp(), random.Random(seed), inside)


def fuzz_once(run, place, rng: random.Random, inside: bool) -> None:
    """Damage model.keras, its arrays under a right checksum, or the record, and load it."""
    damaged = "environment.json" if rng.random() < 0.3 else "model.keras"
    arrays = {name: io.BytesIO() for name in arrays_of(run)}
    for name, array in arrays_of(run).items():
        np.save(arrays[name], array)
    chosen = rng.choice(sorted(arrays))
    is_array = inside and damaged == "model.keras"
    content = bytearray(arrays[chosen].getvalue() if is_array else (run / damaged).read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        # Half of the damage is where the headers are.
        place_in = rng.randrange(min(len(content), 200) if rng.random() < 0.5 else len(content))
        content[place_in] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
    if rng.random() < 0.2:
        del content[rng.randrange(len(content)) :]
    if is_array:
        stored = {name: file.getvalue() for name, file in arrays.items()}
        content = bytearray(packed({**stored, chosen: bytes(content)}))
    folder = changed(run, place)
    (folder / damaged).write_bytes(content)
    with contextlib.suppress(InputError):
        load_model(folder)
