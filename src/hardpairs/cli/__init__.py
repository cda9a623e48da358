"""The command line; ``main()`` is it from Python."""

from hardpairs.__main__ import main

__all__ = ["main"]
