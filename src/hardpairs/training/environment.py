"""What of this machine decides a training's numbers, found without importing Keras."""

import hashlib
import importlib.metadata
import json
import os
from functools import cache
from pathlib import Path

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
CODE = ("data/split.py", "studies/worker.py", "training/*.py")


def backend_name() -> str:
    """The backend that Keras will choose: the environment first, then the user's settings."""
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    settings = Path(os.environ.get("KERAS_HOME", home / ".keras")).expanduser() / "keras.json"
    try:
        return str(json.loads(settings.read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def default_precision() -> str:
    """Return "mixed_bfloat16" on TensorFlow where the processor multiplies bf16, else "float32".

    Elsewhere bf16 is emulated, or hasn't been measured to gain anything.
    """
    fast = backend_name() == "tensorflow" and BF16_FLAGS & _processor_flags()
    return "mixed_bfloat16" if fast else "float32"


def training_environment() -> dict[str, str]:
    """The backend, the versions of what computes, and a hash of this package's training code."""
    backend = backend_name()
    return {"backend": backend, **_versions(backend), "code": training_code()}


@cache
def _versions(backend: str) -> dict[str, str]:
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


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # Not Linux: no flags known.
        return set()
    return set(next((line.split() for line in lines if line.startswith("flags")), []))
