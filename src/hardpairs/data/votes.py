"""Human votes for each test image: fetched from their authors, read, and joined by id.

Fashion-MNIST-H (Ishida et al., ICLR 2023, arXiv:2202.00395) is published under GPL-3.0. It is
fetched on request and never a part of this package. Votes on other images are read as well.
"""

import csv
import hashlib
import http.client
import os
import re
import threading
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from hardpairs.data.folders import few_files
from hardpairs.data.lists import picture_meant, ways_to_call
from hardpairs.data.tables import delimiter_of
from hardpairs.data.usual_names import IDS
from hardpairs.errors import InputError
from hardpairs.labels import listed
from hardpairs.npz import read_npy
from hardpairs.reading import guarded, read_unpacked

VOTES_URL = (
    "https://raw.githubusercontent.com/takashiishida/irreducible/"
    "4bc347d387c103c355d2ebff0b3983e73f4a9bc2/data/fmh_counts.csv"
)
VOTES_SHA256 = "bec7efff5d6f901a6224758d71caadb436dbd8de1284b0be7089d193be94ddbc"
CHUNK_BYTES = 2**16
LARGEST_BYTES = 2**24  # The file has 230 kB; a server that sends 16 MiB sends something else.
TIMEOUT_SECONDS = 20  # Without a single byte.
MOST_SECONDS = 120.0
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416


def fetch_votes(
    path: str | Path,
    *,
    url: str = VOTES_URL,
    sha256: str = VOTES_SHA256,
    on_bytes: Callable[[int], None] | None = None,
    seconds: float = MOST_SECONDS,
) -> bool:
    """Download the votes to ``path``, going on where a broken download stopped.

    What has arrived is kept in ``path`` + ".partial" until it is whole and its SHA-256 is right.

    Args:
        path: The file to make; one that is there already is checked and left alone.
        url, sha256: What to fetch and what it must be.
        on_bytes: Called with how many bytes have arrived, at least every 64 kB.
        seconds: After so many a download is given up; what has arrived is kept.

    Returns:
        Whether anything was downloaded.

    Raises:
        InputError: No connection, another content than expected, or nowhere to write.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.partial")
    try:
        if path.exists():
            if _sha256(path) == sha256:
                return False
            raise InputError(
                f"{path}: exists and isn't the votes file (SHA-256); move it away or name another."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        _download_in_time(url, partial, on_bytes, seconds)
        if _sha256(partial) != sha256:
            partial.unlink()
            raise InputError(
                f"{url}: what came isn't the file expected (SHA-256), so it was thrown away; "
                "try again, or from another network."
            )
        partial.replace(path)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as e:
        raise InputError(
            f"{url}: can't be fetched ({getattr(e, 'reason', None) or e}); check the connection "
            "and run the same command again, it goes on where it stopped."
        ) from e
    except OSError as e:
        raise InputError(
            f"{path}: can't be written ({e.strerror or e}); "
            "free some space or name a file you may write to."
        ) from e
    return True


@dataclass(frozen=True)
class VoteTable:
    """A file of votes as it was found.

    Attributes:
        path: Where it lies.
        cells: (lines, columns), numbers or what they are written as.
        columns: What a first line calls the columns; none without one.
        ids: The image that each line names; none where lines stand in the images' order.
    """

    path: str | Path
    cells: np.ndarray
    columns: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def load_votes(
    path: str | Path, labels: np.ndarray, ids: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Read the votes for test images.

    Args:
        path: Counts of people, see `read_votes`.
        labels: int64 (N,), the images' labels.
        ids: (N,), the images' names, or int64, each image's index in the split.
        class_names: K names.

    Returns:
        int64 (N, K), how many people chose each class, in the order of ``ids``.

    Raises:
        InputError: Missing, damaged, no such table, or a table of other images.
    """
    return votes_on(read_votes(path), labels, ids, class_names)


