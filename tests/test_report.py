import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from browsing import axe_violations, close_view, download, wait_for_view
from conftest import make_predictions
from hardpairs.analysis.evaluation import evaluate
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.foreign import one_line
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page import gallery, render_report
from hardpairs.report.page.evidence import evidence_sentences
from hardpairs.report.page.sprites import images_sprite
from hardpairs.report.write import write_analysis

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a" * 500,
    "\u202eright to left",
    "=1+1</style>{{ 7 * 7 }}",
)
STUDY = {
    "kind": "curve",
    "quick": False,
    "sections": [
        {
            "name": name,
            "train_images": count,
            "scores": [{"name": "cnn", "mean": mean, "interval": [mean - 0.01, mean + 0.01]}],
            "effects": [{"name": "</svg><b>", "gain": 0.01, "interval": [-0.002, 0.022]}],
        }
        for name, count, mean in (("half", 30_000, 0.9), ("all", 60_000, 0.92))
    ],
}
for section in STUDY["sections"]:
    section["scores"][0]["seconds"] = 12.5


def page_of(predictions, *, study=None, **given) -> str:
    return render_report(Subject(predictions, **given), study=study)


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_every_mistake_travels_most_confident_first():
    predictions = make_predictions(images=500)
    rows = gallery.choose_rows(predictions)
    wrong = predictions.predicted != predictions.labels
    assert set(np.flatnonzero(wrong)) <= set(rows.tolist())
    confidence = predictions.probabilities.max(axis=1)
    assert (np.diff(confidence[rows[wrong[rows]]]) <= 0).all()
    right = rows[~wrong[rows]]
    for index in range(5):
        mine = np.flatnonzero(~wrong & (predictions.labels == index))
        closest = mine[np.argsort(confidence[mine], kind="stable")[: gallery.RIGHT_PER_CLASS]]
        assert set(right[predictions.labels[right] == index]) == set(closest)


def test_too_many_mistakes_keep_the_most_confident_of_each_cell(monkeypatch):
    monkeypatch.setattr(gallery, "MOST_IMAGES", 60)
    predictions = make_predictions(images=2000)
    rows = gallery.choose_rows(predictions)
    assert len(rows) == 60
    confidence = predictions.probabilities.max(axis=1)
    for true, pred in np.argwhere(evaluate(predictions).confusion * (1 - np.eye(5))):
        cell = np.flatnonzero((predictions.labels == true) & (predictions.predicted == pred))
        kept = np.intersect1d(cell, rows)
        assert len(kept) >= 2
        assert confidence[kept].min() >= np.sort(confidence[cell])[-len(kept)]


def test_small_gray_sprite_holds_the_images_to_the_pixel():
    images = np.random.default_rng(0).integers(0, 256, (70, 28, 28, 1), dtype=np.uint8)
    sprite = images_sprite(images, np.arange(70)[::-1], inverted=True)
    sheet = pixels_of(sprite)
    top, left = (4 // sprite["columns"]) * 28, (4 % sprite["columns"]) * 28
    np.testing.assert_array_equal(255 - sheet[top : top + 28, left : left + 28], images[65, ..., 0])


def pixels_of(sprite) -> np.ndarray:
    import base64
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite["url"].partition(",")[2]))))


def test_large_colour_pictures_are_made_small_enough_for_all_of_them():
    rng = np.random.default_rng(0)

    class Photos:
        """Smooth pictures of 224 x 224, made when asked for."""

        def __len__(self):
            return 10_000

        def __getitem__(self, rows):
            seeds = rng.integers(0, 256, (len(np.arange(10_000)[rows]), 7, 7, 3), dtype=np.uint8)
            return seeds.repeat(32, axis=1).repeat(32, axis=2)

    few = images_sprite(Photos(), np.arange(20))
    assert few["side"] == 128
    many = images_sprite(Photos(), np.arange(3000))
    assert many["side"] < 96
    assert pixels_of(many).shape[2] == 3
    assert max(pixels_of(many).shape[:2]) < 16_383  # WebP's limit.


