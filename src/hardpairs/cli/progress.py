"""Progress on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from hardpairs.training import fit


@contextmanager
def training_bar(quiet: bool) -> "Iterator[Callable[[fit.Progress], None] | None]":
    """Yield a callback that keeps a bar with epoch, accuracy and time left on standard error."""
    if quiet:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=None, figures="")

        def show(progress: "fit.Progress") -> None:
            figures = f"accuracy {progress.accuracy:.1%}"
            if progress.validation_accuracy is not None:
                figures += f", validation {progress.validation_accuracy:.1%}"
            bar.update(
                task,
                description=f"epoch {progress.epoch}/{progress.epochs}",
                total=progress.epochs * progress.steps,
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                figures=figures,
            )

        yield show


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
