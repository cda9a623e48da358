# %% [markdown]
# # My own PyTorch model and photos, in ten lines
#
# Whatever gives scores gets the same report. Three things are yours: a folder of photos in a folder for
# each class, a model, and how it wants a photo. Here the photos are 600 images of clothes, written as
# PNG files, and the model is a small one, trained for some seconds: exchange both. You need hardpairs
# (`pip install .` in its checkout) and `pip install torch pandas`.

# %%
from pathlib import Path

import torch
from PIL import Image

import hardpairs

torch.manual_seed(0)
fashion = hardpairs.load_dataset("fashion-mnist")
names = fashion.class_names[:5]


def write_photos(split, folder, count):
    for row in [row for row in range(2 * count) if split.labels[row] < 5][:count]:
        path = Path(folder, names[split.labels[row]], f"{row}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(split.images[row, :, :, 0]).save(path)


write_photos(fashion.train, "photos/train", 1500)
write_photos(fashion.test, "photos/test", 600)


def pixels(path):
    return torch.frombuffer(bytearray(Image.open(path).tobytes()), dtype=torch.uint8) / 255


model = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 5))
files = sorted(Path("photos/train").glob("*/*.png"))
inputs = torch.stack([pixels(path) for path in files])
targets = torch.tensor([names.index(path.parent.name) for path in files])
optimizer = torch.optim.Adam(model.parameters(), 0.003)
for _ in range(60):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(inputs), targets).backward()
    optimizer.step()

# %% [markdown]
# The ten lines. The scores are logits, which is recognised; the labels are the folders' names; photos may
# be of any size, gray or in colour.

# %%
photos = sorted(Path("photos/test").glob("*/*.png"))
with torch.no_grad():
    scores = torch.stack([model(pixels(photo)) for photo in photos])
report = hardpairs.explore(
    [photo.parent.name for photo in photos],
    scores,
    images=[Image.open(photo) for photo in photos],
    class_names=names,
    ids=[photo.name for photo in photos],
)
report

# %% [markdown]
# That is the page, in a frame of this notebook; `report.save("report.html")` writes it as a file. (Of a
# notebook that somebody else has run, Jupyter shows frames only once you trust it.) What was converted is
# said, and every table is a DataFrame, of pandas or, where that is missing, of Polars:

# %%
report.notes

# %%
report.to_frame("pairs")

# %%
report.evaluation
