import doctest
import importlib
import json
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest

import hardpairs
from hardpairs.cli.commands import COMMANDS, cli
from hardpairs.data import datasets

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_commands_page_is_what_the_commands_say():
    # A process of its own: click keeps the help option that a command was first called with.
    script = "import runpy; page = runpy.run_path('docs/render_commands.py')['render_commands']()"
    code = f"import sys; {script}; sys.stdout.buffer.write(page.encode())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == done.stdout.decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_docs_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`hardpairs ([a-z]+)|^hardpairs ([a-z]+)", text, flags=re.MULTILINE):
        assert next(filter(None, name)) in COMMANDS
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for name in re.findall(r"`make ([a-z-]+)", text):
        assert name in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page):
    made_by_make_docs = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        path = page.parent / target
        assert path.exists() or f"/{path.relative_to(ROOT)}" in made_by_make_docs, target


def test_readmes_tree_names_every_wing():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "src" / "hardpairs").iterdir():
        is_wing = (path / "__init__.py").exists()
        if is_wing or (path.suffix == ".py" and not path.name.startswith("_")):
            assert f"  {path.name}{'/' if is_wing else ''} " in text, path.name


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language; "" is that of blocks without one."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_the_docs_exist(page):
    for block in [*blocks(page, ""), *blocks(page, "sh")]:
        for words in re.findall(r"(?:^|&& )hardpairs ([a-z]+ [^&\n]*)", block, flags=re.MULTILINE):
            name, *arguments = shlex.split(words, comments=True)
            command = cli.get_command(click.Context(cli), name)
            known = {option for each in command.params for option in each.opts}
            used = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            assert used <= known | {"--help"}, words


def test_readmes_python_runs_as_written(fashion, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    labels = fashion.test.labels
    given = {
        "labels": labels,
        "probabilities": np.random.default_rng(0).dirichlet(np.ones(10), len(labels)),
        "names": list(fashion.class_names),
    }
    code = blocks(ROOT / "README.md", "python")
    assert code
    for block in code:
        exec(compile(block, "README.md", "exec"), given)
    shown = capsys.readouterr().out.splitlines()
    assert 0 < float(shown[0].split()[0]) < 1
    assert shown[1].split()[-1].isdigit()


def test_fashion_py_stays_a_page():
    assert len((ROOT / "fashion.py").read_text().splitlines()) <= 80


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_fashion_py_runs(fashion, tmp_path, monkeypatch, capsys):
    few = {"train": fashion.train.take(slice(300)), "test": fashion.test.take(slice(100))}
    monkeypatch.setattr(datasets, "load_dataset", lambda name: replace(fashion, **few))
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "fashion.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "(300, 28, 28, 1) labels 0-9: T-shirt, Trouser" in said
    written = re.findall(r"^wrote (.+)", said, flags=re.MULTILINE)
    assert {Path(name).suffix for name in written} >= {".png", ".md", ".html", ".json"}
    for name in written:
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("name", ["lesson", "own_model"])
def test_notebooks_are_what_their_texts_say(name):
    render = runpy.run_path(str(ROOT / "docs" / "render_notebooks.py"))
    text = (ROOT / "docs" / f"{name}.py").read_text(encoding="utf-8")
    path = ROOT / "docs" / f"{name}.ipynb"
    notebook = path.read_text(encoding="utf-8")
    assert render["without_outputs"](notebook) == render["render_notebook"](text)
    assert path.stat().st_size < 1_500_000
    ran = [cell["outputs"] for cell in json.loads(notebook)["cells"] if "outputs" in cell]
    assert sum(map(bool, ran)) > len(ran) / 2, "run it with --execute"
    kinds = [output["output_type"] for outputs in ran for output in outputs]
    assert "error" not in kinds


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_the_lesson_runs_on_a_slice(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LESSON_IMAGES", "400")
    monkeypatch.chdir(tmp_path)
    code = re.sub("^# %.*", "", (ROOT / "docs" / "lesson.py").read_text(), flags=re.MULTILINE)
    exec(compile(code, "lesson.py", "exec"), {})
    assert f"wrote {Path('lesson') / 'report.html'}" in capsys.readouterr().out
    assert (tmp_path / "lesson" / "report.html").exists()


def test_executed_a_notebook_holds_what_its_cells_show():
    render = runpy.run_path(str(ROOT / "docs" / "render_notebooks.py"))
    text = """# %%
import hardpairs

report = hardpairs.explore([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
print(report.evaluation.accuracy)
print("again")

# %%
hardpairs.draw_confusion(report)
"""
    cells = json.loads(render["execute"](render["render_notebook"](text)))["cells"]
    (told,), (shown,) = (cell["outputs"] for cell in cells)
    assert "".join(told["text"]) == "0.6666666666666666\nagain\n"
    assert "image/png" in shown["data"]


def test_the_gallery_has_every_figure():
    figures = runpy.run_path(str(ROOT / "docs" / "render_site.py"))["FIGURES"]
    code = "".join(code for _, _, code in figures)
    drawing = [name for name in hardpairs.__all__ if name.startswith("draw_")]
    assert len(drawing) > 5
    assert all(f"hardpairs.{name}(" in code for name in drawing)


def test_the_examples_of_the_statistics_hold():
    path = ROOT / "docs" / "statistics.md"
    result = doctest.testfile(str(path), module_relative=False, verbose=False)
    assert result.attempted > 20
    assert result.failed == 0


def test_the_examples_in_the_docstrings_hold():
    source = ROOT / "src"
    with_examples = [path for path in source.rglob("*.py") if ">>>" in path.read_text("utf-8")]
    assert len(with_examples) > 5
    for path in with_examples:
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        assert doctest.testmod(importlib.import_module(name)).failed == 0, name
