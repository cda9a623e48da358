"""Human votes for each test image: fetched from their authors, read, and joined by id.

Fashion-MNIST-H (Ishida et al., ICLR 2023, arXiv:2202.00395) is published under GPL-3.0. It is
fetched on request and never a part of this package.
"""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError

VOTES_URL = (
    "https://raw.githubusercontent.com/takashiishida/irreducible/"
    "4bc347d387c103c355d2ebff0b3983e73f4a9bc2/data/fmh_counts.csv"
)
VOTES_SHA256 = "bec7efff5d6f901a6224758d71caadb436dbd8de1284b0be7089d193be94ddbc"
CHUNK_BYTES = 2**16
LARGEST_BYTES = 2**24  # The file has 230 kB; a server that sends 16 MiB sends something else.
TIMEOUT_SECONDS = 20
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416


def fetch_votes(
    path: Path,
    *,
    url: str = VOTES_URL,
    sha256: str = VOTES_SHA256,
    on_bytes: Callable[[int], None] | None = None,
) -> bool:
    """Download the votes to ``path``, going on where a broken download stopped.

    What has arrived is kept in ``path`` + ".partial" until it is whole and its SHA-256 is right.

    Args:
        path: The file to make; one that is there already is checked and left alone.
        url, sha256: What to fetch and what it must be.
        on_bytes: Called with how many bytes have arrived, every 64 kB.

    Returns:
        Whether anything was downloaded.

    Raises:
        InputError: No connection, another content than expected, or nowhere to write.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        if path.exists():
            if _sha256(path) == sha256:
                return False
            raise InputError(
                f"{path}: exists and isn't the votes file (SHA-256); move it away or name another."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(url, partial, on_bytes)
        if _sha256(partial) != sha256:
            partial.unlink()
            raise InputError(
                f"{url}: what came isn't the file expected (SHA-256), so it was thrown away; "
                "try again, or from another network."
            )
        partial.replace(path)
    except (
        *(urllib.error.URLError, http.client.HTTPException),
        *(TimeoutError, ConnectionError),
    ) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{url}: can't be fetched ({reason}); check the connection and run the same command "
            "again, it goes on where it stopped."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: can't be written ({error.strerror or error}); "
            "free some space or name a file you may write to."
        ) from error
    return True


def load_votes(path: Path, labels: np.ndarray, ids: np.ndarray, classes: int) -> np.ndarray:
    """Read the votes for test images.

    Args:
        path: Comma-separated counts without a header: a line per image of the test split in its
            official order, a column per class.
        labels: int64 (N,), the images' labels.
        ids: int64 (N,), each image's index in the split, which line is meant.
        classes: K.

    Returns:
        int64 (N, K), how many people chose each class, in the order of ``ids``.

    Raises:
        InputError: Missing, no such table, or a table of other images.
    """
    try:
        # Read as floats, because a count of 10**30 must be refused and not wrap around.
        counts = np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error}); check the path.") from error
    except ValueError as error:
        raise InputError(
            f"{path}: isn't a table of counts ({error}); fetch it with `hardpairs votes`."
        ) from error
    lines, columns = counts.shape
    if columns != classes or lines <= ids.max():
        raise InputError(
            f"{path}: has {lines:,} lines of {columns} counts, needed are "
            f"{int(ids.max()) + 1:,} of {classes}; give the votes of the predicted images."
        )
    votes = counts[ids]
    whole = np.isfinite(votes).all() and (votes == np.floor(votes)).all()
    if not whole or votes.min() < 0 or votes.max() > 2**31 or votes.sum(axis=1).min() == 0:
        raise InputError(
            f"{path}: every line needs whole counts from 0 up, at least one above 0; mend it."
        )
    _check_agreement(path, votes, labels)
    return votes.astype(np.int64)


def _check_agreement(path: Path, votes: np.ndarray, labels: np.ndarray) -> None:
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


def _download(url: str, partial: Path, on_bytes: Callable[[int], None] | None) -> None:
    arrived = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url)
    if arrived:
        request.add_header("Range", f"bytes={arrived}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == RANGE_NOT_SATISFIABLE:  # All of it is there already.
            return
        raise
    with response:
        if response.status != PARTIAL_CONTENT:  # The server sends it from the beginning.
            arrived = 0
        with partial.open("ab" if arrived else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                arrived += len(chunk)
                if on_bytes:
                    on_bytes(arrived)
                if arrived > LARGEST_BYTES:
                    return
        length = response.headers.get("Content-Length")
    if length is not None and partial.stat().st_size < int(length):
        raise ConnectionError("the connection broke off")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
