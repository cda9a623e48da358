"""Being stopped: Ctrl-C, SIGTERM and a closed terminal end a command in one way, and once.

The first signal raises `Stopped` in the main thread, wherever it is; what is half done is cleared
away on the way out. Whoever presses again while that goes on doesn't disturb it.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
# Clearing away takes far less. Later, another signal counts again: Python drops what is raised in
# some places, as in a finalizer, and a command that can't be stopped would be worse.
UNDISTURBED_SECONDS = 3.0


class Stopped(BaseException):
    """The command was told to stop; notes added to it say what is left and how to go on."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by signal {number}")
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell calls a command that ended by this signal: 130, 143, 129."""
        return 128 + self.number


class _State:
    """One process has one such state, as it has one set of signal handlers."""

    sections = 0  # How many `uninterrupted` blocks are open.
    waiting: int | None = None  # The signal that came in one of them.
    stopped_at = float("-inf")
    stopped: Stopped | None = None


def listen() -> None:
    """Raise `Stopped` from now on; a signal that is ignored, as under nohup, stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def stop_listening() -> None:
    """Let no signal disturb what little is left to do: the last sentence, and the end."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def lost() -> Stopped | None:
    """What a signal raised, though something else arrived, as from an import that it broke."""
    return _State.stopped


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a signal wait until the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Signals are the main thread's alone.
        return
    _State.sections += 1
    try:
        yield
    finally:
        _State.sections -= 1
        if not _State.sections and _State.waiting is not None:
            number, _State.waiting = _State.waiting, None
            _stop(number)


def _on_signal(number: int, frame: FrameType | None) -> None:
    if time.monotonic() - _State.stopped_at < UNDISTURBED_SECONDS:
        return
    if _State.sections:
        _State.waiting = number
    else:
        _stop(number)


def _stop(number: int) -> None:
    _State.stopped_at, _State.stopped = time.monotonic(), Stopped(number)
    raise _State.stopped
