"""The page of a difference in real browsers."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from browsing import axe_violations, in_one_browser, wait_until
from hardpairs.analysis.difference import Difference, diff
from hardpairs.report.difference import write_difference
from report_pages import seeds, subject_with_images, two


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, Difference]:
    """Two models' page and, in a folder of its own, that of two runs of A and three of B."""
    folder = tmp_path_factory.mktemp("difference")
    a, b = two()
    difference = diff(subject_with_images(a), b)
    write_difference(difference, folder)
    (first, *rest), after = seeds()
    names = np.array([f"top/{row} ü.png" for row in range(600)])
    first, *others = (replace(run, ids=names) for run in (first, *rest, *after))
    before = [subject_with_images(first), others[0]]
    write_difference(diff(before, others[1:], link="https://example.org/"), folder / "seeds")
    return folder, difference


def test_a_link_leads_to_its_images(open_page, written):
    folder, difference = written
    page = open_page(folder / "difference.html")
    assert page.locator(".shot").count() > 0
    for kind in ("fixed", "broken"):
        count = int(getattr(difference.accuracy, kind))
        assert page.locator(f".faces .thumb.{kind}").count() == 4
        page.click(f'h2 a[href="#changed={kind}"]')
        wait_until(page, f"wanted().changed === '{kind}' && byId('kind').value === '{kind}'")
        assert page.locator(".shot").count() == min(count, 300)
        assert page.locator(f".shot.{kind}").count() == min(count, 300) > 0
        assert page.locator("#one .bars").count() == 2
    page.evaluate("document.querySelectorAll('.shot')[1].click()")
    assert "image=" in page.evaluate("location.hash")
    page.evaluate("history.go(-2)")
    wait_until(page, "byId('kind').value === '' && shown.length === images.id.length")


@in_one_browser
def test_filters_narrow_what_a_link_led_to_until_all_is_shown(open_page, written):
    folder, difference = written
    pair = difference.pairs[0]
    page = open_page(folder / "difference.html", f"#pair={pair.first},{pair.second}")
    of_pair = page.locator(".shot").count()
    page.locator("#kind").select_option("broken by B")
    broken = page.locator(".shot").count()
    assert 0 < broken < of_pair
    assert "pair=" in page.evaluate("location.hash")
    found = page.locator("#found").inner_text().replace("\u2068", "").replace("\u2069", "")
    assert found == f"{broken} images of {' and '.join(pair.names)}"
    page.click("#everything")
    assert page.locator(".shot").count() == page.evaluate("Math.min(images.id.length, 300)")


@in_one_browser
def test_a_pairs_link_lists_as_many_images_as_it_says(open_page, written):
    folder, difference = written
    pair = difference.pairs[0]
    page = open_page(folder / "difference.html")
    for now, count in (("apart", pair.change.fixed), ("mixed", pair.change.broken)):
        page.click(f'td a[href="#pair={pair.first},{pair.second}&now={now}"]')
        assert count > 0
        listed = f"document.querySelectorAll('.shot').length === {count:g}"
        wait_until(page, f"wanted().now === '{now}' && {listed}")


def test_its_images_lead_from_the_first_screen_and_from_their_pair(open_page, written):
    page = open_page(written[0] / "difference.html")
    for box in (".faces", ".strip"):
        address = page.locator(f"{box} a").nth(1).get_attribute("href")
        page.locator(f"{box} a").nth(1).click()
        wait_until(page, f"location.hash === '{address}'")
        name = address.rpartition("image=")[2]
        # The address changes first, and what it names is shown a moment later.
        wait_until(page, f"document.querySelector('#one h3').textContent === 'Image {name}'")


@in_one_browser
def test_a_caption_says_the_same_wherever_an_image_stands(open_page, written):
    page = open_page(written[0] / "difference.html")
    for box in (".faces", ".strip", "#pictures"):
        for image in (page.locator(f"{box} > *").nth(place) for place in (0, 3)):
            said = image.get_attribute("aria-label").replace("\u2068", "").replace("\u2069", "")
            a, b = re.search("A predicts (.+), B (.+)", said).groups()
            assert image.inner_text().split("\n")[:2] == [f"A: {a}", f"B: {b}"]
    assert page.locator("#one caption").nth(0).inner_text().endswith("; blue: the label")


def test_without_its_script_the_page_shows_nothing_that_does_nothing(open_page, written):
    page = open_page(written[0] / "seeds" / "difference.html")
    page.evaluate("document.documentElement.classList.remove('scripted')")
    left = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, .faces, .strip, #pictures')]
        .filter((each) => !each.closest('thead') && each.getClientRects().length)
        .map((each) => each.outerHTML)"""
    )
    assert left == []


@in_one_browser
def test_axe_finds_nothing_and_names_lead_to_the_originals(open_page, written):
    page = open_page(written[0] / "seeds" / "difference.html", "#changed=fixed&all=1", width=390)
    assert page.locator(".shot").count() == page.locator(".shot.fixed").count() > 0
    assert "0/2 → 3/3" in page.locator(".shot").all_inner_texts()[0]
    link = page.evaluate("document.querySelector('#one h3 a').href")
    assert link.startswith("https://example.org/top/")
    assert link.endswith("%20%C3%BC.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
        assert axe_violations(page, scheme) == [], scheme


@in_one_browser
def test_a_phones_matrix_of_changes_has_letters_large_enough(open_page, written):
    page = open_page(written[0] / "seeds" / "difference.html", width=390)
    for mode in ("count", "share"):
        page.evaluate(f"document.querySelector('[data-set={mode}]').click()")
        sizes = """[...document.querySelectorAll('.delta .cell')]
            .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
        assert min(page.evaluate(sizes)) >= 11
