"""Write the site's pages that come from the code: `make docs` runs this before it builds.

docs/api.md        every public name, its docstring
docs/gallery.md    every figure under the code that draws it, run here; and a live report
docs/lesson.md     the notebooks, with what their cells showed; own_model.md
"""

import base64
import html
import inspect
import json
import re
from pathlib import Path
from typing import Any

import hardpairs
from hardpairs.report.canvas import save_figure
from hardpairs.report.notebook import BASE
from hardpairs.report.write import write_analysis

DOCS = Path(__file__).parent
GALLERY = DOCS / "gallery"
SECTIONS = {
    "Data": ("load_dataset", "Dataset", "Split", "load_votes"),
    "Predictions": ("load_predictions", "save_predictions", "Predictions"),
    "Analysis": ("explore", "analyse", "evaluate", "gather_evidence", "judge_mistakes", "diff"),
    "What comes out": ("Report", "Subject", "Evaluation", "Evidence", "Verdict", "Difference"),
    "Figures": (
        *("draw_confusion", "draw_calibration", "draw_pairs", "draw_hardest", "draw_verdicts"),
        *("draw_filters", "draw_history"),
    ),
    "Studies": ("load_study", "Findings"),
    "Training": (
        *("train", "predict", "easiest", "find_recipe", "create_run", "load_model"),
        "ReportCallback",
    ),
    "Types of training": ("Recipe", "TrainedModel"),
    "Errors": ("InputError",),
}
START = """
from sklearn.linear_model import LogisticRegression

import hardpairs

digits = hardpairs.load_dataset("digits")
train, test = digits.train.take(slice(3000)), digits.test.take(slice(2000))


def pixels(split):
    return split.pixels.reshape(len(split), -1) / 255


model = LogisticRegression(C=0.1, max_iter=300).fit(pixels(train), train.labels)
probabilities = model.predict_proba(pixels(test))
names = digits.class_names
report = hardpairs.explore(test.labels, probabilities, images=test.images, class_names=names)
subject = report.subject
"""
# Title, what to see, code whose last line is the figure.
FIGURES = (
    (
        "Confusion matrix",
        "Rows are true digits, columns what was predicted, each row's shares sum to 1.",
        "hardpairs.draw_confusion(subject)",
    ),
    (
        "Hard pairs",
        "The pairs of classes that are mixed up most, with the images.",
        "hardpairs.draw_pairs(subject)",
    ),
    (
        "The hardest class",
        "Mistakes of the class with the lowest F1.",
        "hardpairs.draw_hardest(subject)",
    ),
    (
        "Verdicts",
        "Mistakes by whose fault they are.",
        "hardpairs.draw_verdicts(subject)",
    ),
    (
        "Calibration",
        "Is a confidence of 80% right 80% of the time?",
        "hardpairs.draw_calibration(subject)",
    ),
    (
        "Filters",
        "The weights of a first layer; here a linear model's, one filter a digit.",
        "from dataclasses import replace\n\n"
        "kernels = model.coef_.T.reshape(28, 28, 1, 10)\n"
        "hardpairs.draw_filters(replace(subject, kernels=kernels))",
    ),
    (
        "History",
        "Loss and, where it is known, accuracy by epoch; here of a net of scikit-learn.",
        "from sklearn.neural_network import MLPClassifier\n\n"
        "net = MLPClassifier(32, tol=0.01, random_state=0)\n"
        "net.fit(pixels(train), train.labels)\n"
        "hardpairs.draw_history(replace(subject, history={'loss': net.loss_curve_}))",
    ),
    (
        "Two in one figure",
        "Every one of these takes `ax=` and draws into axes of your own.",
        "from matplotlib.figure import Figure\n\n"
        "figure = Figure(figsize=(11, 4.5), layout='constrained')\n"
        "left, right = figure.subplots(1, 2)\n"
        "hardpairs.draw_confusion(subject, ax=left)\n"
        "hardpairs.draw_calibration(subject, ax=right)",
    ),
)


def render_api() -> str:
    """The page of the Python interface; every name of `hardpairs.__all__` is in a section."""
    listed = {name for names in SECTIONS.values() for name in names}
    missing = {name for name in hardpairs.__all__ if not name.isupper()} - listed
    if missing:
        raise SystemExit(f"docs/render_site.py: SECTIONS lacks {', '.join(sorted(missing))}.")
    parts = ["# Python\n\n`from hardpairs import ...` has all of these.\n"]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in names:
            home = inspect.getmodule(getattr(hardpairs, name)).__name__
            parts.append(f"::: {home}.{name}\n")
    return "\n".join(parts)


def render_gallery() -> str:
    """Run the figures' code, save what it draws and return the page."""
    names: dict[str, object] = {}
    exec(compile(START, "gallery", "exec"), names)
    GALLERY.mkdir(exist_ok=True)
    parts = [
        "# Gallery\n",
        "Every figure with the code that drew it when this page was built. All start with:\n",
        f"```python\n{START.strip()}\n```\n",
        "The same model's whole report, live: [report.html](gallery/report/report.html).\n",
    ]
    for title, seen, code in FIGURES:
        *lines, last = code.splitlines()
        exec("\n".join(lines), names)
        figure = eval(last, names)
        file = f"{title.lower().replace(' ', '-')}.png"
        save_figure(figure, GALLERY / file)
        parts.append(f"## {title}\n\n{seen}\n\n![{title}: {seen}](gallery/{file})\n")
        parts.append(f"```python\n{code}\n```\n")
    write_analysis(names["subject"], GALLERY / "report")
    return "\n".join(parts)


def render_notebook_page(name: str) -> str:
    """A notebook with its outputs as a page; images and frames become files."""
    notebook = json.loads((DOCS / f"{name}.ipynb").read_text(encoding="utf-8"))
    parts = []
    for number, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += [_output(output, f"{name}-{number}") for output in cell["outputs"]]
    link = f"[{name}.ipynb]({name}.ipynb)"
    title, rest = parts[0].split("\n", 1)
    first = f"{title}\n\nThis page is a notebook, run: {link}.\n{rest}"
    return "\n\n".join([first, *parts[1:], ""])


def _output(output: dict[str, Any], stem: str) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        (GALLERY / f"{stem}.png").write_bytes(base64.b64decode(data["image/png"]))
        return f"![What the code above draws](gallery/{stem}.png)"
    if "text/html" in data:
        shown = "".join(data["text/html"])
        framed = re.search(r'srcdoc="([^"]*)"', shown)
        if framed is not None:
            page = html.unescape(framed[1]).replace(BASE, "", 1)
            (GALLERY / f"{stem}.html").write_text(page, encoding="utf-8")
            shown = shown.replace(framed[0], f'src="gallery/{stem}.html" title="The report"')
        shown = re.sub(r"<style.*?</style>", "", shown, flags=re.DOTALL)
        shown = re.sub(r"<table [^>]*>", "<table>", shown)  # In the site's own style.
        return f"<div>\n{shown}\n</div>"
    text = "".join(output.get("text", "") or data["text/plain"])
    return f"```text\n{text.rstrip()}\n```"


if __name__ == "__main__":
    (DOCS / "api.md").write_text(render_api(), encoding="utf-8")
    (DOCS / "gallery.md").write_text(render_gallery(), encoding="utf-8")
    for name in ("lesson", "own_model"):
        (DOCS / f"{name}.md").write_text(render_notebook_page(name), encoding="utf-8")
