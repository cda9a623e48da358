"""A study's findings: its finished jobs side by side, and what the comparisons say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hardpairs.analysis.comparisons import (
    Block,
    Effect,
    Leader,
    Score,
    choose_leader,
    effects,
    make_block,
    scores,
)
from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.studies.jobs import Job, Result
from hardpairs.studies.plans import ADDED, Arm, distinct_names

SCHEMA_VERSION = 2
StudyKind = Literal["compare", "ablate", "curve"]


@dataclass(frozen=True)
class Section:
    """One block's findings: every recipe's accuracy, and what each gains over the first.

    Attributes:
        name: Of the block.
        source: Of the dataset: a bundled name or a path.
        data: The dataset's name, different for each dataset of a study.
        train_images: Training images that a recipe was given.
        scores, effects: Of the recipes, in the block's order.
    """

    name: str
    source: str
    data: str
    train_images: int
    scores: tuple[Score, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Attributes:
        kind: Which study.
        quick: Made on a slice, to show the shape: its numbers mean nothing.
        seeds: Seeds that every recipe finished.
        failed: What didn't finish, as "recipe, seed: reason".
        training_hours: Of all jobs together, whenever they were done.
        sections: One per block.
        leader: Of an ablation's factors added alone, where images were held out to choose it.
    """

    kind: StudyKind
    quick: bool
    seeds: tuple[int, ...]
    failed: tuple[str, ...]
    training_hours: float
    sections: tuple[Section, ...]
    leader: Leader | None

    def to_dict(self) -> dict[str, Any]:
        """The schema of study.json: plain numbers, lists and texts."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def gather_findings(
    kind: StudyKind,
    plan: Mapping[str, Sequence[Arm]],
    datasets: Mapping[str, Dataset],
    seeds: int,
    outcomes: tuple[Mapping[Job, Result], Mapping[Job, Exception]],
    *,
    quick: bool,
) -> tuple[Findings, dict[str, Block]]:
    """Analyse a study's jobs; returns the findings and the blocks behind them.

    Args:
        kind, plan, seeds, quick: What was studied.
        datasets: By source.
        outcomes: What `run_jobs` returned.

    Raises:
        InputError: Fewer than two seeds finished for every recipe.
    """
    results, failures = outcomes
    blocks, validation, common = make_blocks(plan, seeds, results)
    names = distinct_names([arm.source for block in plan.values() for arm in block])
    sections = []
    for name, block in blocks.items():
        arm = plan[name][0]
        count = max(round(len(datasets[arm.source].train) * arm.fraction), 1)
        data = names[arm.source]
        sections.append(Section(name, arm.source, data, count, scores(block), effects(block)))
    seconds = [result.test.metadata.get("fit_seconds", 0.0) for result in results.values()]
    findings = Findings(
        kind=kind,
        quick=quick,
        seeds=common,
        failed=tuple(f"{job.label}: {_first_line(reason)}" for job, reason in failures.items()),
        training_hours=sum(seconds) / 3600,
        sections=tuple(sections),
        leader=choose_leader(blocks[ADDED], validation[ADDED]) if ADDED in validation else None,
    )
    return findings, blocks


def make_blocks(
    plan: Mapping[str, Sequence[Arm]], seeds: int, results: Mapping[Job, Result]
) -> tuple[dict[str, Block], dict[str, Block], tuple[int, ...]]:
    """Put the finished jobs of a plan side by side.

    Returns:
        Blocks on the test images, the same on validation images (empty where none are held out),
        and the seeds that every arm finished: only those are compared.

    Raises:
        InputError: Fewer than two such seeds.
    """
    rows = [arm.jobs(seeds) for block in plan.values() for arm in block]
    common = tuple(seed for seed in range(seeds) if all(row[seed] in results for row in rows))
    if len(common) < 2:
        raise InputError(
            f"{len(common)} of {seeds} seeds finished for every recipe, and a comparison needs "
            "two; run the same command again once the causes above are removed."
        )
    test, validation = {}, {}
    for name, block in plan.items():
        runs = [[results[arm.jobs(seeds)[seed]] for seed in common] for arm in block]
        names = [arm.name for arm in block]
        test[name] = make_block(names, [[run.test for run in row] for row in runs])
        watched = [[run.validation for run in row if run.validation] for row in runs]
        if all(len(row) == len(common) for row in watched):
            validation[name] = make_block(names, watched)
    return test, validation, common


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"
