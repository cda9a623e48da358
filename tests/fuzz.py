"""Feed damaged files to every reader and report what isn't an InputError: `make fuzz`.

    python tests/fuzz.py                  10,000 damaged copies of each sample of fuzz_targets.py
                                          and fuzz_model.py
    python tests/fuzz.py NAME [INDEX]     one sample; with INDEX one copy, kept, with its traceback

A damaged copy is a function of its sample's name and its index, so a fault found can be repeated.
"""

import gzip
import io
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from fuzz_model import MODEL_TARGETS
from fuzz_targets import TARGETS as FILE_TARGETS
from hardpairs.errors import InputError

TARGETS = FILE_TARGETS | MODEL_TARGETS
COPIES = 10_000
SECONDS = 5  # For one input.
BYTES = 2**30  # More than the process has when it starts.
SHOWN = 5  # Faults of one kind.
TEXTS = (
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 30,
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"',
    b"{",
    b"[",
)
ENOUGH = 3  # Changes to one copy, at most.


def damage(name: str, sample: bytes, index: int) -> bytes:
    """Return the copy of that index. Packed samples are half of the time damaged inside."""
    rng = random.Random(f"{name}/{index}")
    if rng.random() < 0.5:
        if sample[:2] == b"PK":
            return _damage_member(rng, sample)
        if sample[:2] == b"\x1f\x8b":
            return gzip.compress(_change(rng, gzip.decompress(sample)), 1, mtime=0)
    return _change(rng, sample)


def _damage_member(rng: random.Random, sample: bytes) -> bytes:
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sample)) as old, zipfile.ZipFile(copy, "w") as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for name in names:
            data = old.read(name)
            if name == chosen and rng.random() < 0.1:
                continue  # Left out.
            new.writestr(name, _change(rng, data) if name == chosen else data)
    return copy.getvalue()


def _change(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.randint(1, ENOUGH)):
        # Headers are short and matter most.
        at = rng.randrange(1 + (len(data) if rng.random() < 0.5 else min(len(data), 200)))
        long = rng.choice((1, 1, 2, 4, 30, 300))
        old = data[at : at + long]
        flipped = bytes(byte ^ 1 << rng.randrange(8) for byte in old[:1])
        new = rng.choice((rng.randbytes(long), rng.choice(TEXTS), old + old, b"", flipped))
        data = data[:at] + new + data[at + rng.choice((0, len(new), long)) :]
        if rng.random() < 0.1:
            data = data[: rng.randrange(len(data) + 1)]
    return data


def try_one(name: str, index: int, folder: Path) -> str | None:
    """Read one damaged copy; return None where it's read or refused, else what was raised."""
    sample, read = TARGETS[name]
    path = folder / name
    path.write_bytes(damage(name, sample, index))
    try:
        read(path)
    except InputError:
        pass
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"[:200]
    return None


def fuzz(name: str) -> None:
    """Try all copies of one sample within the bounds; print each try's fault as a line of JSON."""
    _read_whole(name)  # What is loaded for it once counts neither as memory nor as time.
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(COPIES):
            print(index, flush=not index % 100)
            fault = None
            signal.alarm(SECONDS)
            try:
                fault = try_one(name, index, Path(folder))
            except TimeoutError:
                fault = f"longer than {SECONDS} s"
            finally:
                signal.alarm(0)
            if fault:
                print(json.dumps([index, fault]), flush=True)


def _read_whole(name: str) -> None:
    sample, read = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(sample)
        read(path)


def _too_slow(*_: object) -> None:
    raise TimeoutError


def report(name: str) -> int:
    """Try one sample in a process of its own, print what came, and return the number of faults."""
    started = time.perf_counter()
    command = [sys.executable, "-W", "ignore", __file__, name, "all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    faults = [json.loads(line) for line in lines if line.startswith("[")]
    tries = [int(line) for line in lines if line.isdigit()]
    if done.returncode:
        faults.append([tries[-1] if tries else -1, f"the process ended: {done.stderr[-300:]}"])
    seconds = time.perf_counter() - started
    print(f"{name}: {len(tries):,} copies, {len(faults):,} faults, {seconds:.0f} s", flush=True)
    seen = Counter()
    for index, fault in faults:
        kind = fault.partition(":")[0]
        seen[kind] += 1
        if seen[kind] <= SHOWN:
            print(f"  {index}: {fault}")
    return len(faults)


def main(arguments: list[str]) -> int:
    """The command line, as the module says it."""
    if arguments[1:] == ["all"]:
        fuzz(arguments[0])
        return 0
    if len(arguments) == 2:
        name, index = arguments[0], int(arguments[1])
        sample, read = TARGETS[name]
        path = Path(f"damaged-{index}-{name}")
        path.write_bytes(damage(name, sample, index))
        print("wrote", path)
        with suppress(InputError):
            print(read(path))
        return 0
    return int(sum(report(name) for name in arguments or TARGETS) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
