"""Files and folders that are written only when complete: made beside their place, then renamed.

What isn't complete lies in a hidden folder ``.NAME.partial`` beside its place, with a lock in it
that the writing process holds. A process that was killed holds nothing any more: what it left is
known by that, and cleared away by whoever writes in the same place next.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hardpairs.errors import InputError
from hardpairs.reading import clean_text
from hardpairs.stopping import uninterrupted

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = ".hardpairs.lock"
LONGEST_NAME = 200  # Bytes, of a place's name in its hidden folder's.
ABANDONED_STATE_DAYS = 30
STATE_ENDING = ".training.npz"
MOST_NAMES = 1000
PATIENCE_SECONDS = 1.0  # For whoever is just clearing away what stands in the same place.


class Taken(InputError):
    """The folder to make is there already, or is being made."""


class Elsewhere(InputError):
    """Something else took the place of a folder meanwhile: what was filled is in ``place``."""

    def __init__(self, path: Path, place: Path) -> None:
        super().__init__(
            f"{path}: was made by something else meanwhile; what was to be there is complete in "
            f"{place}."
        )
        self.path, self.place = path, place


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of ``path`` when the block ends well.

    Raises:
        InputError: The folder can't be written to, or the disk is full.
    """
    path = Path(path)
    hidden = path.parent / f".{_short(path.name)}.{secrets.token_hex(4)}.partial"
    lock = None
    try:
        with _write_errors_of(path):
            with uninterrupted():
                _clear_once(path.parent)
                lock = _make_locked_folder(hidden)
            yield hidden / path.name
            (hidden / path.name).replace(path)
    finally:
        _remove(hidden, lock)


@contextmanager
def named_file(path: str | Path) -> Iterator[Path]:
    """As `whole_file`, for a path that the user named: into a device or pipe, through a link.

    Files with names of our own never follow a link, which may come with somebody else's folder.

    Raises:
        InputError: As `whole_file` does.
    """
    path = Path(path)
    if not path.exists() or path.is_file() or path.is_dir():
        with whole_file(Path(os.path.realpath(path)) if path.is_symlink() else path) as partial:
            yield partial
        return
    with TemporaryDirectory() as place, _write_errors_of(path):
        yield Path(place) / path.name
        with path.open("wb") as file:
            file.write((Path(place) / path.name).read_bytes())


