"""A study's findings, from its jobs' predictions to study.json, study.md and figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from hardpairs.analysis.comparisons import (
    Block,
    Effect,
    Leader,
    Score,
    effects,
    find_leader,
    make_block,
    scores,
)
from hardpairs.analysis.subject import Subject
from hardpairs.data.datasets import load_human_votes
from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import write_text
from hardpairs.report.canvas import save_figure
from hardpairs.report.markdown import markdown_environment
from hardpairs.report.page import render_report
from hardpairs.studies.figures import draw_curves, draw_effects, draw_flips
from hardpairs.studies.jobs import Job, Result
from hardpairs.studies.plans import FACTORS, Arm

SCHEMA_VERSION = 1
StudyKind = Literal["compare", "ablate", "curve"]
PANELS = {"alone": "added to the base, alone", "left out": "left out of the whole"}


@dataclass(frozen=True)
class Section:
    """One block's findings: every recipe's accuracy, and what each gains over the first."""

    name: str
    source: str
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
        leader: Of the block "alone", where there is one.
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
    arms = [arm for block in plan.values() for arm in block]
    rows = [arm.jobs(seeds) for arm in arms]
    common = tuple(seed for seed in range(seeds) if all(row[seed] in results for row in rows))
    if len(common) < 2:
        raise InputError(
            f"{len(common)} of {seeds} seeds finished for every recipe, and a comparison needs "
            "two; run the same command again once the reasons above are mended."
        )
    test, validation = {}, {}
    for name, block in plan.items():
        runs = [[results[arm.jobs(seeds)[seed]] for seed in common] for arm in block]
        names = [arm.name for arm in block]
        test[name] = make_block(names, [[run.test for run in row] for row in runs])
        held_out = [[run.validation for run in row if run.validation] for row in runs]
        if all(len(row) == len(common) for row in held_out):
            validation[name] = make_block(names, held_out)
    return test, validation, common


def find(
    kind: StudyKind,
    plan: Mapping[str, Sequence[Arm]],
    datasets: Mapping[str, Dataset],
    seeds: int,
    results: Mapping[Job, Result],
    failures: Mapping[Job, Exception],
    *,
    quick: bool,
) -> tuple[Findings, dict[str, Block]]:
    """Analyse a study's jobs; returns the findings and the blocks behind them."""
    blocks, validation, common = make_blocks(plan, seeds, results)
    sections = []
    for name, block in blocks.items():
        arm = plan[name][0]
        count = max(round(len(datasets[arm.source].train) * arm.fraction), 1)
        sections.append(Section(name, arm.source, count, scores(block), effects(block)))
    findings = Findings(
        kind=kind,
        quick=quick,
        seeds=common,
        failed=tuple(
            f"{job.recipe.net} on {job.source}, seed {job.seed}: {_first_line(reason)}"
            for job, reason in failures.items()
        ),
        training_hours=sum(
            result.test.metadata.get("fit_seconds", 0.0) for result in results.values()
        )
        / 3600,
        sections=tuple(sections),
        leader=(
            find_leader(blocks["alone"], validation["alone"]) if "alone" in validation else None
        ),
    )
    return findings, blocks


def write_study(
    findings: Findings,
    blocks: Mapping[str, Block],
    datasets: Mapping[str, Dataset],
    folder: Path,
) -> None:
    """Write the figures, study.md and, last, study.json; raises InputError where it can't."""
    drawings = draw_study(findings, blocks, datasets)
    for name, figure in drawings.items():
        save_figure(figure, folder / name)
    write_text(folder / "study.md", render_study(findings, list(drawings)))
    write_text(folder / "study.json", json.dumps(findings.to_dict(), indent=1) + "\n")


