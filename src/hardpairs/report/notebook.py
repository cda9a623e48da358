"""How results look in a notebook: a short table, and the page in a frame.

Tables have the class that Jupyter, VS Code and Colab style as a DataFrame. A page stands in the
notebook itself, in a frame's ``srcdoc``: no server, no file beside it. The frame is sandboxed, so
nothing in it reaches the notebook.
"""

from collections.abc import Iterable, Sequence
from functools import singledispatch
from typing import Any

from markupsafe import Markup, escape

from hardpairs.analysis.changes import interval_text, points
from hardpairs.analysis.difference import Difference
from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import Verdicts, count_verdicts, headline
from hardpairs.foreign import one_line, spoken_names
from hardpairs.report.describe import accuracy_line, describe
from hardpairs.report.page.difference import render_difference
from hardpairs.report.page.render import render_report
from hardpairs.wording import counted, percent, percent_texts, score_text

FRAME_HEIGHT = 720  # Pixels.
MOST_BYTES = 10_000_000  # Of a page in a notebook, which is saved and opened with it.
MOST_ROWS = 12
PAIRS_SHOWN = 3
# In a frame an address without a path would mean the notebook's, and every link lead there.
BASE = '<base href="about:srcdoc">'
MAY = "allow-scripts allow-downloads allow-popups"


@singledispatch
def render(value: Any) -> str:
    """A result as HTML.

    Raises:
        TypeError: It isn't one that shows itself.
    """
    raise TypeError(f"{type(value).__name__} has no form for a notebook")


@render.register
def _(evaluation: Evaluation) -> str:
    return _line(accuracy_line(evaluation)) + _classes(evaluation) + _pairs(evaluation)


@render.register
def _(verdicts: Verdicts) -> str:
    counts = count_verdicts(verdicts)
    if not len(verdicts):
        return _line(headline(verdicts))
    shares = percent_texts(list(counts.values()))
    rows = [
        (name, f"{count:,}", share)
        for (name, count), share in zip(counts.items(), shares, strict=True)
        if count or not verdicts.alone  # Else some weren't looked for.
    ]
    return _line(headline(verdicts)) + table(("verdict", "mistakes", "share"), rows)


@render.register
def _(subject: Subject) -> str:
    first, last = _line(describe(subject)), _line(headline(subject.verdicts))
    return first + render(subject.evaluation) + last


@render.register
def _(difference: Difference) -> str:
    changes = [("accuracy", difference.accuracy)]
    changes += [(each.name, each.change) for each in difference.classes if each.change.significant]
    rows = [
        (
            name,
            percent(change.before, 2),
            percent(change.after, 2),
            points(change.difference),
            interval_text(change),
        )
        for name, change in changes[:MOST_ROWS]
    ]
    sides = f"A: {difference.a.name}", f"B: {difference.b.name}"
    header = ("", *sides, "points", "95% confidence interval")
    short = table(header, rows, left_out=len(changes) - len(rows))
    page = frame(render_difference(difference), "hardpairs diff writes it")
    return _line(difference.headline, strong=True) + short + page


def show_report(subject: Subject) -> str:
    """A subject's page in a frame, under the finding in a line."""
    page = frame(render_report(subject), "write it with .save('report.html')")
    return _line(accuracy_line(subject.evaluation)) + page


def frame(page: str, otherwise: str) -> str:
    """A whole page in a frame; a sentence in its place where it would swell the notebook.

    Args:
        page: HTML that needs nothing but itself.
        otherwise: How to get the page as a file.
    """
    size = len(page.encode("utf-8"))
    if size > MOST_BYTES:
        return _line(f"The page has {size / 1e6:.0f} MB, too much for a notebook; {otherwise}.")
    inside = escape(page.replace("<head>", f"<head>{BASE}", 1))
    style = f"width: 100%; height: {FRAME_HEIGHT}px; border: 0"
    return f'<iframe srcdoc="{inside}" sandbox="{MAY}" style="{style}"></iframe>'


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, left_out: int = 0, by: str = ""
) -> str:
    """A table of texts, each made one line and escaped; of a row the first is its head."""
    head = Markup("").join(Markup("<th>{}</th>").format(one_line(text)) for text in header)
    body = Markup("").join(
        Markup("<tr><th>{}</th>{}</tr>").format(
            one_line(first),
            Markup("").join(Markup("<td>{}</td>").format(one_line(text)) for text in rest),
        )
        for first, *rest in rows
    )
    more = _line(f"{left_out:,} more{by}: .to_frame() has all.") if left_out > 0 else ""
    parts = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<table class="dataframe">{parts}</table>{more}'


def _classes(evaluation: Evaluation) -> str:
    ordered = sorted(
        zip(spoken_names(evaluation.class_names), evaluation.classes, strict=True),
        key=lambda row: (not row[1].support, row[1].f1),
    )
    rows = [
        (
            name,
            *(score_text(share) for share in (score.precision, score.recall, score.f1)),
            f"{score.support:,}",
        )
        for name, score in ordered[:MOST_ROWS]
    ]
    header = ("class, lowest F1 first", "precision", "recall", "F1", "images")
    return table(header, rows, left_out=len(ordered) - len(rows), by=" with a higher F1")


def _pairs(evaluation: Evaluation) -> str:
    names = spoken_names(evaluation.class_names)
    pairs = [
        f"{names[pair.first]} / {names[pair.second]}, {counted(pair.mistakes, 'mistake')}"
        for pair in evaluation.hard_pairs[:PAIRS_SHOWN]
    ]
    return _line(f"Hard pairs: {'; '.join(pairs)}.") if pairs else ""


def _line(text: str, *, strong: bool = False) -> str:
    shown = Markup("<b>{}</b>").format(text) if strong else text
    return str(Markup("<p>{}</p>").format(shown))  # Markup would escape what it is added to.
