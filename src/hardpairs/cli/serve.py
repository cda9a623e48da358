"""`hardpairs serve`."""

from pathlib import Path

import click

from hardpairs.cli.options import file_path, one_thread_for_matrices
from hardpairs.errors import InputError


@click.command()
@click.argument("run", type=file_path)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes any that is free.",
)
def serve(run: Path, host: str, port: int) -> None:
    """Open a page to try pictures on: drawn, dropped, pasted or from the camera.

    RUN is a run that `hardpairs export` was called for, or a folder with what that wrote. Programs
    ask by POST /predict; what they send and get is told at /docs. Nothing is stored. Ctrl-C or
    SIGTERM ends it, after what was asked is answered.
    """
    one_thread_for_matrices()
    try:
        from hardpairs.serving.guard import is_loopback
        from hardpairs.serving.server import serve as serve_until_stopped
    except ImportError as error:
        raise InputError(
            "serving needs FastAPI and Uvicorn; pip install 'hardpairs[serve]'."
        ) from error

    def ready(address: str) -> None:
        if not is_loopback(host):
            click.echo(
                "Whoever reaches this machine by network can use it, unencrypted; "
                "without --host only this machine can.",
                err=True,
            )
        click.echo(f"Try pictures at {address} (Ctrl-C ends it).")

    serve_until_stopped(run, host, port, ready=ready)
