"""The options that several commands of the command line share."""

import os
from pathlib import Path
from typing import Any

import click

from hardpairs.errors import InputError, address_given, is_address

DEFAULT_DATA = "fashion-mnist"
DEFAULT_RECIPE = "fast"
SHELF = Path("runs")  # Where runs go that weren't told where.


class FilePath(click.Path):
    """A file or a folder of this machine: no address, not empty, "-" where it is allowed alone.

    A path would make of an empty text, as an unset variable gives it, the folder one is in, and
    the tools that take "-" for standard input or output have it mean no file.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a word of the command line as a path, or as text for ``path_type=str``."""
        name = "the path" if param is None else param.get_error_hint(ctx).strip("'")
        if value == "":
            raise InputError(f"{name}: is empty; name a file or a folder.")
        if value == "-" and not self.allow_dash:
            raise InputError(
                f"{name}: standard input and output, '-', aren't used here; name a file, as ./- "
                "where it is called so."
            )
        if is_address(value):
            raise InputError(address_given(value))
        return super().convert(value, param, ctx)


file_path = FilePath(path_type=Path)
data_option = click.option(
    "--data",
    type=FilePath(path_type=str),
    default=DEFAULT_DATA,
    show_default=True,
    metavar="NAME|PATH",
    help="fashion-mnist, digits, or your images: class folders, IDX, .npz, .csv, .parquet.",
)
recipe_option = click.option(
    "--recipe",
    default=DEFAULT_RECIPE,
    show_default=True,
    metavar="NAME",
    help="What is trained; `hardpairs recipes` lists them.",
)
seed_option = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Random seed."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16"]),
    help="Arithmetic; by default what suits this processor.",
)
votes_option = click.option(
    "--votes",
    type=file_path,
    metavar="FILE",
    help="People's votes on the test images: those that `hardpairs votes` fetches, or your own.",
)
corrections_option = click.option(
    "--corrections",
    type=file_path,
    metavar="FILE",
    help="corrections.csv from the report's page: labels are corrected, images left out.",
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress on standard error.")


def link_base(place: str) -> str:
    """Make a folder or an address one that a file's name can be appended to.

    Raises:
        InputError: It is neither a folder nor an address of http or https.
    """
    if not place or place.lower().startswith(("http://", "https://")):
        return place and f"{place.rstrip('/')}/"
    if not os.path.isdir(place):
        raise InputError(
            f"{place}: is neither a folder nor an address; say with --link where the images are."
        )
    return f"{Path(place).resolve().as_uri()}/"


link_option = click.option(
    "--link",
    metavar="DIR|URL",
    default="",
    callback=lambda _context, _option, place: link_base(place),
    help="Where the originals are: the page links each image's file name to it.",
)


def one_thread_for_matrices() -> None:
    """Let NumPy, which isn't imported yet, multiply matrices in one thread unless a user chose.

    A photo's are so small that threads which wait for one another take longer, and take the cores
    from whoever else needs them.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
