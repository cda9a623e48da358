"""Write the notebooks from their texts: `python docs/render_notebooks.py`.

A text is a Python file whose cells begin with `# %%`, or `# %% [markdown]` for comments to read.
"""

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
NAMES = ("lesson", "own_model")


def render_notebook(text: str) -> str:
    """Return the notebook, without outputs, as JSON (nbformat 4.5)."""
    cells: list[dict[str, Any]] = []
    for number, (kind, body) in enumerate(
        re.findall(r"^# %%( \[markdown\])?\n(.*?)(?=^# %%|\Z)", text, re.MULTILINE | re.DOTALL)
    ):
        lines = body.strip("\n").split("\n")
        if kind:
            lines = [re.sub("^# ?", "", line) for line in lines]
            cell: dict[str, Any] = {"cell_type": "markdown"}
        else:
            lines = [re.sub("^# %", "%", line) for line in lines]  # Jupyter's own commands.
            cell = {"cell_type": "code", "execution_count": None, "outputs": []}
        source = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
        cells.append({**cell, "id": f"cell-{number}", "metadata": {}, "source": source})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in NAMES:
        text = (DOCS / f"{name}.py").read_text(encoding="utf-8")
        (DOCS / f"{name}.ipynb").write_text(render_notebook(text), encoding="utf-8")
