"""``python -m hardpairs`` is the command line."""

from hardpairs.cli import main

main()
