"""A page in WebKitGTK by WebDriver, with the part of Playwright's page that the tests use.

Playwright drives a WebKit of its own build only. Debian's package webkit2gtk-driver brings one that
speaks WebDriver; it needs a display, which Xvfb gives.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.support.select import Select
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

SECONDS = 15
ANSWER_SECONDS = 60  # A driver whose browser has died would never answer.
KEEP_ERRORS = """
window.errorsSeen = [];
addEventListener("error", (event) => errorsSeen.push(event.message));
addEventListener("unhandledrejection", (event) => errorsSeen.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => errorsSeen.push(event.blockedURI));
"""


@contextmanager
def display() -> Iterator[str]:
    """A screen that nobody sees; gives its name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def browser_program() -> str:
    """The path of WebKitGTK's own small browser, which its driver starts."""
    return str(next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")))


def _start(program: str, environment: dict[str, str], options) -> tuple[Service, webdriver.Remote]:
    """A driver and its browser, which now and then don't find one another: then once more."""
    for last in (False, False, True):
        service = Service(program, env=environment)
        service.start()
        asked = ClientConfig(service.service_url, timeout=ANSWER_SECONDS)
        try:
            return service, webdriver.Remote(RemoteConnection(client_config=asked), options=options)
        except HTTPError:
            service.stop()
            if last:
                raise
    raise AssertionError  # The loop returns or raises.


class Page:
    """The one page of a browser."""

    def __init__(self, program: str, display: str, folder: Path, scheme: str):
        """Start the browser, at home in `folder`."""
        self.downloads = folder / "downloads"
        (folder / ".config").mkdir(parents=True, exist_ok=True)
        self.downloads.mkdir(exist_ok=True)
        (folder / ".config" / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{self.downloads}"')
        theme = "Adwaita:dark" if scheme == "dark" else "Adwaita"
        options = webdriver.WebKitGTKOptions()
        options.binary_location = browser_program()
        options.add_argument("--automation")
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / ".config")}
        environment = {**os.environ, **home, "DISPLAY": display, "GTK_THEME": theme}
        self._service, self._driver = _start(program, environment, options)
        self.keyboard = SimpleNamespace(press=self._press)

    def close(self) -> None:
        """End the browser."""
        try:
            self._driver.quit()
        finally:
            self._service.stop()

    def open(self, address: str, width: int) -> None:
        """Load an address as if for the first time, in a window never under 447 pixels wide."""
        self._driver.set_window_size(width, 840)
        self.goto(address)
        if self.evaluate("localStorage.length"):
            self.run("localStorage.clear()")
            self.goto(address)

    def errors(self) -> list[str]:
        """What the page complained of since it was loaded."""
        return self._driver.execute_script("return window.errorsSeen")

    @property
    def url(self) -> str:
        """The address, with what a click added to it."""
        return self.evaluate("location.href")

    def goto(self, address: str) -> None:
        """Load an address."""
        self._driver.get("about:blank")
        self._driver.get(address)
        self._driver.execute_script(KEEP_ERRORS)

    def reload(self) -> None:
        """Load the page again."""
        self._driver.refresh()
        self._driver.execute_script(KEEP_ERRORS)

    def evaluate(self, code: str):
        """Return what JavaScript says; it is an expression, a promise, or a function to call."""
        ask = f"const said = ({code}\n); return typeof said === 'function' ? said() : said"
        return self._driver.execute_script(ask)

    def run(self, script: str) -> None:
        """Run a whole script."""
        self._driver.execute_script(script)

    @contextmanager
    def in_first_frame(self) -> Iterator[None]:
        """What is asked meanwhile is asked of the page's first frame."""
        self._driver.switch_to.frame(0)
        try:
            yield
        finally:
            self._driver.switch_to.default_content()

    def locator(self, selector: str) -> "Located":
        """Elements by CSS selector."""
        return Located(self._driver, selector)

    def click(self, selector: str) -> None:
        """Click the first element, once it's there."""
        self.locator(selector).click()

    def fill(self, selector: str, text: str) -> None:
        """Type into a field instead of what is there."""
        self.locator(selector).fill(text)

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Wait."""
        time.sleep(milliseconds / 1000)

    def _press(self, key: str) -> None:
        name = {"Enter": "RETURN", "Tab": "TAB", "Escape": "ESCAPE"}.get(key)
        arrow = key.replace("Arrow", "ARROW_").upper()
        ActionChains(self._driver).send_keys(getattr(Keys, name or arrow, key)).perform()


class Located:
    """The elements that selectors find, looked for when asked; a single one is waited for."""

    def __init__(self, driver, *selectors: str, index: int = 0):
        """Keep the selectors, each inside what the one before finds first."""
        self._driver, self._selectors, self._index = driver, selectors, index

    def _all(self):
        found = [self._driver]
        for selector in self._selectors:
            found = found[0].find_elements(By.CSS_SELECTOR, selector) if found else []
        return found

    def _try(self, action: Callable):
        """Do something with the one element, once it's there and can be used."""
        for _ in range(SECONDS * 20):
            found = self._all()
            if len(found) > self._index:
                with suppress(ElementNotInteractableException, StaleElementReferenceException):
                    return action(found[self._index])
            time.sleep(0.05)
        raise AssertionError(f"never there, or never to be used: {self._selectors}")

    @property
    def first(self) -> "Located":
        """The first of them."""
        return self.nth(0)

    def nth(self, index: int) -> "Located":
        """One of them, counted from 0."""
        return Located(self._driver, *self._selectors, index=index)

    def locator(self, selector: str) -> "Located":
        """Elements inside the first."""
        assert self._index == 0, "inside the first only"
        return Located(self._driver, *self._selectors, selector)

    def click(self) -> None:
        """Click it."""
        self.evaluate("(element) => element.scrollIntoView({block: 'center', inline: 'center'})")
        self._try(lambda element: element.click())

    def focus(self) -> None:
        """Give it the focus."""
        self.evaluate("(element) => element.focus()")

    def fill(self, text: str) -> None:
        """Type into a field instead of what is there."""
        self._try(lambda element: (element.clear(), element.send_keys(text)))

    def select_option(self, text: str) -> None:
        """Choose by what is shown."""
        self._try(lambda element: Select(element).select_by_visible_text(text))

    def wait_for(self) -> None:
        """Wait until it's there."""
        self._try(lambda element: element)

    def count(self) -> int:
        """How many there are now."""
        return len(self._all())

    def get_attribute(self, name: str) -> str | None:
        """An attribute as it is written."""
        return self.evaluate(f"(element) => element.getAttribute('{name}')")

    def inner_text(self) -> str:
        """Its text as shown."""
        return self.evaluate("(element) => element.innerText")

    def all_inner_texts(self) -> list[str]:
        """The texts of all that are there now."""
        ask = "return [...arguments].map((element) => element.innerText)"
        return self._driver.execute_script(ask, *self._all())

    def evaluate(self, code: str):
        """Return what a JavaScript function says of it."""
        ask = f"return ({code})(arguments[0])"
        return self._try(lambda element: self._driver.execute_script(ask, element))
