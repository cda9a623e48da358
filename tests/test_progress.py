import io

import numpy as np
import pytest
from rich.console import Console

from hardpairs.cli import progress
from hardpairs.data.progress import counted, watch_reading
from hardpairs.data.split import thumbnails
from hardpairs.training.progress import Progress


def test_counted_tells_how_far_it_is():
    told = []
    with watch_reading(lambda *each: told.append(each)):
        assert list(counted("abc", "reading", 9)) == ["a", "b", "c"]
    assert told == [("reading", 0, 9), ("reading", 3, 9), ("reading", 6, 9), ("reading", 9, 9)]
    assert list(counted("abc", "reading", 9)) == ["a", "b", "c"]
    assert len(told) == 4


def test_thumbnails_are_counted():
    told = []
    images = [np.zeros((9, 7, 1), np.uint8)] * 600

    class Read(list):
        def __getitem__(self, rows):
            return [images[row] for row in rows]

    with watch_reading(lambda *each: told.append(each[1:])):
        thumbnails(Read(images), np.arange(600), 8)
    assert told == [(0, 600), (200, 600), (400, 600), (600, 600)]


@pytest.fixture
def terminal(monkeypatch):
    """A terminal that keeps what is written to it."""
    written = io.StringIO()

    def console(**_):
        return Console(file=written, force_terminal=True, width=100, _environ={"TERM": "xterm"})

    monkeypatch.setattr(progress, "Console", console)
    return written


def read(pictures, seconds, clock):
    for _ in counted(range(pictures), "reading pictures", pictures):
        clock[0] += seconds / pictures


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_only_what_takes_long_is_shown(terminal, clock):
    with progress.reading_bar():
        read(500, 0.5, clock)
    assert terminal.getvalue() == ""
    with progress.reading_bar():
        read(500, 20, clock)
    assert "reading pictures" in terminal.getvalue()
    assert " of 500" in terminal.getvalue()


def test_in_a_training_the_phase_comes_back(terminal, clock):
    with progress.phases(quiet=False) as show:
        show(Progress("reading the data"))
        read(500, 20, clock)
        after = terminal.getvalue()
    assert "reading pictures" in after
    assert terminal.getvalue().rindex("reading the data") > after.rindex("reading pictures")


def test_elsewhere_nothing_is_shown(monkeypatch, clock):
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written))
    with progress.reading_bar():
        read(500, 20, clock)
    assert written.getvalue() == ""
