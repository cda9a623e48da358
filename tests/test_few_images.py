"""Of few images a recipe has smaller batches and more epochs."""

from itertools import chain

import numpy as np
import pytest

from conftest import run_here, write_folder
from hardpairs.predictions.load import load_predictions
from hardpairs.studies.plans import compare_arms, curve_arms, for_data
from hardpairs.training.progress import Progress, in_lines
from hardpairs.training.recipes import RECIPES, SMALLEST_BATCH, for_images, recipe_record


@pytest.mark.parametrize("name", RECIPES)
def test_of_many_images_nothing_changes(name):
    for images in (40_000, 60_000):
        assert for_images(RECIPES[name], images) == (RECIPES[name], "")


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("images", [2, 31, 180, 1000, 3000])
def test_of_few_there_are_steps_enough_and_not_many_more(name, images):
    recipe, note = for_images(RECIPES[name], images)
    trained = images - round(images * recipe.validation_share)
    steps = recipe.epochs * max(trained // recipe.batch_size, 1)
    enough = min(300, RECIPES[name].epochs * (60_000 // RECIPES[name].batch_size))
    assert steps >= enough
    if note:
        assert note.startswith(f"{name} on {images:,} images: ")
        for what, now, before in (
            ("{} epochs instead of {}", recipe.epochs, RECIPES[name].epochs),
            ("batches of {} instead of {}", recipe.batch_size, RECIPES[name].batch_size),
        ):
            assert (what.format(now, before) in note) == (now != before)
        assert recipe.batch_size >= SMALLEST_BATCH
        assert recipe.easy_by is None
        assert recipe.epochs == RECIPES[name].epochs or steps < 2 * enough
    else:
        assert recipe == RECIPES[name]


def test_a_study_gives_every_part_its_steps():
    class Data:
        train = np.zeros(4000)

    recipes = [RECIPES["sprint"], RECIPES["lesson"]]
    asked = curve_arms(["a"], recipes, quick=False)
    plan, notes = for_data(asked, {"a": Data()})
    arms = (chain.from_iterable(each.values()) for each in (asked, plan))
    for before, after in zip(*arms, strict=True):
        recipe, note = for_images(before.recipe, round(4000 * before.fraction))
        assert after.recipe == recipe
        assert not note or note in notes
    assert len(notes) == len(set(notes)) > 1
    whole = compare_arms(["a"], recipes, quick=False)
    Data.train = np.zeros(60_000)
    assert for_data(whole, {"a": Data()}) == (whole, [])


def test_of_many_short_epochs_some_have_a_line():
    lines: list[str] = []
    show = in_lines(lines.append)
    for epoch in range(1, 76):
        for step in (1, 2):
            show(Progress("training", epoch, 75, step, 2, accuracy=epoch / 75))
    assert lines[0] == "training, epoch 1 of 75"
    assert lines[-1] == "training, epoch 75 of 75 (before it: accuracy 98.7%)"
    assert 10 < len(lines) < 25
    assert len(lines) == len(set(lines))


@pytest.mark.train
def test_a_run_on_few_images_learns(tmp_path, fashion):
    """In one step, as the recipe has it for many images, it gets a third of them right."""
    data = write_folder(tmp_path / "few", fashion, 200, 1000)
    done = run_here("train", "--data", data, "--recipe", "fast-dense", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    recipe, note = for_images(RECIPES["fast-dense"], 200)
    assert note in " ".join(done.stderr.split())
    predictions = load_predictions(tmp_path / "run")
    assert predictions.metadata["recipe"] == recipe_record(recipe)
    assert (predictions.probabilities.argmax(axis=1) == predictions.labels).mean() > 0.65
