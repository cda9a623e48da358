"""Imports point down the stages, and nothing after predictions.npz imports what trains."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import hardpairs
from hardpairs.training import environment

HEAVY = ("keras", "tensorflow", "torch", "jax", "ray")
SOURCE = Path(hardpairs.__file__).parent
STAGES = ("data", "predictions", "analysis", "report")  # An import points to the left, or stays.
TRAINS = ("training", "studies", "serving", "cli")
CODE = """
import importlib, sys
for name in {modules}:
    importlib.import_module(name)
print([name for name in {heavy} if name in sys.modules])
"""


def modules_of(*wings: str) -> list[str]:
    paths = [path for wing in wings for path in sorted((SOURCE / wing).rglob("*.py"))]
    names = [path.relative_to(SOURCE.parent).with_suffix("").parts for path in paths]
    return [".".join(parts).removesuffix(".__init__") for parts in names]


def imported_wings(path: Path) -> set[str]:
    """The wings that a file's imports name."""
    return {name.split(".")[1] for name in imported_names(path) if name.startswith("hardpairs.")}


def imported_names(path: Path) -> set[str]:
    """The modules that a file's imports name, wherever in the file they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= set(names)
    return found


@pytest.mark.parametrize("wing", STAGES)
def test_imports_point_down_the_stages(wing):
    later = {*STAGES[STAGES.index(wing) + 1 :], *TRAINS}
    for path in (SOURCE / wing).rglob("*.py"):
        assert not imported_wings(path) & later, path


def declared() -> set[str]:
    """The distributions that pyproject.toml names, for use or as an extra."""
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    return {normal(re.match(r"[\w.-]+", each)[0]) for each in named} | {"hardpairs"}


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_whatever_is_imported_is_declared():
    owners, known = importlib.metadata.packages_distributions(), declared()
    for path in SOURCE.rglob("*.py"):
        for name in imported_names(path):
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names:
                mine = {normal(each) for each in owners.get(top, [top])}
                assert mine & known, f"{path} imports {name}: declare it in pyproject.toml"


def heavy_imports(modules, heavy=HEAVY) -> str:
    code = CODE.format(modules=modules, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_nothing_that_does_not_train_imports_what_trains():
    light = [*modules_of(*STAGES, "studies", "cli"), "hardpairs.training.recipes"]
    assert heavy_imports([name for name in light if name != "hardpairs.studies.worker"]) == "[]"


def test_evaluate_imports_nothing_that_takes_longer_than_the_analysis(tmp_path):
    rng = np.random.default_rng(0)
    path, out = tmp_path / "predictions.npz", tmp_path / "out"
    names = ["a", "b", "c"]
    probabilities = rng.dirichlet(np.ones(3), 60)
    np.savez(path, labels=rng.integers(0, 3, 60), probabilities=probabilities, class_names=names)
    code = (
        "import sys; sys.modules['cleanlab'] = None  # It imports scikit-learn itself.\n"
        "from hardpairs.cli.commands import cli\n"
        f"cli(['evaluate', {str(path)!r}, '--out', {str(out)!r}], standalone_mode=False)\n"
        "slow = ('sklearn', 'scipy', 'pandas')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "out" / "report.html").exists()
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.train
def test_the_first_test_can_fail():
    assert heavy_imports(["hardpairs.errors"], ("hardpairs", "keras")) == "['hardpairs']"


@pytest.mark.train
def test_commands_start_keras_with_onednn_and_without_what_they_never_use():
    code = (
        "import gc, os, sys\n"
        "from hardpairs.training.start import UNUSED, start_keras\n"
        "start_keras()\n"
        f"print(os.environ.get({environment.ONEDNN_VARIABLE!r}))\n"
        "print('keras' in sys.modules, [each for each in UNUSED if each in sys.modules])\n"
        "import pandas\n"
        "print(pandas.DataFrame([1]).size, gc.isenabled())"
    )
    given = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    given.pop(environment.ONEDNN_VARIABLE, None)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=given
    )
    onednn = "1" if environment.AVX2_FLAG in environment._processor_flags() else "None"
    assert done.stdout.splitlines() == [onednn, "True []", "1 True"]


def test_loading_the_bundled_data_imports_nothing_that_reads_other_data():
    code = (
        # NumPy's threads are set before it is imported.
        "import sys, hardpairs.cli.predict, hardpairs.cli.serve\n"
        "assert 'numpy' not in sys.modules\n"
        "hardpairs.load_dataset('fashion-mnist')\n"
        "print([name for name in ('PIL', 'pyarrow', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- Small modules and functions ------------------------------------------------------------------


def too_long(path: Path) -> list[str]:
    """Functions of more than 40 lines, signature and docstring not counted; and the module."""
    text = path.read_text(encoding="utf-8")
    found = [] if len(text.splitlines()) <= 350 else [str(path)]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_docstring = ast.get_docstring(node) is not None and len(node.body) > 1
            if node.end_lineno - node.body[has_docstring].lineno >= 40:
                found.append(f"{path}: {node.name}")
    return found


def test_modules_and_functions_are_short():
    assert [each for path in SOURCE.rglob("*.py") for each in too_long(path)] == []


def test_a_long_function_is_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("def f():\n" + "    pass\n" * 40)
    assert too_long(path) == []
    path.write_text("def f():\n" + "    pass\n" * 41)
    assert too_long(path) == [f"{path}: f"]
