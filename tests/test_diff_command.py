import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from conftest import make_predictions, run_here
from hardpairs.analysis.changes import p_is
from hardpairs.analysis.difference import diff
from hardpairs.analysis.gate import find_worse
from hardpairs.cli.commands import cli
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.difference import render_summary


def improved(run: Predictions, share: float, seed: int = 0) -> Predictions:
    """Some of the predictions replaced by the labels: better, and in nothing worse."""
    chosen = np.random.default_rng(seed).random(len(run)) < share
    probabilities = run.probabilities.copy()
    probabilities[chosen] = np.eye(len(run.class_names))[run.labels[chosen]] * 0.9 + 0.02
    return Predictions(run.labels, probabilities, run.class_names, metadata=run.metadata)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diff")
    main = make_predictions(2000)
    save_predictions(main, folder / "main.npz")
    save_predictions(improved(main, 0.2), folder / "branch.npz")
    for seed in range(3):
        for name, run in (("a", main), ("b", improved(main, 0.2))):
            noisy = improved(run, 0.05, seed + 1)
            save_predictions(
                replace(noisy, metadata={"seed": seed, "recipe": name}),
                folder / f"{name}{seed}.npz",
            )
    return folder


@pytest.fixture
def run_there(files):
    """Run a command in the folder of the files."""
    return partial(run_here, cwd=files)


def test_codes_and_json(run_there, tmp_path):
    done = run_there("diff", "main.npz", "branch.npz", "--json", "--fail-if-worse", 0)
    assert done.returncode == 0
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["headline"].startswith("B is better than A by")
    summary = tmp_path / "summary.md"
    worse = run_there(
        *("diff", "branch.npz", "main.npz", "--json", "--fail-if-worse", "0.2"),
        *("--summary", summary, "--out", tmp_path / "made" / "here"),
    )
    assert worse.returncode == 1
    assert worse.stderr.startswith("hardpairs: accuracy is worse by ")
    assert json.loads(worse.stdout)["accuracy"]["difference"] < 0
    text = summary.read_text()
    assert text.startswith("### B is worse than A by ")
    assert "**Worse than allowed:**" in text
    assert json.loads((tmp_path / "made" / "here" / "difference.json").read_text())


def test_several_seeds_after_with(run_there):
    seeds = [f"{side}{seed}.npz" for side in "ab" for seed in range(3)]
    done = run_there("diff", *seeds[:3], "--with", *seeds[3:5], "--json")
    told = json.loads(done.stdout)
    assert (told["a"]["name"], told["b"]["name"]) == ("a, 3 seeds", "b, 2 seeds")
    assert not told["matched"]
    again = run_there("diff", *seeds[:3], "--json", "--with", *seeds[3:])
    assert json.loads(again.stdout)["matched"]
    plain = run_there("diff", *seeds[:3], "--with", *seeds[3:])
    assert "B is better than A by" in plain.stdout


