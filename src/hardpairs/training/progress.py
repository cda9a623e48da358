"""How far a training is, told to whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Progress:
    """What is being done, and, while a net is trained, where that stands.

    Attributes:
        phase: In a few words: "training", "finding neighbours".
        epoch, epochs: The epoch, counted from 1, and how many there are at most; 0 outside of
            training.
        step, steps: The step within the epoch, counted from 1, and how many there are.
        accuracy: The running training accuracy of the epoch.
        validation_accuracy: That of the last epoch ended, if images are held out.
    """

    phase: str
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    accuracy: float | None = None
    validation_accuracy: float | None = None


OnProgress = Callable[[Progress], None]
MOST_LINES = 20  # Of the epochs of a training, about.


def ignore(progress: Progress) -> None:
    """Show nothing."""


def in_lines(write: Callable[[str], None] = print) -> OnProgress:
    """What tells of each phase and epoch in a line as it begins: for notebooks and log files.

    Of very many epochs it tells of some, and of the first and the last.

    >>> show = in_lines()
    >>> show(Progress("preparing"))
    preparing
    >>> show(Progress("training", epoch=1, epochs=2, step=1, steps=9, accuracy=0.5))
    training, epoch 1 of 2
    >>> show(Progress("training", epoch=2, epochs=2, step=1, steps=9, accuracy=0.75))
    training, epoch 2 of 2 (before it: accuracy 50.0%)
    """
    before = Progress("")

    def show(progress: Progress) -> None:
        nonlocal before
        every = ceil(progress.epochs / MOST_LINES) or 1
        told = progress.epoch in (0, 1, progress.epochs) or progress.epoch % every == 0
        if told and (progress.phase, progress.epoch) != (before.phase, before.epoch):
            line = progress.phase
            if progress.epoch:
                line += f", epoch {progress.epoch} of {progress.epochs}"
            if progress.epoch > 1 and before.accuracy is not None:
                line += f" (before it: {figures_of(before)})"
            write(line)
        before = progress

    return show


def figures_of(progress: Progress) -> str:
    """The accuracies that are known, in words."""
    figures = "" if progress.accuracy is None else f"accuracy {progress.accuracy:.1%}"
    if progress.validation_accuracy is not None:
        figures += f", validation {progress.validation_accuracy:.1%}"
    return figures
