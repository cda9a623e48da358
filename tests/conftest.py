import gc
import gzip
import io
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import browsing
from hardpairs import stopping
from hardpairs.cli.commands import main
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset, drop_gray
from hardpairs.predictions.predictions import Predictions

with suppress(ImportError):  # The environment of the other backends has no Hypothesis.
    from hypothesis import settings

    # How long an example takes depends on what else the machine does.
    settings.register_profile("any time", deadline=None)
    settings.load_profile("any time")

# A hundred processes are started: each would compile what it imports, TensorFlow for six seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config):
    """Be at home in an empty folder, which the workers and what they start share and leave.

    Keras, Firefox, IPython write settings there; a graph that one test traced, another finds.
    """
    if hasattr(config, "workerinput"):  # A worker inherits it.
        return
    home = tempfile.TemporaryDirectory(prefix="hardpairs-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ["HOME"] = home.name
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]


CLUSTERS = ("test_cluster.py", "test_killed_studies.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Two modules run at a time, but one browser: WebKit's driver loses its own beside others.

    Nor two that start or look for a Ray cluster: "auto" would find the other's.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            if _in_browser(nodeid):
                return "browsers"
            return "clusters" if module.endswith(CLUSTERS) else module

    return ByModule(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """What takes long comes first, so that one worker doesn't wait for the other in the end."""

    def rank(item: pytest.Item) -> tuple[bool, bool]:
        return not _in_browser(item.nodeid), not item.get_closest_marker("train")

    items.sort(key=rank)


def _in_browser(nodeid: str) -> bool:
    return any(f"[{engine}" in nodeid for engine in browsing.ENGINES)


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    data = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)


def write_folder(folder: Path, dataset: Dataset, train: int, test: int) -> Path:
    """Write the first images of each split as a folder of four IDX files."""
    folder.mkdir(exist_ok=True)
    for prefix, split, count in (("train", dataset.train, train), ("t10k", dataset.test, test)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", drop_gray(split.images[:count]))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", split.labels[:count])
    (folder / "classes.txt").write_text("\n".join(dataset.class_names) + "\n")
    return folder


def make_predictions(images: int = 200, classes: int = 5, seed: int = 0, **fields) -> Predictions:
    """Predictions that are right about 60% of the time."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    logits = rng.normal(size=(images, classes)) + 1.5 * np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(f"class {index}" for index in range(classes))
    return Predictions(labels, probabilities, fields.pop("class_names", names), **fields)


def run_here(*arguments: object, cwd: Path | None = None) -> SimpleNamespace:
    """Run the command line in this process: what it says, writes and returns, seconds sooner.

    What signals, closed streams and imports do to a command is seen by `run_cli` alone.
    """
    streams = {
        name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        for name in ("stdout", "stderr")
    }
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(sys, "argv", ["hardpairs", *map(str, arguments)])
        patch.setattr(stopping, "listen", lambda: None)
        patch.setattr(gc, "freeze", lambda: None)
        patch.setenv("MPLBACKEND", "agg")
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        if cwd is not None:
            patch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            main()
    said = {name: stream.buffer.getvalue().decode() for name, stream in streams.items()}
    return SimpleNamespace(returncode=ended.value.code or 0, **said)


def run_cli(*arguments: object, cwd: Path | None = None, **environment: str):
    """Run the command line as a user does, in a process of its own."""
    return run_process([sys.executable, "-m", "hardpairs", *map(str, arguments)], cwd, environment)


def run_process(command: list[str], cwd: Path | None, environment: dict[str, str]):
    """Run a command to its end, its output kept as text."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="session")
def fashion() -> Dataset:
    return load_dataset("fashion-mnist")


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory, fashion) -> Path:
    """A slice of the real data: 500 training and 2,000 test images."""
    return write_folder(tmp_path_factory.mktemp("data") / "slice", fashion, 500, 2000)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, fashion) -> Path:
    """500 training and 300 test images: enough to train, not to be right."""
    return write_folder(tmp_path_factory.mktemp("data") / "tiny", fashion, 500, 300)


@pytest.fixture
def stepwise():
    """Switch Keras to working without graphs, until the test ends.

    Tracing and starting one takes longer than the few steps of a test's training.
    """
    import tensorflow as tf

    with warnings.catch_warnings():
        told = "Even though the `tf.config.experimental_run_functions_eagerly"
        warnings.filterwarnings("ignore", message=told)
        yield lambda: tf.config.run_functions_eagerly(True)
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def exported(tmp_path_factory, fashion) -> Path:
    """What `hardpairs export` writes, of a net that takes no training."""
    from exported import write_exported

    return write_exported(tmp_path_factory.mktemp("exported") / "run", fashion)


@pytest.fixture(scope="session")
def pages(tmp_path_factory, fashion) -> Path:
    """A folder of reports, and metrics.json of the first."""
    from report_pages import write_pages

    folder = tmp_path_factory.mktemp("report")
    write_pages(folder, fashion)
    return folder


@pytest.fixture(scope="session", params=browsing.ENGINES)
def engine(request) -> str:
    """A test with this fixture runs once in each browser."""
    return request.param


@pytest.fixture(scope="session")
def new_page(engine, tmp_path_factory):
    """A started browser. The next is started when all tests in it are done.

    The last is WebKit: Playwright, which drives the others, leaves an event loop running.
    """
    with browsing.started(engine, tmp_path_factory.mktemp(engine)) as new_page:
        yield new_page


@pytest.fixture
def open_page(new_page):
    """Open a file or an address; at the end the page must have complained of nothing.

    Nor may it have asked for anything but itself. `width` in pixels, `scheme` light or dark.
    """
    closing, complaints = [], []

    def open_page(address: Path | str, fragment: str = "", *, width=1280, scheme="light"):
        address = (address.as_uri() if isinstance(address, Path) else address) + fragment
        page, close = new_page(address, width=width, scheme=scheme, complain=complaints.append)
        closing.append(close)
        return page

    yield open_page
    for close in closing:
        close()
    assert complaints == []


@pytest.fixture
def visit(open_page, pages):
    """Open one of the reports."""

    def visit(name="report.html", address="", **options):
        return open_page(pages / name, address, **options)

    return visit
