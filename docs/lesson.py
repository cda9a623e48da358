# %% [markdown]
# # Which clothes does a net mix up, and why?
#
# Ten kinds of clothes in small gray images, a net of two convolutions, and then the question that
# accuracy hides: *which* classes does it mix up, on *which* images, and would people as well?
#
# Run the cells from top to bottom. On two cores that takes a few minutes, nearly all of it training.
# With `IMAGES = 2000` everything runs in half a minute, and the numbers mean little.
#
# You need `pip install 'hardpairs[train]' pandas`; the images come with it.

# %%
# %matplotlib inline
import os

IMAGES = int(os.environ.get("LESSON_IMAGES", 60_000))

# %% [markdown]
# ## The ten classes

# %%
from dataclasses import replace

import matplotlib.pyplot as plt

import hardpairs

fashion = hardpairs.load_dataset("fashion-mnist")
train, test = fashion.train.take(slice(IMAGES)), fashion.test.take(slice(IMAGES // 6))
part = replace(fashion, train=train, test=test)
names = fashion.class_names
print(f"{len(train):,} training images, {len(test):,} test images, {train.images.shape[1:]} each")

figure, axes = plt.subplots(2, 5, figsize=(7, 3.4))
for label, place in enumerate(axes.flat):
    first = (train.labels == label).argmax()
    place.imshow(train.images[first, :, :, 0], cmap="gray_r")
    place.set_title(f"{label}  {names[label]}", fontsize=9)
    place.axis("off")

# %% [markdown]
# **Why so small, and why gray?** So that the set has the shape of MNIST's handwritten digits: any
# program that reads those reads these. But digits are easy: nets get nearly all of them right.
# An accuracy says nothing without the problem it was measured on.
#
# **What would guessing get?** There are as many images of each class, so one in ten.
#
# **Why two sets of images?** The net learns from the training images, and could learn those by heart.
# Only images that it has never seen tell what it knows. They are the test images, and they are looked
# at once, at the end: whoever chooses by them again and again learns *them* by heart.

# %% [markdown]
# ## The net

# %%
from hardpairs.training.backend import keras

layers = keras.layers
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu", name="first_convolution"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu", name="second_convolution"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu", name="hidden"),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax", name="probabilities"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
for layer in model.layers:
    print(f"{layer.name:20}{layer.output.shape[1:]!s:14}{layer.count_params():>9,} parameters")

# %% [markdown]
# - A **convolution** slides small filters of 3 x 3 pixels over the image. Each filter answers, at
#   every place, "is there such an edge here?"
# - **Pooling** keeps the strongest answer of every 2 x 2, so that a shift by a pixel changes little.
# - **Dropout** switches 40% of the hidden layer off at random while the net learns, so that no unit
#   can rely on another to know a training image by heart.
# - **Softmax** turns ten scores into ten probabilities that sum to 1.
#
# **Why is there a 1 in (28, 28, 1)?** It is the number of channels: gray has one, colour three.
#
# **Exercise.** Where are most of the parameters, and why?
#
# <details><summary>Solution</summary>In the hidden layer. Every number that comes out of the second pooling,
# 7 x 7 x 64 of them, has a weight to every one of its 128 units. A filter has only 3 x 3 weights for each
# channel, because it is the same filter at every place.</details>

# %% [markdown]
# ## Training
#
# An **epoch** is one pass over the training images. A tenth of them is held out: the net isn't trained
# on those, so the loss on them shows when it begins to learn by heart. Training stops after six epochs,
# or earlier, once that loss hasn't fallen for two; then it goes back to the best weights.

# %%
stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
history = model.fit(
    train.pixels / 255.0,
    train.labels,
    validation_split=0.1,
    epochs=6,
    batch_size=128,
    callbacks=[stopping],
    verbose=2,
)

# %% [markdown]
# **Why divide by 255?** The pixels become numbers from 0 to 1. Weights begin small, and with inputs in
# the hundreds the first steps would be far too large.
#
# **Why is the loss not the accuracy?** Accuracy only counts who is right; the loss also asks how sure.
# It falls a little with every better weight, and so it can be followed downhill.
#
# ## What it gets right, class by class

# %%
from hardpairs.training.runs import net_neighbours

predictions = hardpairs.Predictions(
    test.labels, model.predict(test.pixels / 255.0, verbose=0), names, split="test"
)
neighbours, _ = net_neighbours(model, part)  # The most similar training images of each.
subject = hardpairs.Subject(
    predictions,
    images=test.images,
    inverted=test.inverted,
    dataset="Fashion-MNIST",
    neighbours=neighbours,
    train_images=train.images,
    history=history.history,
    kept_epoch=stopping.best_epoch + 1,
    kernels=model.get_layer("first_convolution").get_weights()[0],
)
evaluation = subject.evaluation
evaluation

# %% [markdown]
# **Precision or recall?** Recall: of all shirts, how many did the net call a shirt? Precision: of all
# that it called a shirt, how many are one? **F1** is high only where both are.
#
# **Why an interval?** Another draw of test images would give another accuracy. In 19 of 20 such
# draws the interval holds the accuracy that endless test images would give. It says nothing of
# another training, which would give another net.
#
# **Exercise.** What recall has a net that calls everything a shirt, on shirts? What precision?
#
# <details><summary>Solution</summary>A recall of 100%, since no shirt is missed, and a precision of 10%, since
# one image in ten is a shirt. That is why one of the two alone is worth nothing.</details>
#
# Every table is a DataFrame as well:

# %%
subject.to_frame("mistakes").head()

# %% [markdown]
# ## The confusion matrix
#
# A row is a true class, a column what was predicted, and the diagonal is right.

# %%
hardpairs.draw_confusion(subject)

# %% [markdown]
# **Why are the colours not in proportion?** A mistake is a few percent of its row. In proportion it
# would be white on white, so the colour follows the square root.
#
# ## The hard pairs
#
# A **hard pair** is two classes that are taken for each other, counted in both directions. These are
# mistakes of the three hardest, with images to compare that the net got right.

# %%
hardpairs.draw_pairs(subject)

# %% [markdown]
# **Exercise.** Cover the captions. Of how many would you be sure?
#
# <details><summary>Solution</summary>Probably of few. People aren't either: <code>hardpairs votes</code> fetches
# what about 67 people said of each test image (Fashion-MNIST-H), and on shirts many of them disagree with
# the label.</details>
#
# ## Whose fault is a mistake?
#
# A mistake can have three causes: the label is wrong, the image shows too little, or the net is wrong
# although the image is clear. The package looks at the probabilities and at the most similar training
# images, and gives each mistake the verdict that is most probable, or none where it can't tell. A
# verdict says where to look, not what is true: [how often it is right](verdicts.md).

# %%
subject.verdicts

# %% [markdown]
# ## What the net looks for
#
# The filters of the first convolution are small images themselves. Light on one side and dark on the
# other responds to an edge; all alike responds to brightness.

# %%
hardpairs.draw_filters(subject)

# %% [markdown]
# And this is what the two convolutions make of one ankle boot. Each square is a filter's answer at
# every place, dark where it is strong. The first finds edges and surfaces. The second, on an image half
# as large, combines those into parts: a sole, a heel, an upper edge.

# %%
boot = int((test.labels == 9).argmax())
convolutions = [model.get_layer(f"{which}_convolution").output for which in ("first", "second")]
answers = keras.Model(model.inputs, convolutions).predict(
    test.pixels[boot : boot + 1] / 255.0, verbose=0
)
figure, axes = plt.subplots(2, 9, figsize=(9, 2.4))
for row, of_layer, title in zip(axes, answers, ("first", "second"), strict=True):
    row[0].imshow(test.images[boot, :, :, 0], cmap="gray_r")
    row[0].set_title(f"{title}:", fontsize=9)
    strongest = of_layer[0].mean(axis=(0, 1)).argsort()[::-1][:8]
    for place, which in zip(row[1:], strongest, strict=True):
        place.imshow(of_layer[0, :, :, which], cmap="gray_r")
        place.set_title(f"filter {which}", fontsize=7)
    for place in row:
        place.axis("off")

# %% [markdown]
# **Does anybody tell the filters what to be?** No. They begin as noise, and whatever lowers the loss
# remains.
#
# **Exercise.** Look at the same filters on a pullover: change the 9 to a 2. Which of them answer now?
#
# <details><summary>Solution</summary>Nearly the same filters of the first convolution, since a pullover has edges
# as well. Of the second, mostly others: there is no sole to be found.</details>

# %% [markdown]
# ## Does the convolution matter?
#
# From here on the package trains, with its own recipes: a **recipe** is everything that decides a
# training but the data and the seed. `fast` is the net above in three epochs, `fast-dense` the same
# hidden layer on bare pixels, without convolutions.


# %%
def trained(recipe):
    net = hardpairs.train(part, recipe, seed=0).model
    probabilities = hardpairs.predict(net, test.images)
    return hardpairs.Predictions(
        test.labels, probabilities, names, split="test", metadata={"recipe": recipe.name}
    )


dense = trained(hardpairs.find_recipe("fast-dense"))
cnn = trained(hardpairs.find_recipe("fast"))
difference = hardpairs.diff(dense, cnn)
difference.to_frame().query("of != 'pair'")[
    ["name", "before", "after", "difference", "significant"]
]

# %% [markdown]
# The first row is the accuracy, the others are each class's recall, without and with convolutions.
#
# **Why does it help?** A dense layer has to learn an edge anew at every place. A convolution learns it
# once.
#
# **Is that luck?** These are two fitted nets. For two *recipes* the seeds count as well: another seed
# gives other first weights and another net. `hardpairs compare` trains both with five seeds, on digits
# and on clothes, and gives intervals. See [statistics](statistics.md).

# %% [markdown]
# ## The stretch: more than the lesson's net
#
# **Augmentation** shows each training image a little changed in every epoch: here half of them
# mirrored, as a shoe may point either way. The **third block** is one more convolution, of 128
# filters. Does either help?

# %%
base = hardpairs.find_recipe("fast")
recipes = {
    "flips": replace(base, name="flips", augment=(("flip", 0.5),)),
    "third block": replace(base, name="third block", net_options={"third_block": True}),
}
for recipe in recipes.values():
    change = hardpairs.diff(cnn, trained(recipe)).accuracy
    low, high = (100 * end for end in change.interval)
    verdict = "significant" if change.significant else "not significant"
    print(
        f"{recipe.name:12}{change.before:.2%} -> {change.after:.2%}, "
        f"{100 * change.difference:+.2f} points ({low:+.2f} to {high:+.2f}), {verdict}"
    )

# %% [markdown]
# **Significant, so it is settled?** Not for the recipes. Each line compares two fitted nets on 10,000
# images, and two seeds of *one* recipe may differ by as much.
#
# **Why did the flips not help more?** Augmentation pays in long trainings, when a net has begun to learn
# its images by heart. In three epochs it hasn't.
#
# **Exercise.** What helps most: more epochs, another schedule, batch norm, a third block, label
# smoothing, or augmentation? Guess first, then look: `hardpairs ablate` trains each alone and each
# removed from all of them together, with five seeds.
#
# <details><summary>Solution</summary>Training longer, with early stopping; README has the table. And
# <code>hardpairs recipes</code> shows how far it goes from here.</details>

# %% [markdown]
# ## Homework
#
# Which class is hardest? Show four of its mistakes, and say in a paragraph why they are hard for a net
# and for people.

# %%
hardpairs.draw_hardest(subject)

# %% [markdown]
# <details><summary>A beginning</summary>Shirt. A collar and buttons tell it from a T-shirt, its weight from a
# coat, its fabric from a pullover: little of that is left of 28 x 28 gray pixels. The labels came from a
# shop's catalogue, which knew.</details>
#
# Your own images next? Two commands from README: `hardpairs run --data my_images`, or, with predictions
# of any other program, `hardpairs evaluate predictions.csv`.
#
# At last the answer sheet, and a page in which every number leads to its images. Open
# `lesson/report.html`; or put `report` on a line of its own, and the page shows here.

# %%
report = hardpairs.Report(subject)
print("wrote", report.save("lesson"))
