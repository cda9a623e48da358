"""Datasets: the two that travel inside the package, and any folder of four IDX files."""

from pathlib import Path

import numpy as np

from hardpairs.data.about import BUNDLED_FOLDER, find_about
from hardpairs.data.idx import read_idx
from hardpairs.data.split import Dataset, Split, SplitName, combine_sha256, idx_sha256
from hardpairs.errors import InputError

IMAGE_SIZE = 28
FILE_PREFIX: dict[SplitName, str] = {"train": "train", "test": "t10k"}

# SHA-256 of the decompressed files: (images, labels).
BUNDLED: dict[str, dict[SplitName, tuple[str, str]]] = {
    "fashion-mnist": {
        "train": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        "test": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    },
    "digits": {
        "train": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        "test": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    },
}


def load_dataset(source: str | Path) -> Dataset:
    """Load a bundled dataset by name, or a folder of four IDX files.

    Args:
        source: "fashion-mnist", "digits", or a folder that holds ``train-images-idx3-ubyte``,
            ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``,
            each plain or with ``.gz``, and optionally ``classes.txt`` with one class name a line.

    Raises:
        InputError: A file is missing or damaged, the bundled bytes aren't the published ones, or
            the arrays don't make a dataset (see the message).
    """
    train, test = load_split(source, "train"), load_split(source, "test")
    is_bundled = str(source) in BUNDLED
    return Dataset(
        name=dataset_name(source),
        source=str(source) if is_bundled else str(Path(source).resolve()),
        class_names=load_class_names(source),
        train=train,
        test=test,
        shuffled=is_bundled,
        about=find_about(test.fingerprint),
    )


def load_split(source: str | Path, split: SplitName) -> Split:
    """Load one split alone, checked as `load_dataset` does; same arguments and errors."""
    folder = _folder(source)
    images_path = _find(folder, f"{FILE_PREFIX[split]}-images-idx3-ubyte")
    labels_path = _find(folder, f"{FILE_PREFIX[split]}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    published = BUNDLED.get(str(source), {}).get(split)
    if published is None:
        _check_split(images_path, images, labels_path, labels, load_class_names(source))
    loaded = Split(images, labels.astype(np.int64), inverted=True)
    if published is not None:
        for path, array, expected in zip(
            (images_path, labels_path), (images, labels), published, strict=True
        ):
            if idx_sha256(array) != expected:
                raise InputError(
                    f"{path}: differs from the published file (SHA-256); reinstall hardpairs."
                )
        loaded.__dict__["fingerprint"] = combine_sha256(*published)  # As it would come out.
    return loaded


def load_class_names(source: str | Path) -> tuple[str, ...]:
    """Class names from ``classes.txt``; without it, the numbers up to the largest label."""
    folder = _folder(source)
    path = folder / "classes.txt"
    if not path.exists():
        largest = max(
            int(read_idx(_find(folder, f"{prefix}-labels-idx1-ubyte"), 1).max(initial=0))
            for prefix in FILE_PREFIX.values()
        )
        return tuple(str(index) for index in range(largest + 1))
    try:
        names = tuple(path.read_text(encoding="utf-8").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read as UTF-8 text ({error}); save it as such.") from (
            error
        )
    names = tuple(name.strip() for name in names if name.strip())
    if len(names) < 2 or len(set(names)) != len(names):
        raise InputError(f"{path}: needs at least two names, all different, one a line.")
    return names


def load_human_votes(name: str) -> np.ndarray | None:
    """Mean human votes per class, where the package knows them.

    Returns:
        float64 (K, K), rows are true classes, columns what people chose, rows sum to 1; None for
        a dataset without votes. Source: Fashion-MNIST-H (Ishida et al., ICLR 2023), see NOTICE.
    """
    path = BUNDLED_FOLDER / name / "human-votes.csv"
    if name not in BUNDLED or not path.exists():
        return None
    return np.loadtxt(path, delimiter=",", skiprows=1)


def dataset_name(source: str | Path) -> str:
    """The name of a bundled dataset as it is; of a folder, its last part."""
    return str(source) if str(source) in BUNDLED else Path(source).resolve().name


def _folder(source: str | Path) -> Path:
    if str(source) in BUNDLED:
        return BUNDLED_FOLDER / str(source)
    folder = Path(source)
    if not folder.is_dir():
        known = ", ".join(BUNDLED)
        raise InputError(f"{source}: is neither a folder nor a bundled dataset ({known}).")
    return folder


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder / name}: is missing, with and without .gz; put it there.")


def _check_split(
    images_path: Path,
    images: np.ndarray,
    labels_path: Path,
    labels: np.ndarray,
    class_names: tuple[str, ...],
) -> None:
    if len(images) != len(labels):
        raise InputError(
            f"{labels_path}: has {len(labels):,} labels for the {len(images):,} images of "
            f"{images_path.name}; the two files don't belong together."
        )
    if len(labels) == 0:
        raise InputError(f"{images_path}: holds no images; give a set with at least one.")
    if images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise InputError(
            f"{images_path}: holds images of {images.shape[1]}x{images.shape[2]} pixels, "
            f"expected {IMAGE_SIZE}x{IMAGE_SIZE}; resize them."
        )
    if labels.max() >= len(class_names):
        raise InputError(
            f"{labels_path}: has label {labels.max()} but classes.txt names only "
            f"{len(class_names)} classes; add the missing names."
        )
    if labels.min() == labels.max():
        raise InputError(
            f"{labels_path}: every label is {labels[0]}, and one class alone can't be classified; "
            "give a set with at least two."
        )
