"""The one exception that means: the input, not the program, is at fault."""


class InputError(Exception):
    """Something given by the user can't be used.

    The message is one sentence that names the file or option, what is wrong with it and what
    to do. The command line prints it without a traceback and exits with code 2.
    """
