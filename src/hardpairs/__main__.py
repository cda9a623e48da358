"""``python -m hardpairs`` is the command line."""

from hardpairs.cli.main import main

if __name__ == "__main__":  # A study's worker processes import this module again.
    main()
