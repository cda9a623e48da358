"""A study's findings: its finished jobs side by side, and what the comparisons say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hardpairs.analysis.changes import points
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
from hardpairs.reading import guarded, read_json
from hardpairs.report.notebook import table
from hardpairs.showing import as_frame, chosen_columns
from hardpairs.studies.jobs import Job, Result, training_count
from hardpairs.studies.plans import ADDED, Arm, distinct_names

SCHEMA_VERSION = 2
EFFECT_COLUMNS = ("p_value", "significant", "seeds_needed", "errors_removed")
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


@dataclass(frozen=True, repr=False)
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

    def to_frame(self, what: str = "accuracies") -> Any:
        """A DataFrame, long: its columns are named as in study.json.

        Args:
            what: "accuracies", a row for each training; "effects", a row for each recipe that is
                compared with the first of its block.

        Raises:
            InputError: There is no such table, or neither pandas nor Polars is installed.
        """
        rows = chosen_columns({"accuracies": self._trainings, "effects": self._effects}, what)()
        return as_frame({name: [row[name] for row in rows] for name in (rows[0] if rows else ())})

    def _trainings(self) -> list[dict[str, Any]]:
        return [
            {**_place(section), "name": score.name, "seed": seed, "accuracy": accuracy}
            for section in self.sections
            for score in section.scores
            for seed, accuracy in zip(self.seeds, score.accuracies, strict=True)
        ]

    def _effects(self) -> list[dict[str, Any]]:
        return [
            {
                **_place(section),
                **{name: getattr(effect, name) for name in ("name", "reference", "gain")},
                "low": effect.interval[0],
                "high": effect.interval[1],
                **{name: getattr(effect, name) for name in EFFECT_COLUMNS},
            }
            for section in self.sections
            for effect in section.effects
        ]

    def __repr__(self) -> str:
        quick = "quick, " if self.quick else ""
        recipes = sum(len(section.scores) for section in self.sections)
        return f"Findings({self.kind}, {quick}{recipes} recipes, {len(self.seeds)} seeds)"

    def _repr_html_(self) -> str:
        rows = [
            (
                effect.name,
                effect.reference,
                section.data,
                points(effect.gain),
                " to ".join(points(bound) for bound in effect.interval),
                "yes" if effect.significant else "no",
            )
            for section in self.sections
            for effect in section.effects
        ]
        header = ("recipe", "compared with", "data", "points", "95% confidence interval")
        return table((*header, "significant"), rows)


def load_study(path: str | Path) -> Findings:
    """Read what a study found.

    Args:
        path: Its folder, or the study.json in it.

    Raises:
        InputError: There is none, it is damaged, or of another version.
    """
    path = Path(path)
    path = path / "study.json" if path.is_dir() else path
    with guarded(path, "a study.json of this version"):
        found = read_json(path)
        if found.pop("schema_version") != SCHEMA_VERSION:
            raise InputError("is of another version; run the study's command again.")
        return _built(Findings, found)


def _built(kind: Any, value: Any) -> Any:
    """What a dataclass holds, from the plain lists and dictionaries of its JSON."""
    if is_dataclass(kind):
        make: Any = kind
        hints = get_type_hints(kind)
        return make(
            **{each.name: _built(hints[each.name], value[each.name]) for each in fields(kind)}
        )
    inner = [each for each in get_args(kind) if each not in (type(None), ...)]
    if get_origin(kind) is tuple:
        kinds = inner * len(value) if len(inner) == 1 else inner
        return tuple(_built(*each) for each in zip(kinds, value, strict=True))
    if get_origin(kind) is UnionType:
        return None if value is None else _built(inner[0], value)
    if get_origin(kind) is Literal:
        kind = str
    if not isinstance(value, (int, float) if kind is float else kind):
        raise ValueError(f"holds {value!r} where {kind.__name__} should be")
    return value


def _place(section: Section) -> dict[str, Any]:
    return {
        "section": section.name,
        "data": section.data,
        "train_images": section.train_images,
    }


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
        count = training_count(arm.fraction, datasets[arm.source])
        data = names[arm.source]
        sections.append(Section(name, arm.source, data, count, scores(block), effects(block)))
    seconds = [result.test.metadata.get("fit_seconds", 0.0) for result in results.values()]
    findings = Findings(
        kind=kind,
        quick=quick,
        seeds=common,
        failed=tuple(failure_line(job, reason) for job, reason in failures.items()),
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


def failure_line(job: Job, error: Exception) -> str:
    """Say in a line which job failed and what stopped it."""
    lines = str(error).strip().splitlines()
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return f"{job.label}: {kind}{lines[-1] if lines else 'no message'}"
