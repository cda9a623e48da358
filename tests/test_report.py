"""The report in real browsers."""

import json
import re
import time

import numpy as np
import pytest

from browsing import (
    axe_violations,
    close_view,
    download,
    in_one_browser,
    wait_for_view,
    wait_until,
)
from hardpairs.report.page import gallery
from report_pages import HOSTILE

ADDRESSES = {
    "report.html": ("", "pair=0", "quiz"),
    "judged.html": ("", "class=6", "verdict=1", "people=1&chosen=2"),
    "many.html": ("", "group=0", "group=0&other=1"),
    "everything.html": ("",),
}
# What the first page has as well: matrices, or all but what a study found.
LIKE_THE_FIRST = {"judged.html": ".matrix", "everything.html": "main > section:not(.study)"}


@in_one_browser
def test_counts_in_the_page_are_those_of_metrics_json(visit, pages):
    metrics = json.loads((pages / "metrics.json").read_text())
    page = visit()
    shown = page.evaluate(
        """() => [...document.querySelectorAll('.matrix:first-child tbody tr')].map((row) =>
        [...row.querySelectorAll('td')].map((cell) =>
        Number(cell.querySelector('.count')?.textContent ?? 0)))"""
    )
    assert shown == metrics["confusion"]
    opened = page.evaluate(
        """() => data.names.map((_, t) => data.names.map((_, p) => {
        history.replaceState(null, "", `#true=${t}&pred=${p}`);
        followAddress();
        const links = document.querySelectorAll(`.cells a[href="#true=${t}&pred=${p}"]`);
        return [links.length, thumbs.children.length, byId("view-text").innerText]; }))"""
    )
    for row, counts in enumerate(metrics["confusion"]):
        for column, count in enumerate(counts):
            links, thumbs, text = opened[row][column]
            assert links == bool(count)
            assert text.startswith(f"{count} image")
            if row == column:  # The closest calls, and some of the surest to compare.
                assert min(count, gallery.RIGHT_PER_CLASS) <= thumbs <= count
            else:
                assert thumbs == count


def test_from_a_cell_to_its_images_by_pointer_and_by_keyboard(visit, pages):
    pair = evaluate_pair(pages)
    page = visit()
    link = page.locator(f'.matrix:first-child a[href="#true={pair[0]}&pred={pair[1]}"]')
    link.click()
    wait_for_view(page, f"true={pair[0]}&pred={pair[1]}")
    assert page.locator("#view .thumb").count() == pair[2]
    assert 1 < page.locator("#loupe .bars").first.locator("tr").count() <= 10
    close_view(page)
    assert link.evaluate("(element) => element === document.activeElement")
    page.click("#sources")
    link.focus()
    page.keyboard.press("ArrowLeft" if pair[1] else "ArrowRight")
    page.keyboard.press("ArrowRight" if pair[1] else "ArrowLeft")
    assert link.evaluate("(element) => element === document.activeElement")
    assert page.locator("main ~ .source").inner_text().endswith(f"confusion[{pair[0]}][{pair[1]}]")
    page.keyboard.press("Enter")
    page.locator("#view[open]").wait_for()
    first = page.locator("#loupe h3").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("#loupe h3").inner_text() != first
    assert page.locator("#loupe h3").inner_text().removeprefix("Image ") in page.url


def evaluate_pair(pages) -> tuple[int, int, int]:
    """The most confused cell: true, predicted, images."""
    confusion = np.array(json.loads((pages / "metrics.json").read_text())["confusion"])
    np.fill_diagonal(confusion, 0)
    true, predicted = np.unravel_index(confusion.argmax(), confusion.shape)
    return int(true), int(predicted), int(confusion.max())


def test_tab_reaches_the_matrix(visit):
    page = visit()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cells td a, .cells th a')"):
            return
    raise AssertionError("forty times Tab, and no cell")


@in_one_browser
def test_deep_link_opens_the_image(visit, pages):
    true, predicted, _ = evaluate_pair(pages)
    page = visit(address=f"#true={true}&pred={predicted}")
    page.keyboard.press("ArrowRight")
    address = page.url.partition("#")[2]
    name = page.locator("#loupe h3").inner_text()
    again = visit(address=f"#{address}")
    assert again.locator("#loupe h3").inner_text() == name
    assert visit(address="#true=99&pred=x").locator("#view[open]").count() == 0


def test_class_page_and_csv(visit, pages):
    confusion = np.array(json.loads((pages / "metrics.json").read_text())["confusion"])
    mistakes = int(confusion[6].sum() - confusion[6, 6])
    page = visit(address="#class=6")
    assert page.locator("#view .thumb").count() == mistakes
    lines = download(page, "#download").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + mistakes
    assert lines[0].startswith('"row","id","true","predicted","probability"')


