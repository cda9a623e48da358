"""A photo out of a request's body: bounded in bytes and time, and never on disk."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

from fastapi import HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hardpairs.foreign import one_line

MOST_BYTES = 16 * 2**20  # Of a photo.
MOST_BODY = MOST_BYTES * 4 // 3 + 2**16  # As base64, with what surrounds it.
BODY_SECONDS = 20
MOST_NAME = 200


class _InMemory(MultiPartParser):
    """Keeps nothing on disk, which Starlette does with what is larger than a megabyte."""

    spool_max_size = MOST_BODY + 1


async def read_upload(request: Request) -> tuple[bytes, str]:
    """Return a photo's bytes and its name, foreign text on one line.

    Raises:
        HTTPException: 400 of another form, 408 too slow, 413 too large, 415 of another type.
    """
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    if kind not in (b"multipart/form-data", b"application/json"):
        raise HTTPException(415, "Send multipart/form-data or application/json.")
    body = await _read_body(request)
    if kind == b"application/json":
        content, name = _from_json(body)
    else:
        content, name = await _from_form(request, body)
    if len(content) > MOST_BYTES:
        raise _too_large()
    return content, one_line(name)[:MOST_NAME] or "photo"


def _too_large() -> HTTPException:
    return HTTPException(413, f"A photo may have {MOST_BYTES:,} bytes; send a smaller one.")


async def _read_body(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MOST_BODY:
        raise _too_large()
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MOST_BODY:
                    raise _too_large()
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(408, f"Nothing whole came within {BODY_SECONDS} seconds.") from error
    return b"".join(parts)


def _from_json(body: bytes) -> tuple[bytes, str]:
    """Read {"image": base64, "name": text}; the name may be missing."""
    try:
        given = json.loads(body)
        return base64.b64decode(given["image"], validate=True), str(given.get("name", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HTTPException(
            400, 'Send {"image": "…"}, the photo\'s bytes in base64; "name" may be added.'
        ) from error


async def _from_form(request: Request, body: bytes) -> tuple[bytes, str]:
    async def whole() -> AsyncIterator[bytes]:
        yield body

    try:
        parser = _InMemory(request.headers, whole(), max_files=1, max_fields=0)  # type: ignore[arg-type]
        form = await parser.parse()
        file = form.get("photo")
    except (MultiPartException, ValueError, LookupError) as error:
        raise HTTPException(400, "The form can't be read; send one file, as `photo`.") from error
    if not isinstance(file, UploadFile):
        raise HTTPException(400, "Send one file, as `photo`.")
    return await file.read(), file.filename or ""