def test_bare_predictions_give_a_page_without_galleries():
    page = page_of(make_predictions())
    assert data_of(page)["sprite"] is None
    assert "came without images" in page
    for part in ('id="training"', 'id="study"', 'class="strip"'):
        assert part not in page


def test_page_without_mistakes():
    page = page_of(Predictions(np.array([0, 1]), np.eye(2), ("a", "b")))
    assert "All 2 images are right" in page
    for words in ("hardest", "easiest", "#pair=", "Hard pairs", "Would you"):
        assert words not in page.split("<script")[0]


def test_verdict_and_evidence_travel_with_their_image():
    predictions = make_predictions()
    subject = Subject(predictions, other_runs=(predictions,))
    data = data_of(page_of(predictions, other_runs=(predictions,)))
    images, sentences = data["images"], data["sentences"]
    judged = {verdict.row: verdict for verdict in subject.verdicts}
    assert len({verdict.verdict for verdict in judged.values()}) > 1
    ambiguity = subject.evidence.ambiguity
    for row, verdict, evidence in zip(
        *(images[name] for name in ("row", "verdict", "evidence")), strict=True
    ):
        assert verdict == (VERDICTS.index(judged[row].verdict) if row in judged else None)
        assert f"Ambiguity score {ambiguity[row]:.2f}, from 0 to 1." in [
            sentences[n] for n in evidence
        ]


def test_evidence_is_told_in_sentences():
    predictions = make_predictions(images=30, classes=3)
    votes = np.zeros((30, 3), np.int64)
    votes[:, 0], votes[:, 1] = 50, 7
    labels = np.zeros((30, 20), np.uint8)
    subject = Subject(
        predictions,
        votes=votes,
        neighbours=Neighbours(np.zeros((30, 20), np.int32), labels),
        other_runs=(predictions,),
    )
    wrong = np.flatnonzero((predictions.labels == 1) & (predictions.predicted == 0))[0]
    said = [
        text.replace("\u2068", "").replace("\u2069", "")
        for text in evidence_sentences(subject, np.array([wrong]))[0]
    ]
    assert said[:3] == [
        "0 of its 20 nearest training images are labelled class 1, 20 class 0.",
        "7 of 57 people chose class 1, 50 class 0.",
        "0 of 2 runs predict class 1.",
    ]


def test_hostile_names_stay_text():
    predictions = make_predictions(class_names=HOSTILE, metadata={"<b>": "</dl><script>"})

    seen = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append(tag)
            assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    page = page_of(predictions, study=STUDY)
    Tags().feed(page)
    assert seen.count("script") == 2
    assert "img" not in seen
    assert "49" not in re.findall(r"<bdi[^>]*>([^<]*)", page)
    assert data_of(page)["given"] == list(HOSTILE)
    assert data_of(page)["names"] == [one_line(name) for name in HOSTILE]


