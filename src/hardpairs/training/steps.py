"""Several steps of a training as one graph, which TensorFlow traces once."""

import itertools
import math
from collections.abc import Callable
from typing import Any

from hardpairs.training.backend import keras
from hardpairs.training.batches import Batches
from hardpairs.training.graphs import kept_graph
from hardpairs.training.nets import SideBySide
from hardpairs.training.predict import PREDICT_BATCH_SIZE
from hardpairs.training.recipes import Recipe, recipe_record

# Fewer returns to Python: about 10% faster in Keras on TensorFlow. Keras on torch allows only 1.
STEPS_PER_EXECUTION = 1 if keras.backend.backend() == "torch" else 20
FIGURES = ("accuracy", "loss")


def keep_steps(
    trainer: SideBySide,
    recipe: Recipe,
    batches: Batches,
    *,
    held_out: int,
    precision: str,
) -> None:
    """Have TensorFlow trace the steps of a training once, and not in every process.

    Args:
        trainer: Compiled with one metric, accuracy, and a built optimizer.
        recipe, batches: What it is trained by and on.
        held_out: Images that it is validated on.
        precision: The Keras dtype policy.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if not on_tensorflow or trainer.run_eagerly or trainer.jit_compile:
        return
    described = {
        "recipe": recipe_record(recipe, words=False),
        "image": batches.images.shape[1:],
        "classes": batches.targets.shape[1],
        "steps": len(batches),  # Of which the schedule of the rate is made.
        "precision": precision,
    }
    nothing = keras.ops.zeros((1, batches.targets.shape[1]))
    trainer.compute_metrics(None, nothing, nothing)  # Makes the metric; `fit` sets it to 0.
    trainer.train_function = _several(trainer, trainer.train_step, len(batches), described)
    watched = math.ceil(held_out / PREDICT_BATCH_SIZE)
    trainer.test_function = _several(trainer, trainer.test_step, watched, described)


def _several(
    trainer: SideBySide,
    step: Callable[[Any], dict[str, Any]],
    steps: int,
    description: dict[str, Any],
) -> Callable[[Any], dict[str, Any]]:
    """What `fit` calls with an iterator of batches for the next of so many steps.

    It does what Keras' own function does, whose graph nothing can get at.
    """
    import tensorflow as tf

    whole, rest = divmod(steps, STEPS_PER_EXECUTION)
    counts = itertools.cycle([STEPS_PER_EXECUTION] * whole + [rest] * (rest > 0))
    variables = [*trainer.variables, *trainer.optimizer.variables, *trainer.metrics_variables]
    graph: list[Callable[..., list[Any]]] = []

    def do_several(iterator: Any, count: Any) -> list[Any]:
        def do_one(done: Any, *figures: Any) -> Any:
            told = step(next(iterator))
            return done + 1, *(told[name] for name in FIGURES)

        start = tf.constant(0), *(tf.constant(0.0) for _ in FIGURES)
        return tf.while_loop(lambda done, *_: done < count, do_one, start)[1:]

    def do_next(iterator: Any) -> dict[str, Any]:
        count = tf.constant(next(counts))
        if not graph:
            described = {**description, "step": step.__name__}
            graph.append(kept_graph(do_several, [iterator, count], variables, described))
        return dict(zip(FIGURES, graph[0](iterator, count), strict=True))

    return do_next
