"""fashion.py: a CNN that classifies clothes, and which clothes it mixes up.

Run `python fashion.py`; it leaves fashion_*.png and fashion.md beside you. `hardpairs run` does
the same faster, with a progress bar and a folder for every run.
"""

from pathlib import Path

from hardpairs.analysis.subject import Subject
from hardpairs.cli.terminal import Console, print_evaluation
from hardpairs.data.about import load_class_votes
from hardpairs.data.datasets import load_dataset
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.write import write_analysis
from hardpairs.training.backend import keras

layers = keras.layers

# 1. The data: 60,000 training and 10,000 test images of 28 x 28 gray pixels, 10 classes.
fashion = load_dataset("fashion-mnist")
print(fashion.train.pixels.shape, "labels 0-9:", ", ".join(fashion.class_names))

# Pixels from 0 to 1; the last dimension is the channel that Conv2D asks for: (N, 28, 28, 1).
train_pixels = fashion.train.pixels.astype("float32") / 255
test_pixels = fashion.test.pixels.astype("float32") / 255

# 2. The net: convolutions find edges and textures, pooling forgives small shifts, dropout
#    keeps the hidden layer from learning the training images by heart.
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

# 3. Training stops once the loss on held-out images hasn't fallen for 3 epochs, and goes back
#    to the best weights.
stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
history = model.fit(
    train_pixels,
    fashion.train.labels,
    validation_split=0.1,
    epochs=20,
    batch_size=128,
    callbacks=[stopping],
    verbose=2,
)

# 4. The test images, seen for the first and only time.
predictions = Predictions(
    labels=fashion.test.labels,
    probabilities=model.predict(test_pixels, verbose=0),
    class_names=fashion.class_names,
    split="test",
    fingerprint=fashion.test.fingerprint,
)

# 5. Accuracy, the report for each class, the confusion matrix, the hard pairs and the filters.
subject = Subject(
    predictions,
    images=fashion.test.pixels,
    inverted=fashion.test.inverted,
    about=fashion.about,
    class_votes=load_class_votes(fashion.test.fingerprint),
    history=history.history,
    kept_epoch=stopping.best_epoch + 1,
    kernels=model.layers[0].get_weights()[0],
)
print_evaluation(subject.evaluation, Console())
for path in write_analysis(subject, Path(".")):
    print("wrote", path)
