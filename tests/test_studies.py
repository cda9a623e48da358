import io
import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from rich.console import Console

from conftest import make_predictions
from hardpairs.cli.main import cli
from hardpairs.cli.terminal import print_study
from hardpairs.errors import InputError
from hardpairs.studies.findings import gather_findings, load_study
from hardpairs.studies.jobs import Result, run_jobs
from hardpairs.studies.plans import ablate_arms, compare_arms, curve_arms
from hardpairs.studies.report import leader_sentence, write_study, write_study_page
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


def test_two_datasets_of_one_name_have_a_figure_each(tmp_path):
    both = {"/a/toy": dataset(), "/b/toy": dataset()}
    plan = compare_arms(list(both), [RECIPES["fast-dense"], RECIPES["fast"]], quick=True)
    jobs = [job for arms in plan.values() for arm in arms for job in arm.jobs(2)]
    labels = both["/a/toy"].test.labels
    results = {
        job: Result(
            replace(
                make_predictions(seed=job.seed + 9 * (job.recipe.name == "fast")), labels=labels
            ),
            None,
        )
        for job in jobs
    }
    findings, blocks = gather_findings("compare", plan, both, 2, (results, {}), quick=True)
    write_study(findings, blocks, dict.fromkeys(plan, both["/a/toy"].test), tmp_path)
    drawn = sorted(path.name for path in tmp_path.glob("*.png"))
    assert drawn == ["study_changes_a-toy.png", "study_changes_b-toy.png"]


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
        (("ablate", "--factors", "flips,glitter"), "--factors: glitter is none"),
        (("ablate", "--factors", "flips"), "one alone"),
        (("compare", "--seeds", "1"), "seeds"),
        (("curve", "--data", "nowhere"), "nowhere"),
        (("compare", "--out", "/proc/nothing"), "can't be written"),
    ],
)
def test_bad_input_is_told_before_anything_is_trained(tmp_path, monkeypatch, arguments, said):
    """As code 2 and one sentence: tests/test_cli.py, for all commands alike."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, InputError) or done.exit_code == 2
    assert said in done.output + str(done.exception)
    assert list(tmp_path.iterdir()) == []
