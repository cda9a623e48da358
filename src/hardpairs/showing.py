"""How results show themselves where people work: as a DataFrame, and in a notebook."""

import importlib
from collections.abc import Mapping
from typing import Any

from hardpairs.errors import InputError


def as_frame(columns: Mapping[str, Any]) -> Any:
    """Columns of equal length as a pandas DataFrame; where pandas is missing, as Polars'.

    A pandas frame becomes Polars' through the interchange protocol: ``polars.from_dataframe``.

    Raises:
        InputError: Neither is installed.
    """
    for library in ("pandas", "polars"):
        try:
            return importlib.import_module(library).DataFrame(dict(columns))
        except ImportError:
            continue
    raise InputError("to_frame needs pandas or Polars; pip install pandas.")


def chosen_columns(tables: Mapping[str, Any], what: str) -> Any:
    """What a result's table ``what`` is made by; raises InputError for a name it hasn't."""
    if what not in tables:
        raise InputError(f"to_frame: there is no table {what!r}; choose {', '.join(tables)}.")
    return tables[what]


def as_html(value: Any) -> str:
    """A value as HTML for a notebook: what its ``_repr_html_`` returns.

    How things look is the business of `hardpairs.report`, which nothing before it imports. It is
    looked up here, by name, when a notebook asks, and at no other time.
    """
    html: str = importlib.import_module("hardpairs.report.notebook").render(value)
    return html
