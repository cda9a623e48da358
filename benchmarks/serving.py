"""How long a prediction takes, and what a server stands: `python benchmarks/serving.py RUN`.

RUN is a run that `hardpairs export` was called for. Times are medians, of processes from their
start to their end. Prints tables, writes serving.json beside this file.
"""

import argparse
import http.client
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from hardpairs.data.datasets import load_split

HERE = Path(__file__).parent
STARTS = 5
WARM = 200
KERAS_WARM = 30
BATCHES = 3
CONNECTIONS = 8
BOUNDARY = "hardpairs"

# What a learner writes after the lesson: Keras loads the net, Pillow scales the photo.
LESSON = """
import sys, numpy as np
from PIL import Image
from tensorflow import keras
model = keras.models.load_model(sys.argv[1] + "/model.keras", compile=False)
gray = Image.open(sys.argv[2]).convert("L").resize((28, 28))
pixels = 1 - np.asarray(gray, "float32")[None, ..., None] / 255
print(model.predict(pixels, verbose=0)[0].argmax())
"""
KERAS = """
import sys
from pathlib import Path
import hardpairs
from hardpairs.serving.photo import open_photo
from hardpairs.serving.prepare import prepare
from hardpairs.serving.preparation import Preparation
model = hardpairs.load_model(Path(sys.argv[1]))
photo = open_photo(Path(sys.argv[2]).read_bytes(), "photo")
picture = prepare(photo, Preparation(28, 28, 1, True, 28, "box")).picture
print(model.predict(picture[None] / 255.0, verbose=0)[0].argmax())
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--only", choices=["times", "load"])
    options = parser.parse_args()
    path = HERE / "serving.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    if options.only != "load":
        found["times"] = measure_times(options.run)
    if options.only != "times":
        found["load"] = measure_load(options.run, options.requests)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measure_times(run: Path) -> dict[str, Any]:
    """Time the ways to predict, all in one go."""
    from hardpairs.serving.answer import answer
    from hardpairs.serving.model import load_exported

    images = load_split("fashion-mnist", "test").pixels
    photo = _png(255 - np.asarray(Image.fromarray(images[0, ..., 0]).resize((400, 400))))
    rows: dict[str, dict[str, float]] = {"hardpairs": {}, "Keras": {}, "the lesson's way": {}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.png"
        file.write_bytes(photo)
        commands = {
            "hardpairs": ["-m", "hardpairs", "predict", str(run), str(file)],
            "Keras": ["-c", KERAS, str(run), str(file)],
            "the lesson's way": ["-c", LESSON, str(run), str(file)],
        }
        for name, command in commands.items():
            rows[name]["start_seconds"] = median(_process(command) for _ in range(STARTS))
    model = load_exported(run)
    one, many = images[:1], images[:10_000]
    answer(model, photo, "photo")
    rows["hardpairs"]["photo_ms"] = 1000 * _timed(lambda: answer(model, photo, "photo"), 30)
    rows["hardpairs"]["image_ms"] = 1000 * _timed(lambda: model.session.predict(one), WARM)
    rows["hardpairs"]["images_a_second"] = len(many) / _timed(
        lambda: model.session.predict(many), BATCHES
    )
    import hardpairs

    net = hardpairs.load_model(run)
    floats, float_one = many.astype("float32") / 255, one.astype("float32") / 255
    for name, ask in (
        ("Keras", lambda x: np.asarray(net(x, training=False))),
        ("the lesson's way", lambda x: net.predict(x, verbose=0)),
    ):
        ask(float_one)
        rows[name]["image_ms"] = 1000 * _timed(lambda ask=ask: ask(float_one), KERAS_WARM)  # type: ignore[misc]
    rows["Keras"]["images_a_second"] = len(many) / _timed(
        lambda: net.predict(floats, batch_size=256, verbose=0), BATCHES
    )
    rows["the lesson's way"]["images_a_second"] = len(many) / _timed(
        lambda: net.predict(floats, verbose=0), BATCHES
    )
    print(f"recipe {model.description.recipe}; whole process, one image warm, 10,000 images")
    for name, row in rows.items():
        print(
            f"{name:18} {row['start_seconds']:8.2f} s {row['image_ms']:8.3f} ms"
            f" {row['images_a_second']:10,.0f} images/s"
        )
    print(
        f"hardpairs, a photo of 400 x 400 prepared and told: {rows['hardpairs']['photo_ms']:.1f} ms"
    )
    return {"recipe": model.description.recipe, **rows}


def _process(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def _timed(action: Callable[[], object], times: int) -> float:
    """Median seconds of one call."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        spent.append(time.perf_counter() - started)
    return median(spent)


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def measure_load(run: Path, requests: int) -> dict[str, Any]:
    """Send test images, as pictures of 28 x 28 pixels, over 8 connections; watch the memory."""
    bodies = [
        _form(_png(255 - image[..., 0])) for image in load_split("fashion-mnist", "test").pixels
    ]
    command = [sys.executable, "-m", "hardpairs", "serve", str(run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        started = time.perf_counter()
        try:
            assert server.stdout is not None  # noqa: S101
            line = server.stdout.readline()
            ready = time.perf_counter() - started
            found = re.search(r"http://(\S+)", line)
            if not found:
                raise SystemExit("the server didn't start")
            _send(found[1], bodies, 1000)
            before = _memory(server.pid)
            started = time.perf_counter()
            times, failed = _send(found[1], bodies, requests)
            seconds = time.perf_counter() - started
            after = _memory(server.pid)
        finally:
            server.terminate()
    p50, p99 = np.percentile(times, [50, 99])
    print(
        f"ready in {ready:.1f} s; {requests:,} requests over {CONNECTIONS} connections in "
        f"{seconds:.0f} s ({requests / seconds:.0f}/s): {failed} failed, median {p50:.1f} ms, "
        f"p99 {p99:.1f} ms, slowest {max(times):.0f} ms, memory {before:.0f} to {after:.0f} MB"
    )
    return {
        "requests": requests,
        "failed": failed,
        "seconds": seconds,
        "ready_seconds": ready,
        "p50_ms": p50,
        "p99_ms": p99,
        "slowest_ms": max(times),
        "memory_mb": [before, after],
    }


def _form(content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="x.png"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _send(host: str, bodies: list[bytes], requests: int) -> tuple[list[float], int]:
    """Send so many requests; return each one's milliseconds, and how many failed."""

    def some(first: int) -> tuple[list[float], int]:
        connection = http.client.HTTPConnection(host, timeout=60)
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        times, failed = [], 0
        for index in range(first, requests, CONNECTIONS):
            started = time.perf_counter()
            try:
                connection.request("POST", "/predict", bodies[index % len(bodies)], headers)
                answer = connection.getresponse()
                failed += not (answer.read() and answer.status == 200)
            except (OSError, http.client.HTTPException):
                failed += 1
                connection.close()
            times.append(1000 * (time.perf_counter() - started))
        connection.close()
        return times, failed

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = list(pool.map(some, range(CONNECTIONS)))
    return [ms for times, _ in parts for ms in times], sum(failed for _, failed in parts)


def _memory(process: int) -> float:
    """Megabytes in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
