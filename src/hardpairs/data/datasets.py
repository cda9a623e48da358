"""Datasets: the two that travel inside the package, and whatever a user has."""

import os
from collections import Counter
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.about import BUNDLED_FOLDER, find_about
from hardpairs.data.folders import (
    few_files,
    open_folder,
    picture_paths,
    subfolders,
    unknown_formats,
)
from hardpairs.data.idx import read_idx
from hardpairs.data.idx_sets import find_idx, open_idx
from hardpairs.data.lists import lists_beside, open_listed, unlabelled_list
from hardpairs.data.memory import open_memory
from hardpairs.data.numpy_files import open_arrays_folder, open_npy, open_npz
from hardpairs.data.parquet import is_parquet, open_parquet, parquet_in
from hardpairs.data.pictures import ENDINGS
from hardpairs.data.source import Part, Source, make_source, read_class_names
from hardpairs.data.split import Dataset, Split, SplitName, combine_sha256, idx_sha256
from hardpairs.data.tables import is_table, open_table, open_tables_folder
from hardpairs.data.training_size import for_training
from hardpairs.errors import InputError, address_given, is_address
from hardpairs.foreign import one_line
from hardpairs.labels import listed

UNPACK = "unpack it, and give the folder"
SAVE = "save its arrays with numpy.savez(images=..., labels=...)"
OTHERWISE = "give a folder of pictures, .npz, .npy, .csv, .parquet or IDX files"
HOW_INSTEAD = {
    **dict.fromkeys((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"), UNPACK),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), f"pickles can run code: {SAVE}"),
    **dict.fromkeys((".mat", ".h5", ".hdf5", ".tfrecord", ".bin"), SAVE),
    **dict.fromkeys((".arrow", ".feather"), "write it as Parquet, with to_parquet"),
    ".npy": f"name them X_train.npy, y_train.npy, X_test.npy and y_test.npy, or {SAVE}",
    **dict.fromkeys(ENDINGS, "give the folder that it lies in"),
}
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
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


def load_dataset(source: Any, *, class_names: Any = None) -> Dataset:
    """Load a dataset to train on and to test with: images of one size, in memory.

    Larger ones, and those of several sizes, are scaled; the notes say so. See `for_training`.

    Args:
        source: "fashion-mnist", "digits", or where images and labels are, see docs/images.md; or
            arrays in memory, see `open_memory`.
        class_names: K names for arrays in memory.

    Raises:
        InputError: There is nothing of the kind, it is damaged, or it makes no dataset (see the
            message).
    """
    in_memory = not isinstance(source, str | os.PathLike)
    opened = open_memory(source, class_names) if in_memory else open_source(source)
    place = "the arrays" if in_memory else str(source)
    if not opened.class_names:
        how = opened.no_labels if in_memory else _no_labels(Path(source), opened)
        raise InputError(f"{place}: {how}")
    train, test = opened.read("train"), opened.read("test")
    _check_classes(place, opened, train, test)
    notes = [*opened.notes, *dict.fromkeys((*train.notes, *test.notes))]
    if not in_memory and os.path.isdir(source):
        notes += lists_beside(Path(source), opened)
    if opened.is_whole:
        notes.append(
            f"Its images are one whole: {len(test):,} of {len(train) + len(test):,} are the test "
            "images, of every class in proportion and always the same ones."
        )
    untaught = sorted(set(test.labels.tolist()) - set(train.labels.tolist()))
    if untaught:
        names = few_files(opened.class_names[label] for label in untaught)
        images = int(np.isin(test.labels, untaught).sum())
        notes.append(
            f"No training image is of {names}: no net trained on them can tell the {images:,} test "
            "images that are."
        )
    dataset = Dataset(
        name="arrays" if in_memory else dataset_name(source),
        source="" if in_memory else resolved(source),
        class_names=opened.class_names,
        train=train,
        test=test,
        shuffled=place in BUNDLED,
        about=find_about(test.fingerprint),
        notes=tuple(notes),
    )
    return for_training(dataset)


def load_split(source: str | Path, split: SplitName | None = None) -> Split:
    """Load one part alone; arguments as for `load_dataset` and `Source.read`, errors likewise."""
    return open_source(source).read(split)


def open_source(source: str | Path) -> Source:
    """Recognise what was given, and look at as much of it as takes no time.

    Raises:
        InputError: It is nothing that images can be read from; the message lists what was found.
    """
    if str(source) in BUNDLED:
        return _open_bundled(str(source))
    place = Path(source)
    found = find_idx(place)
    if found is not None:
        return open_idx(found)
    if os.path.isdir(place):
        opened = _open_folder(place)
    elif os.path.isfile(place):
        opened = _open_file(place)
    elif is_address(place):
        raise InputError(address_given(place))
    else:
        known = ", ".join(BUNDLED)
        raise InputError(
            f"{source}: is neither a file, nor a folder, nor a bundled dataset ({known})."
        )
    if opened is None:
        raise InputError(_nothing_found(place))
    return opened


def _open_folder(folder: Path) -> Source | None:
    opened = open_folder(folder)
    if opened is not None and opened.class_names:
        return opened
    if opened is not None:
        opened = open_listed(folder, picture_paths(folder, opened.read())) or opened
    if parquet := parquet_in(folder):
        return open_parquet(parquet)
    if opened is not None and opened.class_names:
        return opened
    opened = open_arrays_folder(folder) or open_tables_folder(folder) or opened
    if opened:
        return opened
    below = subfolders(folder)
    return _open_folder(below[0]) if len(below) == 1 else None


def _open_file(path: Path) -> Source | None:
    name = path.name.lower()
    if name.endswith(".npz"):
        return open_npz(path)
    if name.endswith(".npy"):
        return open_npy(path)
    if is_parquet(path):
        return open_parquet([path])
    if is_table(path):
        return open_table(path)
    return None


def _nothing_found(place: Path) -> str:
    if os.path.isfile(place):
        how = _how_instead(place) or OTHERWISE
        return f"{place}: is of a kind that images aren't read from; {how} (docs/images.md)."
    found = Counter(
        "folders" if path.is_dir() else f"{path.suffix.lower() or 'unnamed'} files"
        for path in place.iterdir()
    )
    if formats := unknown_formats(place):
        return (
            f"{place}: holds images of formats alone that aren't read ({formats}); convert them to "
            "JPEG or PNG."
        )
    files = [path for path in sorted(place.iterdir()) if path.is_file()]
    how = next((how for path in files if (how := _how_instead(path))), "")
    held = ", ".join(f"{count:,} {kind}" for kind, count in found.most_common(6)) or "nothing"
    how = how or "give pictures in a folder for each class, or one of the files of docs/images.md"
    return f"{place}: holds no images that can be read ({held}); {how}."


def _how_instead(path: Path) -> str:
    """What to do with a file of a kind that isn't read, but known; else ""."""
    with suppress(OSError), path.open("rb") as file:
        if file.read(2) in PICKLE_STARTS:  # CIFAR's batches have no ending.
            return HOW_INSTEAD[".pkl"]
    return HOW_INSTEAD.get(path.suffix.lower(), "")


def dataset_name(source: str | Path) -> str:
    """The name of a bundled dataset as it is; of a folder, its last part."""
    return str(source) if str(source) in BUNDLED else Path(source).resolve().name


def resolved(source: str | Path) -> str:
    """What loads the same data from everywhere: a bundled name, or an absolute path."""
    return str(source) if str(source) in BUNDLED else str(Path(source).resolve())


def _open_bundled(name: str) -> Source:
    folder = BUNDLED_FOLDER / name
    parts: dict[str, Part] = {part: partial(_read_bundled, folder, part) for part in FILE_PREFIX}
    return make_source(read_class_names(folder) or (), parts)


@cache
def _read_bundled(folder: Path, part: SplitName) -> Split:
    """Unpacked once in a process: a run's report shows images that were trained on."""
    arrays, published = [], BUNDLED[folder.name][part]
    for kind, expected in zip(("images-idx3", "labels-idx1"), published, strict=True):
        path = folder / f"{FILE_PREFIX[part]}-{kind}-ubyte.gz"
        arrays.append(read_idx(path, int(kind[-1])))
        if idx_sha256(arrays[-1]) != expected:
            raise InputError(
                f"{path}: differs from the published file (SHA-256); reinstall hardpairs."
            )
    images, labels = arrays[0], arrays[1].astype(np.int64)
    labels.flags.writeable = False  # As the images are: others may have the same arrays.
    split = Split(images, labels, inverted=True)
    split.__dict__["fingerprint"] = combine_sha256(*published)  # As it would come out.
    return split


def _no_labels(place: Path, source: Source) -> str:
    """What to do about images without labels; of one folder of them that is no class."""
    if not os.path.isdir(place):
        return source.no_labels
    if said := unlabelled_list(place, picture_paths(place, source.read())):
        return said
    below = subfolders(place)
    if len(below) != 1:
        return source.no_labels
    return (
        f"its images lie in one folder alone, {one_line(below[0].name)!r}, and one class can't be "
        "classified; put them into a folder for each class, two at least, or give a table with "
        "labels."
    )


def _check_classes(place: str, source: Source, train: Split, test: Split) -> None:
    for split in (train, test):
        if len(split) == 0:
            raise InputError(f"{place}: holds no images to train or to test with; add some.")
    if len(np.unique(train.labels)) > 1:
        return
    name = repr(one_line(source.class_names[int(train.labels[0])]))
    together = Counter(np.concatenate([train.labels, test.labels]).tolist())
    if source.is_whole and len(together) > 1:
        counts = [f"{source.class_names[label]}: {n:,}" for label, n in sorted(together.items())]
        raise InputError(
            f"{place}: holds too few images, {together.total():,} ({listed(counts)}): with a fifth "
            f"of them to test with, those to train with are all {name}; add images of every class."
        )
    raise InputError(
        f"{place}: every label to train with is {name}, and one class alone can't be classified; "
        "give a set with at least two."
    )
