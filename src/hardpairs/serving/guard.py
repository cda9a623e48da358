"""What stands before every request: who may ask, and what a browser may do with an answer."""

import asyncio
import ipaddress
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
REQUEST_SECONDS = 10.0


class Guard:
    """Refuses what another site's page may have sent, and adds headers to every answer.

    A page on the web can make its visitor's browser send a request to this server. It can neither
    read the answer nor leave out the headers that tell it apart: Origin and Sec-Fetch-Site. What
    gets around both is a name of its own that it points to this machine later, so the Host that
    a request names must be one of this server's (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, names: frozenset[str], any_address: bool) -> None:
        """Take the hosts' names that may be asked for, and whether any IP address may be."""
        self.app, self.names, self.any_address = app, names, any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", NOTHING_ALLOWED)
                message["headers"] = headers.raw
            await send(message)

        refused = self._refuse(scope)
        if refused:
            status, reason = refused
            answer = JSONResponse({"detail": reason}, status)
            await answer(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_own(host):
            return 421, "This server goes by another name; use the address that it printed."
        if scope["method"] in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        elsewhere = origin is not None and origin not in (f"http://{host}", f"https://{host}")
        if elsewhere or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "Another site's page sent this; it may not."
        return None

    def _is_own(self, host: str) -> bool:
        name = host.lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        if name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address


class HurriedProtocol(H11Protocol):
    """Closes a connection that for a while has sent nothing whole; Uvicorn would wait for ever."""

    _checks: asyncio.TimerHandle | None = None
    _seen: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at the connection now and then."""
        super().connection_made(transport)
        self._checks = self.loop.call_later(REQUEST_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        if self._checks:
            self._checks.cancel()
        super().connection_lost(exc)

    def _check(self) -> None:
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle
        self._checks = self.loop.call_later(REQUEST_SECONDS, self._check)


def own_names(host: str, machine: str) -> tuple[frozenset[str], bool]:
    """The names that a server bound to ``host`` goes by, and whether any IP address may be one."""
    if is_loopback(host):
        return LOOPBACK_NAMES | {host.lower()}, False
    mine = (host.lower(), machine.lower())
    return LOOPBACK_NAMES | set(mine) | {f"{name}.local" for name in mine}, True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