def write_study_page(
    findings: Findings,
    plan: Mapping[str, Sequence[Arm]],
    datasets: Mapping[str, Dataset],
    results: Mapping[Job, Result],
    folder: Path,
) -> None:
    """Write report.html: one run of the study beside another, and the study's findings.

    The run is the first finished seed of an ablation's whole, beside its base; of another study's
    last block, the last recipe beside the first. Raises InputError where it can't be written.
    """
    blocks = list(plan.values())
    if findings.kind == "ablate":
        arm, reference = blocks[-1][0], blocks[0][0]
    else:
        arm, reference = blocks[-1][-1], blocks[-1][0]
    seed = findings.seeds[0]
    run, other = (results[Job(a.source, a.recipe, seed, a.fraction)].test for a in (arm, reference))
    votes = load_human_votes(arm.source)
    subject = Subject(run, images=datasets[arm.source].test.images, human_votes=votes)
    page = render_report(subject, study=findings.to_dict(), other=other)
    write_text(folder / "report.html", page)


def draw_study(
    findings: Findings, blocks: Mapping[str, Block], datasets: Mapping[str, Dataset]
) -> dict[str, Figure]:
    """Draw what suits the kind of study, by file name."""
    mark = "QUICK, numbers mean nothing. " if findings.quick else ""
    if findings.kind == "ablate":
        panels = {PANELS[section.name]: section.effects for section in findings.sections}
        return {"study_effects.png": draw_effects(panels, f"{mark}{leader_sentence(findings)}")}
    if findings.kind == "curve":
        curves: dict[str, list[tuple[int, Score]]] = {}
        for section in findings.sections:
            for score in section.scores:
                name = f"{score.name}\n{section.source}"
                curves.setdefault(name, []).append((section.train_images, score))
        headline = f"{mark}Mistakes against training images, band: 95% over seeds"
        return {"study_curves.png": draw_curves(curves, headline)}
    drawings: dict[str, Figure | None] = {}
    for section in findings.sections:
        name = "".join(c if c.isalnum() else "-" for c in datasets[section.source].name)
        drawings[f"study_flips_{name}.png"] = draw_flips(
            blocks[section.name], 1, datasets[section.source].test
        )
    return {name: figure for name, figure in drawings.items() if figure is not None}


def render_study(findings: Findings, pictures: Sequence[str]) -> str:
    """Fill in the sheet, as Markdown."""
    environment = markdown_environment()
    environment.filters.update(
        percent=lambda value: f"{value:.2%}",
        points=points,
        verdict=verdict,
        caption=section_caption,
    )
    return environment.get_template("study.md.jinja").render(
        findings=findings,
        pictures=pictures,
        factors=FACTORS,
        panels=PANELS,
        verdict=leader_sentence(findings),
    )


def points(value: float) -> str:
    """A difference of accuracies in points, with its sign."""
    return f"{100 * value:+.2f}"


def verdict(effect: Effect) -> str:
    """Whether an effect is told apart from none and, if not, how many seeds it would take."""
    if effect.told_apart:
        return "better" if effect.gain > 0 else "worse"
    seeds = ">1,000" if effect.seeds_needed is None else f"{effect.seeds_needed}"
    return f"? {seeds} seeds"


def section_caption(section: Section) -> str | None:
    """Spell out the question mark where there is one."""
    if all(effect.told_apart for effect in section.effects):
        return None
    return "?: can't be told apart from no effect; so many seeds would tell"


def leader_sentence(findings: Findings) -> str:
    """What helped most, or that it can't be said."""
    leader = findings.leader
    if leader is None:
        return "Nothing was held out to choose a leader on."
    gain = points(leader.gain)
    if leader.name == "base":
        return "No factor alone beats the base on the validation images."
    if not leader.rivals:
        return f"{leader.name} helps most alone: {gain} points, told apart from all others."
    rivals = ", ".join(leader.rivals[:3]) + (" and more" if len(leader.rivals) > 3 else "")
    seeds = (
        "more than 1,000 seeds" if leader.seeds_needed is None else f"{leader.seeds_needed} seeds"
    )
    return f"{leader.name} leads alone ({gain}) but can't be told from {rivals}: {seeds} would tell"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"
