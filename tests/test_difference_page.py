import re
from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis.difference import diff
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.difference import render_summary, write_difference
from hardpairs.report.page import difference as page
from hardpairs.report.page.both import mixed_up, see_both
from hardpairs.report.page.difference import choose_rows, render_difference
from hardpairs.report.page.spectrum import draw_spectrum
from report_pages import data_of, parts_of, seeds, two


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
