import io
import json
import re
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.transforms import Bbox
from rich.console import Console

from conftest import make_predictions, run_here
from hardpairs.analysis.comparisons import Block, Score
from hardpairs.analysis.difference import diff
from hardpairs.analysis.subject import Subject
from hardpairs.cli.terminal import print_study
from hardpairs.errors import InputError
from hardpairs.files import write_text
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.difference import render_difference
from hardpairs.report.page.render import render_report
from hardpairs.studies.figures import draw_changes, draw_curves, draw_effects
from hardpairs.studies.findings import failure_line, gather_findings, load_study
from hardpairs.studies.jobs import Job, Result, run_jobs
from hardpairs.studies.plans import FACTORS, ablate_arms, compare_arms, curve_arms
from hardpairs.studies.report import (
    draw_study,
    leader_sentence,
    render_study,
    write_study,
    write_study_page,
)
from hardpairs.training.recipes import RECIPES
from toys import DATASETS, Recorder, dataset, ignore


def test_each_dataset_of_a_curve_has_lines_of_its_own_on_the_page(tmp_path):
    both = {"/a/toy": dataset(), "/b/toy": dataset()}
    plan = curve_arms(list(both), [RECIPES["fast-dense"], RECIPES["fast"]], quick=True)
    jobs = [job for arms in plan.values() for arm in arms for job in arm.jobs(2)]
    results = {job: Result(make_predictions(), None) for job in jobs}
    findings, blocks = gather_findings("curve", plan, both, 2, (results, {}), quick=True)
    write_study_page(findings, plan, both, results, tmp_path)
    page = (tmp_path / "report.html").read_text()
    legend = re.findall(r'<li class="s\d"><bdi>([^<]* on [^<]*)</bdi>', page)
    names = ("fast-dense", "fast")
    assert legend == [f"{name} on {data}" for data in ("a/toy", "b/toy") for name in names]
    lines = re.findall('polyline class="line s." points="(.*?)"', page)
    assert [len(line.split()) for line in lines] == [2, 2, 2, 2]
    write_study(findings, blocks, {}, tmp_path)


def made(kind: str, plan: dict, folder, data=DATASETS, *, quick: bool = True):
    """Findings and blocks of a study whose predictions were made up."""
    jobs = [job for arms in plan.values() for arm in arms for job in arm.jobs(2)]
    labels = make_predictions().labels
    results = {
        job: Result(
            replace(
                make_predictions(seed=job.seed + 9 * (job.recipe.name == "fast")), labels=labels
            ),
            None,
        )
        for job in jobs
    }
    findings, blocks = gather_findings(kind, plan, data, 2, (results, {}), quick=quick)
    write_study_page(findings, plan, data, results, folder)
    return findings, blocks


def test_two_datasets_of_one_name_have_a_figure_each(tmp_path):
    both = {"/a/toy": dataset(), "/b/toy": dataset()}
    plan = compare_arms(list(both), [RECIPES["fast-dense"], RECIPES["fast"]], quick=True)
    findings, blocks = made("compare", plan, tmp_path, both)
    write_study(findings, blocks, dict.fromkeys(plan, both["/a/toy"].test), tmp_path)
    drawn = sorted(path.name for path in tmp_path.glob("*.png"))
    assert drawn == ["study_changes_a-toy.png", "study_changes_b-toy.png"]


def test_a_studys_sheet_reads_as_sentences(tmp_path):
    both = {"/a/one": dataset(), "/b/two": dataset()}
    plan = compare_arms(list(both), [RECIPES["fast-dense"], RECIPES["fast"]], quick=False)
    findings, _ = made("compare", plan, tmp_path, both, quick=False)
    text = render_study(replace(findings, training_hours=0.01), ["study_changes_one.png"])
    assert "2 seeds for each recipe, 36 seconds of training in all." in text
    assert "![Test images of one that fast fixes and that it breaks" in text
    assert "What fast gains in each class's recall" in text
    page = (tmp_path / "report.html").read_text()
    assert "on <bdi>two</bdi>. What its recipe fixes" in page  # Of two sets, which one follows.


def test_parts_of_the_images_are_told_without_idle_decimals():
    names = curve_arms(["toy"], [RECIPES["fast-dense"], RECIPES["fast"]], quick=False)
    shares = [name.removeprefix("toy, ").removesuffix(" of the images") for name in names]
    assert shares == ["3.125%", "6.25%", "12.5%", "25%", "50%", "100%"]


