"""What of this machine decides a training's numbers, found without importing Keras."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
from functools import cache
from pathlib import Path

from hardpairs.errors import InputError, MissingExtra

NVIDIA = Path("/proc/driver/nvidia")  # Of a Linux driver.
BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
AVX2_FLAG = "avx2"
ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
BACKENDS = ("tensorflow", "jax", "torch")
NOT_THERE = (
    "training needs Keras and its backend, and there is no {} here; install them with: "
    "pip install 'hardpairs[train]'"
)
CODE = ("data/*.py", "studies/worker.py", "training/*.py")


def backend_name() -> str:
    """The backend to train on: the environment's first, then that of the user's settings.

    Keras writes "tensorflow" into those by itself, so where their backend isn't installed and
    another is, as with ``hardpairs[gpu]``, it is that one.
    """
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    settings = Path(os.environ.get("KERAS_HOME", home / ".keras")).expanduser() / "keras.json"
    try:
        chosen = str(json.loads(settings.read_text(encoding="utf-8")).get("backend", BACKENDS[0]))
    except (OSError, ValueError, AttributeError):
        chosen = BACKENDS[0]
    chosen = chosen if chosen in BACKENDS else BACKENDS[0]
    return next(filter(importlib.util.find_spec, dict.fromkeys((chosen, *BACKENDS))), chosen)


def check_training() -> None:
    """Look, without importing them, whether Keras and a backend that trains are here.

    Raises:
        InputError: KERAS_BACKEND names something else.
        MissingExtra: Keras or its backend isn't installed.
    """
    backend, asked = backend_name(), os.environ.get("KERAS_BACKEND")
    if backend not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND is {backend}, on which nothing can be trained here; set it to "
            f"{', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}, or unset it."
        )
    missing = [name for name in ("keras", backend) if importlib.util.find_spec(name) is None]
    if missing == [asked]:
        raise MissingExtra(f"KERAS_BACKEND is {asked}, which isn't installed; do so or unset it.")
    if missing:
        raise MissingExtra(NOT_THERE.format(missing[0]))


def default_precision() -> str:
    """Return "mixed_bfloat16" where bf16 was measured to be faster, else "float32".

    It is under TensorFlow on processors that multiply it, and under JAX on an NVIDIA GPU.
    """
    backend = backend_name()
    fast = BF16_FLAGS & _processor_flags() if backend == "tensorflow" else jax_finds_gpu()
    return "mixed_bfloat16" if fast else "float32"


def use_onednn() -> None:
    """Let what imports TensorFlow later compute with oneDNN, where that was measured to be faster.

    By itself TensorFlow does so only on processors with instructions for neural networks, as
    AVX512-VNNI; those of many laptops have none but AVX2, and there a training takes two to three
    times as long without it. A setting in the environment comes first.
    """
    if AVX2_FLAG in _processor_flags():
        os.environ.setdefault(ONEDNN_VARIABLE, "1")


def jax_finds_gpu() -> bool:
    """Whether JAX is the backend, its plugin for CUDA is installed and there is an NVIDIA GPU."""
    return backend_name() == "jax" and jax_has_cuda() and NVIDIA.exists()


def jax_has_cuda() -> bool:
    """Whether JAX's plugin for CUDA is installed, in either of its versions."""
    return any(map(importlib.util.find_spec, ("jax_cuda12_plugin", "jax_cuda13_plugin")))


def cache_folder() -> Path:
    """Where what costs time to make is kept for the next process: ``~/.cache/hardpairs``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hardpairs"


def training_environment() -> dict[str, str]:
    """The backend, the versions of what computes, and a hash of this package's training code."""
    backend = backend_name()
    return {"backend": backend, **versions(backend), "code": training_code()}


@cache
def versions(backend: str) -> dict[str, str]:
    """Versions of this package and of what else decides a training's numbers."""
    names = ("hardpairs", "keras", backend, f"{backend}-cpu", "numpy")
    found = [name for name in names if any(importlib.metadata.distributions(name=name))]
    return {name: importlib.metadata.version(name) for name in found}


@cache
def training_code() -> str:
    """SHA-256 over the files that load, train and predict: in a checkout no version tells."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for pattern in CODE for path in package.glob(pattern)):
        if path.name != "recipes.py":  # A job has its recipe's row; a new row changes no other.
            digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def processor_facts(name: str) -> list[str]:
    """What Linux says under a name of each core, as "model name" or "flags"; elsewhere nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(name)]


def _processor_flags() -> set[str]:
    return {flag for flags in processor_facts("flags")[:1] for flag in flags.split()}
