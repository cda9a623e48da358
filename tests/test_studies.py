import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from conftest import make_predictions, run_cli
from hardpairs.analysis.comparisons import (
    choose_leader,
    effects,
    fixed_seeds,
    make_block,
    scores,
)
from hardpairs.cli.terminal import print_study
from hardpairs.data.split import Dataset, Split
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import save_predictions
from hardpairs.studies.findings import gather_findings, load_study
from hardpairs.studies.jobs import (
    Job,
    Result,
    describe_job,
    job_key,
    run_jobs,
    study_folder,
    training_rows,
)
from hardpairs.studies.plans import (
    ADDED,
    FACTORS,
    REMOVED,
    ablate_arms,
    combine,
    compare_arms,
    curve_arms,
    distinct_names,
)
from hardpairs.studies.report import conclusion, leader_sentence, write_study, write_study_page
from hardpairs.training import environment
from hardpairs.training.recipes import RECIPES, Recipe, recipe_record


def dataset(images: int = 200) -> Dataset:
    pixels = np.random.default_rng(7).integers(0, 255, (images, 28, 28), dtype=np.uint8)
    labels = make_predictions(images).labels
    split = Split(pixels, labels)
    return Dataset("toy", "toy", tuple(f"class {index}" for index in range(5)), split, split)


DATASETS = {"toy": dataset()}
JOBS = [Job("toy", RECIPES[name], seed) for name in ("fast", "fast-dense") for seed in range(3)]


def files_of(job: Job, tmp_path) -> dict[str, bytes]:
    predictions = make_predictions(
        seed=job.seed,
        fingerprint=DATASETS["toy"].test.fingerprint,
        metadata={
            "job": describe_job(job, DATASETS["toy"]),
            "seed": job.seed,
            "recipe": recipe_record(job.recipe),
            "fit_seconds": 1.0,
        },
        split="test",
    )
    predictions = replace(predictions, labels=DATASETS["toy"].test.labels)
    splits = {"predictions.npz": "test", "validation.npz": "train"}
    files = {}
    for name, split in list(splits.items())[: 2 if job.recipe.validation_share else 1]:
        save_predictions(replace(predictions, split=split), tmp_path / "x.npz")
        files[name] = (tmp_path / "x.npz").read_bytes()
    return files


def home_of(job: Job, folder):
    return folder / "jobs" / job_key(describe_job(job, DATASETS["toy"]))


class Recorder:
    """An engine that trains nothing and remembers what it was asked for."""

    def __init__(self, tmp_path, failing=()):
        self.tmp_path, self.failing, self.asked = tmp_path, failing, []

    def __call__(self, jobs, datasets):
        for job in jobs:
            self.asked.append(job)
            fails = job in self.failing
            yield job, RuntimeError("no luck") if fails else files_of(job, self.tmp_path)


def ignore(done: int, total: int) -> None:
    pass


def test_finished_jobs_are_never_repeated(tmp_path):
    engine, seen = Recorder(tmp_path), []
    folder = tmp_path / "study"
    run_jobs(JOBS[:4], DATASETS, folder, engine, lambda *counts: seen.append(counts))
    assert engine.asked == JOBS[:4]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    again = Recorder(tmp_path)
    results, failures = run_jobs(JOBS, DATASETS, folder, again, ignore)
    assert again.asked == JOBS[4:]
    assert set(results) == set(JOBS)
    assert not failures


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone", "another"])
def test_a_damaged_job_is_found_and_redone(tmp_path, damage):
    folder = tmp_path / "study"
    run_jobs(JOBS, DATASETS, folder, Recorder(tmp_path), ignore)
    path = home_of(JOBS[1], folder) / "predictions.npz"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-200])
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes(files_of(JOBS[2], tmp_path)["predictions.npz"])
    engine = Recorder(tmp_path)
    results, _ = run_jobs(JOBS, DATASETS, folder, engine, ignore)
    assert engine.asked == [JOBS[1]]
    assert set(results) == set(JOBS)


