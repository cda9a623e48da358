"""Starting Keras where it serves nothing but this package's own commands."""

import gc
import sys

from hardpairs.training.environment import check_training

# Keras and TensorFlow import these where they are installed, for what no command does: tables as
# input, wrappers for scikit-learn, plots, notebooks. They would take as long as half of
# TensorFlow.
UNUSED = ("IPython", "matplotlib", "pandas", "sklearn")


def start_keras() -> None:
    """Import Keras in half of the time, for a process that is ours alone.

    What Keras doesn't find while it is imported it does without from then on, which whoever uses
    Keras beside this package could miss: only commands and a study's workers call this. The
    garbage collector would go through all that TensorFlow has just made several times over, in
    vain, and once more at each of its later rounds.

    Raises:
        InputError, MissingExtra: As `hardpairs.training.environment.check_training` does.
    """
    if "keras" in sys.modules:
        return
    check_training()
    hidden = [name for name in UNUSED if name not in sys.modules]
    gc.disable()
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: can't be imported.
    try:
        from hardpairs.training.backend import set_keras
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.enable()
    set_keras()  # For good: nothing else in this process could want the user's.
    gc.freeze()
