"""`hardpairs recipes`."""

import click

from hardpairs.cli.terminal import Console, print_recipes


@click.command()
def recipes() -> None:
    """List what can be trained, with measured accuracy and time."""
    print_recipes(Console())
