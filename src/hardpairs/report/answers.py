"""The answer sheet: what the homework asks, answered with one run's figures, as Markdown."""

from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject

SHOWN_PAIRS = 3
Separates = Mapping[frozenset[str], str]


def render_answers(subject: Subject, pictures: dict[str, str]) -> str:
    """Fill in the sheet.

    Args:
        subject: What it tells of.
        pictures: File names of the pictures there are, by "cm", "filters", "pairs", "hardest",
            "history", "verdicts", "calibration".
    """
    evaluation, predictions, metrics = subject.evaluation, subject.predictions, subject.metrics
    human_votes = subject.human_votes
    separates = subject.about.separates if subject.about else {}
    return (
        markdown_environment()
        .get_template("fashion.md.jinja")
        .render(
            evaluation=evaluation,
            training=predictions.metadata,
            split=predictions.split or "given",
            pictures=pictures,
            pairs=[
                _pair(evaluation, rank, human_votes, separates)
                for rank in range(_shown(evaluation))
            ],
            hardest=_hardest(evaluation, human_votes, separates),
            human_votes=human_votes,
            verdicts=metrics["verdicts"],
            calibration=metrics["calibration"],
            shared=_shared(evaluation, metrics),
        )
    )


def markdown_environment() -> jinja2.Environment:
    """The package's Markdown templates, with filters for shares and for foreign names."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hardpairs.report"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["plain"] = escape_markdown
    return environment


def _shared(evaluation: Evaluation, metrics: dict[str, Any]) -> dict[str, Any] | None:
    """How many of the hardest class's mistakes people share, None where nobody was asked."""
    people = metrics["people"]
    return people["classes"][evaluation.hardest] if people else None


def _shown(evaluation: Evaluation) -> int:
    return min(SHOWN_PAIRS, len(evaluation.hard_pairs))


def _pair(
    evaluation: Evaluation, rank: int, human_votes: np.ndarray | None, separates: Separates
) -> dict[str, Any]:
    pair = evaluation.hard_pairs[rank]
    first, second = (evaluation.class_names[index] for index in (pair.first, pair.second))
    return {
        "first": first,
        "second": second,
        "pair": pair,
        "human_first": None if human_votes is None else human_votes[pair.first, pair.second],
        "human_second": None if human_votes is None else human_votes[pair.second, pair.first],
        "harder_for_people": human_votes is not None
        and human_votes[pair.first, pair.second] + human_votes[pair.second, pair.first]
        > pair.first_share + pair.second_share,
        "separates": separates.get(frozenset((first, second))),
    }


def _hardest(
    evaluation: Evaluation, human_votes: np.ndarray | None, separates: Separates
) -> dict[str, Any]:
    index, names = evaluation.hardest, evaluation.class_names
    row = evaluation.row(index)
    taken_for = [
        {
            "name": names[column],
            "count": int(row[column]),
            "share": row[column] / row.sum(),
            "human_share": None if human_votes is None else human_votes[index, column],
            "separates": separates.get(frozenset((names[index], names[column]))),
        }
        for column in np.argsort(-row, kind="stable")
        if column != index and row[column]
    ]
    return {
        "score": evaluation.classes[index],
        "mistakes": int(row.sum() - row[index]),
        "taken_for": taken_for[:3],
        "human_right": None if human_votes is None else human_votes[index, index],
        "human_best": None if human_votes is None else float(np.diag(human_votes).max()),
        "human_best_name": (
            None if human_votes is None else names[int(np.diag(human_votes).argmax())]
        ),
    }


def _percent(value: float, decimals: int = 1) -> str:
    return f"{value:.{decimals}%}"


def escape_markdown(text: str) -> str:
    """Keep a foreign name from acting as Markdown or HTML."""
    for character in "\\`*_{}[]<>#|!&":
        text = text.replace(character, f"&#{ord(character)};")
    return " ".join(text.split())
