"""The command line: each command's module is imported when it is called, and not before."""

import gc
import importlib
import os
import sys
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import click

from hardpairs import stopping
from hardpairs.cli.ending import Unfinished, reason
from hardpairs.cli.streams import output_works, prepare_streams, say
from hardpairs.errors import InputError

# By use: each command's module in `hardpairs.cli`, and what it does in a line.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Train and explain": {
        "run": ("run", "Train, evaluate and explain, into a new folder."),
        "train": ("run", "Train and predict the test images; no analysis."),
        "evaluate": ("evaluate", "Analyse a run's folder or any predictions file."),
        "recipes": ("recipes", "List what can be trained."),
    },
    "Try one's own photo": {
        "predict": ("predict", "Say what a photo shows, and when not to trust it."),
        "serve": ("serve", "Open a page to try pictures on, drawn or photographed."),
        "export": ("export", "Write a run's net as ONNX, to be used without Keras."),
    },
    "Compare": {
        "diff": ("diff", "Compare two models' predictions."),
        "compare": ("studies", "Measure what one recipe gains over another."),
        "ablate": ("studies", "Measure what each factor adds."),
        "curve": ("studies", "Measure accuracy against training images."),
    },
    "Check the data": {
        "audit": ("audit", "Look for duplicates and suspect labels."),
        "votes": ("votes", "Fetch people's votes on Fashion-MNIST."),
    },
    "When something is wrong": {
        "doctor": ("doctor", "Say what is installed, and what is slow or missing."),
    },
}
NO_MEMORY = ("ResourceExhaustedError", "RESOURCE_EXHAUSTED", "OutOfMemoryError")  # Of backends.
SHORT_OF_MEMORY = (
    "there isn't enough memory here; close other programs, or give fewer or smaller images."
)
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class _Carried(Exception):
    """An error on its way through click, which takes EOFError for Ctrl-C and hides others."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class LazyGroup(click.Group):
    """Commands by name, from the modules that `SECTIONS` names; the help imports none of them."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Name the commands, in the order of `SECTIONS`."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        return getattr(importlib.import_module(f"hardpairs.cli.{module}"), name)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; of another word say which it is like."""
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            near = get_close_matches(args[0].lower(), COMMANDS, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", context) from error

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except (OSError, EOFError) as error:
            raise _Carried(error) from error

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by use."""
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in entries.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hardpairs")
def cli() -> None:
    """Train an image classifier, and see which classes it mixes up, on which images."""


def main() -> None:
    """Run the command line: 0 done, 1 done but for what is said, 2 bad input, 130 and 143 stopped.

    Whatever ends a command early is said in one sentence on standard error; a traceback is a
    fault of this program.
    """
    stopping.listen()
    try:
        prepare_streams()
        # No command opens a window; a notebook's setting stops Keras.
        os.environ["MPLBACKEND"] = "agg"
        code = cli(standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        code = _conclude(error)
    gc.freeze()  # What TensorFlow leaves behind would take the garbage collector a second.
    sys.exit(code)


def _conclude(error: BaseException) -> int:
    """Say in a sentence what ended the command and return its exit code."""
    error = error.error if isinstance(error, _Carried) else error
    stopped = error if isinstance(error, stopping.Stopped) else stopping.lost()
    if stopped:
        stopping.stop_listening()
        notes = getattr(stopped, "__notes__", None) or ["nothing half-written is left"]
        say(f"stopped; {'; '.join(notes)}.")
        return stopped.exit_code
    if isinstance(error, click.ClickException):
        with suppress(OSError):
            error.show()
        return 2
    no_memory = isinstance(error, MemoryError) or any(name in repr(error) for name in NO_MEMORY)
    if isinstance(error, InputError | Unfinished) or no_memory:
        notes = getattr(error, "__notes__", ())
        what = SHORT_OF_MEMORY if no_memory else str(error)
        for sentence in (what, *(f"{note}." for note in notes)):
            say(sentence)
        return 2 if isinstance(error, InputError) else 1
    if isinstance(error, OSError) and error.filename is not None:
        say(f"{error.filename}: {reason(error)}; check the path and your rights there.")
        return 2
    if isinstance(error, OSError):
        output_works()
        if not isinstance(error, BrokenPipeError):  # As with `| head`, which has seen enough.
            say(f"standard output can't be written ({reason(error)}).")
        return 1
    raise error
