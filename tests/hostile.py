"""Hostile uploads to `hardpairs serve`: none may end in a 500, in silence or in a hang.

    python tests/hostile.py          10,000 of them, over 8 connections
    python tests/hostile.py 500      fewer

The same number is always the same upload.
"""

import base64
import io
import json
import random
import select
import socket
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

import serving
from fuzz import damage

UPLOADS = 10_000
CONNECTIONS = 8
SECONDS = 15  # More for one answer is a hang.
PATIENCE = 2  # Seconds for what may not be whole.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MEGABYTE = 2**20


def photo(kind: str, side: int = 60) -> bytes:
    """A good photo, small."""
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).rectangle((side // 3, side // 6, side // 2, side - 5), fill="navy")
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


SAMPLES = {kind: photo(kind) for kind in FORMATS}


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, bits: int, colour: int, *more: bytes) -> bytes:
    """A PNG that says it has this size, with what is given for its further chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """So many zeros, packed: a thousandth of that."""
    packer = zlib.compressobj(9)
    part = bytes(MEGABYTE)
    packed = [packer.compress(part) for _ in range(count // MEGABYTE)]
    return b"".join([*packed, packer.compress(bytes(count % MEGABYTE)), packer.flush()])


@cache
def bombs() -> list[bytes]:
    """Few bytes that unpack to very many; made when one is wanted, as that takes seconds."""
    return list(_bombs())


def _bombs() -> Iterator[bytes]:
    yield png(60_000, 60_000, 1, 0, chunk(b"IDAT", zeros(MEGABYTE)))
    yield png(2**31 - 1, 1, 8, 2, chunk(b"IDAT", zeros(1000)))
    yield png(5000, 5000, 8, 2, chunk(b"IDAT", zeros(5000 * 15_001)))  # As large as may be.
    yield png(5000, 5000, 1, 0, chunk(b"IDAT", zeros(5000 * 626)))
    yield png(50, 50, 8, 0, chunk(b"zTXt", b"a\0\0" + zeros(80 * MEGABYTE)))
    yield png(50, 50, 8, 0, chunk(b"iCCP", b"a\0\0" + zeros(80 * MEGABYTE)))
    yield png(50, 50, 8, 0, *[chunk(b"tEXt", b"a\0b")] * 20_000, chunk(b"IDAT", zeros(2550)))
    yield b"GIF89a" + struct.pack("<HH", 65535, 65535) + SAMPLES["GIF"][10:]
    yield SAMPLES["JPEG"].replace(struct.pack(">HH", 60, 60), struct.pack(">HH", 65500, 65500))
    yield SAMPLES["JPEG"][:2] + b"\xff\xe1\xff\xff" + b"Exif\0\0MM\0*" * 6000 + SAMPLES["JPEG"][2:]


POLYGLOTS = [
    SAMPLES["PNG"] + b"<html><script>alert(1)</script>",
    b"<html>" + SAMPLES["JPEG"],
    SAMPLES["GIF"][:6] + b"/*" + SAMPLES["GIF"][8:] + b"*/=1;alert(1)",
    SAMPLES["JPEG"] + b"PK\x03\x04" + bytes(300),
    b"%PDF-1.4\n" + SAMPLES["PNG"],
    SAMPLES["PNG"][:8] + SAMPLES["JPEG"],
    b"RIFF\xff\xff\xff\xffWEBPVP8L" + SAMPLES["PNG"],
]
OTHERS = [
    *(b"", b"\0", b"%!PS\n showpage", b"%PDF-1.7", b"\x7fELF" + bytes(99), b"MZ" + bytes(99)),
    b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    b"PK\x03\x04" + bytes(60),
    b"P3 9999 9999 255 " + b"1 " * 100_000,
    b'{"image": 1}',
    bytes(range(256)) * 4096,
]
NAMES = [
    "../../etc/passwd",
    "a" * 5000,
    "\x1b[2J",
    "=1+1",
    "<b>",
    "",
    'a"; name="other',
    "\u202egnp",
]


def http_request(body: bytes, kind: str, *headers: str, length: int | None = None) -> bytes:
    """A POST as bytes; the host's name is put in when it is sent."""
    lines = [
        *("POST /predict HTTP/1.1", "Host: HOST", f"Content-Type: {kind}"),
        *(f"Content-Length: {len(body) if length is None else length}", *headers, "", ""),
    ]
    return "\r\n".join(lines).encode("utf-8", "replace") + body


def as_form(content: bytes, rng: random.Random) -> bytes:
    """A photo's upload by a form; the photo may be anything."""
    return http_request(serving.form_of(content, rng.choice(NAMES)), serving.FORM)


def as_json(content: bytes, rng: random.Random) -> bytes:
    """The same as JSON."""
    given = {"image": base64.b64encode(content).decode(), "name": rng.choice(NAMES)}
    return http_request(json.dumps(given).encode(), "application/json")


def damaged_photo(index: int, rng: random.Random) -> bytes:
    """A photo with some bytes changed, or cut off."""
    kind = rng.choice(FORMATS)
    content = damage(f"photo.{kind.lower()}", SAMPLES[kind], index)
    return rng.choice((as_form, as_json))(content[: rng.choice((None, len(content) // 2))], rng)


def damaged_request(index: int, rng: random.Random) -> bytes:
    """A whole request with some bytes changed; what it says of its length may be wrong then."""
    good = rng.choice((as_form, as_json))(SAMPLES[rng.choice(FORMATS)], rng)
    head, _, body = good.partition(b"\r\n\r\n")
    if rng.random() < 0.5:
        return damage("request.txt", head, index) + b"\r\n\r\n" + body
    changed = damage("body.txt", body, index)
    return head.replace(str(len(body)).encode(), str(len(changed)).encode()) + b"\r\n\r\n" + changed


def odd_request(_: int, rng: random.Random) -> bytes:
    """Headers without end, parts without number, lengths that lie, chunks that aren't."""
    content = SAMPLES["PNG"]
    part = serving.form_of(content)
    many = serving.form_of(b"x").replace(b"--\r\n", b"\r\n") * 5000
    return rng.choice(
        [
            http_request(part, serving.FORM, "X: " + "y" * rng.choice((9_000, 70_000, 900_000))),
            http_request(part, serving.FORM, *(f"X{k}: y" for k in range(rng.choice((50, 9999))))),
            http_request(part, serving.FORM, "Cookie: " + "a=b; " * 2000),
            http_request(many, serving.FORM),
            http_request(b"--x1y2z3\r\n" + b"a: b\r\n" * 50_000, serving.FORM),
            http_request(part, serving.FORM, length=len(part) + 5000),
            http_request(part, serving.FORM, length=10**15),
            http_request(part, serving.FORM, length=-1),
            http_request(part, serving.FORM, "Content-Length: 3"),
            http_request(part, serving.FORM, "Transfer-Encoding: chunked"),
            http_request(b"zz\r\n" + part, serving.FORM, "Transfer-Encoding: chunked"),
            http_request(part, "multipart/form-data; boundary=" + "b" * rng.choice((1, 300, 9000))),
            http_request(part, "multipart/form-data; boundary="),
            http_request(part, rng.choice(("text/plain", "image/png", "\xff", "application/json"))),
            http_request(b"[" * 200_000, "application/json"),
            http_request(b'{"image": ' + b"9" * 100_000 + b"}", "application/json"),
            http_request(b'{"image": "' + b"A" * MEGABYTE + b'"}', "application/json"),
            http_request(bytes(17 * MEGABYTE), serving.FORM),
            rng.randbytes(rng.choice((1, 100, 100_000))),
        ]
    )


def upload(index: int) -> tuple[bytes, bool]:
    """One hostile upload, the same for the same number, and whether it is as long as it says."""
    rng = random.Random(index)
    draw = rng.random()
    if draw < 0.45:
        return damaged_photo(index, rng), True
    if draw < 0.65:
        return damaged_request(index, rng), False
    if draw < 0.85:
        return odd_request(index, rng), False
    kinds = (POLYGLOTS, OTHERS) if draw < 0.98 else (bombs(),)
    return rng.choice((as_form, as_json))(rng.choice(rng.choice(kinds)), rng), True


def send(address: str, content: bytes, *, whole: bool) -> str:
    """Send bytes; return the answer's status, "closed" without one, or what is wrong.

    What isn't whole may be waited for; it ends when nothing more can come.
    """
    parts = urlsplit(address)
    content = content.replace(b"HOST", parts.netloc.encode(), 1)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as wire:
            with suppress(ConnectionError):  # Some are refused before they are read.
                wire.sendall(content)
            if not whole and not select.select([wire], [], [], PATIENCE)[0]:
                wire.shutdown(socket.SHUT_WR)
            answer = b""
            while b"\r\n" not in answer:
                part = wire.recv(65536)
                if not part:
                    return "closed"
                answer += part
    except TimeoutError:
        return f"no answer in {SECONDS} s"
    except ConnectionError:
        return "closed"
    return answer[9:12].decode("ascii", "replace")


def is_fault(said: str) -> bool:
    """Whether an upload did harm. Closing is an answer to what is no request."""
    return said.startswith(("5", "no answer"))


def send_many(
    address: str, count: int, tell: Callable[[int, str], None] | None = None
) -> tuple[Counter[str], float, list[int]]:
    """Send the first so many uploads; return what was said how often, the longest time, faults."""
    slowest = 0.0

    def one(index: int) -> str:
        nonlocal slowest
        content, whole = upload(index)
        begun = time.perf_counter()
        said = send(address, content, whole=whole)
        if whole and said == "closed":
            said = "no answer"
        slowest = max(slowest, time.perf_counter() - begun)
        if tell and is_fault(said):
            tell(index, said)
        return said

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(one, range(count)))
    return Counter(answers), slowest, [k for k, said in enumerate(answers) if is_fault(said)]


def memory_of(process: int) -> int:
    """Bytes in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def main(count: int) -> int:
    """Start a server, send it all, print what came."""
    from exported import write_exported
    from hardpairs.data.datasets import load_dataset

    with tempfile.TemporaryDirectory() as folder:
        write_exported(Path(folder), load_dataset("fashion-mnist"))
        with serving.started(Path(folder)) as (address, process):
            send_many(address, 50)
            before = memory_of(process.pid)
            said, slowest, faults = send_many(address, count, print)
            after = memory_of(process.pid)
            works = serving.predict(address, SAMPLES["PNG"])[0] == 200
    print(f"serve: {count:,} hostile uploads, {len(faults):,} faults; {dict(said.most_common())}")
    print(f"slowest answer {slowest:.1f} s; memory {before / 2**20:.0f} to {after / 2**20:.0f} MB")
    return int(bool(faults) or not works)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else UPLOADS))
