import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from browsing import axe_violations, in_one_browser, wait_until
from conftest import make_predictions
from hardpairs.analysis.difference import Difference, diff
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.difference import render_summary, write_difference
from hardpairs.report.page import difference as page
from hardpairs.report.page.both import mixed_up, see_both
from hardpairs.report.page.difference import choose_rows, render_difference
from hardpairs.report.page.spectrum import draw_spectrum
from report_pages import parts_of, subject_with_images, two


def data_of(text: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_everything_that_changed_travels_and_is_counted():
    a, b = two()
    difference = diff(a, b)
    text = render_difference(difference)
    images = data_of(text)["images"]
    changed = np.flatnonzero(a.predicted != b.predicted)
    assert sorted(map(int, images["id"])) == changed.tolist()
    right = np.array(images["a"]) == images["true"], np.array(images["b"]) == images["true"]
    change = difference.accuracy
    assert (right[1] & ~right[0]).sum() == change.fixed
    assert (right[0] & ~right[1]).sum() == change.broken
    assert f"{change.fixed:,.0f} images fixed" in text
    assert "<title>predictions against predictions" not in text
    for place, row in enumerate(map(int, images["id"])):
        pairs = images["pb"][place]
        shares = dict(zip(pairs[::2], pairs[1::2], strict=True))
        assert shares[int(a.labels[row])] == round(
            10_000 * float(b.probabilities[row, a.labels[row]])
        )


def test_the_matrix_is_the_difference_of_both():
    a, b = two()
    text = render_difference(diff(a, b))
    for true in range(5):
        for column in range(5):
            counts = [((r.labels == true) & (r.predicted == column)).sum() for r in (a, b)]
            moved = int(counts[1]) - int(counts[0])
            link = f'href="#true={true}&amp;pred={column}"><span class="count">{moved:+d}</span>'
            assert (link in text) == (moved != 0)
    better = re.findall(r'data-(better|worse)="\d"><a class="cell" href="#true=(\d)&amp;pred=(\d)'
                        r'"><span class="count">([+-])', text)  # fmt: skip
    for kind, true, column, sign in better:
        assert (kind == "better") == ((sign == "+") == (true == column))


def test_many_changes_keep_the_surest_of_every_cell(monkeypatch):
    monkeypatch.setattr(page, "MOST_IMAGES", 60)
    a, b = two(2000)
    rows = choose_rows(see_both(diff(a, b)))
    assert len(rows) == 60
    turned = (a.predicted == a.labels) != (b.predicted == b.labels)
    assert turned[rows].all()


def test_many_classes_have_a_list_in_place_of_the_matrix():
    a, b = two(3000, 60)
    text = render_difference(diff(a, b))
    assert 'id="delta"' not in text
    assert "cells changed; the 200 that changed most" in text


def test_names_and_ids_do_not_act():
    names = ("</script><script>alert(1)</script>", "'\"><img src=x>", "{{ 7*7 }}", "\u202ex", "ok")
    a, b = two(class_names=names)
    ids = np.array([f"<b>{row}</b>.png" for row in range(600)])
    a, b = (replace(run, ids=ids, metadata={"recipe": "<i>"}) for run in (a, b))
    text = render_difference(diff(a, b))
    for foreign in ("<script>alert", "<img src=x", "<b>1", "<i>", ">49<"):
        assert foreign not in text
    assert "<b>1</b>.png" in data_of(text)["images"]["id"] or a.predicted[1] == b.predicted[1]


def test_without_probabilities_or_images_the_rest_is_there():
    a, b = (replace(run, probabilities=None) for run in two())
    text = render_difference(diff(a, b))
    assert 'class="spectrum"' not in text
    assert "The predictions came without images" in text
    assert draw_spectrum(see_both(diff(a, b)), 0, 1) is None


def test_a_difference_of_nothing(tmp_path):
    a, _ = two()
    write_difference(diff(a, a), tmp_path / "same")
    text = (tmp_path / "same" / "difference.html").read_text()
    assert "B is not significantly different from A (+0.00 points)" in text
    assert data_of(text)["images"]["id"] == []
    assert "A and B predict the same class for every image." in text
    assert "Click a cell" not in text
    assert "listed by id" not in text


def test_numbers_of_the_page_stand_in_the_json():
    difference = diff(*two())
    told = difference.to_dict()
    text = render_difference(difference)
    keys = re.findall(r'data-key="difference.json: ([^"]+)"', text)
    assert len(keys) > 30
    for key in keys:
        value = told
        for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", key):
            value = value[name]
            value = value[int(index)] if index else value
        assert value is not None


def seeds(images: int = 600) -> tuple[list[Predictions], list[Predictions]]:
    """Two runs of A and three of B."""
    a, b = two(images)
    noise = [make_predictions(images, 5, seed=seed).probabilities for seed in range(10, 15)]
    runs = [
        replace(run, probabilities=shares, predicted=shares.argmax(1), metadata={"seed": seed})
        for seed, (run, other) in enumerate(zip((a, a, b, b, b), noise, strict=True))
        for shares in [0.8 * run.probabilities + 0.2 * other]
    ]
    return runs[:2], runs[2:]


def test_all_seeds_decide_what_is_fixed():
    sides = seeds()
    difference = diff(*sides)
    data = data_of(render_difference(difference))
    images = data["images"]
    right = [np.mean([run.predicted == run.labels for run in side], axis=0) for side in sides]
    gap = right[1] - right[0]
    ids = np.array(images["id"]).astype(int)
    kinds = np.array(images["kind"])
    assert sorted(ids[kinds == 0]) == np.flatnonzero(gap > 0).tolist()
    assert sorted(ids[kinds == 1]) == np.flatnonzero(gap < 0).tolist()
    assert (np.diff(np.abs(gap[ids])) < 1e-9).all()  # Those that most runs change come first.
    assert data["runs"] == [2, 3]
    for place, row in enumerate(ids):
        assert (images["ra"][place] / 2, images["rb"][place] / 3) == pytest.approx(
            (right[0][row], right[1][row])
        )
        votes = [run.predicted[row] for run in sides[1]]
        assert votes.count(images["b"][place]) == max(map(votes.count, votes))
    shares = images["pb"][0]
    mean = np.mean([run.probabilities[ids[0]] for run in sides[1]], axis=0)
    for index, parts in zip(shares[::2], shares[1::2], strict=True):
        assert parts == pytest.approx(10_000 * mean[index], abs=1)


def test_the_pairs_links_list_the_images_that_the_table_counts():
    a, b = two()
    difference = diff(a, b)
    text = render_difference(difference)
    data = data_of(text)
    images = {name: np.array(data["images"][name]) for name in ("true", "a", "b")}
    third = 0
    for told, pair in zip(data["pairs"], difference.pairs, strict=True):
        assert told["classes"] == [pair.first, pair.second]
        other = np.where(images["true"] == pair.first, pair.second, pair.first)
        assert np.isin(images["true"][told["apart"] + told["mixed"]], told["classes"]).all()
        for now, count, before, after in (
            ("apart", pair.change.fixed, "a", "b"),
            ("mixed", pair.change.broken, "b", "a"),
        ):
            places = told[now]
            assert len(places) == count
            assert (images[before][places] == other[places]).all()
            assert (images[after][places] != other[places]).all()
            third += (images[after] != images["true"])[places].sum()
            link = f'href="#pair={pair.first},{pair.second}&amp;now={now}">{count:,.0f}</a>'
            assert link in text
    assert third > 0  # They aren't what the headline calls fixed and broken.
    assert "no longer mixed up</button>" in text
    assert "| no longer mixed up | newly mixed up |" in render_summary(difference)


def test_of_several_seeds_a_pairs_links_list_those_of_which_more_runs_do_so():
    difference = diff(*seeds())
    pair, told = difference.pairs[0], data_of(render_difference(difference))["pairs"][0]
    apart, mixed = mixed_up(difference, pair.first, pair.second)
    assert 0 < len(told["apart"]) <= apart.sum()
    assert 0 < len(told["mixed"]) <= mixed.sum()
    assert not (apart & mixed).any()


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


def test_what_the_page_says_of_its_numbers():
    difference = diff(*two())
    text, summary = render_difference(difference), render_summary(difference)
    assert "while its interval still holds 0" in text
    assert "while its interval still holds 0" in summary
    assert "mid-p" not in text + summary
    assert "heights by square root" in text
    assert "Where they come from" not in text  # These predictions know nothing of themselves.
    error = f"{100 * difference.a.calibration_error:.1f} points"
    assert f"<td>{error}<br>" in text
    assert f"| calibration error | {error} |" in summary
    assert "over these" not in render_difference(diff(*two(classes=2)))


def test_facts_stand_under_their_own_model():
    a, b = two()
    metadata = {"recipe": "theirs", "train_images": 60_000, "seed": 12_345}
    described = Predictions(b.labels, b.probabilities, b.class_names, ids=b.ids, metadata=metadata)
    text = render_difference(diff(a, described))
    assert text.index("<h3>B</h3>") < text.rindex("theirs")
    assert "<h3>A</h3>" not in text
    assert "<bdi>60,000</bdi>" in text  # Images are counted, a seed is a name.
    assert "<bdi>12345</bdi>" in text


@in_one_browser
def test_a_phones_matrix_of_changes_has_letters_large_enough(open_page, written):
    page = open_page(written[0] / "seeds" / "difference.html", width=390)
    for mode in ("count", "share"):
        page.evaluate(f"document.querySelector('[data-set={mode}]').click()")
        sizes = """[...document.querySelectorAll('.delta .cell')]
            .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
        assert min(page.evaluate(sizes)) >= 11


def test_where_nothing_changed_the_page_asks_for_nothing():
    made = make_predictions()
    text, _ = parts_of(render_difference(diff(made, made)))
    assert "Nothing in it changed." in text
    assert not re.search(r"data-set=|Where the difference lies|travels? in this file", text)
    assert re.search(r'<div class="pane" hidden>', text)


def test_without_probabilities_and_images_pairs_have_their_table_alone():
    a, b = (
        Predictions(each.labels, None, each.class_names, predicted=each.predicted) for each in two()
    )
    text, _ = parts_of(render_difference(diff(a, b)))
    assert 'id="pairs"' in text
    assert '<div class="pair">' not in text


def test_images_on_which_all_runs_agree_are_counted():
    a, b = two()
    text, _ = parts_of(render_difference(diff([a, a], [b, b])))
    found = re.search(r"agree on <a [^>]*>([\d,]+) fixed</a> and <a [^>]*>([\d,]+) broken<", text)
    counts = see_both(diff([a, a], [b, b])).count()
    assert [int(each) for each in found.groups()] == [counts["fixed"], counts["broken"]]