def test_names_of_lines_that_end_together_lie_beside_each_other(tmp_path):
    recipes = [RECIPES["fast-dense"], RECIPES["fast"]]
    both = {"/a/one": dataset(), "/b/two": dataset()}
    for data in (DATASETS, both):
        plan = curve_arms(list(data), recipes, quick=True)
        findings, _ = made("curve", plan, tmp_path, data)
        (figure,) = draw_study(findings, {}, {}).values()
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        assert len(boxes) == 2 * len(data)
        assert Bbox.union(boxes).y1 < figure.bbox.y1
        lowest_first = sorted(boxes, key=lambda box: box.y0)
        for lower, upper in pairwise(lowest_first):
            assert lower.y1 <= upper.y0 + 3  # Pixels: room for letters below the line.


@pytest.mark.parametrize("mean", [0.9, 1.0])
def test_a_curve_that_reaches_0_mistakes_runs_off_its_axis(mean):
    score = Score("fast", (mean,), mean, (0.7, 1.0), 1.0)
    (axes,) = draw_curves({"fast": [(100, score), (1_000, score)]}, "Mistakes").axes
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert 0 < band.min() < axes.get_ylim()[0]


def test_captions_of_changed_images_do_not_run_into_each_other():
    names = [f"A class of clothes with a long name, number {k}" for k in range(3)]
    split = dataset().test
    labels = np.zeros(len(split), np.int64)
    predicted = np.stack([np.full((2, len(split)), 1), np.full((2, len(split)), 0)])
    predicted[:, :, ::2] = predicted[::-1, :, ::2]
    block = Block(("first", "second"), tuple(names), labels, predicted, np.ones((2, 2)))
    figure = draw_changes(block, 1, split)
    figure.draw_without_rendering()
    assert "broken\n\n100 of them\nin all 2 seeds" in [t.get_text() for t in figure.axes[0].texts]
    texts = [text for text in figure.axes[0].texts if re.search("\n(was|now) ", text.get_text())]
    assert len(texts) == 16
    rows = sorted((t.get_window_extent() for t in texts), key=lambda box: (-box.y0, box.x0))
    for left, right in (*pairwise(rows[:8]), *pairwise(rows[8:])):
        assert left.x1 < right.x0