# --- In a real browser ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory, fashion) -> Path:
    """An analysis with everything in it: 600 images, half of their mistakes planted."""
    folder = tmp_path_factory.mktemp("report")
    made = make_predictions(images=600, classes=10)
    labels = fashion.test.labels[:600]
    probabilities = made.probabilities.copy()
    rows = np.arange(600)
    swapped = probabilities[rows, labels].copy()
    probabilities[rows, labels] = probabilities.max(axis=1)
    probabilities[rows, made.predicted] = np.where(made.predicted == labels, 1, swapped)
    probabilities[::2] = made.probabilities[::2]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predictions = Predictions(labels, probabilities, fashion.class_names, split="test")
    subject = Subject(
        predictions,
        images=fashion.test.images[:600],
        human_votes=np.full((10, 10), 0.1),
        history={"loss": [0.5, 0.3], "accuracy": [0.8, 0.9], "val_loss": [0.6, 0.5]},
        kept_epoch=2,
        kernels=np.random.default_rng(0).normal(size=(3, 3, 1, 32)),
    )
    write_analysis(subject, folder)
    page = render_report(
        Subject(predictions, images=subject.images, human_votes=subject.human_votes),
        study=STUDY,
    )
    (folder / "everything.html").write_text(page, encoding="utf-8")
    hostile = make_predictions(class_names=HOSTILE)
    judged = make_predictions(images=600, classes=10, class_names=fashion.class_names)
    (folder / "judged.html").write_text(
        render_report(
            Subject(
                judged,
                images=fashion.test.images[:600],
                votes=np.random.default_rng(0).integers(0, 9, (600, 10)) + 1,
                neighbours=Neighbours(
                    np.random.default_rng(0).integers(0, 99, (600, 20)).astype(np.int32),
                    np.random.default_rng(1).integers(0, 10, (600, 20)).astype(np.uint8),
                ),
                train_images=fashion.train.images[:99],
                hidden=np.random.default_rng(2).normal(size=(600, 4)),
                human_votes=np.full((10, 10), 0.1),
            )
        ),
        encoding="utf-8",
    )
    many = make_predictions(images=2000, classes=300)
    drawn = np.random.default_rng(0).integers(0, 256, (2000, 16, 16, 1), dtype=np.uint8)
    (folder / "many.html").write_text(page_of(many, images=drawn), encoding="utf-8")
    (folder / "hostile.html").write_text(
        page_of(hostile, images=subject.images[:200], study=STUDY), encoding="utf-8"
    )
    return folder


@pytest.fixture
def visit(open_page, folder):
    def visit(name="report.html", address="", **options):
        return open_page(folder / name, address, **options)

    return visit