def read_votes(path: str | Path) -> VoteTable:
    """Read a table of votes, not yet joined with any images.

    Args:
        path: A table of counts, plain or packed with gzip, bzip2 or xz, or an .npy of them: a
            line for each image of the test split in its official order, a column for each class
            in theirs. Where a first line names the columns, they are found by the classes' names,
            and one named id, filename or the like says which image is meant.

    Raises:
        InputError: Missing, damaged or no such table.
    """
    if Path(path).suffix.lower() == ".npy":
        counts = read_npy(path)
        if counts.ndim != 2 or counts.dtype.kind not in "biuf":
            raise InputError(f"{path}: has shape {counts.shape}; give counts (images, classes).")
        return VoteTable(path, counts)
    text = read_unpacked(path, LARGEST_BYTES)
    with guarded(path, "a table of counts; fetch it with `hardpairs votes`"):
        lines = [line for line in text.decode("utf-8-sig").splitlines() if line.strip()]
        delimiter = delimiter_of(lines[0] if lines else "")
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
        for number, row in enumerate(rows, start=1):
            if len(row) != len(rows[0]):
                raise ValueError(f"line {number} has {len(row)} cells, the first {len(rows[0])}")
        if not rows or not _is_header(rows[0]):
            return VoteTable(path, np.array(rows or np.empty((0, 0)), object))
        header = tuple(unicodedata.normalize("NFC", cell) for cell in rows[0])
        place = next((n for n, name in enumerate(header) if name.lower() in IDS), None)
        ids = () if place is None else tuple(row[place] for row in rows[1:])
        kept = [n for n in range(len(header)) if n != place]
        cells = np.array([[row[n] for n in kept] for row in rows[1:]], object)
        names = tuple(header[n] for n in kept)
        return VoteTable(path, cells.reshape(-1, len(kept)), names, ids)


def _is_header(cells: Sequence[str]) -> bool:
    try:
        np.array(cells, np.float64)
    except ValueError:
        return True
    return False