@in_one_browser
def test_table_sorts(visit, pages):
    scores = json.loads((pages / "metrics.json").read_text())["classes"]
    page = visit()
    page.click("#classes ~ .scroll thead th:nth-child(4) button")
    shown = page.locator("#classes ~ .scroll tbody td:nth-child(4)").all_inner_texts()
    assert shown == [
        f"{value:.3f}" for value in sorted((s["recall"] for s in scores), reverse=True)
    ]


@in_one_browser  # In the others another scheme is another browser, and what they do is theirs.
def test_a_dark_page_becomes_light(visit):
    page = visit(scheme="dark")
    before = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before


@pytest.mark.parametrize("name", ["everything.html", "hostile.html"])
def test_phone_without_sideways_scrolling(visit, name):
    page = visit(name, width=360)
    assert page.evaluate("innerWidth") <= 450  # WebKit's window gets no narrower than that.
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.evaluate("location.hash = 'class=1'")
    wait_for_view(page, "class=1")
    assert page.evaluate("view.scrollWidth - view.clientWidth") <= 0


def test_hostile_names_in_the_browser(visit):
    page = visit("hostile.html", "#class=4")
    assert page.locator("#view-title").inner_text() == HOSTILE[4]
    assert page.evaluate("document.querySelectorAll('img:not(.filters)').length") == 0
    text = download(page, "#download").read_text(encoding="utf-8")
    assert '"=1+1' not in text
    assert "\"'=1+1" in text


@in_one_browser
def test_from_the_first_screen_to_a_mark_in_two_clicks(visit, pages):
    page = visit()
    page.locator(".faces a").first.click()
    page.locator("#view[open]").wait_for()
    name = page.locator("#loupe h3").inner_text().removeprefix("Image ")
    page.locator("#loupe .marks button").nth(1).click()
    assert page.locator("#marked").inner_text() == "1 marked"
    page.keyboard.press("w")
    assert page.locator("#loupe .marks select").count() == 1
    page.evaluate("location.hash = 'marks'")
    wait_for_view(page, "marks")
    lines = download(page, "#save-marks").read_text(encoding="utf-8").splitlines()
    assert lines[0] == '"split","id","label","mark","correction"'
    assert lines[1].startswith(f'"test","{name}",')
    assert '"label wrong"' in lines[1]


def test_marks_and_theme_are_kept(visit, open_page, pages):
    page = visit()
    page.locator(".faces a").first.click()
    page.locator("#view[open]").wait_for()
    page.keyboard.press("a")
    close_view(page)
    background = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(background)
    page.click("#theme")
    assert page.evaluate(background) != before
    page.reload()
    assert page.locator("#marked").inner_text() == "1 marked"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@in_one_browser
def test_a_kept_theme_is_there_before_anything_is_drawn(visit):
    page = visit()
    page.click("#theme")
    page.add_init_script(
        "new MutationObserver(() => { if (document.body) window.first ??= "
        "document.documentElement.dataset.theme ?? 'none'; })"
        ".observe(document, { childList: true, subtree: true });"
    )
    page.reload()
    assert page.evaluate("first") == "dark"


@in_one_browser
def test_pair_shows_its_images_from_one_class_to_the_other(visit, pages):
    pair = json.loads((pages / "metrics.json").read_text())["hard_pairs"][0]
    page = visit(address="#pair=0")
    title = page.locator("#view-title").inner_text()
    assert title == f"{pair['first']} and {pair['second']}"
    assert page.locator("#spectrum .step").count() == 11
    assert page.locator("#spectrum .face.wrong").count() > 3
    shown = page.locator("#spectrum .face").count()
    left = [int(text.replace(",", "")) for text in page.locator(".plus").all_inner_texts()]
    confusion = np.array(json.loads((pages / "metrics.json").read_text())["confusion"])
    of_pair = [page.evaluate(f"pairs[0].{name}") for name in ("first", "second")]
    assert shown + sum(left) == confusion[np.ix_(of_pair, of_pair)].sum()
    page.locator("#spectrum .face").nth(5).click()
    assert page.locator("#loupe h3").inner_text().removeprefix("Image ") in page.url


@in_one_browser
def test_cells_filter_by_verdict_and_sort(visit, pages):
    true, predicted, count = evaluate_pair(pages)
    page = visit(address=f"#true={true}&pred={predicted}")
    assert "first" not in page.locator("#view-text").inner_text()  # The order can be chosen.
    chips = page.locator("#filters button")
    if chips.count() > 1:
        chips.nth(1).click()
        wanted = int(chips.nth(1).inner_text().split()[-1])
        assert page.locator("#view .thumb").count() == wanted
        chips.nth(0).click()
    page.locator("#sort").select_option("by id")
    ids = page.evaluate("shown.listed.map((k) => Number(images.id[k]))")
    assert ids == sorted(ids)
    assert len(ids) == count


