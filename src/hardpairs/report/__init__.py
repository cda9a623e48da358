"""What people look at: figures, texts, the page."""

import contextlib
import os
import sys


def _import_matplotlib() -> None:
    """Import it without MPLBACKEND, of which it refuses what it doesn't know.

    Programs started from a notebook inherit the notebook's, and nothing here needs a backend; a
    notebook that imports this package keeps its own.
    """
    backend = os.environ.get("MPLBACKEND")
    if backend is None or "matplotlib" in sys.modules:
        return
    del os.environ["MPLBACKEND"]
    try:
        import matplotlib as mpl  # noqa: PLC0415

        with contextlib.suppress(ValueError):
            mpl.rcParams["backend"] = backend
    finally:
        os.environ["MPLBACKEND"] = backend


_import_matplotlib()
