"""How many threads TensorFlow may use; imports nothing heavy, for it must run before it."""

import os

VARIABLES = ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS")


def available_cores() -> int:
    """How many cores this process may use, which taskset or a container can make fewer."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Neither macOS nor Windows knows.
        return os.cpu_count() or 1


def use_cores(cores: int) -> None:
    """Let what imports TensorFlow later run two operations at once, each on half of ``cores``.

    So the two halves of a batch, see `hardpairs.training.nets.SideBySide`, have a core each on two
    cores. By default both threads share every operation, which takes a third longer: the
    operations of a small net are too short to split. Settings in the environment come first.
    """
    for variable, threads in zip(VARIABLES, (min(cores, 2), max(cores // 2, 1)), strict=True):
        os.environ.setdefault(variable, str(threads))
