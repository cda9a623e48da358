"""Tables on standard output."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hardpairs.foreign import one_line, spoken_names
from hardpairs.training.recipes import RECIPES, WITHOUT_BF16
from hardpairs.wording import counted, estimated, percent, score_text

if TYPE_CHECKING:
    from hardpairs.analysis.audit import Audit
    from hardpairs.analysis.evaluation import Evaluation
    from hardpairs.studies.findings import Findings

SHOWN_PAIRS = 3
NARROW = 70  # Columns; below it tables lose what can be spared, or become lines.
SHOWN_CLASSES, HARDEST_CLASSES = 40, 20  # In full up to so many; of more, the hardest.


def print_evaluation(evaluation: "Evaluation", console: Console) -> None:
    """Print accuracy, the per-class report and the hard pairs."""
    low, high = evaluation.accuracy_interval
    console.print(
        f"\n[bold]accuracy {percent(evaluation.accuracy, 2)}[/bold]  95% confidence interval "
        f"{percent(low, 2)} to {percent(high, 2)}, {counted(evaluation.images, 'image')}\n",
        highlight=False,
    )
    console.print(_class_table(evaluation, console))
    if not evaluation.hard_pairs:
        console.print("no mistakes, so no hard pairs")
    elif console.width < NARROW:
        for line in _pair_lines(evaluation, console):
            console.print(Text(line))
    else:
        console.print(_pair_table(evaluation, _sign(console, "→")))


def _sign(console: Console, sign: str) -> str:
    """A sign that the terminal has: what replaced it later would be of another width."""
    return sign if "utf" in console.encoding else {"→": "->", "←": "<-", "≤": "<="}[sign]


def _class_table(evaluation: "Evaluation", console: Console) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class")
    narrow = console.width < NARROW
    for name in ("F1", "images") if narrow else ("precision", "recall", "F1", "images"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    shown = list(range(len(evaluation.classes)))
    if len(shown) > SHOWN_CLASSES:
        occurring = [index for index in shown if evaluation.classes[index].support]
        shown = sorted(occurring, key=lambda index: evaluation.classes[index].f1)[:HARDEST_CLASSES]
        table.caption = f"the hardest of {len(evaluation.classes):,} classes; all: metrics.json"
    left = _sign(console, "←")
    for index in shown:
        score = evaluation.classes[index]
        mark = f"{left} {evaluation.marks[index]}" if index in evaluation.marks else ""
        scores = (score.f1,) if narrow else (score.precision, score.recall, score.f1)
        table.add_row(
            Text(one_line(score.name)),
            *(score_text(value) if score.support else "-" for value in scores),
            f"{score.support:,}",
            mark,
            style="bold" if mark else None,
        )
    return table


def _pair_lines(evaluation: "Evaluation", console: Console) -> Iterator[str]:
    names, arrow = spoken_names(evaluation.class_names), _sign(console, "→")
    for pair in evaluation.hard_pairs[:SHOWN_PAIRS]:
        first, second = (names[index] for index in (pair.first, pair.second))
        yield f"{first} / {second}: {counted(pair.mistakes, 'mistake')}"
        yield f"  {first} {arrow} {second}: {pair.first_as_second} ({percent(pair.first_share)})"
        yield f"  {second} {arrow} {first}: {pair.second_as_first} ({percent(pair.second_share)})"
    yield ""


def _pair_table(evaluation: "Evaluation", arrow: str) -> Table:
    names = spoken_names(evaluation.class_names)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("hard pair")
    table.add_column("mistakes", justify="right")
    table.add_column("direction")
    table.add_column("count", justify="right")
    table.add_column("of the class", justify="right")
    for pair in evaluation.hard_pairs[:SHOWN_PAIRS]:
        first, second = (names[index] for index in (pair.first, pair.second))
        table.add_row(
            Text(f"{first} / {second}"),
            f"{pair.mistakes:,}",
            Text(f"{first} {arrow} {second}"),
            f"{pair.first_as_second:,}",
            percent(pair.first_share),
        )
        table.add_row(
            "",
            "",
            Text(f"{second} {arrow} {first}"),
            f"{pair.second_as_first:,}",
            percent(pair.second_share),
        )
    return table


def print_audit(audit: "Audit", console: Console) -> None:
    """Print duplicates, suspects and accuracy with and without them."""
    for place, counts in audit.kind_counts().items():
        console.print(
            f"duplicates {place}: {counts['exact']:,} exact, {counts['near']:,} near",
            highlight=False,
        )
    console.print(
        f"suspect labels: {len(audit.train_suspects):,} in train, {len(audit.test_suspects):,} "
        "in test; a suspect is a place to look",
        highlight=False,
    )
    for note in audit.notes:
        console.print(note, highlight=False)
    expected = audit.expected_wrong()
    if expected:
        wrong = " and ".join(f"{estimated(count)} in {split}" for split, count in expected.items())
        console.print(f"wrong labels, an estimate: {wrong}", highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("accuracy on")
    for name in ("images", "accuracy", "95% confidence\ninterval"):
        table.add_column(name, justify="right")
    for row in audit.accuracies:
        low, high = row.interval
        table.add_row(
            row.on,
            f"{row.images:,}",
            percent(row.accuracy, 2),
            f"{percent(low, 2)} to {percent(high, 2)}",
        )
    console.print(table)


def print_recipes(console: Console) -> None:
    """Print the recipe table; on a narrow terminal, some lines for each."""
    on_gpu = [recipe for recipe in RECIPES.values() if recipe.on_gpu]
    if console.width < NARROW:
        for recipe in RECIPES.values():
            console.print(f"[bold]{recipe.name}[/bold]: {recipe.measured}", highlight=False)
            console.print(f"  {recipe.description}", highlight=False)
        console.print("Measured on Fashion-MNIST.", highlight=False)
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("recipe", "what it is", "epochs", "on Fashion-MNIST, two cores"):
            table.add_column(name, justify="right" if name == "epochs" else "left")
        for recipe in RECIPES.values():
            most = f"{_sign(console, '≤')} " if recipe.patience else ""
            row = (recipe.name, recipe.description, f"{most}{recipe.epochs}", recipe.measured)
            table.add_row(*row)
        console.print(table)
    console.print(
        "Two cores of an AMD EPYC that multiplies bf16; on one that doesn't, as on many laptops, "
        f"{WITHOUT_BF16}.\n",
        markup=False,
        highlight=False,
    )
    console.print(
        "On an NVIDIA GPU the same recipes train with JAX: pip install 'hardpairs[gpu]' without "
        "the extra train. On an H200, once compiled:",
        markup=False,
        highlight=False,
    )
    for recipe in on_gpu:
        console.print(f"  {recipe.name:<8}{recipe.on_gpu}", highlight=False)


def print_study(findings: "Findings", console: Console) -> None:
    """Print one table a block, and what helped most."""
    from hardpairs.analysis.changes import points, signed
    from hardpairs.studies.report import conclusion, leader_sentence, section_caption

    if findings.quick:
        console.print("[bold]quick: a slice of the data; the numbers mean nothing[/bold]")
    for section in findings.sections:
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            title=Text(one_line(section.name), style="bold"),
            caption=None if findings.quick else section_caption(section),
        )
        table.add_column("recipe", no_wrap=True)
        for name in ("accuracy", "gain", "95% confidence\ninterval", "errors"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        first, *others = section.scores
        table.add_row(Text(one_line(first.name)), percent(first.mean, 2))
        for score, effect in zip(others, section.effects, strict=True):
            removed = effect.errors_removed
            table.add_row(
                Text(one_line(score.name)),
                percent(score.mean, 2),
                points(effect.gain),
                f"{points(effect.interval[0])}, {points(effect.interval[1])}",
                "" if removed is None else f"{signed(-100 * removed, 0)}%",
                "" if findings.quick else conclusion(effect),
            )
        console.print(table)
    if findings.leader and not findings.quick:
        console.print(Text(one_line(leader_sentence(findings))))
