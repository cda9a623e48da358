"""What is said where a recipe will learn next to nothing from so few images."""

import pytest

from hardpairs.training.recipes import RECIPES, few_steps


@pytest.mark.parametrize("name", RECIPES)
def test_few_images_are_said_and_many_are_not(name):
    recipe = RECIPES[name]
    assert few_steps(recipe, 60_000) == ""
    said = few_steps(recipe, 100)
    assert (said == "") == (recipe.epochs >= 110)
    assert not said or said.startswith(f"{name} takes ")


def test_steps_are_counted_as_they_are_trained():
    assert few_steps(RECIPES["sprint"], 144).startswith(
        "sprint takes 1 step on 144 images, too few"
    )
    assert few_steps(RECIPES["fast"], 64 * 16).startswith("fast takes 48 steps on 1,024 images")
    assert few_steps(RECIPES["fast"], 64 * 17) == ""
    assert few_steps(RECIPES["dense"], 500) == ""