@contextmanager
def whole_files(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; its files go to ``folder`` when the block ends well.

    Those of numbers, ``*.json``, go last and so say that the others are there. Of two who write
    into one folder at a time the second is refused. A folder that had to be made is gone again if
    the block fails.

    Raises:
        Taken: Another process is writing there.
        InputError: The folder can't be made or written, or the disk is full.
    """
    folder = Path(folder)
    hidden, lock = folder / ".writing.partial", None
    with made_folder(folder):
        try:
            with uninterrupted(), _write_errors_of(folder):
                lock = _make_locked_folder(hidden)
                (hidden / "content").mkdir()
            yield hidden / "content"
            with uninterrupted(), _write_errors_of(folder):
                filled = list((hidden / "content").iterdir())
                for path in sorted(filled, key=lambda path: path.suffix == ".json"):
                    path.replace(folder / path.name)
        finally:
            _remove(hidden, lock)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes ``path`` when the block ends well.

    The place is reserved from the beginning: of two who want it one is refused at once. Folders
    above it that had to be made are gone again if the block fails.

    Raises:
        Taken: ``path`` is there already, or another process is making it.
        Elsewhere: It was made by something else meanwhile; what the block filled is kept.
        InputError: It can't be made.
    """
    path = Path(path)
    hidden, lock = path.parent / f".{_short(path.name)}.partial", None
    with made_folder(path.parent):
        try:
            with uninterrupted(), _write_errors_of(path):
                _check_free(path)
                clear_abandoned(path.parent)
                lock = _make_locked_folder(hidden)
                (hidden / "content").mkdir()
            yield hidden / "content"
            with uninterrupted():
                _put(hidden / "content", path)
        finally:
            _remove(hidden, lock)


def _check_free(path: Path) -> None:
    """Raise Taken where something is there, OSError where nothing can be, as for a long name."""
    with suppress(FileNotFoundError):
        path.lstat()
        raise Taken(f"{path}: exists already; name another folder or move it away.")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text in one piece; raises InputError as `whole_file` does.

    What UTF-8 hasn't, as a folder's name from another encoding has it, is written as a replacement
    character: a training isn't lost for it.
    """
    write_bytes(path, clean_text(text).encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write bytes in one piece; raises InputError as `whole_file` does."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


@contextmanager
def locked(path: str | Path, busy: str) -> Iterator[None]:
    """Hold a lock file, which is made where it isn't there; a killed process lets go of it.

    Its content is never touched, and a link in its place never followed.

    Raises:
        InputError: It can't be opened, or another process holds it: the message is ``busy``.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 -- Most commands never lock anything.

    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(busy) from error
    except OSError as error:
        raise write_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def clear_abandoned(folder: str | Path) -> None:
    """Remove what killed processes left half-written in a folder, and nothing else.

    Left to clear are hidden folders whose lock nobody holds, and states of trainings that nobody
    went on with for a month. A folder that can't be read or written stays as it is.
    """
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(".") and entry.name.endswith(".partial"):
                _remove_if_abandoned(Path(entry.path))
            elif entry.name.startswith(".") and entry.name.endswith(STATE_ENDING):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if age > ABANDONED_STATE_DAYS * 24 * 3600:
                    os.unlink(entry.path)


def write_error(path: str | Path, error: OSError) -> InputError:
    """Say that something can't be written, and why."""
    return InputError(
        f"{path}: can't be written ({error.strerror or error}); "
        "free some space or name a folder you may write to."
    )


@contextmanager
def _write_errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def _short(name: str) -> str:
    """A name of bounded length, another one for another name: file systems allow 255 bytes."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


@cache
def _clear_once(folder: Path) -> None:
    clear_abandoned(folder)


def _make_locked_folder(place: Path) -> "BaseFileLock":
    """Make a folder and hold its lock; one that a dead process left there goes first."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 -- Most commands write nothing.

    began = time.monotonic()
    while True:
        try:
            place.mkdir()
            lock = FileLock(place / LOCK)
            lock.acquire(timeout=PATIENCE_SECONDS / 10)
            return lock
        except FileExistsError:
            if not _remove_if_abandoned(place) and time.monotonic() - began > PATIENCE_SECONDS:
                raise Taken(
                    f"{place}: another command is writing there, or it is something else's; "
                    "wait for that, name another folder, or remove it."
                ) from None
            time.sleep(0.01)
        except (FileNotFoundError, Timeout):
            # Another command took it for abandoned in the moment between folder and lock.
            if not place.parent.exists() or time.monotonic() - began > 10 * PATIENCE_SECONDS:
                raise


def _remove(place: Path, lock: "BaseFileLock | None") -> None:
    """Remove a folder of `_make_locked_folder`, the lock last: until then it is nobody else's."""
    if lock is None:
        return
    with uninterrupted():
        shutil.rmtree(place, ignore_errors=True)
        lock.release()
        if os.name == "nt":  # Which removes no file that is open.
            shutil.rmtree(place, ignore_errors=True)


def _remove_if_abandoned(place: Path) -> bool:
    """Remove a hidden folder whose process is dead; return whether its place is free now."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 -- Most commands write nothing.

    if place.is_symlink() or not (place / LOCK).is_file():
        with suppress(OSError):
            place.rmdir()  # Removes only what is empty: nothing that anybody would miss.
        return not os.path.lexists(place)
    lock = FileLock(place / LOCK)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    # Under another name first, so that nobody sees the place half cleared.
    away = place.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        place.rename(away)
    except OSError:
        lock.release()
        return False
    _remove(away, lock)
    return True


def _put(filled: Path, path: Path) -> None:
    """Rename a folder; where something stands there by now, take the next free name instead."""
    for number in range(1, MOST_NAMES):
        place = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            if not os.path.lexists(place):
                filled.rename(place)
                break
        except OSError as error:
            if not os.path.lexists(place):  # Else it came in between.
                raise write_error(path, error) from error
    else:
        raise InputError(f"{path}: so many like it are there already; name another folder.")
    if place != path:
        raise Elsewhere(path, place)


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder, and those above it, where it doesn't exist; what stays empty goes again.

    Raises:
        InputError: It can't be made.
    """
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        if not folder.is_dir():  # On a read-only disk even one that is there couldn't be made.
            make_folder(folder)
        yield
    finally:
        for each in new:
            with suppress(OSError):  # Something is in it: the block ended well.
                each.rmdir()


def make_folder(folder: Path) -> None:
    """Make a folder where it doesn't exist; raises InputError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: can't be made ({error.strerror}); name a folder you may write to."
        ) from error
