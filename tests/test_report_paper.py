"""The report on paper, and where its script doesn't run."""

import pytest

from browsing import in_one_browser
from conftest import make_predictions
from report_pages import page_of


@pytest.mark.parametrize("engine", ["chromium", "firefox"], indirect=True)  # Those that can.
def test_prints(visit):
    assert visit().pdf(format="A4").startswith(b"%PDF")


def printed(page):
    """A page as on paper, where the browser's driver shows that."""
    if hasattr(page, "emulate_media"):
        page.emulate_media(media="print")
    if not page.evaluate("matchMedia('print').matches"):
        pytest.skip("this browser's driver doesn't show a page as printed")
    return page


def test_paper_tells_without_clicks_what_the_screen_tells(visit):
    page = printed(visit("judged.html"))
    for told in (".cells td a", ".verdict-bar a", ".dot", ".legend.key i"):
        adjust = "(element) => getComputedStyle(element).printColorAdjust"
        assert page.locator(told).first.evaluate(adjust) == "exact", told
    seen = page.evaluate("document.querySelector('main').innerText")
    assert "Rows are true classes, columns what was predicted." in seen
    assert "Click" not in seen
    # A table's heads are repeated, and no matrix lies over what follows.
    display = "(element) => getComputedStyle(element).display"  # Of buttons there would be none.
    assert page.locator(".sortable thead button").first.evaluate(display) == "contents"
    assert page.locator(".matrices.two .matrix").first.evaluate(display) == "block"


@pytest.mark.parametrize("name", ["judged.html", "many.html"])
def test_without_its_script_a_page_shows_nothing_that_does_nothing(visit, pages, name):
    page = visit(name)
    assert page.evaluate("document.querySelector('main .by-script').getClientRects().length") > 0
    page.evaluate("document.documentElement.classList.remove('scripted')")
    left = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, .button, .verdict-bar, .map,'
        + '#cells, a[href="#map"]')].filter((each) => !each.closest('thead')
        && each.getClientRects().length).map((each) => each.outerHTML)"""
    )
    assert left == []
    link = "getComputedStyle(document.querySelector('main a[href^=\"#\"]')).pointerEvents"
    assert page.evaluate(link) == "none"
    text = (pages / name).read_text()
    main = text[text.index("<main") :]
    assert main.index("<noscript>") < main.index("<section")


@in_one_browser
def test_forty_classes_fit_on_paper(open_page, tmp_path):
    (tmp_path / "forty.html").write_text(page_of(make_predictions(images=900, classes=40)))
    page = printed(open_page(tmp_path / "forty.html", width=690))  # A4 within its margins.
    assert page.evaluate("document.documentElement.scrollWidth") <= 690
