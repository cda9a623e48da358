"""`hardpairs serve` over real HTTP."""

import base64
import io
import json
import re
import signal
import socket
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import uvicorn
from PIL import Image, ImageDraw

import hostile
import serving
from conftest import run_cli
from hardpairs.errors import InputError
from hardpairs.serving.app import FORMATS, Prediction, make_app
from hardpairs.serving.guard import Guard, HurriedProtocol, is_loopback, own_names
from hardpairs.serving.model import Description, load_exported
from hardpairs.serving.pages import render_page
from hardpairs.serving.preparation import Preparation
from hardpairs.serving.server import _unless_ignored, serve
from hardpairs.serving.uploads import MOST_BODY, MOST_BYTES
from serving import BOUNDARY, FORM, ask, form_of, predict

TROUSERS = [(110, 20), (190, 20), (200, 280), (160, 280), (150, 100), (140, 280), (100, 280)]


def photo(kind: str = "PNG", size: int = 300) -> bytes:
    picture = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(picture).polygon(TROUSERS, fill="black")
    file = io.BytesIO()
    picture.resize((size, size)).save(file, kind)
    return file.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A PNG of few bytes and very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packed = zlib.compress(bytes(1000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def served(exported):
    with serving.started(exported) as (address, _):
        yield address


def test_tells_what_a_photo_shows(served):
    for kind in FORMATS:
        status, said = predict(served, photo(kind))
        assert status == 200
        assert said["class"] == "Trouser"
        assert said["photo"] == "photo.png"
    Prediction.model_validate(said)  # As openapi.json promises.
    assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert said["nearest"][0]["class"] == "Trouser"
    assert len(said["typical"]) == 3
    for each in (said, *said["nearest"], *said["typical"]):
        packed = base64.b64decode(each["image"].removeprefix("data:image/png;base64,"))
        assert Image.open(io.BytesIO(packed)).size == (28, 28)


def test_takes_json_as_well(served):
    body = json.dumps({"image": base64.b64encode(photo()).decode(), "name": "a\nb"}).encode()
    status, _, answer = ask(served, "/predict", body, content_type="application/json")
    assert status == 200
    assert json.loads(answer)["class"] == "Trouser"
    assert json.loads(answer)["photo"] == "a b"


def test_a_pair_leads_into_the_report(exported, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for path in exported.iterdir():
        (copy / path.name).symlink_to(path)
    (copy / "report.html").write_text("<title>the report</title>")
    picture = Image.new("L", (28, 28), 255)
    ImageDraw.Draw(picture).rectangle((7, 2, 20, 26), fill=90)  # A dress, a coat, a shirt.
    file = io.BytesIO()
    picture.save(file, "PNG")
    with serving.started(copy) as (address, _):
        said = predict(address, file.getvalue())[1]
        assert "mixed up in 9% of cases, by people in 10% of theirs" in said["pair"]
        assert re.fullmatch(r"/report#true=\d&pred=\d", said["taken_for"][0]["href"])
        status, headers, body = ask(address, "/report")
    assert (status, body) == (200, b"<title>the report</title>")
    assert "connect-src" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        (b"", 422, "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "PNG, JPEG, WEBP, GIF"),
        (photo()[:300], 422, "damaged"),
        (photo("TIFF"), 422, "no picture"),
        (photo("PPM"), 422, "no picture"),
        (bomb(), 422, "pixels"),
        (b"\0" * (MOST_BYTES + 1), 413, "smaller"),
    ],
    ids=["empty", "SVG", "cut off", "TIFF", "PPM", "bomb", "too large"],
)
def test_refuses_what_is_no_photo_in_a_sentence(served, content, status, word):
    got, said = predict(served, content)
    assert got == status
    assert word in said["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"image": "%%%"}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"photo=1", "application/x-www-form-urlencoded", 415),
        (photo(), "image/png", 415),
        (b"", "", 415),
        (b"nothing", FORM, 400),
        (b"nothing", "multipart/form-data", 400),
        (form_of(b"x", field="other"), FORM, 400),
        (form_of(b"x") + form_of(b"y"), FORM, 422),
        (form_of(photo())[:-30], FORM, 400),
        (f"--{BOUNDARY}\r\n{'a: b' * 9999}".encode(), FORM, 400),
    ],
)
def test_refuses_other_forms(served, body, kind, status):
    got, _, said = ask(served, "/predict", body, content_type=kind)
    assert got == status
    assert json.loads(said)["detail"]


def test_a_body_that_says_it_is_huge_is_refused_unread(served):
    got, _, _ = ask(served, "/predict", b"x", content_type=FORM, content_length=str(MOST_BODY + 1))
    assert got == 413


def raw(address: str, text: bytes) -> bytes:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=serving.TIMEOUT) as wire:
        wire.sendall(text)
        return wire.recv(65536)


def test_odd_requests_are_answered_and_end(served):
    assert b" 400 " in raw(served, b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n")
    assert b" 400 " in raw(served, b"nonsense\r\n\r\n")
    assert b" 421 " in raw(served, b"GET / HTTP/1.0\r\n\r\n")
    for path in ("/../model.onnx", "/model.onnx", "/%2e%2e/model.json", "/report", "/static/x"):
        assert ask(served, path)[0] == 404
    assert ask(served, "/predict")[0] == 405
    assert ask(served, "/healthz")[2] == b'{"status":"ok"}'


def test_other_sites_pages_are_refused(served):
    own = served
    assert predict(served, photo(), origin=own, sec_fetch_site="same-origin")[0] == 200
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": own},
    ):
        assert predict(served, photo(), **headers)[0] == 403
    asked = {"origin": "http://evil.example", "access_control_request_method": "POST"}
    status, headers, _ = ask(served, "/predict", method="OPTIONS", **asked)
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]


