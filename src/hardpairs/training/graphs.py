"""Graphs that TensorFlow traced from Python, kept in files for the next process.

Tracing a training's step takes half a second or more, where the shortest training takes three. JAX
keeps what it compiled; this does so for TensorFlow, which has nothing of the kind. A graph that is
found is the one that would be traced, so every number stays the same.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.files import make_folder, whole_file
from hardpairs.npz import read_npz
from hardpairs.reading import parse_json
from hardpairs.training.backend import OWN_SETTINGS, keras
from hardpairs.training.environment import cache_folder, training_environment

MOST_GRAPHS = 100  # Of about 30 KB each; older ones are forgotten.
KNOWN_VERSIONS = ("2.21.",)  # Of TensorFlow, whose inner functions `_load` calls.


def kept_graph(
    function: Callable[..., list[Any]],
    arguments: Sequence[Any],
    variables: Sequence[Any],
    description: dict[str, Any],
) -> Callable[..., list[Any]]:
    """Return the graph of a function, as an earlier process traced it or traced now.

    Args:
        function: Takes ``arguments`` and returns tensors. It may read and change ``variables``,
            and holds nothing else that changes.
        arguments: What it is traced with: tensors, their specs, an iterator of a `tf.data.Dataset`.
        variables: `keras.Variable`s.
        description: What decides the graph beside this package's code, the versions of what
            computes, Keras' settings, and shapes and types of the variables; as JSON has it.

    Returns:
        A function of the same arguments. What can't be kept, for want of a folder that can be
        written to or because more than the variables is held, is traced; where TensorFlow is told
        to run functions eagerly, as for debugging, it is ``function`` itself.
    """
    import tensorflow as tf

    if tf.config.functions_run_eagerly():
        return function
    held = [variable.value for variable in variables]
    described = {
        **description,
        **training_environment(),
        "settings": [getattr(keras.config, name)() for name in OWN_SETTINGS],
        "policy": keras.config.dtype_policy().name,
        "variables": [[*map(int, one.shape), one.dtype.name] for one in held],
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    # Whatever a changed file or a missing home makes of it: the graph is traced then.
    with contextlib.suppress(Exception):
        return _load(_file_of(digest), held)
    traced = tf.function(function, autograph=False).get_concrete_function(*arguments)
    if tf.__version__.startswith(KNOWN_VERSIONS):
        with contextlib.suppress(InputError, OSError, RuntimeError):
            _save(_file_of(digest), traced, held)
    return traced


def _file_of(digest: str) -> Path:
    return cache_folder() / "graphs" / f"{digest[:32]}.npz"


def _load(path: Path, variables: Sequence[Any]) -> Callable[..., list[Any]]:
    import tensorflow as tf
    from tensorflow.python.eager import context

    arrays = read_npz(path)
    told = parse_json(str(arrays["told"]))
    runtime = context.context()
    graph = tf.compat.v1.GraphDef.FromString(arrays["library"].tobytes())
    for definition in graph.library.function:
        if not runtime.has_function(definition.signature.name):
            runtime.add_function_def(definition)
    handles = [variables[index].handle for index in told["variables"]]

    def run(*arguments: Any) -> list[Any]:
        given = tf.nest.flatten(arguments, expand_composites=True)
        tensors = [*map(tf.convert_to_tensor, given), *handles]
        return runtime.call_function(told["name"].encode(), tensors, told["outputs"])

    return run


def _save(path: Path, traced: Any, variables: Sequence[Any]) -> None:
    places = {id(variable.handle): index for index, variable in enumerate(variables)}
    try:
        held = [places[id(tensor)] for tensor in traced.captured_inputs]
    except KeyError:  # Holds more than the variables, which the next process couldn't give it.
        return
    library = traced.graph.as_graph_def()
    library.ClearField("node")
    library.library.function.append(traced.function_def)
    told = {
        "name": _rename(library.library.function, f"kept_{path.stem}"),
        "variables": held,
        "outputs": len(traced.outputs),
    }
    make_folder(path.parent)
    content = np.frombuffer(library.SerializeToString(), np.uint8)
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, told=np.array(json.dumps(told)), library=content)
    kept = sorted(path.parent.glob("*.npz"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in kept[MOST_GRAPHS:]:
        old.unlink(missing_ok=True)


def _rename(functions: Sequence[Any], name: str) -> str:
    """Give functions names that no other graph's have, in place; return the last one's.

    TensorFlow numbers the functions of each process anew.
    """
    names = {function.signature.name: f"{name}_{index}" for index, function in enumerate(functions)}
    for function in functions:
        function.signature.name = names[function.signature.name]
        for node in function.node_def:
            node.op = names.get(node.op, node.op)
            for value in node.attr.values():
                for called in (value.func, *value.list.func):
                    if called.name in names:  # To set any other would make a function of it.
                        called.name = names[called.name]
    return functions[-1].signature.name
