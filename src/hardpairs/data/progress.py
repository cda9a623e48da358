"""How far the reading of many pictures is, told to whoever watches it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

OnRead = Callable[[str, int, int], None]  # What is done, how many pictures, of how many.
Item = TypeVar("Item")

_watcher: ContextVar[OnRead | None] = ContextVar("watcher", default=None)


@contextmanager
def watch_reading(on_read: OnRead) -> Iterator[None]:
    """Call ``on_read`` for whatever reads many pictures inside."""
    token = _watcher.set(on_read)
    try:
        yield
    finally:
        _watcher.reset(token)


def counted(items: Sequence[Item], what: str, total: int) -> Iterator[Item]:
    """Go through items that stand for ``total`` pictures, and tell how far it is."""
    on_read = _watcher.get()
    for place, item in enumerate(items):
        if on_read is not None:
            on_read(what, place * total // len(items), total)
        yield item
    if on_read is not None:
        on_read(what, total, total)
