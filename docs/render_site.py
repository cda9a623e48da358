"""Write the site's pages that come from the code: `make docs` runs this before it builds.

docs/api.md        every public name, its docstring
docs/gallery.md    every figure under the code that draws it, run here; and a live report
"""

import inspect
from pathlib import Path

import hardpairs
from hardpairs.report.canvas import save_figure
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

from hardpairs import Predictions, Subject, load_dataset

digits = load_dataset("digits")
train, test = digits.train.take(slice(3000)), digits.test.take(slice(2000))


def pixels(split):
    return split.pixels.reshape(len(split), -1) / 255


model = LogisticRegression(C=0.1, max_iter=300).fit(pixels(train), train.labels)
predictions = Predictions(test.labels, model.predict_proba(pixels(test)), digits.class_names)
subject = Subject(predictions, images=test.images, inverted=test.inverted)
"""
# Title, what to see, code whose last line is the figure.
FIGURES = (
    (
        "Confusion matrix",
        "Rows are true digits, columns what was predicted, each row's shares sum to 1.",
        "from hardpairs.report.figures import draw_confusion\n\ndraw_confusion(subject)",
    ),
    (
        "Hard pairs",
        "The pairs of classes that are mixed up most, with the images.",
        "from hardpairs.report.mistake_figures import draw_pairs\n\ndraw_pairs(subject)",
    ),
    (
        "The hardest class",
        "Mistakes of the class with the lowest F1.",
        "from hardpairs.report.mistake_figures import draw_hardest\n\ndraw_hardest(subject)",
    ),
    (
        "Verdicts",
        "Mistakes by whose fault they are.",
        "from hardpairs.report.mistake_figures import draw_verdicts\n\ndraw_verdicts(subject)",
    ),
    (
        "Calibration",
        "Is a confidence of 80% right 80% of the time?",
        "from hardpairs.report.calibration_figure import draw_calibration\n\n"
        "draw_calibration(subject)",
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


if __name__ == "__main__":
    (DOCS / "api.md").write_text(render_api(), encoding="utf-8")
    (DOCS / "gallery.md").write_text(render_gallery(), encoding="utf-8")
