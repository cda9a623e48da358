"""What the page is given, without a browser."""

import html
import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis import layout
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.data.about import About
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.page import gallery, pairs, render_report
from hardpairs.report.page.map import map_points
from hardpairs.report.page.matrix import (
    LONGEST_NAME,
    group_classes,
    head_names,
    likeness_order,
    people_counts,
    people_rows,
)
from hardpairs.report.page.study import study_charts
from hardpairs.report.write import analyse


def parts_of(page: str) -> tuple[str, dict]:
    """The markup that people see, and the script's data."""
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL), data


def of_labels(labels, predicted, names) -> Predictions:
    return Predictions(
        np.array(labels), np.eye(len(names))[predicted] * 0.9 + 0.1 / len(names), names
    )


def test_a_page_says_what_is_true_of_what_it_was_given():
    made = make_predictions(images=300, ids=np.array([f"{row}.png" for row in range(300)]))
    alone, _ = parts_of(render_report(Subject(made)))
    assert alone.count("No mistake is called ambiguous") == 1
    assert "(--also), or the images or embeddings" in alone
    assert "listed by their ids" in alone
    assert "surely the one" not in alone
    assert "Lowest F1 first" in alone
    hard = Predictions(made.labels, None, made.class_names, predicted=made.predicted)
    assert parts_of(render_report(Subject(hard)))[0].count("No verdicts are given") == 1
    images = np.zeros((300, 8, 8, 1), np.uint8)
    given = {"images": images, "kernels": np.ones((3, 3, 1, 4)), "class_votes": np.eye(5)}
    seen, _ = parts_of(render_report(Subject(made, **given, inverted=True)))
    assert "surely the one" in seen
    assert "dark on this page" in seen
    assert "dark on this page" not in parts_of(render_report(Subject(made, **given)))[0]
    assert "<span>chosen</span>" in seen
    about = About("Digits", votes_source="Their survey, 7 votes an image")
    told, _ = parts_of(render_report(Subject(made, **given, about=about)))
    assert "Of the votes on each class&#39;s images, the share for each class: Their survey" in (
        told.replace("class's", "class&#39;s")
    )


def test_similar_classes_stand_together():
    labels = np.repeat(np.arange(6), 20)
    predicted = labels.copy()
    for first, second in ((0, 3), (1, 4), (2, 5)):  # Three pairs, interleaved.
        predicted[first * 20 : first * 20 + 8] = second
    order = likeness_order(Subject(of_labels(labels, predicted, tuple("abcdef"))).evaluation)
    assert sorted(order) == list(range(6))
    for first, second in ((0, 3), (1, 4), (2, 5)):
        assert abs(order.index(first) - order.index(second)) == 1