def test_other_names_are_refused(served):
    port = urlsplit(served).port
    for host in ("evil.example", f"evil.example:{port}", "10.0.0.1", "localhost.evil.example", ""):
        assert ask(served, "/", host=host)[0] == 421
    for host in ("localhost", f"localhost:{port}", f"[::1]:{port}", "127.0.0.1"):
        assert ask(served, "/", host=host)[0] == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/openapi.json", "/none"])
def test_every_answer_binds_the_browser(served, path):
    _, headers, _ = ask(served, path)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert not {"set-cookie", "server", "access-control-allow-origin"} & set(headers)


def test_openapi_and_its_page_need_nothing_else(served):
    described = json.loads(ask(served, "/openapi.json")[2])
    assert set(described["paths"]) == {"/healthz", "/predict"}
    forms = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(forms) == {"multipart/form-data", "application/json"}
    page = ask(served, "/docs")[2].decode()
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for word in ("POST /predict", "less_like_than", "413", "string or null", f"{served}/predict"):
        assert word in page


def test_hostile_uploads_do_no_harm(served):
    said, _, faults = hostile.send_many(served, 60)
    assert faults == []
    assert {"200", "400", "422"} <= set(said)
    assert predict(served, photo())[0] == 200


def test_what_was_asked_is_answered_before_it_ends(exported):
    body = form_of(photo(size=1500))
    with serving.started(exported) as (address, process):
        connection = serving.connect(address)
        connection.putrequest("POST", "/predict")
        connection.putheader("content-type", FORM)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body[:1000])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.send(body[1000:])
        answer = connection.getresponse()
        assert json.loads(answer.read())["class"] == "Trouser"
        connection.close()
        said = process.communicate(timeout=serving.TIMEOUT)[1]
        assert process.returncode == 143
        assert said.strip() == "hardpairs: stopped; every request that had come was answered."


def test_eight_connections_at_once(served):
    def some(_: int) -> list[int]:
        return [predict(served, photo(size=28))[0] for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        assert [status for each in pool.map(some, range(8)) for status in each] == [200] * 80


def test_what_comes_too_slowly_is_ended(exported, monkeypatch):
    monkeypatch.setattr("hardpairs.serving.guard.REQUEST_SECONDS", 0.2)
    monkeypatch.setattr("hardpairs.serving.uploads.BODY_SECONDS", 0.2)
    app = make_app(load_exported(exported), names=frozenset({"127.0.0.1"}), any_address=False)
    config = uvicorn.Config(app, http=HurriedProtocol, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        running.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert raw(address, b"GET / HTTP/1.1\r\nHost: 127") == b""
        head = f"Host: 127.0.0.1\r\ncontent-type: {FORM}\r\ncontent-length: 999\r\n\r\n"
        assert b" 408 " in raw(address, b"POST /predict HTTP/1.1\r\n" + head.encode() + b"--x")
        assert ask(address, "/healthz")[0] == 200
        server.should_exit = True
        running.join()


def test_a_taken_port_is_said(served, exported):
    done = run_cli("serve", exported, "--port", urlsplit(served).port)
    assert done.returncode == 2
    assert "Address already in use" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_cannot_be_served_is_said(tmp_path):
    def ready(address: str) -> None:
        raise AssertionError(address)

    with pytest.raises(InputError, match=r"holds no exported net, no model\.onnx"):
        serve(tmp_path, "127.0.0.1", 0, ready=ready)
    for host in ("no such host", "256.1.1.1", "x" * 300):
        with pytest.raises(InputError, match=rf"{host} can't be had \([^()]*\); choose"):
            serve(tmp_path, host, 0, ready=ready)
    with pytest.raises(InputError, match="--host is empty"):  # Every address, to Python.
        serve(tmp_path, "", 0, ready=ready)


def test_leaving_loopback_is_said(exported):
    with serving.started(exported, "--host", "0.0.0.0") as (address, process):
        port = urlsplit(address).port
        assert ask(f"http://127.0.0.1:{port}", "/", host=f"10.1.2.3:{port}")[0] == 200
        assert ask(f"http://127.0.0.1:{port}", "/", host="evil.example")[0] == 421
        process.terminate()
        assert "by network" in process.communicate(timeout=serving.TIMEOUT)[1]


def test_names_of_hosts():
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    guard = Guard(None, names=own_names("Box", "machine")[0], any_address=True)
    for host in ("box", "BOX:80", "machine.local:8000", "192.168.0.1:1", "[fe80::1]:80"):
        assert guard._is_own(host)
    for host in ("", "box.evil", "[", "1.2.3"):
        assert not guard._is_own(host)


def test_a_net_that_is_wrong_once_is_not_said_to_know_all():
    preparation = Preparation(28, 28, 1, True, 28, "box")
    described = Description(("cat", "dog"), preparation, 0.9999, "", "", {})
    page, _ = render_page(described, has_report=False)
    assert "99.99% of its run's test images" in page


def test_what_is_ignored_does_not_end_the_server(monkeypatch):
    ignored = {signal.SIGINT: signal.SIG_IGN}
    monkeypatch.setattr(signal, "getsignal", lambda number: ignored.get(number, signal.SIG_DFL))
    heard = []
    handle = _unless_ignored(lambda number, _: heard.append(number))
    handle(signal.SIGINT, None)
    handle(signal.SIGTERM, None)
    assert heard == [signal.SIGTERM]
