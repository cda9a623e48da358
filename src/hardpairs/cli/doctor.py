"""`hardpairs doctor`."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator

import click

from hardpairs.foreign import one_line
from hardpairs.training import environment
from hardpairs.training.environment import (
    backend_name,
    default_precision,
    jax_finds_gpu,
    jax_has_cuda,
    use_onednn,
)
from hardpairs.training.recipes import WITHOUT_BF16
from hardpairs.training.threads import VARIABLES, available_cores, use_cores

# Extra -> the modules that it brings, and what they are for.
EXTRAS = {
    "train": (("keras",), "`run`, `train`, `audit` and the studies"),
    "ray": (("ray",), "`--ray`"),
    "tables": (("pyarrow",), "Parquet and Feather files"),
    "map": (("openTSNE",), "`evaluate --map`"),
    "export": (("tf2onnx",), "`export`"),
    "serve": (
        ("onnxruntime", "fastapi", "uvicorn", "python_multipart"),
        "`predict` and `serve`, without Keras",
    ),
}


@click.command()
def doctor() -> None:
    """Say what is installed, what a training would use, and what is slow or missing.

    Worth sending along with a question. Imports neither Keras nor its backend.
    """
    for name, value in _facts():
        click.echo(f"{name:<12}{one_line(value)}")
    troubles = [*_missing(), *_slow()]
    click.echo()
    click.echo("\n".join(troubles) if troubles else "Nothing is slow or missing.")


def _facts() -> Iterator[tuple[str, str]]:
    yield "hardpairs", f"{_version('hardpairs')}, at {os.path.dirname(os.path.dirname(__file__))}"
    yield "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield "cores", f"{available_cores()} of {os.cpu_count()}"
    for name in ("numpy", "scipy", "matplotlib", "keras"):
        yield name, _version(name) or "not installed"
    backend = backend_name()
    yield "backend", f"{backend} {_version(backend) or _version(f'{backend}-cpu') or '(missing)'}"
    yield "precision", f"{default_precision()} (--precision decides)"
    if backend == "tensorflow":
        use_cores(available_cores())
        use_onednn()
        names = [*VARIABLES, environment.ONEDNN_VARIABLE]
        chosen = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
        yield "settings", ", ".join(chosen)


def _missing() -> Iterator[str]:
    if environment.NVIDIA.exists() and not jax_has_cuda():
        yield "missing: training on the NVIDIA GPU of this machine: pip install 'hardpairs[gpu]'"
    for extra, (modules, purpose) in EXTRAS.items():
        if not all(map(importlib.util.find_spec, modules)):
            yield f"missing: {purpose}: pip install 'hardpairs[{extra}]'"
    backend = backend_name()
    if importlib.util.find_spec("keras") and not importlib.util.find_spec(backend):
        yield f"missing: {backend}, the backend that KERAS_BACKEND or keras.json names"


def _slow() -> Iterator[str]:
    backend = backend_name()
    if jax_finds_gpu():
        return
    if backend in ("jax", "torch"):
        yield f"slow: the recipes' times are those of TensorFlow on two cores, not of {backend}"
    elif default_precision() == "float32":
        yield f"slow: this processor doesn't multiply bf16: {WITHOUT_BF16}"
    if available_cores() < 2:
        yield "slow: one core; the recipes' times are those of two"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
