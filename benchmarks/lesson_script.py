"""The lesson's script as the lesson specifies it: the yardstick of every ratio.

Plain Keras with nothing of this package but the data files: float32, `fit` on arrays, report,
matrix, plot. Prints one line of JSON at the end. `python benchmarks/lesson_script.py SEED FOLDER`
"""

import json
import resource
import sys
import time
from pathlib import Path

STARTED = time.perf_counter()

import matplotlib.pyplot as plt  # noqa: E402
from sklearn.metrics import (  # noqa: E402
    ConfusionMatrixDisplay,
    classification_report,
    confusion_matrix,
)
from tensorflow import keras  # noqa: E402

from hardpairs.data.datasets import load_dataset  # noqa: E402
from operations import keras_layers, training_operations  # noqa: E402

layers = keras.layers


def main(seed: int, folder: Path) -> None:
    """Load, train, evaluate, plot."""
    fashion = load_dataset("fashion-mnist")
    train_images = fashion.train.pixels.astype("float32") / 255.0
    test_images = fashion.test.pixels.astype("float32") / 255.0
    train_labels, test_labels = fashion.train.labels, fashion.test.labels
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            layers.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=3, restore_best_weights=True
    )
    fit_started = time.perf_counter()
    history = model.fit(
        train_images,
        train_labels,
        validation_split=0.1,
        epochs=20,
        batch_size=128,
        callbacks=[stopping],
        verbose=2,
    )
    fit_seconds = time.perf_counter() - fit_started
    accuracy = model.evaluate(test_images, test_labels, verbose=0)[1]
    print(f"\ntest accuracy: {accuracy:.2%}")
    predicted = model.predict(test_images).argmax(axis=1)
    print(classification_report(test_labels, predicted, target_names=fashion.class_names))
    matrix = confusion_matrix(test_labels, predicted)
    ConfusionMatrixDisplay(matrix, display_labels=fashion.class_names).plot(xticks_rotation=45)
    plt.tight_layout()
    plt.savefig(folder / "fashion_cm.png", dpi=130)
    outcome = {
        "accuracy": float((predicted == test_labels).mean()),
        "fit_seconds": fit_seconds,
        "process_seconds": time.perf_counter() - STARTED,
        "epochs": len(history.history["loss"]),
        "images": 54_000,
        "operations": training_operations(keras_layers(model)),
        "parameters": model.count_params(),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
