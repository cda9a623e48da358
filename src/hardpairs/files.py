"""Writing files and folders whole or not at all: written beside, then renamed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardpairs.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of ``path`` when the block ends well.

    Raises:
        InputError: The folder can't be written to, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes ``path`` when the block ends well.

    Raises:
        InputError: ``path`` exists already, can't be made, or the disk is full.
    """
    if path.exists():
        raise InputError(f"{path}: exists already; name another folder or move it away.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(
            tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        )
    except OSError as error:
        raise _write_error(path, error) from error
    try:
        partial.chmod(0o755)
        yield partial
        partial.rename(path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all; raises InputError as `whole_file` does."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _write_error(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: can't be written ({error.strerror or error}); "
        "free some space or name a folder you may write to."
    )
