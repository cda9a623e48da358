"""The command line: each command's module is imported when it is called, and not before."""

import importlib
import os
import sys

import click

from hardpairs.errors import InputError
from hardpairs.foreign import one_line

# By use: each command's module in `hardpairs.cli`, and what it does in a line.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Train and explain": {
        "run": ("run", "Train, evaluate and explain, into a new folder."),
        "train": ("run", "Train and predict the test images; no analysis."),
        "evaluate": ("evaluate", "Analyse a run's folder or any predictions file."),
        "recipes": ("recipes", "List what can be trained."),
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
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


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
    """Run the command line; exit code 2 and one line for bad input, 130 for Ctrl-C."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except InputError as error:
        click.echo(f"hardpairs: {one_line(error)}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("hardpairs: stopped; nothing half-written is left.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # The reader of a pipe has gone, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
