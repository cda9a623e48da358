"""Nothing after predictions.npz may import what trains."""

import subprocess
import sys

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
    *("evaluation", "evidence", "evidence_figures", "figures", "files", "neighbours", "people"),
    "report",
    *("terminal", "verdicts", "votes"),
)
STUDIES = ("comparisons", "local", "plans", "studies", "study_figures", "study_reports")
BEFORE_TRAINING = ("datasets", "idx", "intervals", "predictions", "recipes", "statistics")
ANALYSIS = [f".{name}" for name in AFTER_PREDICTIONS + BEFORE_TRAINING + STUDIES]


def heavy_imports(modules) -> str:
    code = CODE.format(modules=modules, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_analysis_imports_nothing_heavy():
    assert heavy_imports(ANALYSIS) == "[]"


@pytest.mark.train
def test_the_test_above_can_fail():
    assert "keras" in heavy_imports([*ANALYSIS, ".training"])
