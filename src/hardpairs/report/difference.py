"""Writing a difference: a summary for a pull request, numbers for machines, the page."""

import json
from collections.abc import Sequence
from pathlib import Path

from hardpairs.analysis.changes import FORMATS, STRICTER_TEST, WIDER_INTERVALS, disagree
from hardpairs.analysis.difference import Difference
from hardpairs.files import whole_files, write_text
from hardpairs.report.markdown import markdown_environment
from hardpairs.report.page.difference import render_difference


def write_difference(difference: Difference, folder: Path) -> None:
    """Write difference.html, difference.md and, last, difference.json; makes the folder.

    Raises:
        InputError: The folder can't be written.
    """
    with whole_files(folder) as partial:
        write_text(partial / "difference.html", render_difference(difference))
        write_text(partial / "difference.md", render_summary(difference))
        write_text(partial / "difference.json", difference_json(difference))


def difference_json(difference: Difference) -> str:
    """The difference as strict JSON, a line at its end."""
    return json.dumps(difference.to_dict(), indent=1, allow_nan=False) + "\n"


def render_summary(difference: Difference, worse: Sequence[str] = (), otherwise: str = "") -> str:
    """Fill in the summary, as Markdown for a pull request's comment.

    Args:
        difference: Of B against A.
        worse: What is worse than allowed, see `hardpairs.analysis.gate.find_worse`.
        otherwise: What is said where nothing is, see `hardpairs.analysis.gate.nothing_worse`; ""
            where nobody asked.
    """
    environment = markdown_environment()
    environment.filters.update(FORMATS)
    return environment.get_template("difference.md.jinja").render(
        difference=difference,
        worse=worse,
        otherwise=otherwise,
        wider_intervals=WIDER_INTERVALS,
        stricter_test=STRICTER_TEST if disagree([difference.accuracy]) else "",
    )
