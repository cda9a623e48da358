"""What the simulations have in common: a table of shares with their intervals, counts as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hardpairs.analysis.intervals import wilson_interval


def share(count: int, of: int, decimals: int = 1) -> str:
    """A share in percent and its 95% Wilson interval."""
    low, high = wilson_interval(count, of)
    return f"{count / of:.{decimals}%} ({low:.{decimals}%} to {high:.{decimals}%})"


def publish(
    outcomes: Sequence[Any], out: Path, *, title: str, columns: Sequence[str],
    rows: Iterable[Sequence[str]],
) -> None:  # fmt: skip
    """Print a row for each outcome and write all of them, dataclasses, to ``out``."""
    table = Table(title=title)
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=140).print(table)
    text = json.dumps([asdict(each) for each in outcomes], indent=1)
    out.write_text(text + "\n", encoding="utf-8")
