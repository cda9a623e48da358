"""Keras, imported once and quietly, and the precision that suits this processor.

Importing this module costs 4 to 6 seconds under TensorFlow; only what trains imports it.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from hardpairs.training.threads import use_cores

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


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


use_cores(os.cpu_count() or 1)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
with _silent_stderr():
    import keras


def default_precision() -> str:
    """Return "mixed_bfloat16" on TensorFlow where the processor multiplies bf16, else "float32".

    Elsewhere bf16 is emulated, or hasn't been measured to gain anything.
    """
    fast = keras.backend.backend() == "tensorflow" and BF16_FLAGS & _processor_flags()
    return "mixed_bfloat16" if fast else "float32"


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # Not Linux: no flags known.
        return set()
    return set(next((line.split() for line in lines if line.startswith("flags")), []))


__all__ = ["default_precision", "keras"]
