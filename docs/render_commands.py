"""Write docs/commands.md from the command line's own help: `python docs/render_commands.py`."""

from pathlib import Path

import click

from hardpairs.cli.main import COMMANDS, cli

PAGE = Path(__file__).parent / "commands.md"


def render_commands() -> str:
    """Return the page: every command's help, as the terminal shows it at 80 columns."""
    parts = ["# Commands\n\nRendered by `python docs/render_commands.py`.\n"]
    for name in ("", *sorted(COMMANDS)):
        command = (name and cli.get_command(click.Context(cli), name)) or cli
        words = f"hardpairs {name}".strip()
        context = click.Context(command, info_name=words, terminal_width=80)
        parts.append(f"## {words}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_commands(), encoding="utf-8")
