"""A server as users start it, in a process of its own, and plain requests to it."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

BOUNDARY = "x1y2z3"
TIMEOUT = 30


@contextmanager
def started(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start `hardpairs serve` at a free port; gives its address and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hardpairs", "serve", str(folder), "--port", "0", *options],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.stderr.read()
        yield found[0], process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=TIMEOUT)


def connect(address: str) -> http.client.HTTPConnection:
    """A connection that gives up after a while."""
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT)


def ask(address: str, path: str, body: bytes | None = None, method: str = "", **headers: str):
    """Return the status, headers and body of one request; `_` in a header's name means `-`."""
    connection = connect(address)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method or ("GET" if body is None else "POST"), path, body, named)
    answer = connection.getresponse()
    said = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return said


def form_of(content: bytes, name: str = "photo.png", field: str = "photo") -> bytes:
    """A photo as a browser's form sends it."""
    head = (
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


FORM = f"multipart/form-data; boundary={BOUNDARY}"


def predict(address: str, content: bytes, **headers: str):
    """Send a photo; return the status and what JSON says."""
    status, _, body = ask(address, "/predict", form_of(content), content_type=FORM, **headers)
    return status, json.loads(body)
