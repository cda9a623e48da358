"""How a command ends that had something go wrong after its work was done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hardpairs.cli.streams import output_works
from hardpairs.stopping import Stopped

if TYPE_CHECKING:  # The help does without it.
    from pathlib import Path


class Unfinished(Exception):
    """What matters is done and kept; what came after it failed. The message says both."""


@contextmanager
def kept(folder: "Path", what: str, *, go_on: str | None = None) -> Iterator[None]:
    """Let nothing that fails in the block pass for a failure of what is complete in ``folder``.

    Args:
        folder: What is there to stay.
        what: What the block does, as in "printing its result".
        go_on: The command that does it again; by default `hardpairs evaluate FOLDER`.
    """
    import shlex

    again = f"go on with `{go_on or shlex.join(['hardpairs', 'evaluate', str(folder)])}`"
    try:
        yield
    except Stopped as stopped:
        if folder.is_dir():
            stopped.add_note(f"{folder} is trained and stays; {again}")
        raise
    except (Exception, SystemExit) as error:  # Whatever it is: the training isn't to blame.
        output_works()
        if not folder.is_dir():
            raise Unfinished(
                f"{folder} was trained and complete, and something else removed it before {what} "
                "was done; start again, or bring it back."
            ) from error
        raise Unfinished(
            f"{folder} is trained and complete, but {what} failed ({reason(error)}); {again}."
        ) from error


@contextmanager
def going_on(found: Callable[[], object], what: str) -> Iterator[None]:
    """Let what ends the block early say that the same command goes on with what was trained.

    Args:
        found: Whether there is anything to go on with; asked when something went wrong.
        what: Says what and where, as in "the epochs trained so far are kept in FILE".
    """
    try:
        yield
    except Unfinished:  # Says itself what to do.
        raise
    except BaseException as error:
        if "remove it" not in str(error) and found():  # Else it is at fault, and not to be kept.
            error.add_note(f"{what}, and the same command goes on from there")
        raise


def reason(error: BaseException) -> str:
    """Say in some words what an error is."""
    if isinstance(error, SystemExit):  # How rich ends what nobody reads any more.
        return "Broken pipe"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.rstrip(".") or type(error).__name__
