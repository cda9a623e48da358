"""Writing an audit: audit.md, its pictures, tables and audit.json."""

import json
from pathlib import Path
from typing import Any

from hardpairs.analysis.audit import Audit, audit_dict
from hardpairs.data.split import Dataset
from hardpairs.files import whole_files, write_text
from hardpairs.foreign import csv_text
from hardpairs.predictions.predictions import save_predictions
from hardpairs.report import audit_figures
from hardpairs.report.canvas import save_figure
from hardpairs.report.markdown import markdown_environment

LISTED = 20  # Suspects and pairs that audit.md names; the tables hold them all.


def write_audit(audit: Audit, dataset: Dataset, folder: Path) -> None:
    """Write audit.md, audit.json, two tables, pictures and the predictions into a folder.

    Raises:
        InputError: The folder can't be written.
    """
    with whole_files(folder) as partial:
        save_predictions(audit.train, partial / "train.npz")
        save_predictions(audit.test, partial / "test.npz")
        drawings = {
            "duplicates.png": audit_figures.draw_duplicates(audit.duplicates, dataset),
            "suspects_train.png": audit_figures.draw_suspects(
                audit.train, audit.train_suspects, dataset.train
            ),
            "suspects_test.png": audit_figures.draw_suspects(
                audit.test, audit.test_suspects, dataset.test
            ),
        }
        pictures = {name: figure for name, figure in drawings.items() if figure is not None}
        for name, figure in pictures.items():
            save_figure(figure, partial / name)
        write_text(partial / "duplicates.csv", _duplicates_csv(audit))
        write_text(partial / "suspects.csv", _suspects_csv(audit))
        write_text(partial / "audit.md", _render(audit, dataset, [*pictures]))
        record = {**audit_dict(audit), "notes": [*dataset.notes, *audit.notes]}
        write_text(partial / "audit.json", json.dumps(record, indent=2, allow_nan=False) + "\n")


def _suspects_csv(audit: Audit) -> str:
    names = audit.train.class_names
    columns = list(audit.train_evidence.columns())
    rows: list[list[Any]] = [["split", "id", "label", "predicted", *columns]]
    for predictions, evidence, suspects in (
        (audit.train, audit.train_evidence, audit.train_suspects),
        (audit.test, audit.test_evidence, audit.test_suspects),
    ):
        predicted, values = predictions.predicted, evidence.columns()
        for row in suspects:
            rows.append(
                [
                    predictions.split,
                    predictions.ids[row],
                    names[predictions.labels[row]],
                    names[predicted[row]],
                    *(f"{values[name][row]:.4g}" if name in values else "" for name in columns),
                ]
            )
    return csv_text(rows)


def _duplicates_csv(audit: Audit) -> str:
    names = ("split", "id", "label")
    rows: list[list[Any]] = [[*(f"{name}_{n}" for n in (1, 2) for name in names), "distance"]]
    for pair, distance in zip(audit.duplicates.pairs, audit.duplicates.distances, strict=True):
        sides = [value for row in pair for value in _locate(audit, int(row))]
        rows.append([*sides, f"{distance:.4f}"])
    return csv_text(rows)


def _locate(audit: Audit, row: int) -> tuple[str, int | str, str]:
    """Split, id and label of a row of both splits together."""
    in_train = row < len(audit.train.labels)
    predictions = audit.train if in_train else audit.test
    index = row if in_train else row - len(audit.train.labels)
    return (
        predictions.split,
        predictions.ids[index].item(),
        predictions.class_names[predictions.labels[index]],
    )


def _render(audit: Audit, dataset: Dataset, pictures: list[str]) -> str:
    listed = audit.duplicates.pairs[:LISTED]
    return (
        markdown_environment()
        .get_template("audit.md.jinja")
        .render(
            dataset=dataset,
            audit=audit,
            counts=audit_dict(audit),
            pictures=pictures,
            pairs=[
                (*_locate(audit, int(first)), *_locate(audit, int(second)), float(distance))
                for (first, second), distance in zip(
                    listed, audit.duplicates.distances, strict=False
                )
            ],
        )
    )
