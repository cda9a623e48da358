import re
import runpy
from pathlib import Path

import pytest

from hardpairs.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_commands_page_is_what_the_commands_say():
    render = runpy.run_path(str(ROOT / "docs" / "render_commands.py"))["render_commands"]
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_docs_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`hardpairs ([a-z]+)|^hardpairs ([a-z]+)", text, flags=re.MULTILINE):
        assert next(filter(None, name)) in COMMANDS
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for name in re.findall(r"`make ([a-z]+)", text):
        assert name in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_readmes_tree_names_every_wing():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "src" / "hardpairs").iterdir():
        is_wing = (path / "__init__.py").exists()
        if is_wing or (path.suffix == ".py" and not path.name.startswith("_")):
            assert f"  {path.name}{'/' if is_wing else ''} " in text, path.name


def test_fashion_py_stays_a_page():
    assert len((ROOT / "fashion.py").read_text().splitlines()) <= 80
