"""A server around `hardpairs.serving.app`: its address, its limits and its end."""

import signal
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from hardpairs.errors import InputError
from hardpairs.serving.app import make_app
from hardpairs.serving.guard import HurriedProtocol, own_names
from hardpairs.serving.model import load_exported
from hardpairs.stopping import SIGNALS, Stopped

MOST_CONNECTIONS = 64
MOST_HEADERS = 16 * 1024  # Bytes
DRAIN_SECONDS = 30


def serve(folder: Path, host: str, port: int, *, ready: Callable[[str], None]) -> None:
    """Answer requests until a signal ends it; what was asked before is answered first.

    Args:
        folder: What `hardpairs export` wrote to.
        host, port: Where to listen; port 0 is any that is free.
        ready: Is told the address, once it is open.

    Raises:
        InputError: The folder has no exported net, or the address can't be had.
    """
    with _bind(host, port) as listening:
        model = load_exported(folder)
        names, any_address = own_names(host, socket.gethostname())
        config = uvicorn.Config(
            make_app(model, names=names, any_address=any_address),
            http=HurriedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEADERS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        warnings.simplefilter("ignore")  # Of Pillow, about odd metadata.
        ready(_address(host, listening.getsockname()[1]))
        server = uvicorn.Server(config)
        server.handle_exit = _unless_ignored(server.handle_exit)  # type: ignore[method-assign, assignment]
        try:
            server.run(sockets=[listening])
        except Stopped as stopped:
            stopped.add_note("every request that had come was answered")
            raise


def _unless_ignored(handle: Callable[[int, Any], None]) -> Callable[[int, Any], None]:
    """Leave alone what is ignored, as in the background of a script: Uvicorn hears it all."""
    ignored = [each for each in SIGNALS if signal.getsignal(each) is signal.SIG_IGN]
    return lambda number, frame: None if number in ignored else handle(number, frame)


def _bind(host: str, port: int) -> socket.socket:
    if not host:  # To Python it is every address; here it is a variable that isn't set.
        raise InputError("--host is empty; name an address, or leave it out.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
    except (OSError, UnicodeError) as error:
        # Python appends the address, which the sentence has.
        reason = str(getattr(error, "strerror", None) or error).partition(" (while ")[0]
        raise InputError(
            f"port {port} of {host} can't be had ({reason}); choose another by --port or --host."
        ) from error


def _address(host: str, port: int) -> str:
    if host in ("0.0.0.0", "::"):  # Every address of this machine.
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
