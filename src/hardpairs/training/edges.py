"""Neighbours by edges, found in a process of its own while Keras starts and its graph is built.

Those take two seconds, in which one core does everything. A thread wouldn't help: importing holds
Python's lock.
"""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from hardpairs.analysis.gradients import edge_components
from hardpairs.analysis.neighbours import class_shares
from hardpairs.analysis.pixels import are_small
from hardpairs.analysis.samples import even_sample
from hardpairs.data.split import Images, Split
from hardpairs.training.threads import available_cores

MOST_CANDIDATES = 30_000  # Half of Fashion-MNIST's: enough neighbours, at half of the time.
MOST_TESTED = 100_000  # With all candidates 100 MB at most, which two processes hold at once.

Shares = np.ndarray | None


def edge_shares(known: Images, labels: np.ndarray, asked: Images, classes: int) -> Shares:
    """The share of each class among many nearest images by edges.

    Args:
        known: C images.
        labels: integer (C,), the labels that those carry.
        asked: N images.
        classes: K.

    Returns:
        float32 (N, K), see `hardpairs.analysis.neighbours.class_shares`, which can be None.
    """
    seen, new = edge_components(known, asked)
    return class_shares(seen, labels, new, classes)


@contextmanager
def edge_shares_beside(
    train: Split, test: Split, classes: int
) -> Iterator[Callable[[], Shares] | None]:
    """Find the test images' `edge_shares` among the training images, beside what comes next.

    Yields:
        What waits for them, and finds them itself where that process couldn't or where there is
        one core. None where images aren't small arrays: those would take long to hand over, and
        how many of them are asked is for the net to say.
    """
    if not are_small(train.images, test.images) or len(test) > MOST_TESTED:
        yield None
        return
    part = train.take(even_sample(len(train), MOST_CANDIDATES))
    found = part.images, part.labels, test.images, classes
    if available_cores() == 1:
        yield lambda: edge_shares(*found)
        return
    with futures.ThreadPoolExecutor(1) as thread, ExitStack() as stack:
        try:
            process = stack.enter_context(_started())
        except OSError:  # No memory, no more processes.
            yield lambda: edge_shares(*found)
            return
        answer = thread.submit(lambda: process.communicate(_packed(*found))[0])

        def wait() -> Shares:
            packed = answer.result()
            whole = packed and process.returncode == 0
            return np.load(io.BytesIO(packed)) if whole else edge_shares(*found)

        try:
            yield wait
        finally:
            process.kill()
            futures.wait([answer])  # Before the pipes that it reads are closed.


def _started() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],  # -P: nothing is imported from where it is called.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is this process's to answer, which then ends that one.
    )


def _packed(known: Any, labels: np.ndarray, asked: Any, classes: int) -> bytes:
    file = io.BytesIO()
    np.savez(file, known=known, labels=labels, asked=asked, classes=classes)
    return file.getvalue()


def _main() -> None:
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as given:
        found = edge_shares(given["known"], given["labels"], given["asked"], int(given["classes"]))
    if found is not None:
        file = io.BytesIO()  # NumPy can't write into a pipe that is buffered.
        np.save(file, found)
        sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    _main()
