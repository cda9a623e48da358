"""`hardpairs diff`."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from hardpairs.analysis.calibration import plain_points
from hardpairs.analysis.changes import (
    STRICTER_TEST,
    WIDER_INTERVALS,
    Change,
    count_text,
    disagree,
    interval_text,
    p_is,
    p_text,
    points,
)
from hardpairs.analysis.difference import Difference
from hardpairs.analysis.difference import diff as compare_sides
from hardpairs.analysis.gate import find_worse, nothing_worse
from hardpairs.cli.options import FilePath, file_path, link_option, votes_option
from hardpairs.cli.terminal import NARROW, Console
from hardpairs.errors import InputError
from hardpairs.files import named_file, write_text
from hardpairs.foreign import one_line
from hardpairs.report.difference import difference_json, render_summary, write_difference
from hardpairs.wording import percent

SHOWN_PAIRS = 5


class _ManyAfterWith(click.Command):
    """Lets ``--with`` take all paths up to the next option, as the shell's globs give them."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        repeated, inside = [], False
        for argument in arguments:
            if argument == "--with":
                inside = True
                continue
            inside = inside and not argument.startswith("-")
            repeated += ["--with", argument] if inside else [argument]
        if "--with" in arguments and "--with" not in repeated:
            raise InputError("--with: no run of B follows; name its runs there, or leave it out.")
        return super().parse_args(context, repeated)


@click.command(cls=_ManyAfterWith)
@click.argument("runs", nargs=-1, required=True, type=file_path)
@click.option(
    "--with",
    "others",
    multiple=True,
    type=file_path,
    metavar="B...",
    help="Runs of B; all before it are then runs of A, several seeds of one recipe.",
)
@click.option(
    "--data",
    type=FilePath(path_type=str),
    metavar="NAME|PATH",
    help="Where the images are, as for evaluate.",
)
@votes_option
@link_option
@click.option("--out", type=file_path, help="Folder for difference.html, .md and .json.")
@click.option("--json", "as_json", is_flag=True, help="Numbers as JSON, and nothing else.")
@click.option(
    "--summary",
    type=file_path,
    metavar="FILE",
    help="Write a Markdown summary, for a pull request's comment.",
)
@click.option(
    "--fail-if-worse",
    "allowed",
    type=float,
    metavar="POINTS",
    help="Exit with 1 where B is worse by more than so many points beyond chance.",
)
@click.option("--strict", is_flag=True, help="The difference itself decides, chance or not.")
@click.option("--per-class", is_flag=True, help="No class's recall may be worse, either.")
def diff(
    runs: tuple[Path, ...],
    others: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    summary: Path | None,
    allowed: float | None,
    strict: bool,
    per_class: bool,
    **sources: Any,
) -> None:
    """Compare predictions of the same images: what B fixes and breaks of A's.

    RUNS are A and B, run folders or predictions files as evaluate reads them; or, with --with,
    the runs of A. Exit code 0, 1 where B is worse than allowed, 2 for bad input.
    """
    before, after = _sides(runs, others)
    _check_gate(allowed, strict, per_class)
    difference = compare_sides(before, after, **sources)
    worse: tuple[str, ...] = ()
    otherwise = ""
    if allowed is not None:
        worse = find_worse(difference, allowed, strict=strict, per_class=per_class)
        otherwise = nothing_worse(allowed, strict=strict, per_class=per_class)
    if out is not None:
        write_difference(difference, out)
    if summary is not None:
        with named_file(summary) as partial:
            write_text(partial, render_summary(difference, worse, otherwise))
    if as_json:
        click.echo(difference_json(difference), nl=False)
    else:
        print_difference(difference, Console())
        if out is not None:
            click.echo(f"Report: {(out / 'difference.html').resolve().as_uri()}")
    for note in difference.notes:
        click.echo(one_line(note), err=True)
    for line in worse:
        click.echo(f"hardpairs: {line}", err=True)
    if worse:
        sys.exit(1)


def _sides(runs: Sequence[Path], others: Sequence[Path]) -> tuple[Sequence[Path], Sequence[Path]]:
    if others:
        return runs, others
    if len(runs) != 2:
        raise InputError(
            f"diff takes two paths, A and B, and was given {len(runs)}; several runs of each are "
            "given as A1 A2 --with B1 B2."
        )
    return runs[:1], runs[1:]


def _check_gate(allowed: float | None, strict: bool, per_class: bool) -> None:
    if allowed is None and (strict or per_class):
        raise InputError("--strict and --per-class go with --fail-if-worse POINTS; give it too.")
    if allowed is not None and not (math.isfinite(allowed) and allowed >= 0):
        raise InputError(f"--fail-if-worse: {allowed:g} is no number of points, 0 or more.")


def print_difference(difference: Difference, console: Console) -> None:
    """Print the finding, the sides, the classes and the hardest pairs."""
    a, b = difference.a, difference.b
    console.print(Text(f"\n{difference.headline}", style="bold"))
    console.print(Text(f"A: {one_line(a.name)}\nB: {one_line(b.name)}\n"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", min_width=11)
    columns = ("A", "B", "points", "95% confidence\ninterval", "fixed", "broken", "p")
    for name in columns[2:4] if console.width < NARROW else columns:
        # Something must give way where numbers are long, or the last column loses its digits.
        table.add_column(name, justify="right", no_wrap=not name.startswith("95%"))
    _add_row(table, "accuracy", difference.accuracy, difference.accuracy.p_value)
    for each in difference.classes:
        if each.change.significant:
            _add_row(table, one_line(each.name), each.change, each.change.adjusted_p)
    console.print(table)
    _print_significance(difference, console)
    if a.calibration_error is not None and b.calibration_error is not None:
        console.print(
            f"calibration error {plain_points(a.calibration_error)} and "
            f"{plain_points(b.calibration_error)} points",
            highlight=False,
        )
    told = [each for each in difference.verdicts if each.fixed or each.broken]
    for part in told if difference.can_tell else ():
        fixed, broken = map(count_text, (part.fixed, part.broken))
        console.print(
            f"{part.verdict}: {fixed} fixed, {broken} broken, "
            f"{points(part.difference)} points of the difference",
            highlight=False,
        )
    for pair in difference.pairs[:SHOWN_PAIRS]:
        p_value = pair.change.adjusted_p
        mark = "not tested" if p_value is None else f"p {p_is(p_value)}"
        mark = "significant" if pair.change.significant else mark
        wrong = " -> ".join(map(count_text, pair.change.wrong))
        names = " / ".join(one_line(name) for name in pair.names)
        console.print(Text(f"{names}: {wrong} mistakes ({mark})"))


def _print_significance(difference: Difference, console: Console) -> None:
    """Say whether classes differ significantly, and why an interval may seem to say otherwise."""
    named = [each.change for each in difference.classes if each.change.significant]
    if any(each.interval and each.interval[0] <= 0 <= each.interval[1] for each in named):
        console.print(WIDER_INTERVALS)
    tested = difference.classes[0].change.p_value is not None
    if disagree([difference.accuracy]):
        console.print(STRICTER_TEST)
    if tested and not named:
        count = len(difference.classes)
        every = (
            "the only class doesn't differ" if count == 1 else f"none of {count:,} classes differs"
        )
        console.print(f"{every} significantly")


def _add_row(table: Table, name: str, change: Change, p_value: float | None) -> None:
    cells = (
        percent(change.before, 2),
        percent(change.after, 2),
        points(change.difference),
        interval_text(change),
        count_text(change.fixed),
        count_text(change.broken),
        p_text(p_value),
    )
    table.add_row(Text(name), *(cells[2:4] if len(table.columns) == 3 else cells))
