"""The page of `hardpairs serve` in real browsers, against a real server."""

import pytest

import serving
from browsing import axe_violations, wait_until

STROKES = "[[0.36, 0.12, 0.64, 0.12], [0.38, 0.12, 0.34, 0.92], [0.62, 0.12, 0.66, 0.92]]"
# As a mouse or a finger draws; WebDriver and Playwright move them in ways of their own.
DRAW = f"""() => {{
  const pad = document.getElementById("pad"), box = pad.getBoundingClientRect();
  const send = (kind, x, y) => pad.dispatchEvent(new PointerEvent(kind, {{ bubbles: true, button: 0,
    clientX: box.left + x * box.width, clientY: box.top + y * box.height }}));
  for (const [x, y, toX, toY] of {STROKES}) {{
    send("pointerdown", x, y);
    send("pointermove", (x + toX) / 2, (y + toY) / 2);
    send("pointermove", toX, toY);
    send("pointerup", toX, toY);
  }}
}}"""
# A picture of trousers, as a file that is dropped, pasted or seen by a camera.
PICTURE = """const canvas = document.createElement("canvas");
  canvas.width = 200; canvas.height = 300;
  const context = canvas.getContext("2d");
  context.fillStyle = "#eee"; context.fillRect(0, 0, 200, 300);
  context.fillStyle = "#225"; context.fillRect(65, 20, 70, 40);
  context.fillRect(65, 20, 30, 260); context.fillRect(105, 20, 30, 260);"""
FILE = f"""{PICTURE}
  const bytes = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const given = new DataTransfer();
  given.items.add(new File([bytes], "trousers.png", {{ type: "image/png" }}));"""
GIVE = (
    "document.dispatchEvent(new DragEvent('drop', { dataTransfer: given }))",
    "document.dispatchEvent(Object.assign(new Event('paste'), { clipboardData: given }))",
    """(document.getElementById("file").files = given.files,
      document.getElementById("file").dispatchEvent(new Event("change")))""",
)
ANSWERED = "document.getElementById('status').textContent.startsWith('Trouser')"


@pytest.fixture(scope="module")
def served(exported):
    with serving.started(exported) as (address, _):
        yield address


def test_says_what_is_drawn(open_page, served, engine):
    page = open_page(served)
    assert not page.evaluate("!document.getElementById('found').hidden")
    page.evaluate(f"({DRAW})()")
    wait_until(page, ANSWERED)
    assert page.locator("#class").inner_text().startswith("Trouser")
    assert page.locator("#bars tr").count() == 10
    assert page.locator("#near figure").count() == 5
    assert page.locator("#typical figure").count() == 3
    assert page.evaluate("document.getElementById('saw').naturalWidth") == 28
    assert engine != "chromium" or axe_violations(page) == []
    page.click("#clear")
    wait_until(page, "document.getElementById('found').hidden")


def test_says_what_is_dropped_pasted_or_chosen(open_page, served):
    page = open_page(served)
    for give in GIVE:
        page.click("#clear")
        wait_until(page, "document.getElementById('found').hidden")
        page.evaluate(f"(async () => {{ {FILE}\n {give}; return true; }})()")
        wait_until(page, ANSWERED)


def test_looks_through_the_camera_until_its_picture_is_taken(open_page, served):
    page = open_page(served)
    page.evaluate(
        f"""(() => {{ {PICTURE}
        const media = {{ getUserMedia: async () => {{
          const stream = canvas.captureStream(10);
          setInterval(() => context.fillRect(0, 0, 1, 1), 50);
          return stream; }} }};
        Object.defineProperty(navigator, "mediaDevices", {{ value: media, configurable: true }});
        return true; }})()"""
    )
    page.click("#camera")
    wait_until(page, ANSWERED)
    assert page.locator("#camera").inner_text() == "Take the picture"
    page.click("#camera")
    assert page.locator("#camera").inner_text() == "Camera"
    assert page.evaluate("document.getElementById('video').hidden")
    wait_until(page, ANSWERED)


def test_says_what_is_wrong(open_page, served):
    page = open_page(served)
    page.evaluate(
        """(() => { const given = new DataTransfer();
        given.items.add(new File(["no picture"], "a.png", { type: "image/png" }));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: given })); return true; })()"""
    )
    wait_until(page, "!document.getElementById('refused').hidden")
    assert "a.png: this browser" in page.locator("#refused").inner_text()


@pytest.mark.parametrize(("path", "scheme"), [("/", "dark"), ("/docs", "light")])
def test_fits_and_is_easy_to_use(open_page, served, engine, path, scheme):
    whole = engine == "chromium"  # Axe finds the same in all; another scheme is another browser.
    scheme = scheme if whole else "light"
    page = open_page(served + path, width=390, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not whole or axe_violations(page) == []
    page.click("#theme")
    other = {"light": "dark", "dark": "light"}[scheme]
    assert page.evaluate("document.documentElement.dataset.theme") == other
    assert not whole or axe_violations(page) == []
