"""Which rows to look at where all would take too long, or at once too much memory."""

from collections.abc import Iterator

import numpy as np

BLOCK = 2**21  # Numbers at a time: 16 MB as float64, whatever the number of columns.


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield a table's rows, from the first to the last, as many at a time as fit into `BLOCK`."""
    step = max(1, BLOCK // columns)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def even_sample(count: int, most: int) -> np.ndarray:
    """Return int64 rows of ``count``, in order: all, or ``most`` of them, one of every stretch.

    The rows are cut into stretches as long as each other, and one of each is drawn: a stratified
    sample (Cochran, "Sampling Techniques", 1977, section 5). So data sorted by class are sampled in
    proportion, and of data whose classes take turns no class is left out, as every n-th row might.
    The same every time.
    """
    if count <= most:
        return np.arange(count)
    bounds = np.arange(most + 1) * count // most
    return np.random.default_rng(0).integers(bounds[:-1], bounds[1:])
