"""Keras, imported once and quietly.

Importing this module costs 4 to 6 seconds under TensorFlow; only what trains imports it.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

from hardpairs.errors import MissingExtra
from hardpairs.training.environment import (
    NOT_THERE,
    backend_name,
    cache_folder,
    default_precision,
    jax_finds_gpu,
    use_onednn,
)
from hardpairs.training.threads import available_cores, use_cores


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere: TensorFlow's C++ logs before any log level applies."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


use_cores(available_cores())
use_onednn()
os.environ["KERAS_BACKEND"] = backend_name()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if jax_finds_gpu():  # There compiling takes longer than most trainings; so each step does it once.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_folder() / "jax"))
try:
    with _silent_stderr():
        import keras
except ImportError as error:
    raise MissingExtra(NOT_THERE.format(error.name or "such package")) from error
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # In a notebook it sets its own at import.

__all__ = ["OWN_SETTINGS", "default_precision", "has_gpu", "keras", "own_settings", "set_keras"]


# Nets expect their channels last, and a seed decides numbers only with one epsilon and dtype.
OWN_SETTINGS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}


def set_keras(settings: dict[str, Any] = OWN_SETTINGS) -> dict[str, Any]:
    """Change Keras' settings, by default to what it has of itself; return those before."""
    before = {name: getattr(keras.config, name)() for name in settings}
    for name, value in settings.items():
        getattr(keras.config, f"set_{name}")(value)
    return before


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Build nets as Keras does by default, whatever keras.json or the user's script has set."""
    before = set_keras()
    try:
        yield
    finally:
        set_keras(before)


def has_gpu() -> bool:
    """Whether a GPU computes, under JAX, which is what the extra ``gpu`` installs."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return jax.default_backend() == "gpu"
