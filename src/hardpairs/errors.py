"""The exceptions that mean: what was given, not the program, is at fault."""


class InputError(Exception):
    """Something given by the user can't be used.

    The message is one sentence that names the file or option, what is wrong with it and what
    to do. The command line prints it without a traceback and exits with code 2.
    """


class MissingExtra(InputError, ImportError):
    """What is asked for needs packages that one of the extras brings; the message names it."""
