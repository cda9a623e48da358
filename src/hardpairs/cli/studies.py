"""The commands of the studies: plan, run the jobs, print, write."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hardpairs.cli.options import data_option, quiet_option
from hardpairs.cli.progress import study_bar
from hardpairs.cli.terminal import Console, print_study
from hardpairs.data.datasets import load_dataset
from hardpairs.studies.jobs import run_jobs, study_lock
from hardpairs.studies.plans import (
    FACTORS,
    QUICK_FACTORS,
    Arm,
    ablate_arms,
    compare_arms,
    curve_arms,
)
from hardpairs.studies.report import StudyKind, find, write_study, write_study_page
from hardpairs.training.recipes import find_recipe


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all studies have."""
    for option in (
        quiet_option,
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Folder to fill or to go on with; else runs/STUDY, or runs/STUDY-quick.",
        ),
        click.option(
            "--quick", is_flag=True, help="Two seeds on a slice: the shape, in under two minutes."
        ),
        click.option(
            "--ray", "address", metavar="ADDRESS", help="Run on a Ray cluster: HOST:PORT, or auto."
        ),
        click.option(
            "--jobs",
            default=1,
            show_default=True,
            type=click.IntRange(1, 64),
            help="Trainings at a time on this machine.",
        ),
        click.option(
            "--seeds",
            default=5,
            show_default=True,
            type=click.IntRange(2, 1000),
            help="Per recipe.",
        ),
    ):
        command = option(command)
    return command


many_data_option = click.option(
    "--data",
    multiple=True,
    default=("digits", "fashion-mnist"),
    show_default=True,
    metavar="NAME|DIR",
    help="Repeat it for several datasets.",
)


@click.command()
@click.argument("reference", default="fast-dense")
@click.argument("other", default="fast")
@many_data_option
@study_options
def compare(reference: str, other: str, data: tuple[str, ...], **options: Any) -> None:
    """Measure what recipe OTHER gains over REFERENCE, by default the CNN over the dense net."""

    recipes = [find_recipe(reference), find_recipe(other)]
    plan = compare_arms(tuple(dict.fromkeys(data)), recipes, quick=options["quick"])
    _study("compare", plan, **options)


@click.command()
@data_option
@click.option("--factors", metavar="NAME,...", help="Only these factors; by default all.")
@study_options
def ablate(data: str, factors: str | None, **options: Any) -> None:
    """Measure what each factor adds to the lesson's CNN, alone and in the whole."""

    chosen: Collection[str] = QUICK_FACTORS if options["quick"] else FACTORS
    if factors is not None:
        chosen = factors.split(",")
    _study("ablate", ablate_arms(data, tuple(chosen), quick=options["quick"]), **options)


@click.command()
@click.argument("reference", default="fast-dense")
@click.argument("other", default="fast")
@many_data_option
@study_options
def curve(reference: str, other: str, data: tuple[str, ...], **options: Any) -> None:
    """Measure both recipes' accuracy against the number of training images."""

    recipes = [find_recipe(reference), find_recipe(other)]
    blocks = curve_arms(tuple(dict.fromkeys(data)), recipes, quick=options["quick"])
    plan = {f"{source}, {part:.3%} of the images": arms for (source, part), arms in blocks.items()}
    _study("curve", plan, **options)


def _study(
    kind: StudyKind,
    plan: Mapping[str, Sequence[Arm]],
    *,
    seeds: int,
    jobs: int,
    address: str | None,
    quick: bool,
    out: Path | None,
    quiet: bool,
) -> None:

    if address is not None:
        from hardpairs.studies.cluster import ray_engine

        engine = ray_engine(address)
    else:
        from hardpairs.studies.local import local_engine

        engine = local_engine(jobs)
    seeds = 2 if quick else seeds
    folder = out or Path("runs") / (f"{kind}-quick" if quick else kind)
    arms = [arm for block in plan.values() for arm in block]
    datasets = {source: load_dataset(source) for source in {arm.source for arm in arms}}
    todo = [job for arm in arms for job in arm.jobs(seeds)]
    with study_lock(folder):
        with study_bar(quiet) as on_progress:
            results, failures = run_jobs(todo, datasets, folder, engine, on_progress)
        for job, reason in failures.items():
            message = f"{job.recipe.net} on {job.source}, seed {job.seed}: {reason!r}"
            click.echo(f"hardpairs: failed: {message}", err=True)
        findings, blocks = find(kind, plan, datasets, seeds, results, failures, quick=quick)
        write_study_page(findings, plan, datasets, results, folder)
        write_study(findings, blocks, datasets, folder)
    print_study(findings, Console())
    click.echo(f"report.html, study.md, study.json and figures: {folder}")
    if failures:
        sys.exit(1)
