"""Progress on standard error: what is being done, since when, and how long a training still takes.

A terminal that can moves one line; everything else, a log file or a dumb terminal, gets a line for
each phase and epoch. What can't be shown never stops what is being done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hardpairs.training.progress import OnProgress, ignore
from hardpairs.training.progress import Progress as Done

STARTED = time.perf_counter()
NARROW = 80  # Columns; below it there is no room for a bar.


@contextmanager
def phases(quiet: bool) -> Iterator[OnProgress]:
    """Yield a callback that shows phases by name, and the epochs of a training."""
    console = Console(stderr=True)
    if quiet:
        yield ignore
    elif console.is_terminal and not console.is_dumb_terminal:
        with _moving_line(console) as show:
            yield show
    else:
        yield _lines(console)


def _lines(console: Console) -> OnProgress:
    """One line for each phase and each epoch, as it begins."""
    before = Done("")

    def show(done: Done) -> None:
        nonlocal before
        if (done.phase, done.epoch) != (before.phase, before.epoch):
            figures = f", epoch {done.epoch} of {done.epochs}" if done.epoch else ""
            if done.epoch > 1 and before.accuracy is not None:
                figures += f" (before it: {_figures(before)})"
            with suppress(OSError):
                line = f"{time.perf_counter() - STARTED:6.1f} s  {done.phase}{figures}"
                console.print(line, highlight=False, soft_wrap=True)
        before = done

    return show


@contextmanager
def _moving_line(console: Console) -> Iterator[OnProgress]:
    columns: list[ProgressColumn] = [TextColumn("{task.description}")]
    if console.width >= NARROW:
        columns.append(BarColumn())
    columns += [TextColumn("{task.fields[figures]}"), _Clock()]
    bar = Progress(*columns, console=console, transient=True)
    phase = bar.add_task("", total=None, figures="", ends=None)

    def show(done: Done) -> None:
        total, completed = None, 0
        description, figures = done.phase, ""
        if done.epoch:
            description += f", epoch {done.epoch} of {done.epochs}"
            total = done.epochs * done.steps
            completed = (done.epoch - 1) * done.steps + done.step
            figures = _figures(done)
        if description.partition(",")[0] != bar.tasks[0].description.partition(",")[0]:
            bar.reset(phase, total=total)
        bar.update(
            phase, description=description, total=total, completed=completed, figures=figures
        )

    with suppress(OSError):
        bar.start()
    try:
        yield show
    finally:
        with suppress(OSError):
            bar.stop()


def _figures(done: Done) -> str:
    figures = "" if done.accuracy is None else f"accuracy {done.accuracy:.1%}"
    if done.validation_accuracy is not None:
        figures += f", validation {done.validation_accuracy:.1%}"
    return figures


class _Clock(ProgressColumn):
    """The time since the command began and, while a training goes on, what is left of it."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        text = _minutes(time.perf_counter() - STARTED)
        left = task.time_remaining if task.total else None
        if left and task.remaining:
            text += f", {_minutes(left)} left to train"
        return Text(text, style="progress.elapsed")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def study_bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback (jobs done, jobs in all) that keeps a bar with time left on stderr."""
    columns = (
        TextColumn("trainings"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    # Its pace is the mean over the last day: a training takes far longer than rich's 30 seconds.
    bar = Progress(
        *columns, console=Console(stderr=True), speed_estimate_period=86_400, disable=quiet
    )
    with bar:
        task = bar.add_task("trainings", total=None)

        def show(done: int, total: int) -> None:
            # Finished ones are found at once and say nothing of the pace.
            if bar.tasks[0].total is None:
                bar.reset(task, total=total, completed=done)
            else:
                bar.update(task, total=total, completed=done)

        yield show


@contextmanager
def download_bar(quiet: bool) -> "Iterator[Callable[[int], None] | None]":
    """Yield a callback that shows how many bytes have arrived on standard error."""
    if quiet:
        yield None
        return
    columns = (TextColumn("{task.description}"), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("fetching votes", total=None)
        yield lambda arrived: bar.update(task, completed=arrived)
