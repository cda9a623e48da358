"""Do the verdicts and their probabilities hold on other data, and where nothing is wrong?

    python benchmarks/verdict_rule.py [fmh_counts.csv]

Ten sets of images (`verdict_sets.py`), some with planted label errors, one with pictures of two
classes, one in which nothing is mislabelled or ambiguous. For each: how many mistakes get which
verdict, and of mistakes with similar probabilities of a wrong label the share that was planted.
With the votes: how often people leave the label of Fashion-MNIST's mistakes, by verdict. Constants
of the rule were chosen with a look at these sets, as docs/verdicts.md says. Trainings are kept in
runs/verdict_rule/; without them this takes about two minutes on two cores.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.people import people_leave
from hardpairs.analysis.verdicts import VERDICTS, Verdicts, judge_mistakes
from hardpairs.data.datasets import load_dataset
from hardpairs.data.votes import load_votes
from verdict_sets import BOTH, SETS, WRONG, Judged, judged

HERE = Path(__file__).parent
BINS = (0, 0.05, 0.2, 0.5, 0.8, 0.95, 1)


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("votes", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=HERE / "verdict_rule.json")
    options = parser.parse_args()
    results = []
    for name in SETS:
        data = judged(name)
        left = None
        if options.votes and name == "fashion-mnist":
            names = load_dataset(name).class_names
            votes = load_votes(options.votes, data.labels, np.arange(len(data.labels)), names)
            left = people_leave(data.labels, votes)
        for source in ("neighbours", "probabilities alone"):
            results.append(measure(name, source, data, left))
    console = Console(width=130)
    console.print(counts_table(results))
    console.print(reliability_table(results))
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measure(name: str, source: str, data: Judged, left: np.ndarray | None) -> dict[str, Any]:
    """One set, with its neighbours or without."""
    predictions = data.predictions
    neighbours = data.neighbours if source == "neighbours" else None
    evidence = gather_evidence([predictions], neighbours=neighbours)
    verdicts = judge_mistakes(predictions, evidence)
    rows, wrong = verdicts.rows, evidence.label_error_probability
    ambiguous = evidence.ambiguous_probability
    if wrong is None:
        raise SystemExit(f"{name}: {verdicts.reason}")
    return {
        "set": name,
        "source": source,
        "mistakes": len(rows),
        "planted": int((data.truth[rows] == WRONG).sum()),
        "of two classes": int((data.truth[rows] == BOTH).sum()),
        "expected planted": float(wrong[rows].sum()),
        "expected wrong": verdicts.expected_wrong,
        "people": []
        if left is None or ambiguous is None
        else by_people(ambiguous[rows], left[rows]),
        "verdicts": {
            verdict: by_verdict(verdicts, kind, data.truth, left)
            for kind, verdict in enumerate(VERDICTS)
        },
        "reliability": [
            {
                "from": low,
                "to": high,
                "mistakes": int(inside.sum()),
                "probability": float(wrong[rows][inside].mean()),
                "planted": float((data.truth[rows][inside] == WRONG).mean()),
            }
            for low, high in pairwise(BINS)
            if (inside := (wrong[rows] >= low) & (wrong[rows] < high + (high == 1))).any()
        ],
    }


def by_people(probability: np.ndarray, left: np.ndarray) -> list[dict[str, float]]:
    """Mistakes by their probability of being ambiguous: the mean, and how often people leave."""
    bins = np.minimum((probability * 5).astype(np.int64), 4)
    return [
        {
            "mistakes": int((bins == each).sum()),
            "probability": float(probability[bins == each].mean()),
            "people leave": float(left[bins == each].mean()),
        }
        for each in np.unique(bins)
    ]


def by_verdict(
    verdicts: Verdicts, kind: int, truth: np.ndarray, left: np.ndarray | None
) -> dict[str, Any]:
    """How many mistakes got it, how probable it is by itself, and what they are in truth."""
    rows = verdicts.rows[verdicts.kinds == kind]
    row: dict[str, Any] = {"mistakes": len(rows)}
    if len(rows):
        row["probability"] = float(verdicts.probabilities[verdicts.kinds == kind].mean())
        row["planted"] = float((truth[rows] == WRONG).mean())
        row["of two classes"] = float((truth[rows] == BOTH).mean())
        if left is not None:
            row["people leave"] = float(left[rows].mean())
    return row


def counts_table(results: list[dict[str, Any]]) -> Table:
    """How many mistakes got each verdict."""
    table = Table("set", "known", "mistakes", "planted", "expected", *VERDICTS, "by people, left")
    for row in results:
        shown = []
        for verdict in VERDICTS:
            of = row["verdicts"][verdict]
            planted = f" ({of['planted']:.0%} planted)" if of.get("planted") else ""
            shown.append(f"{of['mistakes']}{planted}")
        left = [row["verdicts"][each].get("people leave") for each in VERDICTS]
        people = ", ".join("-" if each is None else f"{each:.0%}" for each in left)
        table.add_row(
            *(row["set"], row["source"], str(row["mistakes"]), str(row["planted"])),
            *(f"{row['expected planted']:.0f}", *shown, people if any(left) else ""),
        )
    return table


def reliability_table(results: list[dict[str, Any]]) -> Table:
    """Stated probability of a wrong label, and the share that was planted."""
    table = Table("set", "known", *(f"{low:g} to {high:g}" for low, high in pairwise(BINS)))
    for row in results:
        cells = {each["from"]: each for each in row["reliability"]}
        table.add_row(
            *(row["set"], row["source"]),
            *(
                f"{cells[low]['probability']:.0%}: {cells[low]['planted']:.0%} of "
                f"{cells[low]['mistakes']}"
                if low in cells
                else ""
                for low in BINS[:-1]
            ),
        )
    return table


if __name__ == "__main__":
    main()
