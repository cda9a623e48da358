import json
from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions, run_cli
from hardpairs.analysis.difference import diff
from hardpairs.analysis.gate import find_worse
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


def test_codes_and_json(files, tmp_path):
    done = run_cli("diff", "main.npz", "branch.npz", "--json", "--fail-if-worse", 0, cwd=files)
    assert done.returncode == 0
    assert done.stderr.startswith("No verdicts are given")
    told = json.loads(done.stdout)
    assert told["headline"].startswith("B is better than A by")
    summary = tmp_path / "summary.md"
    worse = run_cli(
        *("diff", "branch.npz", "main.npz", "--json", "--fail-if-worse", "0.2"),
        *("--summary", summary, "--out", tmp_path / "made" / "here"),
        cwd=files,
    )
    assert worse.returncode == 1
    assert "\nhardpairs: accuracy is worse by " in worse.stderr
    assert json.loads(worse.stdout)["accuracy"]["difference"] < 0
    text = summary.read_text()
    assert text.startswith("### B is worse than A by ")
    assert "**Worse than allowed:**" in text
    assert json.loads((tmp_path / "made" / "here" / "difference.json").read_text())


def test_several_seeds_after_with(files):
    seeds = [f"{side}{seed}.npz" for side in "ab" for seed in range(3)]
    done = run_cli("diff", *seeds[:3], "--with", *seeds[3:5], "--json", cwd=files)
    told = json.loads(done.stdout)
    assert (told["a"]["name"], told["b"]["name"]) == ("a, 3 seeds", "b, 2 seeds")
    assert not told["matched"]
    again = run_cli("diff", *seeds[:3], "--json", "--with", *seeds[3:], cwd=files)
    assert json.loads(again.stdout)["matched"]
    plain = run_cli("diff", *seeds[:3], "--with", *seeds[3:], cwd=files)
    assert "B is better than A by" in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("main.npz",), "1 paths, expected two"),
        (("main.npz", "branch.npz", "a0.npz"), "3 paths, expected two"),
        (("main.npz", "nothing.npz"), "nothing.npz"),
        (("main.npz", "branch.npz", "--strict"), "--fail-if-worse POINTS"),
        (("main.npz", "branch.npz", "--fail-if-worse", "-1"), "no number of points"),
        (("main.npz", "branch.npz", "--fail-if-worse", "nan"), "no number of points"),
        (("main.npz", "--with"), "1 paths"),
        (("main.npz", "branch.npz", "--out", "/proc/nothing"), "can't be written"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(files, arguments, said):
    done = run_cli("diff", *arguments, cwd=files)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_names_do_not_act_in_the_summary():
    names = ("<b>", "a|b", "[x](http://x)", "*", "@all")
    run = make_predictions(2000, class_names=names)
    difference = diff(run, improved(run, 0.3))
    text = render_summary(difference, find_worse(difference, 0), 0)
    for foreign in names:
        assert foreign not in text.replace(r"\*", "") or foreign == "*"
    rows = [line for line in text.splitlines() if line.startswith("| recall of")]
    assert rows
    assert {row.count("|") for row in rows} == {6}


def test_evaluate_as_json_and_with_a_least_accuracy(files):
    done = run_cli("evaluate", "main.npz", "--json", "--min-accuracy", "0.2", cwd=files)
    assert done.returncode == 0
    accuracy = json.loads(done.stdout)["accuracy"]
    low = run_cli("evaluate", "main.npz", "--min-accuracy", accuracy + 0.001, cwd=files)
    assert low.returncode == 1
    assert f"accuracy {accuracy:.4f} is below" in low.stderr
    assert run_cli("evaluate", "main.npz", "--min-accuracy", "92", cwd=files).returncode == 2