def test_the_terminal_says_points_and_why_an_interval_may_hold_0(files, tmp_path, run_there):
    done = run_there("diff", "main.npz", "branch.npz")
    assert re.search(r"calibration error \d+\.\d and \d+\.\d points\n", done.stdout)
    assert "Bonferroni" not in done.stdout  # All of its intervals lie above 0.
    labels = np.repeat(np.arange(10), 1000)
    a, b = labels.copy(), labels.copy()
    a[:11], b[11] = 1, 1  # 11 fixed, one broken: p 0.006, and others differ more.
    others = np.flatnonzero(labels > 1)[::10]
    a[others] = 0
    for name, predicted in (("a", a), ("b", b)):
        names = tuple("abcdefghij")
        run = Predictions(labels, None, names, predicted=predicted)
        save_predictions(run, tmp_path / f"{name}.npz")
    done = run_there("diff", tmp_path / "a.npz", tmp_path / "b.npz")
    assert "Bonferroni's intervals are wider" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("main.npz",), "A and B, and was given 1;"),
        (("main.npz", "branch.npz", "a0.npz"), "A and B, and was given 3;"),
        (("main.npz", "nothing.npz"), "nothing.npz"),
        (("main.npz", "branch.npz", "--strict"), "--fail-if-worse POINTS"),
        (("main.npz", "branch.npz", "--fail-if-worse", "-1"), "no number of points"),
        (("main.npz", "branch.npz", "--fail-if-worse", "nan"), "no number of points"),
        (("main.npz", "branch.npz", "--with", "--json"), "no run of B follows"),
        (("main.npz", "branch.npz", "--out", "/proc/nothing"), "can't be made"),
    ],
)
def test_bad_input_is_one_sentence(files, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(files)
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        cli(["diff", *map(str, arguments)], standalone_mode=False)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""


def test_bad_input_ends_with_code_2(run_there):
    done = run_there("diff", "main.npz", "nothing.npz", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("p_value", "text"),
    [
        (0.0312, "= 0.031"),
        (1.0, "= 1"),
        (3e-12, "< 0.0001"),
        (0.0, "< 0.0001"),
        (None, "not tested"),
    ],
)
def test_tiny_p_values_are_told_as_such(p_value, text):
    assert p_is(p_value) == text


def test_names_do_not_act_in_the_summary():
    names = ("<b>", "a|b", "[x](http://x)", "*", "@all")
    run = make_predictions(2000, class_names=names)
    difference = diff(run, improved(run, 0.3))
    text = render_summary(difference, find_worse(difference, 0))
    for foreign in names:
        assert foreign not in text.replace(r"\*", "") or foreign == "*"
    rows = [line for line in text.splitlines() if line.startswith("| recall of")]
    assert rows
    assert {row.count("|") for row in rows} == {6}


def test_evaluate_as_json_and_with_a_least_accuracy(run_there):
    done = run_there("evaluate", "main.npz", "--json", "--min-accuracy", "0.2")
    assert done.returncode == 0
    accuracy = json.loads(done.stdout)["accuracy"]
    low = run_there("evaluate", "main.npz", "--min-accuracy", accuracy + 0.001)
    assert low.returncode == 1
    assert f"accuracy {accuracy:.4f} is below" in low.stderr
    near = run_there("evaluate", "main.npz", "--min-accuracy", accuracy + 1e-6)
    assert near.returncode == 1
    below, least = re.search(r"accuracy ([\d.]+) is below ([\d.]+)", near.stderr).groups()
    assert float(below) < float(least)
    assert "not in the range" in run_there("evaluate", "main.npz", "--min-accuracy", "92").stderr


PREDICT = """
import sys
import click
import numpy as np
made = dict(np.load("{source}"))
np.savez(sys.argv[sys.argv.index("--out") + 1], **made)
"""
# As GitHub's own `gh`: there is no last comment to edit yet.
GH = """#!/bin/sh
case "$*" in *--edit-last*) echo "no comments found" >&2; exit 1;; esac
echo "$@" > said
cat summary.md >> said
"""


PYTHON = '#!/bin/sh\nexec "{python}" "$@"\n'
HARDPAIRS = '#!/bin/sh\nexec "{python}" -m hardpairs "$@"\n'


def workflow_steps() -> list[dict]:
    yaml = pytest.importorskip("yaml")
    text = (Path(__file__).parents[1] / "docs" / "diff.md").read_text(encoding="utf-8")
    workflow = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    assert set(workflow) == {"name", True, "permissions", "jobs"}  # YAML 1.1 takes "on" for true.
    (job,) = workflow["jobs"].values()
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step), step
        assert set(step) <= {"uses", "run", "with", "id", "if", "env"}
    known = {step["id"] for step in job["steps"] if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= known
    return job["steps"]


@pytest.mark.parametrize(("source", "code"), [("main.npz", 0), ("worse.npz", 1)])
def test_the_workflow_runs_as_written(files, tmp_path, source, code):
    """Each shell step in order, in bash as GitHub starts it, with a stand-in for pip and gh."""
    shutil.copy(files / "main.npz", tmp_path)
    run = make_predictions(2000)
    worse = np.where(np.arange(2000) % 20 == 0, (run.labels + 1) % 5, run.predicted)
    save_predictions(replace(run, probabilities=None, predicted=worse), files / "worse.npz")
    (tmp_path / "predict.py").write_text(PREDICT.format(source=files / source))
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    scripts = {"gh": GH, "pip": "#!/bin/sh\n", "python": PYTHON, "hardpairs": HARDPAIRS}
    for name, script in scripts.items():
        (bin_folder / name).write_text(script.replace("{python}", sys.executable))
        (bin_folder / name).chmod(0o755)
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    codes = []
    for step in (step for step in workflow_steps() if "run" in step):
        script = step["run"].replace("${{ github.event.number }}", "7")
        assert "${{" not in script
        if any(codes) and "always()" not in str(step.get("if", "")):
            continue
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(tmp_path / "shown.md")},
            capture_output=True,
            text=True,
            check=False,
        )
        codes.append(done.returncode)
    assert codes == [0, 0, code, 0]
    assert json.loads((tmp_path / "difference.json").read_text())["images"] == 2000
    said, shown = ((tmp_path / name).read_text() for name in ("said", "shown.md"))
    assert said.endswith(shown)
    assert said.startswith("pr comment 7 --body-file summary.md\n### B is ")
    assert ("**Worse than allowed:**" in said) == bool(code)
    uploaded = next(step["with"]["path"] for step in workflow_steps() if "upload" in str(step))
    assert (tmp_path / uploaded / "difference.html").exists()


def one_right_more(images: int, fixed: int, folder):
    """Files of two models that are right but for a few images that B fixes."""
    labels = np.arange(images) % 2
    wrong = np.arange(images) < fixed
    for name, predicted in (("A", labels ^ wrong), ("B", labels)):
        run = Predictions(labels, None, ("cat", "dog"), predicted=predicted)
        save_predictions(run, folder / f"{name}.npz")
    return folder / "A.npz", folder / "B.npz"


def test_a_small_difference_of_many_images_is_not_told_as_none(tmp_path):
    difference = diff(*one_right_more(100_000, 4 * 6, tmp_path))
    assert difference.headline == "B is better than A by 0.02 points"
    difference = diff(*one_right_more(1_000_000, 30, tmp_path))
    assert difference.headline == "B is better than A by 0.003 points"


def test_a_wide_table_keeps_the_digits_of_its_p_values(tmp_path, run_there, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = run_there("diff", *one_right_more(60, 60, tmp_path))
    assert len(re.findall(r"< 0\.0001 *$", done.stdout, re.M)) == 3