def test_whatever_decides_the_numbers_makes_another_job(monkeypatch):
    job, data = JOBS[0], DATASETS["toy"]
    finder = RECIPES["sprint"]
    easy = replace(job, recipe=replace(job.recipe, easy_by=finder, easy_share=0.5))
    others = [
        job,
        easy,
        replace(job, seed=9),
        replace(job, fraction=0.5),
        *(replace(job, recipe=replace(job.recipe, **change)) for change in (
            {"epochs": 4}, {"net": "dense"}, {"net_options": {"third_block": True}},
            {"augment": (("flip", 0.5),)}, {"augment": (("flip", 0.4),)},
            {"easy_by": RECIPES["sprint"]},
        )),
    ]  # fmt: skip
    keys = [job_key(describe_job(other, data)) for other in others]
    keys.append(job_key(describe_job(job, dataset(199))))
    renamed = replace(data, class_names=("b", "a", "c", "d", "e"))
    keys.append(job_key(describe_job(job, renamed)))
    keys += [job_key(describe_job(job, data, policy)) for policy in ("float64", "mixed_float16")]
    with monkeypatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        keys.append(job_key(describe_job(job, data)))
    with monkeypatch.context() as patch:
        patch.setattr(environment, "training_code", lambda: "another line of code")
        keys.append(job_key(describe_job(job, data)))
    with monkeypatch.context() as patch:
        patch.setattr(environment, "versions", lambda backend: {"keras": "9.9"})
        keys.append(job_key(describe_job(job, data)))
    assert len(set(keys)) == len(keys)
    finder = replace(finder, epochs=9)
    easy = replace(job, recipe=replace(job.recipe, easy_by=finder, easy_share=0.5))
    assert job_key(describe_job(easy, data)) not in keys
    named = replace(job, recipe=replace(job.recipe, name="x", description="y", measured="z"))
    assert job_key(describe_job(named, data)) == keys[0]


