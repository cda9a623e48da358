"""The commands of the studies: plan, run the jobs, print, write."""

import shlex
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from hardpairs.cli.ending import Unfinished, going_on
from hardpairs.cli.options import data_option, file_path, quiet_option
from hardpairs.cli.progress import study_bar
from hardpairs.cli.streams import say
from hardpairs.cli.terminal import Console, print_study
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import STATE_ENDING, whole_files
from hardpairs.studies.findings import StudyKind, failure_line, gather_findings
from hardpairs.studies.jobs import Engine, EngineLost, run_jobs, study_folder
from hardpairs.studies.local import local_engine
from hardpairs.studies.plans import (
    FACTORS,
    QUICK_FACTORS,
    Arm,
    ablate_arms,
    compare_arms,
    curve_arms,
    for_data,
)
from hardpairs.studies.report import write_study, write_study_page
from hardpairs.training.recipes import Recipe, find_recipe


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all studies have."""
    for option in (
        quiet_option,
        click.option(
            "--out",
            type=file_path,
            help="Folder to fill or to go on with; else runs/STUDY, or runs/STUDY-quick.",
        ),
        click.option(
            "--quick",
            is_flag=True,
            help="Two seeds, few images: shows what a study gives, in under two minutes.",
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
    metavar="NAME|PATH",
    help="As for `hardpairs run`; repeat it for several datasets.",
)


@click.command()
@click.argument("reference", default="fast-dense")
@click.argument("other", default="fast")
@many_data_option
@study_options
def compare(reference: str, other: str, data: tuple[str, ...], **options: Any) -> None:
    """Measure what recipe OTHER gains over REFERENCE, by default the CNN over the dense net."""
    recipes = _two_recipes(reference, other)
    _study("compare", data, partial(compare_arms, recipes=recipes), **options)


@click.command()
@data_option
@click.option(
    "--factors",
    metavar="NAME,...",
    help=f"Only these factors; by default all: {', '.join(FACTORS)}.",
)
@study_options
def ablate(data: str, factors: str | None, **options: Any) -> None:
    """Measure what each factor adds to the lesson's CNN: alone, and removed from all."""
    chosen: Collection[str] = QUICK_FACTORS if options["quick"] else FACTORS
    if factors is not None:
        chosen = factors.split(",")

    def plan(sources: Sequence[str], *, quick: bool) -> Mapping[str, Sequence[Arm]]:
        return ablate_arms(sources[0], tuple(dict.fromkeys(chosen)), quick=quick)

    _study("ablate", (data,), plan, **options)


@click.command()
@click.argument("reference", default="fast-dense")
@click.argument("other", default="fast")
@many_data_option
@study_options
def curve(reference: str, other: str, data: tuple[str, ...], **options: Any) -> None:
    """Measure the accuracy of two recipes against the number of training images.

    By default of the dense net and the CNN.
    """
    recipes = _two_recipes(reference, other)
    _study("curve", data, partial(curve_arms, recipes=recipes), **options)


def _two_recipes(reference: str, other: str) -> list[Recipe]:
    recipes = [find_recipe(reference), find_recipe(other)]
    if recipes[0] == recipes[1]:
        raise InputError(f"{reference} can't be compared with itself; name two recipes.")
    return recipes


def _load(data: Sequence[str]) -> dict[str, Dataset]:
    """Load every dataset once, by its bundled name or resolved path, whatever it was called."""
    datasets: dict[str, Dataset] = {}
    by_content: dict[tuple[str, str], str] = {}
    for given in data:
        dataset = load_dataset(given)
        content = (dataset.train.fingerprint, dataset.test.fingerprint)
        first = by_content.setdefault(content, dataset.source)
        if first == dataset.source:
            datasets[first] = dataset
        else:
            say(f"{given} holds the same images as {first}; used once.")
    return datasets


def _study(
    kind: StudyKind,
    data: Sequence[str],
    make_plan: Callable[..., Mapping[str, Sequence[Arm]]],
    *,
    seeds: int,
    jobs: int,
    address: str | None,
    quick: bool,
    out: Path | None,
    quiet: bool,
) -> None:
    folder = out or Path("runs") / (f"{kind}-quick" if quick else kind)
    cluster = _cluster(address, folder / "jobs")
    seeds = 2 if quick else seeds
    datasets = _load(data)
    plan = make_plan(list(datasets), quick=quick)
    if kind != "ablate" and not quick:  # An ablation is of given epochs, among other things.
        plan, notes = for_data(plan, datasets)
        for note in notes:
            say(note)
    todo = [job for arms in plan.values() for arm in arms for job in arm.jobs(seeds)]
    what = f"what was trained so far is kept in {folder}"
    with study_folder(folder) as scratch, going_on(partial(_found, folder / "jobs"), what):
        engine = cluster or local_engine(jobs, scratch, folder / "jobs")
        with study_bar(quiet) as on_progress:
            try:
                results, failures = run_jobs(todo, datasets, folder, engine, on_progress)
            except EngineLost as error:
                say(f"{error}; go on with: {shlex.join(['hardpairs', *sys.argv[1:]])}")
                sys.exit(1)
        for job, reason in failures.items():
            say(f"failed: {failure_line(job, reason)}")
        outcomes = (results, failures)
        try:
            findings, blocks = gather_findings(kind, plan, datasets, seeds, outcomes, quick=quick)
        except InputError as error:  # What was given isn't at fault.
            raise Unfinished(str(error)) from error
        splits = {name: datasets[arms[0].source].test for name, arms in plan.items()}
        with whole_files(folder) as hidden:
            write_study_page(findings, plan, datasets, results, hidden)
            write_study(findings, blocks, splits, hidden)
    print_study(findings, Console())
    click.echo(f"report.html, difference.html, study.md, study.json and figures: {folder}")
    if failures:
        sys.exit(1)


def _found(jobs: Path) -> bool:
    """Whether a study has finished trainings, or states of those that were stopped."""
    try:
        names = [path.name for path in jobs.iterdir()]
    except OSError:
        return False
    return any(not name.startswith(".") or name.endswith(STATE_ENDING) for name in names)


def _cluster(address: str | None, states: Path) -> Engine | None:
    if address is None:
        return None
    from hardpairs.studies.cluster import ray_engine

    return ray_engine(address, say, states)
