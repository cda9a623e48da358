"""Markdown from templates in which every text is taken for foreign until it is marked as ours."""

from typing import Any

import jinja2
from markupsafe import Markup

from hardpairs.foreign import escape_markdown
from hardpairs.wording import counted, estimated, percent


def markdown_environment() -> jinja2.Environment:
    """The package's Markdown templates; texts put into them are escaped, ``|safe`` ones aren't."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hardpairs.report"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=_harmless,
    )
    environment.filters["percent"] = lambda *value: Markup(percent(*value))
    environment.filters |= {"counted": counted, "estimated": estimated}
    environment.filters["plain"] = _harmless
    environment.filters["safe"] = Markup
    return environment


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(escape_markdown(value))
    return value
