"""Labels, predictions and names of any kind, given to `explore` from Python."""

from types import SimpleNamespace

import numpy as np
import pytest

import hardpairs
from hardpairs import InputError
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES

RIGHT = int((PLAIN.predicted == LABELS).sum())


class Tensor:
    """A tensor that requires a gradient and lies on another device, as PyTorch's do."""

    def __init__(self, array, ready=False, dtype="torch.float32"):
        self._array, self._ready, self.dtype = array, ready, dtype

    def detach(self):
        return Tensor(self._array, self._ready, self.dtype)

    def cpu(self):
        return Tensor(self._array, True, self.dtype)

    def float(self):
        return Tensor(self._array, self._ready)

    def numpy(self):
        if not self._ready or self.dtype == "torch.bfloat16":
            raise TypeError("can't convert cuda or bfloat16 tensor to numpy")
        return self._array


def frame(kind, **columns):
    return pytest.importorskip(kind).DataFrame(columns)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS.tolist(),
        LABELS.astype(np.uint8)[:, None],
        LABELS.astype(float),
        [NAMES[label] for label in LABELS],
        np.eye(3)[LABELS],
        Tensor(LABELS),
    ],
)
@pytest.mark.parametrize(
    "probabilities",
    [
        PROBABILITIES,
        PROBABILITIES.tolist(),
        np.log(PROBABILITIES),
        Tensor(PROBABILITIES),
        Tensor(PROBABILITIES, dtype="torch.bfloat16"),
        PLAIN.predicted,
        [NAMES[label] for label in PLAIN.predicted],
    ],
)
def test_labels_and_predictions_of_any_kind(labels, probabilities):
    evaluation = hardpairs.evaluate(labels, probabilities, class_names=NAMES)
    assert evaluation.correct == RIGHT
    assert evaluation.class_names == PLAIN.class_names


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        tuple(NAMES),
        np.array(NAMES),
        [b"cat", b"dog", b"owl"],
        {"cat": 0, "dog": 1, "owl": 2},
        {2: "owl", 0: "cat", 1: "dog"},
        {"0": "cat", "1": "dog", "2": "owl"},
        (name for name in NAMES),
    ],
)
def test_names_of_any_kind(names):
    evaluation = hardpairs.evaluate(LABELS, PROBABILITIES, class_names=names)
    assert evaluation.class_names == PLAIN.class_names


@pytest.mark.parametrize("names", ["cat", 5, {"cat": 1, "dog": 5}, ["a", "b"], ["a", "a", "b"]])
def test_names_that_are_none(names):
    with pytest.raises(InputError):
        hardpairs.evaluate(LABELS, PROBABILITIES, class_names=names)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames(kind):
    scores = {name: PROBABILITIES[:, k] for k, name in enumerate(NAMES)}
    labels = [NAMES[label] for label in LABELS]
    files = [f"{row}.png" for row in range(60)]
    whole = frame(kind, label=labels, file=files, **scores)
    report = hardpairs.explore(whole)
    assert report.evaluation == hardpairs.evaluate(whole["label"], frame(kind, **scores))
    assert report.subject.predictions.ids.tolist() == files
    assert report.evaluation.correct == RIGHT
    assert hardpairs.evaluate(frame(kind, label=labels, p=PROBABILITIES.tolist())
                              .rename({"p": "probabilities"} if kind == "polars" else str)
                              if kind == "polars" else whole).correct == RIGHT  # fmt: skip


def test_a_pandas_index_of_file_names_is_the_ids():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(PROBABILITIES, columns=NAMES, index=[f"{n}.png" for n in range(60)])
    table["label"] = pandas.Categorical([NAMES[label] for label in LABELS])
    predictions = hardpairs.explore(table).subject.predictions
    assert predictions.ids.tolist() == table.index.tolist()
    # Row numbers of a test part are ids, too.
    table.index = np.arange(60)[::-1] * 3
    assert hardpairs.explore(table).subject.predictions.ids.tolist() == table.index.tolist()


