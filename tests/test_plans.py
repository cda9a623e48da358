from hardpairs.studies.plans import (
    ADDED,
    FACTORS,
    REMOVED,
    ablate_arms,
    combine,
    compare_arms,
    curve_arms,
    distinct_names,
    in_file_name,
)
from hardpairs.training.recipes import RECIPES, Recipe, recipe_record


def test_every_dataset_of_a_study_has_a_name_of_its_own():
    names = distinct_names(["digits", "/a/cats", "/b/cats", "/c/digits", "/d/dogs"])
    assert list(names.values()) == ["digits", "a/cats", "b/cats", "c/digits", "dogs"]
    alike = distinct_names(["/x/a b", "/x/a-b", "/x/A_b", "/y/a/b"])
    assert len(set(alike.values())) == 4
    alike = distinct_names(["/x/my_data", "/x/my-data"]).values()
    assert len({in_file_name(name) for name in alike}) == 2
    plan = compare_arms(["/a/cats", "/b/cats"], [RECIPES["fast"]], quick=True)
    assert list(plan) == ["a/cats", "b/cats"]


def fields_that_differ(one: Recipe, other: Recipe) -> set[str]:
    before, after = (recipe_record(recipe, words=False) for recipe in (one, other))
    return {field for field in before if before[field] != after[field]}


def test_the_ablations_plan():
    plan = ablate_arms("toy", tuple(FACTORS), quick=False)
    base, *alone = plan[ADDED]
    full, *removed = plan[REMOVED]
    assert len(alone) == len(removed) == len(FACTORS)
    for name, one, rest in zip(FACTORS, alone, removed, strict=True):
        differing = fields_that_differ(base.recipe, one.recipe)
        assert differing, name
        assert fields_that_differ(full.recipe, rest.recipe) == differing, name
    assert full.recipe.net_options == {"third_block": True, "batch_norm": True}
    assert combine(["flips"]).augment == (("flip", 0.5),)
    # Both in one resampling, whatever order they are named in.
    assert combine(["zooms", "rotations"]).augment == (("rotate_and_zoom", (0.005, 0.02)),)


def test_the_curves_plan_sees_small_parts_more_often():
    plan = curve_arms(["toy"], [RECIPES["fast"]], quick=False)
    epochs = {arm.fraction: arm.recipe.epochs for arms in plan.values() for arm in arms}
    assert epochs[1.0] == 3
    assert epochs[0.5] == 6
    assert epochs[1 / 32] == 12
