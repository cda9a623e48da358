"""Write docs/commands.md from the command line's own help: `python docs/render_commands.py`."""

from pathlib import Path

import click

from hardpairs.cli.commands import COMMANDS, cli

PAGE = Path(__file__).parent / "commands.md"


def render_commands() -> str:
    """Return the page: every command's help, as the terminal shows it at 80 columns."""
    parts = ["# Commands\n\nRendered by `python docs/render_commands.py`.\n"]
    settings = {**cli.context_settings, "terminal_width": 80}
    whole = click.Context(cli, info_name="hardpairs", **settings)
    for name in ("", *sorted(COMMANDS)):
        command = name and cli.get_command(whole, name)
        context = click.Context(command, whole, name, **settings) if command else whole
        parts.append(f"## {context.command_path}\n\n```\n{context.get_help()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_commands(), encoding="utf-8")