def test_what_can_be_read_once():
    rows, files = (row for row in PROBABILITIES), {f"{n}.png": n for n in range(60)}
    report = hardpairs.explore(iter(LABELS), rows, ids=files.keys(), class_names=iter(NAMES))
    assert report.evaluation.correct == RIGHT
    assert report.subject.predictions.ids.tolist() == list(files)


def test_columns_named_as_the_classes_in_another_order():
    pd = pytest.importorskip("pandas")
    columns = pd.DataFrame({"emu": [0.1, 0.7], "cat": [0.8, 0.1], "dog": [0.1, 0.2]})
    report = hardpairs.explore([0, 2], columns, class_names=["cat", "dog", "emu"])
    assert report.evaluation.accuracy == 1
    renamed = columns.set_axis(["a", "b", "c"], axis=1)
    report = hardpairs.explore([1, 0], renamed, class_names=["cat", "dog", "emu"])
    assert report.evaluation.accuracy == 1
    with pytest.raises(InputError, match="are named 'emu', 'cat', 'dog', and class_names are"):
        hardpairs.explore([0, 2], columns, class_names=["cat", "dog", "fox"])
    numbered = pd.DataFrame({"0": [0.1, 0.7], "10": [0.8, 0.1], "2": [0.1, 0.2]})
    report = hardpairs.explore([10, 0], numbered)
    assert (report.evaluation.accuracy, report.evaluation.class_names) == (1, ("0", "2", "10"))


def test_pyarrow_tables():
    pyarrow = pytest.importorskip("pyarrow")
    columns = {name: PROBABILITIES[:, k] for k, name in enumerate(NAMES)}
    table = pyarrow.table({"label": [NAMES[label] for label in LABELS], **columns})
    assert hardpairs.evaluate(table).correct == RIGHT


def test_what_frameworks_return():
    output = SimpleNamespace(predictions=np.log(PROBABILITIES), label_ids=LABELS, metrics={})
    assert hardpairs.evaluate(output, class_names=NAMES).correct == RIGHT
    output.predictions = (np.log(PROBABILITIES), np.zeros((60, 5)))
    assert hardpairs.evaluate(output).correct == RIGHT
    generator = SimpleNamespace(
        classes=LABELS,
        class_indices={"cat": 0, "dog": 1, "owl": 2},
        filenames=[f"cat/{row}.png" for row in range(60)],
        shuffle=False,
    )
    report = hardpairs.explore(generator, PROBABILITIES)
    assert report.evaluation.class_names == PLAIN.class_names
    assert report.subject.predictions.ids[0] == "cat/0.png"
    generator.shuffle = True
    with pytest.raises(InputError, match="shuffle=False"):
        hardpairs.explore(generator, PROBABILITIES)


def test_scikit_learn():
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    digits = load_digits()
    model = LogisticRegression(max_iter=60, tol=0.1).fit(
        digits.data[:900] / 16, digits.target[:900]
    )
    data, target = digits.data[900:] / 16, digits.target[900:]
    of_probabilities = hardpairs.evaluate(
        target, model.predict_proba(data), class_names=model.classes_
    )
    assert of_probabilities.accuracy == pytest.approx(model.score(data, target))
    assert hardpairs.evaluate(target, model.predict(data)) == of_probabilities
    letters = np.array(list("abcdefghij"))
    model.fit(digits.data[:900] / 16, letters[digits.target[:900]])
    of_letters = hardpairs.evaluate(letters[target], model.predict_proba(data))
    assert of_letters.class_names == tuple("abcdefghij")
    assert of_letters.accuracy == of_probabilities.accuracy


def test_two_classes_of_one_score():
    labels = np.arange(40) % 2
    second = np.where(labels == 1, 0.8, 0.3)
    assert hardpairs.evaluate(labels, second).accuracy == 1
    assert hardpairs.evaluate(labels.astype(bool), second[:, None]).accuracy == 1
    assert hardpairs.evaluate(labels, np.log(second / (1 - second))).accuracy == 1


def test_lists_of_tensors_that_require_a_gradient():
    rows = [Tensor(row) for row in PROBABILITIES]
    numbers = [Tensor(np.asarray(label)) for label in LABELS]
    assert hardpairs.explore(numbers, rows).evaluation.correct == RIGHT