@in_one_browser
def test_quiz_ends_with_both_scores(visit):
    page = visit(address="#quiz")
    page.locator("#quiz-box[open]").wait_for()
    count = page.evaluate("data.quiz.items.length")
    for _ in range(count):
        page.keyboard.press("1")
    text = page.locator("#quiz-box .score").inner_text()
    assert re.search(rf"You: \d+ of {count}. The model: \d+", text)


@in_one_browser
def test_matrix_in_another_order_keeps_its_cells(visit, pages):
    page = visit()
    page.locator('[data-toggle="order"]').click()
    wrong = page.evaluate(
        """() => [...document.querySelectorAll('.matrix:first-child td a')].filter((link) => {
        const cell = link.closest('td'), row = cell.parentElement;
        return link.getAttribute('href') !== `#true=${row.dataset.class}&pred=${cell.dataset.class}`
          || row.closest('table').tHead.rows[0].cells[cell.cellIndex].dataset.class
            !== cell.dataset.class; }).length"""
    )
    assert wrong == 0
    page.locator('[data-toggle="scale"]').click()
    assert page.locator(".matrix").first.get_attribute("data-scale") == "errors"


def test_map_is_walked_and_opened_by_keys(visit, pages):
    page = visit("judged.html", "#map")
    page.locator("#map-box").focus()
    before = page.locator("#map-loupe").inner_text().strip()
    assert before.startswith("labelled")
    wait_until(page, "drawnMap !== null")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    at = page.evaluate("map.place[onMap]")
    page.keyboard.press("Enter")
    page.locator("#view[open]").wait_for()
    assert page.locator("#loupe h3").inner_text() == f"Image {page.evaluate(f'images.id[{at}]')}"


@in_one_browser
@pytest.mark.parametrize("name", ADDRESSES)
def test_axe_finds_nothing(visit, name):
    page = visit(name)
    if name in LIKE_THE_FIRST:
        like = LIKE_THE_FIRST[name]
        page.evaluate(f"document.querySelectorAll('{like}').forEach((each) => each.remove())")
    for address in ADDRESSES[name]:
        page.evaluate(f"(history.replaceState(null, '', '#{address}'), followAddress())")
        assert page.evaluate("document.querySelectorAll('dialog[open]').length") == bool(address)
        inside = "dialog[open]" if address else "html"
        for scheme in ("light", "dark") if name == "report.html" or not address else ("light",):
            page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
            assert axe_violations(page, scheme, inside) == [], (address, scheme)


@in_one_browser
def test_many_classes_open_quickly(visit):
    started = time.perf_counter()
    page = visit("many.html")
    assert time.perf_counter() - started < 10  # 0.5 s on an idle machine.
    page.fill("#search", "class 299")
    rows = page.locator("#cells tbody tr").all_inner_texts()
    assert rows
    assert all("class 299" in row for row in rows)
    classes = page.locator("section:has(#classes) tbody tr")
    assert classes.count() == 100
    page.click("#all-classes")
    assert classes.count() == 300
    page.evaluate("location.hash = 'group=0&other=1'")
    wait_for_view(page, "group=0&other=1")
    text = page.locator("#view-text").inner_text()
    cell = page.locator(".groups a[href='#group=0&other=1']")
    assert text.startswith(f"{cell.inner_text()} mistake" if cell.count() else "0 mistakes")


@in_one_browser
@pytest.mark.parametrize("name", ["judged.html", "many.html", "hostile.html"])
def test_phone_shows_whole_tables_and_names_in_letters_large_enough(visit, name):
    page = visit(name, "#pair=0" if name == "hostile.html" else "#class=1", width=390)
    wait_until(page, "view.open")
    assert page.evaluate("view.scrollWidth - view.clientWidth") <= 0
    cut = """[...view.querySelectorAll('li .name, .side .name, .ends .name')]
        .filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth).length"""
    assert page.evaluate(cut) == 0
    page.evaluate("view.close()")
    wide = """[...document.querySelectorAll('.list')].map((table) => table.parentElement)
        .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.ariaLabel)"""
    assert page.evaluate(wide) == []
    small = """[...document.querySelectorAll('main *')].filter((each) => each.checkVisibility()
        && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
        && parseFloat(getComputedStyle(each).fontSize) * (each.getScreenCTM?.().a ?? 1) < 11)
        .map((each) => each.outerHTML)"""
    assert page.evaluate(small) == []
    page.evaluate("document.querySelector('[data-set=difference]')?.click()")
    assert page.evaluate(small) == []
