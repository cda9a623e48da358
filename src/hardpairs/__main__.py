"""Where the command line begins: ``hardpairs``, and ``python -m hardpairs``.

Signals are heard before what the commands need is imported, which takes some tenths of a second.
"""

import sys

from hardpairs import stopping


def main() -> None:
    """Run the command line, see `hardpairs.cli.commands.main`."""
    stopping.listen()
    try:
        from hardpairs.cli.commands import main as run_command  # noqa: PLC0415  # Slow.
    except BaseException:  # An import that a signal broke may raise anything.
        stopped = stopping.lost()
        if stopped is None:
            raise
        stopping.stop_listening()
        sys.stderr.write("hardpairs: stopped; nothing half-written is left.\n")
        sys.exit(stopped.exit_code)
    run_command()


if __name__ == "__main__":  # A study's worker processes import this module again.
    main()
