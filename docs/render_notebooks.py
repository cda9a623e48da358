"""Write the notebooks from their texts: `python docs/render_notebooks.py [--execute] [NAMES]`.

A text is a Python file whose cells begin with `# %%`, or `# %% [markdown]` for comments to read.
What was shown stays where no code has changed. With `--execute` the cells are run, and the notebook
holds what they showed; own_model needs PyTorch. `--out FOLDER` writes it elsewhere.
"""

import argparse
import json
import re
import tempfile
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
    return _as_text(notebook)


def without_outputs(notebook: str) -> str:
    """A notebook's JSON as it was before it was run."""
    made = json.loads(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    return _as_text(made)


def with_outputs_of(before: str, notebook: str) -> str:
    """What was shown stays where no code has changed."""
    whole = json.loads(notebook)
    old, new = (
        [cell for cell in made["cells"] if cell["cell_type"] == "code"]
        for made in (json.loads(before), whole)
    )
    if [cell["source"] for cell in old] == [cell["source"] for cell in new]:
        for cell, shown in zip(new, old, strict=True):
            cell |= {key: shown[key] for key in ("execution_count", "outputs")}
    return _as_text(whole)


def execute(notebook: str) -> str:
    """Run a notebook in an empty folder; returns it with what its cells showed."""
    import nbformat  # noqa: PLC0415  Only who executes needs them.
    from nbconvert.preprocessors import ExecutePreprocessor  # noqa: PLC0415

    made = nbformat.reads(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        runner = ExecutePreprocessor(timeout=3600, record_timing=False)
        runner.preprocess(made, {"metadata": {"path": folder}})
    del made.metadata["language_info"]  # Of this machine's Python.
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return _as_text(json.loads(nbformat.writes(made)))


def _joined(outputs: list[Any]) -> list[Any]:
    """Outputs in which what was printed piece by piece is one text."""
    joined: list[Any] = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _as_text(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the notebooks that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--execute", action="store_true")
    parser.add_argument("--out", type=Path, default=DOCS)
    options = parser.parse_args()
    for name in options.names:
        notebook = render_notebook((DOCS / f"{name}.py").read_text(encoding="utf-8"))
        before = DOCS / f"{name}.ipynb"
        if options.execute:
            notebook = execute(notebook)
        elif before.exists():
            notebook = with_outputs_of(before.read_text(encoding="utf-8"), notebook)
        (options.out / f"{name}.ipynb").write_text(notebook, encoding="utf-8")


if __name__ == "__main__":
    main()
