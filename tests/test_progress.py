import io
import re
import sys
import threading

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


class Gone(io.StringIO):
    """What a pipe is whose reader has left, and a file on a full disk."""

    def __init__(self, error, terminal):
        super().__init__()
        self.error, self.terminal, self.asked = error, terminal, 0

    def write(self, text):
        self.asked += 1
        raise self.error

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize("error", [BrokenPipeError(32, "gone"), OSError(28, "full")])
@pytest.mark.parametrize("terminal", [False, True])
def test_what_cannot_be_shown_ends_nothing(monkeypatch, error, terminal):
    gone = Gone(error, terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", gone)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # Of the thread that redraws.
    done = 0
    with progress.phases(quiet=False) as show:
        show(Progress("training", epoch=1, epochs=2, step=1, steps=9))
        show(Progress("predicting"))
        done += 1
    with progress.study_bar(quiet=False) as jobs_done:
        jobs_done(0, 4)
        jobs_done(4, 4)
        done += 1
    with progress.download_bar(quiet=False) as arrived:
        arrived(1000)
        done += 1
    assert done == 3
    assert gone.asked


def test_a_study_in_a_log_file_tells_of_each_training(monkeypatch, clock):
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written))
    with progress.study_bar(quiet=False) as jobs_done:
        jobs_done(0, 2)
        jobs_done(1, 2)
        assert "0 of 2 trainings done" in written.getvalue()
        assert "1 of 2 trainings done" in written.getvalue()


def test_a_study_that_is_done_awaits_nothing(terminal):
    with progress.study_bar(quiet=False) as jobs_done:
        jobs_done(2, 2)
    assert "2 of 2" in terminal.getvalue()
    assert not re.search("left|None|/", terminal.getvalue())