def votes_on(
    table: VoteTable, labels: np.ndarray, ids: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """The votes on images, as `load_votes` has it."""
    path, counts = table.path, _of_classes(table, class_names)
    lines, columns = counts.shape
    rows = _rows_of(table, np.asarray(ids))
    if columns != len(class_names) or lines <= rows.max():
        raise InputError(
            f"{path}: has {lines:,} lines of {columns} counts, needed are "
            f"{int(rows.max()) + 1:,} of {len(class_names)}; give the votes on the predicted "
            "images."
        )
    votes = counts[rows]
    whole = np.isfinite(votes).all() and (votes == np.floor(votes)).all()
    if not whole or votes.min() < 0 or votes.max() > 2**31 or votes.sum(axis=1).min() == 0:
        raise InputError(
            f"{path}: every line needs whole counts from 0 up, at least one above 0; mend it."
        )
    _check_agreement(path, votes, labels)
    return votes.astype(np.int64)


def _of_classes(table: VoteTable, class_names: Sequence[str]) -> np.ndarray:
    """float64 (lines, K): the columns of the classes, by name where they have names."""
    if not table.columns:
        return _numbers(table.path, table.cells)
    if missing := [name for name in class_names if table.columns.count(name) != 1]:
        raise InputError(
            f"{table.path}: has no one column for {listed(missing)}, but {listed(table.columns)}; "
            "name one as each class."
        )
    places = [table.columns.index(name) for name in class_names]
    return _numbers(table.path, table.cells[:, places])


def _numbers(path: str | Path, cells: np.ndarray) -> np.ndarray:
    with guarded(path, "a table of counts"):
        return cells.astype(np.float64)  # In which 10**30 doesn't wrap around.


def _rows_of(table: VoteTable, ids: np.ndarray) -> np.ndarray:
    """int64 (N,): the line of each image."""
    if table.ids:
        known = ways_to_call(table.ids)
        place_of = {name: place for place, name in enumerate(table.ids)}
        meant = [picture_meant(str(each), known) for each in ids.tolist()]
        if missing := [str(ids[row]) for row, name in enumerate(meant) if not name]:
            raise InputError(
                f"{table.path}: has no one line for {len(missing):,} of {len(ids):,} predicted "
                f"images ({few_files(missing)}); give the votes on all of them."
            )
        return np.array([place_of[name] for name in meant], np.int64)
    if ids.dtype.kind not in "iu":
        raise InputError(
            f"{table.path}: has a line for each index of the test images, and these images have "
            f"names ({ids[0]}); name the images in a column id, under a line of the columns' names."
        )
    return ids


def _check_agreement(path: str | Path, votes: np.ndarray, labels: np.ndarray) -> None:
    """Refuse votes that know no more of the labels than chance: lines of other images."""
    shares = votes / votes.sum(axis=1, keepdims=True)
    frequencies = np.bincount(labels, minlength=shares.shape[1]) / len(labels)
    by_chance = float(shares.mean(axis=0) @ frequencies)
    for_label = float(shares[np.arange(len(labels)), labels].mean())
    if len(labels) >= 100 and for_label < by_chance + 0.1 * (1 - by_chance):
        raise InputError(
            f"{path}: its people chose the given labels hardly more often than chance would "
            f"({for_label:.0%} of votes); give the votes of the predicted images, in their order."
        )


def _download_in_time(
    url: str, partial: Path, on_bytes: Callable[[int], None] | None, seconds: float
) -> None:
    """Download, but no longer than that: a server that sends a byte now and then never times out.

    A thread, because a read can't be told when to stop waiting. One that is given up never writes
    again, and ends with the process at the latest.
    """
    given_up = threading.Event()
    stopped_by: list[Exception] = []

    def work() -> None:
        try:
            _download(url, partial, on_bytes, given_up)
        except Exception as error:
            stopped_by.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        given_up.set()
        raise ConnectionError(f"not all there after {seconds:.0f} s")
    if stopped_by:
        raise stopped_by[0]


def _download(
    url: str,
    partial: Path,
    on_bytes: Callable[[int], None] | None,
    given_up: threading.Event,
) -> None:
    # A planted link is neither followed nor emptied: what it leads to isn't ours.
    arrived = partial.lstat().st_size if partial.is_file() and not partial.is_symlink() else 0
    request = urllib.request.Request(url)
    if arrived:
        request.add_header("Range", f"bytes={arrived}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == RANGE_NOT_SATISFIABLE:  # All of it is there already.
                return
        raise
    with response:
        if response.status != PARTIAL_CONTENT or not _starts_at(response, arrived):
            arrived = 0  # The server sends it from the beginning.
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(partial, flags, 0o666), "wb") as file:
            file.truncate(arrived)
            file.seek(arrived)
            _receive(response, file, arrived, on_bytes, given_up)


def _starts_at(response: http.client.HTTPResponse, arrived: int) -> bool:
    """Whether a part begins where the last one ended; a server that doesn't say is believed."""
    said = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return said is None or int(said[1]) == arrived


def _receive(
    response: http.client.HTTPResponse,
    file: IO[bytes],
    arrived: int,
    on_bytes: Callable[[int], None] | None,
    given_up: threading.Event,
) -> None:
    length = response.headers.get("Content-Length", "")
    # Of the part that is sent now. No number is no promise: the SHA-256 will tell.
    expected = arrived + int(length) if length.isdecimal() and len(length) < 20 else None
    while (chunk := response.read1(CHUNK_BYTES)) and not given_up.is_set():
        file.write(chunk)
        arrived += len(chunk)
        if on_bytes:
            on_bytes(arrived)
        if arrived > LARGEST_BYTES:
            return
    if expected is not None and arrived < expected:
        raise ConnectionError("the connection broke off")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
