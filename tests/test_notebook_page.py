"""The page in a notebook's frame, in real browsers."""

import numpy as np

import hardpairs
from browsing import first_frame, wait_until
from conftest import make_predictions


def test_links_in_the_frame_stay_in_it(tmp_path, open_page):
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)
    shown = hardpairs.explore(make_predictions(), images=images)._repr_html_()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><meta charset=utf-8>{shown}", encoding="utf-8")
    page = open_page(notebook)
    with first_frame(page) as frame:
        wait_until(frame, "document.readyState === 'complete' && typeof view === 'object'")
        frame.click('a[href="#pair=0"]')
        wait_until(frame, "view.open && location.href === 'about:srcdoc#pair=0'")
    assert page.url == notebook.as_uri()
