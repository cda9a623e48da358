"""A study's report: study.json, study.md, figures and the page, from its findings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hardpairs.analysis.changes import FORMATS, WIDER_INTERVALS, Change, signed
from hardpairs.analysis.comparisons import Block, Effect, Score
from hardpairs.analysis.difference import diff
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import load_class_votes
from hardpairs.data.split import Dataset, Split
from hardpairs.files import write_text
from hardpairs.report.canvas import save_figure
from hardpairs.report.markdown import markdown_environment
from hardpairs.report.page.difference import render_difference
from hardpairs.report.page.render import render_report
from hardpairs.report.page.study import led_by, study_title
from hardpairs.studies.figures import draw_changes, draw_curves, draw_effects
from hardpairs.studies.findings import Findings, Section
from hardpairs.studies.jobs import Job, Result
from hardpairs.studies.plans import ADDED, FACTORS, REMOVED, Arm, in_file_name
from hardpairs.wording import counted, seeds_interval

UNJUDGED = "No verdicts are given: the numbers of a quick study mean nothing."
PANELS = {ADDED: "added to the base, alone", REMOVED: "removed from the full recipe"}


def write_study(
    findings: Findings,
    blocks: Mapping[str, Block],
    splits: Mapping[str, Split],
    folder: Path,
) -> None:
    """Write the figures, study.md and, last, study.json; raises InputError where it can't.

    Args:
        findings, blocks: See `hardpairs.studies.findings.gather_findings`.
        splits: Of each block, the test images.
        folder: Where to.
    """
    drawings = draw_study(findings, blocks, splits)
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
    """Write report.html and difference.html: a run of the study, and its recipe against another's.

    They are of an ablation's full recipe against its base, of another study's last block the last
    recipe against the first. The report shows the first finished seed. Raises InputError where
    they can't be written.
    """
    blocks = list(plan.values())
    if findings.kind == "ablate":
        arm, reference = blocks[-1][0], blocks[0][0]
    else:
        arm, reference = blocks[-1][-1], blocks[-1][0]
    runs = [
        [results[Job(a.source, a.recipe, seed, a.fraction)].test for seed in findings.seeds]
        for a in (reference, arm)
    ]
    dataset = datasets[arm.source]
    known: dict[str, Any] = {
        "images": dataset.test.images,
        "inverted": dataset.test.inverted,
        "about": dataset.about,
        "class_votes": load_class_votes(dataset.test.fingerprint),
        "no_verdicts": UNJUDGED if findings.quick else "",
    }
    first, second = (Subject(side[0], **known) for side in runs)
    write_text(folder / "report.html", render_report(second, study=findings.to_dict()))
    difference = diff([first, *runs[0][1:]], [second, *runs[1][1:]])
    write_text(folder / "difference.html", render_difference(difference, quick=findings.quick))


def draw_study(
    findings: Findings, blocks: Mapping[str, Block], splits: Mapping[str, Split]
) -> dict[str, Figure]:
    """Draw what suits the kind of study, by file name."""
    mark = "QUICK, numbers mean nothing. " if findings.quick else ""
    if findings.kind == "ablate":
        panels = {PANELS[section.name]: section.effects for section in findings.sections}
        headline = f"{mark}{leader_sentence(findings)}"
        return {"study_effects.png": draw_effects(panels, headline, judged=not findings.quick)}
    if findings.kind == "curve":
        curves: dict[str, list[tuple[int, Score]]] = {}
        several = len({section.data for section in findings.sections}) > 1
        for section in findings.sections:
            for score in section.scores:
                name = f"{score.name}\n{section.data}" if several else score.name
                curves.setdefault(name, []).append((section.train_images, score))
        headline = f"{mark}Mistakes against training images, band: 95% over seeds"
        return {"study_curves.png": draw_curves(curves, headline)}
    drawings: dict[str, Figure | None] = {}
    for section in findings.sections:
        figure = draw_changes(blocks[section.name], 1, splits[section.name], mark)
        drawings[changes_file(section.data)] = figure
    return {name: figure for name, figure in drawings.items() if figure is not None}


def render_study(findings: Findings, pictures: Sequence[str]) -> str:
    """Fill in the sheet, as Markdown."""
    environment = markdown_environment()
    environment.filters.update(
        **FORMATS,
        signed=signed,
        seeds_interval=seeds_interval,
        conclusion=conclusion,
        mistakes_interval=mistakes_interval,
        caption=section_caption,
        duration=duration,
    )
    return environment.get_template("study.md.jinja").render(
        findings=findings,
        title=study_title(findings.to_dict()),
        pictures=pictures,
        alts={picture: _seen_in(picture, findings) for picture in pictures},
        factors=FACTORS,
        panels=PANELS,
        leader=leader_sentence(findings),
        wider_intervals=WIDER_INTERVALS,
    )


def _seen_in(picture: str, findings: Findings) -> str:
    """What a figure shows, for those who don't see it; its numbers stand in the tables."""
    if findings.kind == "ablate":
        return "Gain of each recipe in points of accuracy, with its 95% confidence interval"
    if findings.kind == "curve":
        return "Share of the test images mistaken, against the number of training images"
    section = next(each for each in findings.sections if changes_file(each.data) == picture)
    first, second = (score.name for score in section.scores[:2])
    return f"Test images of {section.data} that {second} fixes and that it breaks, beside {first}"


def changes_file(data: str) -> str:
    """The name of the figure of images that changed."""
    return f"study_changes_{in_file_name(data)}.png"


def duration(hours: float) -> str:
    """Hours in the unit that suits them.

    >>> duration(2.04), duration(0.5), duration(0.01)
    ('2.0 hours', '30 minutes', '36 seconds')
    """
    if hours >= 1:
        return f"{hours:,.1f} hours"
    seconds = round(3600 * hours)
    return counted(round(seconds / 60), "minute") if seconds >= 120 else counted(seconds, "second")


def mistakes_interval(change: Change) -> str:
    """The interval of a pair's mistakes, images: fewer mistakes are below 0."""
    if change.interval is None:
        return "[nothing varied]"
    low, high = (-change.images * end for end in reversed(change.interval))
    return f"[{signed(low, 0)}, {signed(high, 0)}]"


def conclusion(effect: Effect) -> str:
    """Better, worse, or not significantly different and how many seeds it would take to tell."""
    if effect.significant:
        return "better" if effect.gain > 0 else "worse"
    seeds = ">1,000" if effect.seeds_needed is None else f"{effect.seeds_needed}"
    return f"? {seeds} seeds"


def section_caption(section: Section) -> str | None:
    """Spell out the question mark where there is one."""
    if all(effect.significant for effect in section.effects):
        return None
    return "?: not significantly different; so many seeds would show a difference of this size"


def leader_sentence(findings: Findings) -> str:
    """What helped most, or that it can't be said; of a quick study, what is shown."""
    leader = findings.leader
    if findings.quick:
        return "Gains of each factor"
    if leader is None:
        return "Nothing was held out to choose a leader on."
    return "".join((*led_by(asdict(leader)), "."))
