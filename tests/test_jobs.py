from dataclasses import replace

import numpy as np
import pytest

from hardpairs.data.split import Dataset, Split
from hardpairs.errors import InputError
from hardpairs.studies.findings import gather_findings
from hardpairs.studies.jobs import Job, describe_job, run_jobs, training_rows
from hardpairs.studies.plans import compare_arms
from hardpairs.training import environment
from hardpairs.training.recipes import RECIPES
from hardpairs.training.state import key_of
from toys import DATASETS, JOBS, Recorder, dataset, files_of, home_of, ignore


def test_finished_jobs_are_never_repeated(tmp_path):
    engine, seen = Recorder(tmp_path), []
    folder = tmp_path / "study"
    run_jobs(JOBS[:4], DATASETS, folder, engine, lambda *counts: seen.append(counts))
    assert engine.asked == JOBS[:4]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    state = folder / "jobs" / f".{home_of(JOBS[0], folder).name}.training.npz"
    state.write_text("left by a study that was killed before it could remove this")
    again = Recorder(tmp_path)
    results, failures = run_jobs(JOBS, DATASETS, folder, again, ignore)
    assert not state.exists()
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
    keys = [key_of(describe_job(other, data)) for other in others]
    keys.append(key_of(describe_job(job, dataset(199))))
    renamed = replace(data, class_names=("b", "a", "c", "d", "e"))
    keys.append(key_of(describe_job(job, renamed)))
    keys += [key_of(describe_job(job, data, policy)) for policy in ("float64", "mixed_float16")]
    with monkeypatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        keys.append(key_of(describe_job(job, data)))
    with monkeypatch.context() as patch:
        patch.setattr(environment, "training_code", lambda: "another line of code")
        keys.append(key_of(describe_job(job, data)))
    with monkeypatch.context() as patch:
        patch.setattr(environment, "versions", lambda backend: {"keras": "9.9"})
        keys.append(key_of(describe_job(job, data)))
    assert len(set(keys)) == len(keys)
    finder = replace(finder, epochs=9)
    easy = replace(job, recipe=replace(job.recipe, easy_by=finder, easy_share=0.5))
    assert key_of(describe_job(easy, data)) not in keys
    named = replace(job, recipe=replace(job.recipe, name="x", description="y", measured="z"))
    assert key_of(describe_job(named, data)) == keys[0]


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