@pytest.mark.parametrize("kind", ["compare", "ablate", "curve"])
def test_a_studys_files(tmp_path, kind):
    engine = Recorder(tmp_path)
    recipes = [RECIPES["fast-dense"], RECIPES["fast"]]
    plan = {
        "compare": lambda: compare_arms(["toy"], recipes, quick=True),
        "ablate": lambda: ablate_arms("toy", ("flips", "third-block"), quick=True),
        "curve": lambda: curve_arms(["toy"], recipes, quick=True),
    }[kind]()
    jobs = [job for arms in plan.values() for arm in arms for job in arm.jobs(2)]
    results, failures = run_jobs(jobs, DATASETS, tmp_path, engine, ignore)
    findings, blocks = gather_findings(kind, plan, DATASETS, 2, (results, failures), quick=True)
    write_study(findings, blocks, dict.fromkeys(plan, DATASETS["toy"].test), tmp_path)
    picture = {"compare": None, "ablate": "study_effects.png", "curve": "study_curves.png"}[kind]
    assert picture is None or (tmp_path / picture).stat().st_size > 10_000
    text = (tmp_path / "study.md").read_text()
    assert "numbers mean nothing" in text.splitlines()[0]
    for arms in plan.values():
        for arm in arms:
            assert f"| {arm.name} |" in text
    assert json.loads((tmp_path / "study.json").read_text()) == json.loads(
        json.dumps(findings.to_dict())
    )
    assert load_study(tmp_path) == findings
    assert repr(findings).startswith(f"Findings({kind}, quick, ")
    trainings, effects = findings.to_frame(), findings.to_frame("effects")
    assert len(trainings) == 2 * sum(len(section.scores) for section in findings.sections)
    assert len(effects) == findings._repr_html_().count("<tr>") - 1
    write_study_page(findings, plan, DATASETS, results, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "A quick study" in page
    assert "Most of these" not in page
    beside = (tmp_path / "difference.html").read_text()
    assert "Two recipes: analysis of variance" in beside
    assert "matched seed by seed" in beside
    assert beside.index("A quick study") < beside.index("<h1")
    for told in (page, beside):
        assert not re.search(r'data-verdict=|class="tag (be|wo)|is (better|worse) than', told)
    assert page.count("<h2><bdi>") >= len(findings.sections)
    if kind == "ablate":
        assert leader_sentence(replace(findings, quick=False)).startswith(("flips", "third", "No "))
        assert findings.leader is not None
    out = io.StringIO()
    print_study(findings, Console(file=out, width=100))
    study = page[page.index('<section class="study"') : page.index('<section class="headline"')]
    for told in (text, out.getvalue(), study):
        assert not re.search(r"\b(better|worse|significant(ly)?|helps|beats?|leads|winner)\b", told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "nonsense"), "no such recipe"),
        (("compare", "fast"), "fast can't be compared with itself"),
        (("ablate", "--factors", "flips,glitter"), "--factors: glitter is no factor"),
        (("ablate", "--factors", "flips"), "one alone"),
        (("compare", "--seeds", "1"), "seeds"),
        (("curve", "--data", "nowhere"), "nowhere"),
        (("compare", "--out", "/proc/nothing"), "/proc/nothing: can't be made"),
    ],
)
def test_bad_input_is_told_before_anything_is_trained(tmp_path, arguments, said):
    """As code 2 and one sentence: tests/test_cli.py, for all commands alike."""
    done = run_here(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def told(first, second):
    """Findings of two recipes with these predictions, what the terminal, sheet and page say."""
    data = {"toy": dataset()}
    plan = compare_arms(["toy"], [RECIPES["fast-dense"], RECIPES["fast"]], quick=False)
    results = {
        job: Result(run, None)
        for arm, side in zip(*plan.values(), (first, second), strict=True)
        for job, run in zip(arm.jobs(2), side, strict=True)
    }
    findings, _ = gather_findings("compare", plan, data, 2, (results, {}), quick=False)
    page = page_of(findings)
    output = Console(file=io.StringIO(), width=120)
    print_study(findings, output)
    return findings, output.file.getvalue(), render_study(findings, []), page


def page_of(findings):
    """The study's part of its page."""
    seen = render_report(Subject(make_predictions()), study=findings.to_dict())
    return seen[seen.index("<main") : seen.index("One of its runs")]


def runs_with(wrong: list[list[int]], images: int = 30_000):
    """A run for each list of mistaken images."""
    labels, names = np.arange(images) % 2, ("cat", "dog")
    return [
        Predictions(labels, None, names, predicted=np.isin(np.arange(images), rows) ^ labels)
        for rows in wrong
    ]


def test_a_study_tells_nothing_as_none_or_all_that_is_not():
    _, *texts = told(runs_with([[0, 1, 2], [0, 3, 4]]), runs_with([[0], [1]]))
    for text in texts:
        assert "99.997%" in text
        assert "+0.01" in text
        assert not re.search(r"\b100\.00%(?! *</td>)|-0\.00\b|-0\b(?!\.)", text)
    assert "66.7% |" in texts[1]
    assert "-67%" in texts[0]


def test_seeds_that_agree_leave_no_interval_of_no_width():
    first, second = runs_with([[0], [1]]), runs_with([[], []])
    _, _, sheet, page = told(first, second)
    assert sheet.count("all seeds alike") == page.count(">all seeds alike</span>") == 2
    assert render_difference(diff(first, second)).count("all seeds alike") == 2


def test_a_reference_without_mistakes_has_none_to_remove(tmp_path):
    findings, terminal, sheet, _ = told(runs_with([[], []]), runs_with([[0], [1]]))
    assert findings.sections[0].effects[0].errors_removed is None
    assert not re.search(r"\d{6,}%", terminal + sheet.replace(",", ""))
    write_text(tmp_path / "study.json", json.dumps(findings.to_dict()))
    assert load_study(tmp_path) == findings


def test_p_values_of_a_study_never_read_as_what_they_are_compared_with():
    findings, _, sheet, _ = told(runs_with([[0], [1]]), runs_with([[], []]))
    (section,) = findings.sections
    near = replace(section.effects[0], p_value=0.0496)
    findings = replace(findings, sections=(replace(section, effects=(near,)),))
    assert "| 0.0496 |" in render_study(findings, [])
    assert ">0.0496</td>" in page_of(findings)
    assert "each p by itself" in sheet  # The tables' p-values are corrected, those of seeds not.


def test_an_ablations_texts_are_in_the_figure_beside_each_other_and_of_one_size():
    gain = {"gain": 0.01, "interval": (0.0, 0.02), "significant": True}
    panels = {
        panel: [SimpleNamespace(name=f"{pre}{name}", **gain) for name in FACTORS]
        for panel, pre in (("added", ""), ("removed", "without "))
    }
    figure = draw_effects(panels, "headline", judged=True)
    figure.draw_without_rendering()
    left, right = figure.axes
    for axes in (left, right):
        label = axes.xaxis.label
        assert figure.bbox.contains(*label.get_window_extent().max)
        assert {text.get_size() for text in axes.get_yticklabels()} == {label.get_size()}
    names = Bbox.union([text.get_window_extent() for text in right.get_yticklabels()])
    assert names.x0 > left.get_window_extent().x1


def test_a_failure_that_is_a_sentence_is_told_as_one():
    said = "x: can't be written (No space left on device); free some space."
    job = Job("toy", RECIPES["fast"], 1)
    assert failure_line(job, InputError(said)) == f"fast on toy, seed 1: {said}"
    assert failure_line(job, ValueError("odd")) == "fast on toy, seed 1: ValueError: odd"
