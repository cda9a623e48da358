"""Lists of the report in real browsers: their order, and what is said of them."""

import re

import numpy as np

from browsing import in_one_browser
from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.render import render_report

FOLLOW = """([address]) => {
    history.replaceState(null, "", `#${address}`);
    followAddress();
    return [byId("sort").value, shown.listed.map(confidence), byId("view-text").innerText]; }"""


@in_one_browser
def test_a_list_is_in_the_order_that_it_names(visit):
    page = visit("judged.html")
    for address in ("true=1&pred=1", "class=1", "people=1&chosen=1", "verdict=1"):
        order, shares, _ = page.evaluate(FOLLOW, [address])
        assert order == f"{'least' if address == 'true=1&pred=1' else 'most'} confident first"
        assert shares == sorted(shares, reverse=order.startswith("most"))
        assert len(shares) > 3


@in_one_browser
def test_of_classes_alone_no_confidence_is_told(open_page, tmp_path):
    made = make_predictions(images=300, classes=2)
    hard = Predictions(made.labels, None, made.class_names, predicted=made.predicted)
    place = tmp_path / "hard.html"
    place.write_text(render_report(Subject(hard, images=np.zeros((300, 8, 8), np.uint8))))
    page = open_page(place)
    told = page.locator("main").inner_text()
    for address in ("pair=0", "true=0&pred=0"):
        order, _, text = page.evaluate(FOLLOW, [address])
        told += text + page.locator("#view").inner_text()
        told += order
    assert not re.search("confident|surely|surest|closest", told)


@in_one_browser
def test_sorting_many_classes_shows_the_first_of_them_all(visit):
    page = visit("many.html")
    heading = "section:has(#classes) thead button >> nth=1"
    table = """() => {
        const rows = [...byId("classes").closest("section").querySelectorAll("tbody tr")];
        const seen = rows.filter((row) => row.checkVisibility());
        return [rows.length, seen.length, rows.map((row) => Number(row.cells[1].textContent)),
            seen.filter((row) => row.querySelector('[tabindex="0"]')).length]; }"""
    page.click(heading)
    for shown in (100, 300):
        rows, seen, mistakes, stops = page.evaluate(table)
        assert (rows, seen, stops) == (300, shown, 1)
        assert mistakes == sorted(mistakes, reverse=True)
        if shown == 100:
            page.click(heading)
            page.click(heading)
            page.click("#all-classes")


@in_one_browser
def test_a_groups_mistakes_are_those_of_its_cell(visit):
    page = visit("many.html")
    for group in range(3):
        cell = page.locator(f".groups td a[href='#group={group}']").inner_text()
        _, _, text = page.evaluate(FOLLOW, [f"group={group}"])
        assert text.startswith(f"{cell} mistake")
