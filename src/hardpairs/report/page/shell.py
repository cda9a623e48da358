"""What every page is put together with: templates, style sheets, scripts."""

from functools import cache
from pathlib import Path

import jinja2

from hardpairs.analysis.calibration import plain_points
from hardpairs.foreign import one_line
from hardpairs.html import html_environment
from hardpairs.wording import counted, percent, score_text

HERE = Path(__file__).parent


@cache
def page_environment() -> jinja2.Environment:
    """The pages' templates; every text put into them is escaped."""
    environment = html_environment(HERE)
    environment.filters |= {"percent": percent, "score": score_text, "counted": counted}
    environment.filters["plain_points"] = plain_points
    return environment


def id_text(identity: object) -> str:
    """An image's id as it is, blanks and all, which links and corrections name; if it can be."""
    text = str(identity)
    return text if text.isprintable() else one_line(text)


@cache
def joined(names: tuple[str, ...], kind: str) -> str:
    """One style sheet or script of several files, in this order."""
    return "\n".join((HERE / kind / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