def test_counts_in_the_page_are_those_of_metrics_json(visit, folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    page = visit()
    shown = page.evaluate(
        """() => [...document.querySelectorAll('.matrix:first-child tbody tr')].map((row) =>
        [...row.querySelectorAll('td')].map((cell) =>
        Number(cell.querySelector('.count')?.textContent ?? 0)))"""
    )
    assert shown == metrics["confusion"]
    for row, counts in enumerate(metrics["confusion"]):
        for column, count in enumerate(counts):
            assert page.locator(f'.cells a[href="#true={row}&pred={column}"]').count() == bool(
                count
            )
            page.evaluate(f"location.hash = 'true={row}&pred={column}'")
            wait_for_view(page, f"true={row}&pred={column}")
            opened = page.locator("#view .thumb").count()
            if row == column:  # The closest calls, and some of the surest to compare.
                assert min(count, gallery.RIGHT_PER_CLASS) <= opened <= count
            else:
                assert opened == count
            assert page.locator("#view-text").inner_text().startswith(f"{count} image")


def test_from_a_cell_to_its_images_by_pointer_and_by_keyboard(visit, folder):
    pair = evaluate_pair(folder)
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


def evaluate_pair(folder) -> tuple[int, int, int]:
    """The most confused cell: true, predicted, images."""
    confusion = np.array(json.loads((folder / "metrics.json").read_text())["confusion"])
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


def test_deep_link_opens_the_image(visit, folder):
    true, predicted, _ = evaluate_pair(folder)
    page = visit(address=f"#true={true}&pred={predicted}")
    page.keyboard.press("ArrowRight")
    address = page.url.partition("#")[2]
    name = page.locator("#loupe h3").inner_text()
    again = visit(address=f"#{address}")
    assert again.locator("#loupe h3").inner_text() == name
    assert visit(address="#true=99&pred=x").locator("#view[open]").count() == 0


def test_class_page_and_csv(visit, folder):
    confusion = np.array(json.loads((folder / "metrics.json").read_text())["confusion"])
    mistakes = int(confusion[6].sum() - confusion[6, 6])
    page = visit(address="#class=6")
    assert page.locator("#view .thumb").count() == mistakes
    lines = download(page, "#download").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + mistakes
    assert lines[0].startswith('"row","id","true","predicted","probability"')


def test_table_sorts(visit, folder):
    scores = json.loads((folder / "metrics.json").read_text())["classes"]
    page = visit()
    page.click("#classes ~ .scroll thead th:nth-child(3) button")
    shown = page.locator("#classes ~ .scroll tbody td:nth-child(3)").all_inner_texts()
    assert shown == [
        f"{value:.3f}" for value in sorted((s["recall"] for s in scores), reverse=True)
    ]


def test_theme(visit):
    page = visit(scheme="dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != dark


@pytest.mark.parametrize("name", ["report.html", "everything.html", "hostile.html"])
def test_phone_without_sideways_scrolling(visit, name):
    page = visit(name, width=360)
    assert page.evaluate("innerWidth") <= 450  # WebKit's window gets no narrower than that.
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.evaluate("location.hash = 'class=1'")
    wait_for_view(page, "class=1")
    assert page.evaluate("view.scrollWidth - view.clientWidth") <= 0


@pytest.mark.parametrize("engine", ["chromium", "firefox"], indirect=True)  # Those that can.
def test_prints(visit):
    assert visit().pdf(format="A4").startswith(b"%PDF")


def test_hostile_names_in_the_browser(visit):
    page = visit("hostile.html", "#class=4")
    assert page.locator("#view-title").inner_text() == HOSTILE[4]
    assert page.evaluate("document.querySelectorAll('img:not(.filters)').length") == 0
    text = download(page, "#download").read_text(encoding="utf-8")
    assert '"=1+1' not in text
    assert "\"'=1+1" in text


def test_from_the_first_screen_to_a_mark_in_two_clicks(visit, folder):
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


def test_marks_and_theme_are_kept(visit, open_page, folder):
    page = visit()
    page.locator(".faces a").first.click()
    page.locator("#view[open]").wait_for()
    page.keyboard.press("a")
    close_view(page)
    page.click("#theme")
    page.reload()
    assert page.locator("#marked").inner_text() == "1 marked"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_pair_shows_its_images_from_one_class_to_the_other(visit, folder):
    pair = json.loads((folder / "metrics.json").read_text())["hard_pairs"][0]
    page = visit(address="#pair=0")
    title = page.locator("#view-title").inner_text()
    assert title == f"{pair['first']} and {pair['second']}"
    assert page.locator("#spectrum .step").count() == 11
    assert page.locator("#spectrum .face.wrong").count() > 3
    page.locator("#spectrum .face").nth(5).click()
    assert page.locator("#loupe h3").inner_text().removeprefix("Image ") in page.url


def test_cells_filter_by_verdict_and_sort(visit, folder):
    true, predicted, count = evaluate_pair(folder)
    page = visit(address=f"#true={true}&pred={predicted}")
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


def test_quiz_ends_with_both_scores(visit):
    page = visit(address="#quiz")
    page.locator("#quiz[open]").wait_for()
    count = page.evaluate("data.quiz.items.length")
    for _ in range(count):
        page.keyboard.press("1")
    text = page.locator("#quiz .score").inner_text()
    assert re.search(rf"You: \d+ of {count}. The model: \d+", text)


def test_matrix_in_another_order_keeps_its_cells(visit, folder):
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


def test_map_is_walked_and_opened_by_keys(visit, folder):
    page = visit("judged.html", "#map")
    page.locator("#map-box").focus()
    before = page.locator("#map-loupe").inner_text().strip()
    assert before.startswith("labelled")
    for _ in range(100):
        if page.evaluate("drawnMap !== null"):
            break
        time.sleep(0.05)
    assert page.evaluate("drawnMap !== null")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    at = page.evaluate("map.place[onMap]")
    page.keyboard.press("Enter")
    page.locator("#view[open]").wait_for()
    assert page.locator("#loupe h3").inner_text() == f"Image {page.evaluate(f'images.id[{at}]')}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("report.html", ""),
        ("report.html", "#pair=0"),
        ("report.html", "#quiz"),
        ("judged.html", ""),
        ("judged.html", "#verdict=1"),
        ("judged.html", "#people=1&chosen=2"),
        ("many.html", "#group=0"),
        ("everything.html", ""),
        ("everything.html", "#class=6"),
    ],
)
def test_axe_finds_nothing(visit, scheme, name, address):
    page = visit(name, address, scheme=scheme)
    assert axe_violations(page, scheme) == []


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
    assert axe_violations(page) == []
