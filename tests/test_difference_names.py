"""Long names on the page of a difference."""

import re
from pathlib import Path

import pytest

from hardpairs.analysis.difference import diff
from hardpairs.report.difference import write_difference
from report_pages import subject_with_images, two


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A page of fifty long names, and one with images whose names differ in their last letter."""
    folder = tmp_path_factory.mktemp("names")
    names = tuple(f"northern long-tailed river shrew of kind no. {index}" for index in range(50))
    write_difference(diff(*two(500, 50, class_names=names)), folder / "many")
    names = tuple(f"a class of clothes that has a very long name indeed, no. {k}" for k in range(9))
    a, b = two(300, 9, class_names=names)
    write_difference(diff(subject_with_images(a), b), folder / "alike")
    return folder


@pytest.mark.parametrize("width", [390, 1440])
def test_long_names_are_told_in_full_and_scroll_nothing(open_page, written, width):
    page = open_page(written / "many" / "difference.html", width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = page.evaluate(
        """() => [...document.querySelectorAll(':is(h3, .ends, .facts-of, td, th) .name')].filter(
        (name) => getComputedStyle(name).display !== 'inline'
        && (name.scrollWidth > name.clientWidth + 1 || name.scrollHeight > name.clientHeight + 1))
        .map((name) => name.innerText)"""
    )
    assert cut == []


def test_names_that_differ_in_their_last_letter_stay_apart_where_room_is_short(open_page, written):
    page = open_page(written / "alike" / "difference.html", width=390)
    for box in (".faces", ".strip", "#pictures"):
        for line in page.locator(f"{box} > *").nth(0).inner_text().split("\n")[:2]:
            assert re.fullmatch(r"[AB]: a class…, no\. \d", line)
    assert page.locator("#one .bars th").nth(0).inner_text().endswith(tuple("012345678"))
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('.name')].filter((name) =>
        getComputedStyle(name).display !== 'inline' && !name.closest('thead')
        && (name.scrollWidth > name.clientWidth + 1 || name.scrollHeight > name.clientHeight + 1))
        .map((name) => name.innerText)"""
    )
    assert clipped == []
