"""How far a training is, told to whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass


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


def ignore(progress: Progress) -> None:
    """Show nothing."""
