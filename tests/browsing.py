"""Following the report in a browser as it answers to clicks and keys."""


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
