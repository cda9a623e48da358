import re
import runpy
from pathlib import Path

import pytest

from hardpairs.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_commands_page_is_what_the_commands_say():
    render = runpy.run_path(str(ROOT / "docs" / "render_commands.py"))["render_commands"]
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_docs_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`hardpairs ([a-z]+)|^hardpairs ([a-z]+)", text, flags=re.MULTILINE):
        assert next(filter(None, name)) in cli.commands
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for name in re.findall(r"`make ([a-z]+)", text):
        assert name in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_readmes_tree_names_every_module():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for module in (ROOT / "src" / "hardpairs").rglob("*.py"):
        if not module.name.startswith("__"):
            assert module.name in text, module.name


def test_fashion_py_stays_a_page():
    assert len((ROOT / "fashion.py").read_text().splitlines()) <= 80