def test_the_training_code_has_a_hash_and_recipes_have_none(monkeypatch, tmp_path):
    for name in ("training/fit.py", "training/recipes.py", "studies/worker.py", "report/page.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "training" / "environment.py"))
    hashed = environment.training_code.__wrapped__
    before = hashed()
    for name in ("training/recipes.py", "report/page.py"):
        (tmp_path / name).write_text("after")
        assert hashed() == before
    for name in ("training/fit.py", "studies/worker.py"):
        (tmp_path / name).write_text("after")
        assert hashed() != before
        (tmp_path / name).write_text("before")


@pytest.mark.parametrize("exchanged", ["", "predictions.npz", "validation.npz"])
def test_finished_jobs_that_took_each_others_place_are_redone(tmp_path, exchanged):
    """The same recipe and seed would do, so these differ in an augmentation alone."""
    row = replace(RECIPES["fast"], validation_share=0.1)
    jobs = [Job("toy", replace(row, augment=rows), 0) for rows in ((), (("flip", 0.5),))]
    folder = tmp_path / "study"
    run_jobs(jobs, DATASETS, folder, Recorder(tmp_path), ignore)
    one, other = (home_of(job, folder) / exchanged for job in jobs)
    one.rename(tmp_path / "aside")
    other.rename(one)
    (tmp_path / "aside").rename(other)
    engine = Recorder(tmp_path)
    results, _ = run_jobs(jobs, DATASETS, folder, engine, ignore)
    assert engine.asked == jobs
    assert set(results) == set(jobs)


def test_predictions_in_the_place_of_validation_are_redone(tmp_path):
    job = Job("toy", replace(RECIPES["fast"], validation_share=0.1), 0)
    run_jobs([job], DATASETS, tmp_path, Recorder(tmp_path), ignore)
    home = home_of(job, tmp_path)
    (home / "validation.npz").write_bytes((home / "predictions.npz").read_bytes())
    engine = Recorder(tmp_path)
    run_jobs([job], DATASETS, tmp_path, engine, ignore)
    assert engine.asked == [job]


def test_what_an_engine_brings_of_another_job_is_a_failure(tmp_path):
    def engine(jobs, datasets):
        yield jobs[0], files_of(JOBS[1], tmp_path)
        yield jobs[1], files_of(JOBS[1], tmp_path)

    results, failures = run_jobs(JOBS[:2], DATASETS, tmp_path / "s", engine, ignore)
    assert list(results) == [JOBS[1]]
    assert "its seed differs" in str(failures[JOBS[0]])
    assert len(list((tmp_path / "s" / "jobs").iterdir())) == 1


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_what_lies_in_a_jobs_place_is_removed_and_not_followed(tmp_path, kind):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("kept")
    home = home_of(JOBS[0], tmp_path / "study")
    home.parent.mkdir(parents=True)
    if kind == "file":
        home.write_text("a file")
    else:
        home.symlink_to(victim if kind == "link" else tmp_path / "nowhere")
    results, _ = run_jobs(JOBS[:1], DATASETS, tmp_path / "study", Recorder(tmp_path), ignore)
    assert set(results) == set(JOBS[:1])
    assert (victim / "precious").read_text() == "kept"


def test_the_same_data_under_two_names_is_trained_on_once(tmp_path):
    twice = {"toy": DATASETS["toy"], "copy": DATASETS["toy"]}
    jobs = [replace(JOBS[0], source=source) for source in twice]
    engine = Recorder(tmp_path)
    results, _ = run_jobs(jobs, twice, tmp_path, engine, ignore)
    assert engine.asked == jobs[:1]
    assert set(results) == set(jobs)


def test_a_failing_job_stops_no_other_and_is_tried_again(tmp_path):
    folder = tmp_path / "study"
    results, failures = run_jobs(
        JOBS, DATASETS, folder, Recorder(tmp_path, failing=[JOBS[2]]), ignore
    )
    assert set(failures) == {JOBS[2]}
    assert len(results) == 5
    arms = compare_arms(["toy"], [RECIPES["fast"], RECIPES["fast-dense"]], quick=False)
    findings, _ = gather_findings("compare", arms, DATASETS, 3, (results, failures), quick=False)
    assert findings.seeds == (0, 1)
    assert findings.failed == ("fast on toy, seed 2: RuntimeError: no luck",)
    few = {job: result for job, result in results.items() if job.recipe.name == "fast-dense"}
    few |= dict(list(results.items())[:1])
    with pytest.raises(InputError, match="1 of 3 seeds"):
        gather_findings("compare", arms, DATASETS, 3, (few, {}), quick=False)
    engine = Recorder(tmp_path)
    run_jobs(JOBS, DATASETS, folder, engine, ignore)
    assert engine.asked == [JOBS[2]]


def test_a_full_disk_is_said_and_keeps_what_is_finished(tmp_path, monkeypatch):
    folder = tmp_path / "study"
    run_jobs(JOBS[:2], DATASETS, folder, Recorder(tmp_path), ignore)

    def full(self, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(folder), "write_bytes", full)
        files = files_of(JOBS[2], tmp_path)

        def engine(jobs, datasets):
            yield jobs[0], files

        with pytest.raises(InputError, match="No space left"):
            run_jobs(JOBS, DATASETS, folder, engine, ignore)
    assert len(list((folder / "jobs").iterdir())) == 2
    again = Recorder(tmp_path)
    run_jobs(JOBS, DATASETS, folder, again, ignore)
    assert again.asked == JOBS[2:]


def test_two_studies_in_one_folder(tmp_path):
    code = (
        "import sys, pathlib; from hardpairs.studies.jobs import study_folder\n"
        "with study_folder(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(InputError, match="another study is running"), study_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with study_folder(tmp_path):
        pass


def test_a_planted_lock_changes_nothing_elsewhere(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("link", "dangling"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / ".lock").symlink_to(victim)
    (tmp_path / "dangling" / ".lock").symlink_to(tmp_path / "made")
    for name in ("link", "dangling"):
        with pytest.raises(InputError, match="written"), study_folder(tmp_path / name):
            pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "made").exists()
    (tmp_path / "hard").mkdir()
    os.link(victim, tmp_path / "hard" / ".lock")
    with study_folder(tmp_path / "hard"):
        pass
    assert victim.read_text() == "precious"


def test_what_a_killed_study_left_is_cleared_and_nothing_else(tmp_path):
    code = (
        "import os, pathlib, sys; from hardpairs.files import whole_file, whole_folder\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with whole_folder(folder / 'jobs' / 'abc') as partial, whole_file(folder / 'x') as file:\n"
        "    (partial / 'predictions.npz').write_bytes(b'half'); file.write_text('half')\n"
        "    os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.rglob(".*.partial"))) == 2
    (tmp_path / ".mine").write_text("kept")
    left = tmp_path / "jobs" / ".scratch" / "of-a-worker"
    left.mkdir(parents=True)
    with study_folder(tmp_path) as scratch:
        assert list(scratch.iterdir()) == []
    assert {path.name for path in tmp_path.rglob("*")} == {"jobs", ".mine", ".lock"}


def test_studies_need_no_module_that_windows_lacks(tmp_path):
    code = (
        "import sys, warnings\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'): sys.modules[name] = None\n"
        "warnings.simplefilter('ignore')\n"
        "import pathlib, hardpairs.cli.studies\n"
        "from hardpairs.studies.jobs import study_folder\n"
        "with study_folder(pathlib.Path(sys.argv[1])): print('held')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("held\n", "")


def test_a_fraction_of_data_sorted_by_class_holds_every_class():
    labels = np.sort(np.random.default_rng(0).integers(0, 5, 400))
    split = Split(np.zeros((400, 28, 28), np.uint8), labels)
    names = tuple(f"class {index}" for index in range(5))
    data = Dataset("sorted", "sorted", names, split, split)
    for fraction in (0.05, 0.3, 0.9):
        part = training_rows(Job("sorted", RECIPES["fast"], 0, fraction), data)
        assert len(part) == round(400 * fraction)
        shares = np.bincount(labels[part], minlength=5) / len(part)
        assert np.abs(shares - np.bincount(labels) / 400).max() < 2 / len(part)
    # The bundled sets are shuffled: the first images, so that numbers stay.
    shuffled = replace(data, shuffled=True)
    part = training_rows(Job("sorted", RECIPES["fast"], 0, 0.25), shuffled)
    assert part.tolist() == list(range(100))


def test_every_dataset_of_a_study_has_a_name_of_its_own():
    names = distinct_names(["digits", "/a/cats", "/b/cats", "/c/digits", "/d/dogs"])
    assert list(names.values()) == ["digits", "a/cats", "b/cats", "c/digits", "dogs"]
    alike = distinct_names(["/x/a b", "/x/a-b", "/x/A_b", "/y/a/b"])
    assert len(set(alike.values())) == 4
    plan = compare_arms(["/a/cats", "/b/cats"], [RECIPES["fast"]], quick=True)
    assert list(plan) == ["a/cats", "b/cats"]


def block(shifts, seeds: int = 4, images: int = 3000):
    """Recipes whose probabilities lean more to the truth the larger their shift."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 5, images)
    ease = rng.normal(2, 1, images)
    runs = []
    for shift in shifts:
        row = []
        for _ in range(seeds):
            right = rng.random(images) < 1 / (1 + np.exp(-ease - shift))
            predicted = np.where(right, labels, (labels + rng.integers(1, 5, images)) % 5)
            said = {"probabilities": np.eye(5)[predicted], "predicted": predicted}
            row.append(replace(make_predictions(images), labels=labels, **said))
        runs.append(row)
    return make_block([f"recipe {index}" for index in range(len(shifts))], runs), runs


def test_effects_are_what_the_predictions_say():
    compared, runs = block([0.0, 0.5, 0.0])
    first, second, _ = scores(compared)
    accuracies = [(run.predicted == run.labels).mean() for run in runs[1]]
    assert second.accuracies == pytest.approx(accuracies)
    better, same = effects(compared)
    assert better.gain == pytest.approx(second.mean - first.mean)
    assert better.errors_removed == pytest.approx(better.gain / (1 - first.mean))
    assert better.significant
    assert conclusion(better) == "better"
    assert not same.significant
    assert conclusion(same).startswith("? ")
    for seed, test in enumerate(better.seeds):
        before, after = (runs[arm][seed].predicted == runs[arm][seed].labels for arm in (0, 1))
        assert (test.fixed, test.broken) == ((after & ~before).sum(), (before & ~after).sum())
    assert sum(t.fixed - t.broken for t in better.seeds) == fixed_seeds(compared, 1).sum()
    support = np.bincount(compared.labels)
    weighted = sum(
        gain.change.difference * support[index] for index, gain in enumerate(better.classes)
    )
    assert weighted / 3000 == pytest.approx(better.gain)
    pair = better.pairs[0]
    a, b = (compared.class_names.index(name) for name in (pair.first, pair.second))
    mistakes = [
        np.mean([
            ((run.labels == a) & (run.predicted == b)).sum()
            + ((run.labels == b) & (run.predicted == a)).sum()
            for run in runs[arm]
        ])
        for arm in (0, 1)
    ]  # fmt: skip
    assert pair.change.wrong == pytest.approx(mistakes)


def test_a_leader_wins_only_where_it_is_significantly_better():
    clear, _ = block([0.0, 1.0, 0.0])
    assert choose_leader(clear, clear).name == "recipe 1"
    assert choose_leader(clear, clear).rivals == ()
    close, _ = block([0.0, 1.0, 1.02])
    leader = choose_leader(close, close)
    assert set(leader.rivals) <= {"recipe 1", "recipe 2"}
    assert len(leader.rivals) == 1
    assert leader.seeds_needed is None or leader.seeds_needed > 4
    # Chosen on validation: a leader that the test images place last beats nobody.
    assert len(choose_leader(block([1.0, 1.0, 0.0])[0], clear).rivals) >= 1


def test_different_images_are_not_compared():
    runs = [[make_predictions(200), make_predictions(200)], [make_predictions(199)] * 2]
    with pytest.raises(InputError, match="different images"):
        make_block(["a", "b"], runs)
    with pytest.raises(InputError, match="at least two"):
        make_block(["a"], [[make_predictions()]])


def fields_that_differ(one: Recipe, other: Recipe) -> set[str]:
    before, after = (recipe_record(recipe, words=False) for recipe in (one, other))
    return {field for field in before if before[field] != after[field]}


def test_the_ablations_plan():
    plan = ablate_arms("toy", tuple(FACTORS), quick=False)
    base, *alone = plan[ADDED]
    full, *removed = plan[REMOVED]
    assert len(alone) == len(removed) == len(FACTORS)
    for name, one, rest in zip(FACTORS, alone, removed, strict=True):
        differing = fields_that_differ(base.recipe, one.recipe)
        assert differing, name
        assert fields_that_differ(full.recipe, rest.recipe) == differing, name
    assert full.recipe.net_options == {"third_block": True, "batch_norm": True}
    assert combine(["flips"]).augment == (("flip", 0.5),)
    # Both in one resampling, whatever order they are named in.
    assert combine(["zooms", "rotations"]).augment == (("rotate_and_zoom", (0.005, 0.02)),)


def test_the_curves_plan_sees_small_parts_more_often():
    plan = curve_arms(["toy"], [RECIPES["fast"]], quick=False)
    epochs = {arm.fraction: arm.recipe.epochs for arms in plan.values() for arm in arms}
    assert epochs[1.0] == 3
    assert epochs[0.5] == 6
    assert epochs[1 / 32] == 12


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
    trainings, effects = findings.to_frame(), findings.to_frame("effects")
    assert len(trainings) == 2 * sum(len(section.scores) for section in findings.sections)
    assert len(effects) == findings._repr_html_().count("<tr>") - 1
    write_study_page(findings, plan, DATASETS, results, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "A quick study" in page
    beside = (tmp_path / "difference.html").read_text()
    assert "Two recipes: analysis of variance" in beside
    assert "matched seed by seed" in beside
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
def test_bad_input_is_one_sentence_and_code_2(tmp_path, arguments, said):
    done = run_cli(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


UNGUARDED = """
import sys
from hardpairs.data.datasets import load_dataset
from hardpairs.studies.jobs import Job
from hardpairs.studies.local import local_engine
from hardpairs.training.recipes import RECIPES
print("begun", flush=True)
data = {"digits": load_dataset("digits")}
job = Job("digits", RECIPES["fast-dense"], 0, 0.001)
for _, outcome in local_engine(1)([job], data):
    print(sorted(outcome) if isinstance(outcome, dict) else repr(outcome))
"""


@pytest.mark.train
def test_a_script_without_a_guard_runs_once(tmp_path):
    (tmp_path / "mine.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "mine.py"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["begun", "['history.csv', 'predictions.npz']"], done.stderr


@pytest.mark.train
def test_killed_at_any_moment_it_goes_on_to_the_same_table(tmp_path, tiny_folder):
    command = [
        *("compare", "fast-dense", "fast", "--data", str(tiny_folder), "--quick", "--quiet"),
        *("--out", str(tmp_path / "killed")),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "hardpairs", *command],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not (finished := list((tmp_path / "killed" / "jobs").glob("[!.]*"))):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    before = {path: (path / "predictions.npz").stat().st_mtime_ns for path in finished}
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while workers_of(process.pid):  # They end by themselves.
        assert time.monotonic() < deadline
        time.sleep(0.1)
    done = run_cli(*command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for path, changed in before.items():
        assert (path / "predictions.npz").stat().st_mtime_ns == changed
    whole = run_cli(*command[:-1], tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    assert without_times(tmp_path / "killed") == without_times(tmp_path / "whole")
    first, second = (text.stdout.splitlines()[:-1] for text in (done, whole))
    assert first == second


def workers_of(session: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()


def without_times(folder) -> dict:
    study = json.load(io.StringIO((folder / "study.json").read_text()))
    del study["training_hours"]
    for section in study["sections"]:
        for row in section["scores"]:
            del row["seconds"]
        for row in section["effects"]:
            del row["extra_seconds"]
    return study


def test_without_keras_a_study_names_the_extra(monkeypatch):
    from hardpairs.studies import local

    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"hardpairs\[train\]"):
        local.local_engine(1)
