"""`hardpairs votes`."""

from pathlib import Path

import click

from hardpairs.cli.options import file_path, quiet_option
from hardpairs.cli.progress import download_bar
from hardpairs.data.votes import fetch_votes


@click.command()
@click.option(
    "--out",
    default="fmh_counts.csv",
    show_default=True,
    type=file_path,
    help="File to make.",
)
@quiet_option
def votes(out: Path, quiet: bool) -> None:
    """Fetch people's votes on Fashion-MNIST's test images from their authors.

    Fashion-MNIST-H, about 67 people per image, GPL-3.0 (Ishida et al., ICLR 2023), 230 kB. A
    download that breaks off goes on where it stopped.
    """
    with download_bar(quiet) as on_bytes:
        fresh = fetch_votes(out, on_bytes=on_bytes)
    click.echo(f"{out}: {'fetched' if fresh else 'is there already'}; give it to --votes")
