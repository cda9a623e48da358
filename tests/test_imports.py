"""Nothing after predictions.npz may import what trains."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

HEAVY = ("keras", "tensorflow", "torch", "jax", "ray")
CODE = """
import importlib, sys
for name in {modules}:
    importlib.import_module("hardpairs" + name)
print([name for name in {heavy} if name in sys.modules])
"""
AFTER_PREDICTIONS = (
    *("analysis", "answers", "audit", "audit_figures", "calibration", "cli", "duplicates"),
    *("evaluation", "evidence", "evidence_figures", "figures", "files", "neighbours", "options"),
    "people",
    "report",
    *("terminal", "verdicts", "votes"),
)
STUDIES = (
    *("comparisons", "local", "plans", "studies", "study_commands", "study_figures"),
    *("study_reports", "threads"),
)
BEFORE_TRAINING = ("datasets", "idx", "intervals", "predictions", "recipes", "statistics")
ANALYSIS = [f".{name}" for name in AFTER_PREDICTIONS + BEFORE_TRAINING + STUDIES]


def heavy_imports(modules) -> str:
    code = CODE.format(modules=modules, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_analysis_imports_nothing_heavy():
    assert heavy_imports(ANALYSIS) == "[]"


@pytest.mark.skipif(
    importlib.util.find_spec("cleanlab") is not None, reason="cleanlab imports scikit-learn itself"
)
def test_evaluate_imports_nothing_that_takes_longer_than_the_analysis(tmp_path):
    rng = np.random.default_rng(0)
    path, out = tmp_path / "predictions.npz", tmp_path / "out"
    names = ["a", "b", "c"]
    probabilities = rng.dirichlet(np.ones(3), 60)
    np.savez(path, labels=rng.integers(0, 3, 60), probabilities=probabilities, class_names=names)
    code = (
        "import sys; from hardpairs.cli import cli\n"
        f"cli(['evaluate', {str(path)!r}, '--out', {str(out)!r}], standalone_mode=False)\n"
        "slow = ('sklearn', 'scipy.stats', 'pandas')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "out" / "report.html").exists()
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.train
def test_the_first_test_can_fail():
    assert "keras" in heavy_imports([*ANALYSIS, ".training"])
