"""Pages in real browsers: Chromium and Firefox by Playwright, WebKit by WebDriver.

A test asks the fixture `open_page` of conftest.py for a page and runs once per browser. What a test
may use of a page is what `webkit.Page` has: a part of Playwright's own page, by the same names.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ENGINES = ("chromium", "firefox", "webkit")
# For tests of what a page's script decides, or axe: they find the same in every browser.
in_one_browser = pytest.mark.parametrize("engine", ["chromium"], indirect=True)
PROGRAMS = {
    # The first is without what nobody sees, which takes a third of the time.
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
    "webkit": ("WebKitWebDriver",),
}
CHROMIUM_SWITCHES = (
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
TIMEOUT = 15_000  # milliseconds


def program_of(engine: str) -> str:
    """The path of a browser's program. Where it's missing the test is skipped; in CI it fails."""
    found = next(filter(None, map(shutil.which, PROGRAMS[engine])), None)
    if found:
        return found
    reason = f"no {engine}: none of the programs {PROGRAMS[engine]} is installed (CONTRIBUTING.md)"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@contextmanager
def started(engine: str, folder: Path) -> Iterator[Callable]:
    """Start a browser's driver; gives `new_page(address, width=, scheme=, complain=)`.

    It returns a fresh page at that address and what closes it. `complain` is called with every
    message, error and dialog of the page, and with every request that leads out of it.
    """
    program = program_of(engine)
    if engine == "webkit":
        yield from _pages_of_webkit(program, folder)
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        tabs = {}  # One for each scheme: a fresh one costs more than what most tests do with it.

        def new_page(address: str, *, width: int, scheme: str, complain: Callable[[str], None]):
            tab = tabs.pop(scheme, None) or _Tab(playwright, engine, program, scheme, folder)
            tab.open(address, width, complain)
            tabs[scheme] = tab  # Not where it has died: the next test opens another.
            return tab.page, lambda: tab.watch("", None)

        yield new_page
        for tab in tabs.values():
            tab.browser.close()


class _Tab:
    """The one page of a browser that Playwright drives, opened anew for each test."""

    def __init__(self, playwright, engine: str, program: str, scheme: str, folder: Path):
        self.browser = _launch(playwright, engine, program, scheme, folder)
        # Firefox takes the scheme when it starts, not by page.
        own = {"color_scheme": scheme, "reduced_motion": "reduce"}
        none = dict.fromkeys(own, "null")
        context = self.browser.new_context(**(none if engine == "firefox" else own))
        self.page = page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.downloads = folder if engine == "firefox" else None
        self.watch("", None)
        page.on("console", lambda message: self._tell(message.text))
        page.on("pageerror", lambda error: self._tell(str(error)))
        page.on("dialog", lambda dialog: (self._tell(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self._ask(request.url))

    def open(self, address: str, width: int, complain: Callable[[str], None]) -> None:
        """Load an address as if for the first time."""
        if hasattr(self.page, "emulate_media"):
            self.page.emulate_media(media="null")
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.goto("about:blank")
        self.watch(address, complain)
        self.page.goto(address)
        if self.page.evaluate("localStorage.length"):
            self.page.evaluate("localStorage.clear()")
            self.page.goto("about:blank")
            self.page.goto(address)

    def watch(self, address: str, complain: Callable[[str], None] | None) -> None:
        """Tell of what the page says from now on, and of requests that lead out of the address."""
        self._address, self._complain = address, complain

    def _tell(self, text: str) -> None:
        if self._complain:
            self._complain(text)

    def _ask(self, request: str) -> None:
        if self._complain and request != "about:blank":
            _complain_of(request, self._address, self._complain)


def _launch(playwright, engine: str, program: str, scheme: str, folder: Path):
    if engine == "chromium":
        return playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_SWITCHES))
    preferences = {
        "layout.css.prefers-color-scheme.content-override": int(scheme == "light"),
        "ui.prefersReducedMotion": 1,
        "browser.download.alwaysOpenPanel": False,  # It would keep the focus.
    }
    return playwright.firefox.launch(
        channel="moz-firefox",  # The browser as Mozilla ships it, by WebDriver BiDi.
        executable_path=program,
        firefox_user_prefs=preferences,
        downloads_path=folder,
    )


def _pages_of_webkit(program: str, folder: Path) -> Iterator[Callable]:
    import webkit

    pages = {}  # One for each scheme, as a browser takes seconds to start.

    def new_page(address: str, *, width: int, scheme: str, complain: Callable[[str], None]):
        page = pages.pop(scheme, None) or webkit.Page(program, display, folder, scheme)
        page.open(address, width)
        pages[scheme] = page  # Not where it has died: the next test starts another.

        def close() -> None:
            for error in page.errors():
                complain(error)

        return page, close

    with webkit.display() as display:
        yield new_page
        for page in pages.values():
            page.close()


def _complain_of(request: str, address: str, complain: Callable[[str], None]) -> None:
    """Complain of a request that leads out of the page's own file or, on a server, its origin."""
    parts, own = urlsplit(request), urlsplit(address)
    if parts.scheme in ("data", "blob"):
        return
    same = parts[:2] == own[:2] if own.scheme == "http" else parts[:3] == own[:3]
    if not same:
        complain(request)


def download(page, selector: str) -> Path:
    """Click what makes the page save a file, and wait for the file."""
    if page.downloads is None:
        with page.expect_download() as download:
            page.click(selector)
        return Path(download.value.path())
    # Firefox tells Playwright too little of a file made by a script, and WebDriver nothing.
    before = set(page.downloads.iterdir())
    page.click(selector)
    for _ in range(TIMEOUT // 20):
        new = [path for path in page.downloads.iterdir() if path not in before]
        if [path.suffix for path in new] == [".csv"] and new[0].stat().st_size:
            return new[0]
        page.wait_for_timeout(20)
    raise AssertionError(f"nothing was downloaded; unfinished: {new}")


def axe_violations(
    page, scheme: str = "light", inside: str = "html"
) -> list[tuple[str, list[str]]]:
    """What axe-core finds hard to use for whom: each rule with its first three elements.

    Of a page that was looked at light, the dark one differs in what has to do with colours alone.
    Of long tables and matrices only the first rows are looked at, as the others are like them.
    """
    page.evaluate(
        """() => { for (const row of document.querySelectorAll(
        ':is(.tall, .groups) tr:nth-child(n + 7)')) row.remove(); }"""
    )
    rules = ["color-contrast", "link-in-text-block"] if scheme == "dark" else []
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    if page.evaluate("typeof axe") == "undefined":
        script = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
        getattr(page, "run", page.evaluate)(script)
    ask = f"axe.run('{inside}', {json.dumps(options)})"
    found = page.evaluate(f"{ask}.then((found) => found.violations)")
    return [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]


def wait_for_view(page, address: str) -> None:
    """Wait until the page has followed an address, which it does some time after a click."""
    wait_until(page, f"shown && shown.address === '{address}' && view.open")


def close_view(page) -> None:
    """Close the open view by keyboard and wait until the page has tidied up after it."""
    page.keyboard.press("Escape")
    wait_until(page, "!view.open && !location.hash")


def wait_until(page, condition: str) -> None:
    """Ask until it is so. Playwright's own wait evaluates text in the page, which forbids it."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never: {condition}")


@contextmanager
def first_frame(page) -> Iterator:
    """The first frame in a page, to be used like a page."""
    if hasattr(page, "frames"):
        yield page.frames[1]
    else:
        with page.in_first_frame():
            yield page