def test_many_classes_are_grouped_by_what_the_model_mixes_up():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 64, 3000)
    family = labels // 8
    predicted = np.where(rng.random(3000) < 0.5, labels, family * 8 + rng.integers(0, 8, 3000))
    names = tuple(f"class {index}" for index in range(64))
    predictions = Predictions(labels, None, names, predicted=predicted)
    groups = group_classes(Subject(predictions))
    assert sorted(index for group in groups for index in group["classes"]) == list(range(64))
    for group in groups:
        assert len({index // 8 for index in group["classes"]}) == 1
    mistakes = int((labels != predicted).sum())
    assert sum(group["inside"] + group["outside"] for group in groups) == mistakes
    counts = np.array([[cell["count"] for cell in group["cells"]] for group in groups])
    assert counts.diagonal().tolist() == [group["inside"] for group in groups]
    assert counts.sum(axis=1).tolist() == [g["inside"] + g["outside"] for g in groups]
    assert counts.diagonal().tolist() == sorted(counts.diagonal(), reverse=True)
    members = [np.isin(labels, group["classes"]) for group in groups]
    taken = [np.isin(predicted, group["classes"]) for group in groups]
    assert counts[0, 1] == (members[0] & taken[1]).sum()
    assert group_classes(Subject(make_predictions())) == []
    seen, _ = parts_of(render_report(Subject(predictions)))
    assert "#group=0" in seen


def test_names_in_a_matrix_head_are_short_and_still_differ():
    names = [f"species of bird number {index}" for index in range(40)] + ["owl"]
    short = head_names(names)
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= LONGEST_NAME
    assert short[-1] == "owl"
    assert head_names(["ankle boot", "a very long name of a class"])[1].startswith("a very long")


def test_the_classes_of_a_group_that_are_mixed_up_most_come_first():
    labels = np.repeat(np.arange(60), 20)
    predicted = labels.copy()
    predicted[7 * 20 : 7 * 20 + 9] = 9  # Half of class 7 is taken for class 9.
    groups = group_classes(Subject(of_labels(labels, predicted, tuple(map(str, range(60))))))
    assert set(groups[0]["classes"][:2]) == {7, 9}


def test_no_pair_stands_out_where_each_is_mixed_up_once():
    for predicted, found, door in (
        ([1, 2, 2], "No pair of classes stands out: 2 are mixed up, each once", "#pairs"),
        ([1, 0, 2], "\u2068a\u2069 and \u2068b\u2069: 2 of 2 mistakes", "#pair=0"),
        ([1, 1, 2], "\u2068a\u2069 and \u2068b\u2069: the only mistake", "#pair=0"),
    ):
        page = render_report(Subject(of_labels([0, 1, 2], predicted, ("a", "b", "c"))))
        seen, data = parts_of(page)
        assert f'<a href="{door}">{found}</a>' in seen
        assert len(data["first"]) == (predicted != [1, 1, 2]) + 1


def test_ids_travel_with_their_blanks_and_without_what_cannot_be_shown():
    ids = np.array([f"a  b {row}.png" for row in range(199)] + ["a\nb"])
    _, data = parts_of(render_report(Subject(make_predictions(ids=ids))))
    assert all("a  b" in each or each == "a b" for each in data["images"]["id"])


def test_a_pair_says_what_separates_it_and_what_people_do():
    made = make_predictions(images=300, classes=3)
    votes = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    seen, data = parts_of(render_report(Subject(made, class_votes=votes)))
    told = [text for pair in data["pairs"] for text in pair["told"]]
    assert len(told) >= len(data["pairs"])
    assert any("30% of their votes on" in text or "20% of their votes on" in text for text in told)
    for text in told:
        assert html.escape(text, quote=False) in seen.replace("&#39;", "'")


def test_who_does_better_has_one_colour_on_and_off_the_diagonal():
    predictions = of_labels([0, 0, 1, 1], [0, 0, 1, 1], ("a", "b"))
    rows = people_rows(Subject(predictions, class_votes=np.array([[0.6, 0.4], [0.0, 1.0]])))
    assert [cell["better"] for cell in rows[0]] == ["model", "model"]
    assert [cell["difference_level"] for cell in rows[1]] == [0, 0]


def test_what_people_chose_leads_to_its_images():
    made = make_predictions(images=300, classes=3)
    votes = np.random.default_rng(0).multinomial(20, [0.4, 0.3, 0.3], 300)
    subject = Subject(made, votes=votes, class_votes=np.full((3, 3), 1 / 3))
    chosen = votes.argmax(axis=1)
    assert people_counts(subject)[2, 0] == ((made.labels == 2) & (chosen == 0)).sum()
    seen, data = parts_of(render_report(subject))
    assert "#people=2&amp;chosen=0" in seen
    carried = np.array(data["images"]["row"])
    for label, other in ((2, 0), (0, 1)):
        assert ((made.labels[carried] == label) & (chosen[carried] == other)).sum() >= 3
    bare = render_report(Subject(made, class_votes=np.full((3, 3), 1 / 3)))
    assert "#people=" not in parts_of(bare)[0]


def test_map_places_images_of_one_kind_together():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    embeddings = rng.normal(size=(3, 16))[labels] * 5 + rng.normal(size=(300, 16))
    made = make_predictions(images=300, classes=3)
    predictions = Predictions(labels, made.probabilities, ("a", "b", "c"), embeddings=embeddings)
    assert map_points(Subject(made), [0, 1]) is None
    rows = gallery.choose_rows(predictions)
    points = map_points(Subject(predictions), rows.tolist())
    assert len(points["x"]) == 300
    assert min(points["x"]) == min(points["y"]) == 0
    assert [place for place in points["place"] if place >= 0] == list(range(len(rows)))
    placed, true = np.column_stack([points["x"], points["y"]]), np.array(points["true"])
    centres = np.array([placed[true == index].mean(axis=0) for index in range(3)])
    nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == true).mean() > 0.95
    assert map_points(Subject(made), []) is None


def test_map_by_neighbours_keeps_them(monkeypatch):
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(layout, "EARLY_STEPS", 20)  # A few images are placed soon.
    monkeypatch.setattr(layout, "STEPS", 40)
    rng = np.random.default_rng(0)
    kinds = np.arange(200) % 4
    placed = layout.neighbour_layout(np.eye(4)[kinds] + rng.normal(0, 0.1, (200, 4)))
    apart = np.linalg.norm(placed[:, None] - placed, axis=2) + 1e9 * np.eye(200)
    assert (kinds[apart.argmin(axis=1)] == kinds).mean() > 0.95


def test_map_by_neighbours_names_what_it_needs(tmp_path, monkeypatch):
    made = replace(make_predictions(), embeddings=np.ones((200, 3), np.float32))
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    save_predictions(made, tmp_path / "p.npz")
    with pytest.raises(InputError, match=r"pip install 'hardpairs\[map\]'"):
        analyse(tmp_path / "p.npz", neighbour_map=True)
    monkeypatch.setitem(sys.modules, "openTSNE", sys)
    save_predictions(make_predictions(), tmp_path / "bare.npz")
    with pytest.raises(InputError, match="no hidden layer"):
        analyse(tmp_path / "bare.npz", neighbour_map=True)


def test_spectrum_goes_from_surely_one_class_to_surely_the_other():
    subject = Subject(make_predictions(images=500))
    rows = gallery.choose_rows(subject.predictions)
    place_of = {row: place for place, row in enumerate(rows.tolist())}
    found = pairs.pair_data(subject, 0, place_of)
    steps = [step for _, step in found["spectrum"]]
    assert steps == sorted(steps)
    assert set(steps) <= set(range(pairs.STEPS))
    for place, step in found["spectrum"]:
        predicted = subject.predictions.predicted[rows[place]]
        middle = pairs.STEPS // 2
        assert step <= middle if predicted == found["first"] else step >= middle


def test_a_spectrum_counts_the_images_that_do_not_travel():
    made = make_predictions(images=3000, classes=3)
    subject = Subject(made)
    found = pairs.pair_data(subject, 0, {})
    assert found["spectrum"] == []
    shares = made.probabilities.astype(float)
    of_pair = np.isin(made.predicted, (found["first"], found["second"]))
    for side, label in enumerate((found["first"], found["second"])):
        rows = of_pair & (made.labels == label)
        first, second = (shares[rows, found[name]] for name in ("first", "second"))
        steps = np.minimum((second / (first + second) * pairs.STEPS).astype(int), pairs.STEPS - 1)
        right = made.predicted[rows] == label
        for step, counted in enumerate(found["counts"][side]):
            here = steps == step
            assert counted == [(here & right).sum(), (here & ~right).sum()]


@pytest.mark.parametrize(
    ("counts", "word"),
    [((60, 30, 10), "suspects"), ((5, 80, 15), "ambiguous"), ((3, 10, 87), "model errors")],
)
def test_advice_follows_the_verdicts(counts, word):
    given = dict(zip(pairs.ADVICE, counts, strict=True))
    assert word in pairs.advice(given, 100)


def test_no_advice_without_evidence():
    assert pairs.advice(dict(zip(pairs.ADVICE, (15, 45, 40), strict=True)), 100) is None
    assert pairs.advice(dict(zip(pairs.ADVICE, (5, 0, 0), strict=True)), 5) is None


def test_quiz_scores_the_model_on_the_images_it_asks():
    predictions = make_predictions(images=2000, classes=10)
    subject = Subject(predictions, images=np.zeros((2000, 8, 8, 1), np.uint8))
    _, data = parts_of(render_report(subject))
    images, items = data["images"], data["quiz"]["items"]
    assert len(items) == pairs.QUIZ_IMAGES
    right = [images["true"][k] == images["predicted"][k] for k, _, _ in items]
    assert data["quiz"]["model"] == sum(right)
    for k, first, second in items:
        assert images["true"][k] in (first, second)


def test_ids_travel_as_they_are():
    ids = 2**53 + np.arange(200)
    _, data = parts_of(render_report(Subject(make_predictions(ids=ids))))
    assert set(data["images"]["id"]) <= {str(identity) for identity in ids.tolist()}
    assert len(set(data["images"]["id"])) == len(data["images"]["id"])


@pytest.mark.parametrize(
    ("labels", "predicted", "names"),
    [
        ([0, 1, 0, 1, 0], [0, 1, 0, 1, 0], ("a", "b")),
        ([0, 1, 0, 1, 0], [1, 1, 0, 1, 0], ("a", "b")),
        ([0, 0, 1, 1], [1, 1, 0, 0], ("a", "b", "absent")),
        ([0, 1, 2] * 7, [0, 1, 2] * 7, ("", "b", "c")),
    ],
    ids=["all right", "five images", "all wrong, a class absent", "a name blank"],
)
def test_small_and_odd_data_say_nothing_silly(labels, predicted, names):
    seen, data = parts_of(render_report(Subject(of_labels(labels, predicted, names))))
    if labels == predicted:
        assert "hardest" not in seen.lower()
        assert "images are right" in seen
    assert "1 mistakes" not in seen
    assert "1 of 1 " not in seen
    assert not re.search(r'<bdi class="name" title=""></bdi>', seen)
    if "absent" in names:
        row = re.search(r'<tr><th scope="row"><a href="#class=2">.*?</tr>', seen, re.DOTALL)[0]
        assert "0.000" not in row
    linked = {tuple(map(int, link)) for link in re.findall(r"#true=(\d+)&amp;pred=(\d+)", seen)}
    assert linked <= {(true, pred) for true, pred, _, _ in data["cells"]}


def test_classes_alone_give_a_page_without_confidence():
    made = make_predictions()
    predictions = Predictions(made.labels, None, made.class_names, predicted=made.predicted)
    seen, data = parts_of(render_report(Subject(predictions)))
    assert data["images"]["probabilities"] == [[] for _ in data["images"]["row"]]
    assert 'id="calibration"' not in seen


def test_a_quick_studys_banner_stands_first():
    study = {"kind": "compare", "quick": True, "seeds": [0], "sections": []}
    seen, _ = parts_of(render_report(Subject(make_predictions()), study=study))
    main = seen[seen.index("<main") :]
    assert main.index("its numbers mean nothing") < main.index("<h1")


def test_a_study_says_which_gains_are_significant():
    gains = (("more", 0.02, 0.001, True), ("like", 0.001, 0.4, False), ("less", -0.02, 0.01, True))
    scores = [
        {"name": name, "mean": 0.9, "interval": [0.89, 0.91], "seconds": 1.5}
        for name in ("plain", *(gain[0] for gain in gains))
    ]
    effects = [
        {
            "name": name,
            "reference": "plain",
            "gain": gain,
            "interval": [gain - 0.01, gain + 0.01],
            "p_value": p_value,
            "significant": significant,
        }
        for name, gain, p_value, significant in gains
    ]
    section = {"name": "toy", "scores": scores, "effects": effects}
    study = {"kind": "ablate", "quick": False, "seeds": [0, 1, 2, 3], "sections": [section]}
    seen, _ = parts_of(render_report(Subject(make_predictions()), study=study))
    assert "4 seeds for each recipe" in seen
    assert "Gains over <bdi>plain</bdi>" in seen
    assert re.findall(r'class="dot (\w+)" cx="[\d.]+" cy="[\d.]+" r="4.5"', seen) == [
        "s0",
        "unsure",
        "s1",
    ]
    for place, (_, _, p_value, significant) in enumerate(gains):
        key = f'data-key="study.json: sections[0].effects[{place}].p_value"'
        said = "yes" if significant else "no"
        assert re.search(f'{re.escape(key)}[^>]*>{p_value:g}</td><td class="[^"]*">{said}<', seen)
    quick, _ = parts_of(render_report(Subject(make_predictions()), study=study | {"quick": True}))
    assert "significant" not in quick[: quick.index("One of its runs")]
    assert 'class="dot s0" cx' not in quick[: quick.index("One of its runs")]


def test_curves_of_two_datasets_are_two_lines():
    def section(source, count, mean):
        score = {"name": "fast", "mean": mean, "interval": [mean, mean], "seconds": 1.0}
        return {
            "name": source,
            "source": source,
            "data": source,
            "train_images": count,
            "scores": [score],
        }

    places = (("digits", 100, 0.9), ("digits", 200, 0.95), ("fashion", 100, 0.7))
    lines = study_charts(
        {"kind": "curve", "quick": False, "sections": [section(*place) for place in places]}
    )
    assert [(line.name, line.x) for line in lines["lines"]] == [
        ("fast on digits", [100, 200]),
        ("fast on fashion", [100]),
    ]


def test_each_verdict_leads_to_its_own_images():
    subject = Subject(make_predictions(images=500))  # A model alone: two verdicts are missing.
    links = re.findall(r'href="#verdict=(\d)" data-verdict="([^"]+)"', render_report(subject))
    assert 0 < len(links) < len(VERDICTS)
    for index, name in links:
        assert html.unescape(name) == VERDICTS[int(index)]
