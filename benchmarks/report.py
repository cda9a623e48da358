"""The report: how large it is, how long it takes to write, and until a browser can use it.

    python benchmarks/report.py        prints a table and writes benchmarks/report.json

Time to interactive is from opening the file in Debian's Chromium until its script has run to the
end; without Chromium or Playwright that column stays empty.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.subject import Subject
from hardpairs.data.about import load_class_votes
from hardpairs.data.datasets import load_split, open_source
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.render import render_report

HERE = Path(__file__).parent
OPENINGS = 5
SWITCHES = ["--no-sandbox", "--headless", "--disable-gpu", "--no-first-run"]
INTERACTIVE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
# Each from the click or key until the second frame after it has been drawn.
ACTIONS = {
    "open a cell": "location.hash = document.querySelector('.cells td a[href^=\"#true=\"]').hash",
    "open a pair": "location.hash = 'pair=0'",
    "next image": "choose(1)",
    "filter by verdict": "byId('filters').lastElementChild?.click()",
    "mark an image": "mark(shown.image, 'ambiguous')",
    "sort": "byId('sort').dispatchEvent(new Event('change'))",
    "what people chose": "location.hash = document.querySelector('a[href^=\"#people=\"]').hash",
    "draw the map": "drawMap()",
    "next image on the map": "showOnMap(map.place.length - 1)",
    "similar classes together": "document.querySelector('[data-toggle=order]').click()",
}
TIMED = """() => new Promise((resolve) => {
  const start = performance.now();
  const end = () => setTimeout(() => resolve(performance.now() - start));
  %s;
  requestAnimationFrame(() => requestAnimationFrame(end));
})"""


def main() -> None:
    """Make, write, open, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "report.json")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for images, classes, wrong in ((10_000, 10, 0.08), (50_000, 1_000, 0.25)):
            rows.append(measure(Path(folder) / "report.html", images, classes, wrong))
    Console(width=120).print(report_table(rows))
    for name, seconds in rows[0]["action_seconds"].items():
        Console(width=120).print(f"{name}: {1000 * seconds:.0f} ms")
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measure(path: Path, images: int, classes: int, wrong: float) -> dict[str, Any]:
    """Write one report and open it several times."""
    split = load_split("fashion-mnist", "test")
    predictions = invent_predictions(images, classes, wrong)
    pixels = split.images[np.arange(images) % len(split)]
    few: dict[str, Any] = {}
    shares = load_class_votes(split.fingerprint) if classes == 10 else None
    if shares is not None:  # With everything that a page can hold.
        rng = np.random.default_rng(1)
        votes = np.stack([rng.multinomial(67, shares[label]) for label in predictions.labels])
        few = {"class_votes": shares, "votes": votes, "hidden": rng.normal(size=(images, 64))}
    subject = Subject(predictions, images=pixels, **few)
    correct = subject.metrics["correct"]
    started = time.perf_counter()
    page = render_report(subject)
    path.write_text(page, encoding="utf-8")
    return {
        "images": images,
        "classes": classes,
        "mistakes": images - correct,
        "megabytes": path.stat().st_size / 1e6,
        "write_seconds": time.perf_counter() - started,
        "interactive_seconds": interactive_seconds(path),
        "action_seconds": action_seconds(path) if classes == 10 else {},
    }


def invent_predictions(images: int, classes: int, wrong: float) -> Predictions:
    """Predictions with a share ``wrong`` of mistakes, most of them for one of five neighbours."""
    rng = np.random.default_rng(0)
    names = open_source("fashion-mnist").class_names if classes == 10 else None
    labels = rng.integers(0, classes, images)
    taken_for = (labels + rng.integers(1, 6, images)) % classes
    probabilities = rng.dirichlet(np.full(classes, 0.1), images).astype(np.float32) * 0.4
    chosen = np.where(rng.random(images) < wrong, taken_for, labels)
    probabilities[np.arange(images), chosen] += 0.6
    return Predictions(labels, probabilities, names or tuple(f"class {i}" for i in range(classes)))


def interactive_seconds(path: Path) -> float | None:
    """Median time until the page's script has run; None where there is no browser."""
    times: list[float] = []
    with opened_browser() as browser:
        if browser is None:
            return None
        for _ in range(OPENINGS):
            page = browser.new_page()
            page.goto(path.as_uri())
            times.append(page.evaluate(INTERACTIVE) / 1000)
            page.close()
    return median(times)


def action_seconds(path: Path) -> dict[str, float]:
    """Median time of each of a reader's actions, until it has been drawn; empty without browser."""
    times: dict[str, list[float]] = {name: [] for name in ACTIONS}
    with opened_browser() as browser:
        if browser is None:
            return {}
        for _ in range(OPENINGS):
            page = browser.new_page()
            page.goto(path.as_uri())
            for name, action in ACTIONS.items():
                times[name].append(page.evaluate(TIMED % action) / 1000)
            page.close()
    return {name: median(values) for name, values in times.items()}


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Chromium, or None where it or Playwright is missing."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if not chromium:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield browser
        browser.close()


def report_table(rows: list[dict[str, Any]]) -> Table:
    """The table that is printed."""
    table = Table(title=f"report.html; time to interactive: median of {OPENINGS} openings")
    for name in ("images", "classes", "mistakes", "MB", "written in s", "interactive in s"):
        table.add_column(name, justify="right")
    for row in rows:
        interactive = row["interactive_seconds"]
        table.add_row(
            *(f"{row[name]:,}" for name in ("images", "classes", "mistakes")),
            *(f"{row[name]:.2f}" for name in ("megabytes", "write_seconds")),
            "" if interactive is None else f"{interactive:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
