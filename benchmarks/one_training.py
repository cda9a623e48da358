"""One training of a recipe or a contestant in this process; prints one line of JSON.

`python benchmarks/one_training.py NAME SEED '{"images": 7500}'`; see speed.py.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from typing import Any

STARTED = time.perf_counter()


from contestants import CONTESTANTS, Outcome  # noqa: E402
from hardpairs.data.datasets import load_dataset  # noqa: E402
from hardpairs.data.split import Dataset  # noqa: E402
from hardpairs.training.recipes import RECIPES  # noqa: E402
from operations import bf16_gflops, keras_layers, training_operations  # noqa: E402


def main(name: str, seed: int, variant: dict[str, Any]) -> None:
    """Train, predict, print."""
    if name == "machine":
        print(json.dumps({"gflops": bf16_gflops()}))
        return
    dataset = load_dataset("fashion-mnist")
    images = variant.pop("images", len(dataset.train))
    train = dataset.train.take(slice(images))
    if name in CONTESTANTS:
        outcome = CONTESTANTS[name](train, dataset.test.pixels, seed)
    else:
        outcome = train_recipe(name, replace(dataset, train=train), seed, variant)
    labels = dataset.test.labels
    one_side = outcome.one_side
    printed = {
        "accuracy": float((outcome.predicted == labels).mean()),
        "one_side_accuracy": None if one_side is None else float((one_side == labels).mean()),
        "fit_seconds": outcome.fit_seconds,
        "process_seconds": time.perf_counter() - STARTED,
        "epochs": outcome.epochs,
        "images": outcome.images,
        "operations": outcome.operations,
        "parameters": outcome.parameters,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(printed))


def train_recipe(name: str, dataset: Dataset, seed: int, variant: dict[str, Any]) -> Outcome:
    """Train a row of the recipe table, or sprint's net with other numbers of filters."""
    from hardpairs.training.fit import train
    from hardpairs.training.nets import trained_part
    from hardpairs.training.predict import predict

    recipe = RECIPES[name]
    if "filters" in variant:
        recipe = replace(recipe, net_options={**recipe.net_options, **variant})
    trained = train(dataset, recipe, seed=seed)
    test_images = dataset.test.pixels
    part = trained_part(trained.model)
    averages = part is not trained.model
    trained_on = len(dataset.train) - len(trained.held_out)
    taking_turns = round(trained_on * recipe.easy_share)
    return Outcome(
        predicted=predict(trained.model, test_images).argmax(axis=1),
        one_side=predict(part, test_images).argmax(axis=1) if averages else None,
        fit_seconds=trained.fit_seconds,
        epochs=len(trained.history["loss"]),
        images=trained_on - taking_turns + taking_turns // recipe.easy_every,
        operations=training_operations(keras_layers(part)),
        parameters=trained.model.count_params(),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
