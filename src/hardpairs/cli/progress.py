"""Progress on standard error: what is being done, since when, and how long a training still takes.

A terminal that can moves one line; everything else, a log file or a dumb terminal, gets a line for
each phase and epoch. What can't be shown never stops what is being done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich import console as rich_console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from hardpairs.data.progress import OnRead, watch_reading
from hardpairs.training.progress import OnProgress, figures_of, ignore, in_lines
from hardpairs.training.progress import Progress as Done
from hardpairs.wording import counted

STARTED = time.perf_counter()
PATIENCE = 1  # Seconds of reading until a bar is shown.
NARROW = 80  # Columns; below it there is no room for a bar.


class Console(rich_console.Console):
    """Where progress is shown: that nobody reads it any more ends no command."""

    def on_broken_pipe(self) -> None:
        """Fail as where the disk is full; rich would end the process, as with `2>&1 | head`."""
        raise BrokenPipeError


@contextmanager
def phases(quiet: bool) -> Iterator[OnProgress]:
    """Yield a callback that shows phases by name, and the epochs of a training."""
    console = Console(stderr=True)
    if quiet:
        yield ignore
    elif console.is_terminal and not console.is_dumb_terminal:
        with _moving_line(console) as show, _reading_shown(show) as told:
            yield told
    else:
        yield _lines(console)


@contextmanager
def reading_bar() -> Iterator[None]:
    """Show on a terminal how far the reading of pictures is, where it takes more than a moment."""
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield
        return
    with _moving_line(console, at_once=False) as show, _reading_shown(show):
        yield


@contextmanager
def _reading_shown(show: OnProgress) -> Iterator[OnProgress]:
    """Show the reading of pictures in between, and afterwards the phase that goes on."""
    phase = Done("working with the pictures")

    def told(done: Done) -> None:
        nonlocal phase
        phase = done
        show(done)

    def draw(what: str, read: int, total: int) -> None:
        show(Done(what, step=read, steps=total) if read < total else phase)

    with watch_reading(_after_a_while(draw)):
        yield told


def _after_a_while(draw: OnRead) -> OnRead:
    """Draw only what goes on for longer than a moment."""
    began = time.perf_counter()

    def on_read(what: str, read: int, total: int) -> None:
        nonlocal began
        if read == 0:
            began = time.perf_counter()
        if time.perf_counter() - began > PATIENCE:
            draw(what, read, total)

    return on_read


def _lines(console: Console) -> OnProgress:
    """One line for each phase and each epoch, as it begins."""

    def write(line: str) -> None:
        with suppress(OSError):
            shown = f"{time.perf_counter() - STARTED:6.1f} s  {line}"
            console.print(shown, highlight=False, soft_wrap=True)

    return in_lines(write)


@contextmanager
def _moving_line(console: Console, *, at_once: bool = True) -> Iterator[OnProgress]:
    bar = Progress(*_columns(console), console=console, transient=True)
    phase = bar.add_task("", total=None, figures="", ends=None)

    def show(done: Done) -> None:
        total, completed = None, 0
        description, figures = done.phase, ""
        if done.steps and not done.epoch:
            total, completed = done.steps, done.step
            figures = f"{done.step:,} of {done.steps:,}"
        if done.epoch:
            description += f", epoch {done.epoch} of {done.epochs}"
            total = done.epochs * done.steps
            completed = (done.epoch - 1) * done.steps + done.step
            figures = figures_of(done)
        with suppress(OSError):
            if description.partition(",")[0] != bar.tasks[0].description.partition(",")[0]:
                bar.reset(phase, total=total)
            bar.update(
                phase, description=description, total=total, completed=completed, figures=figures
            )
            bar.start()

    with _shown(bar, at_once=at_once):
        yield show


def _columns(console: Console) -> list[ProgressColumn]:
    bar = [BarColumn()] if console.width >= NARROW else []
    return [TextColumn("{task.description}"), *bar, TextColumn("{task.fields[figures]}"), _Clock()]


@contextmanager
def _shown(bar: Progress, *, at_once: bool = True) -> Iterator[None]:
    """Show a bar while the block goes on, if it can be shown."""
    if at_once:
        with suppress(OSError):
            bar.start()
    try:
        yield
    finally:
        with suppress(OSError):
            bar.stop()


class _Clock(ProgressColumn):
    """The time since the command began and what is left of a training or of reading."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        text = _minutes(time.perf_counter() - STARTED)
        left = task.time_remaining if task.total else None
        if left and task.remaining:
            text += f", {_minutes(left)} left"
        return Text(text, style="progress.elapsed")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def study_bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback (jobs done, jobs in all) that shows them on stderr: a bar, or lines."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        tell = ignore if quiet else _lines(console)
        yield lambda done, total: tell(Done(f"{done:,} of {counted(total, 'training')} done"))
        return
    # Its pace is the mean over the last day: a training takes far longer than rich's 30 seconds.
    bar = Progress(*_columns(console), console=console, speed_estimate_period=86_400)
    task = bar.add_task("trainings", total=None, figures="")

    def show(done: int, total: int) -> None:
        figures = f"{done:,} of {total:,}"
        with suppress(OSError):
            # Finished ones are found at once and say nothing of the pace.
            if bar.tasks[0].total is None:
                bar.reset(task, total=total, completed=done, figures=figures)
            else:
                bar.update(task, total=total, completed=done, figures=figures)

    with _shown(bar):
        yield show


@contextmanager
def download_bar(quiet: bool) -> "Iterator[Callable[[int], None] | None]":
    """Yield a callback that shows how many bytes have arrived on standard error."""
    if quiet:
        yield None
        return
    columns = (TextColumn("{task.description}"), DownloadColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("fetching votes", total=None)
    with _shown(bar):
        yield lambda arrived: bar.update(task, completed=arrived)
