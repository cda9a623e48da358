"""Folders of picture files: a folder for each class, or all in one."""

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from hardpairs.data.pictures import (
    ENDINGS,
    looks_like_picture,
    read_pictures,
)
from hardpairs.data.progress import counted
from hardpairs.data.source import PART_OF_NAME, Source, make_source, part_of
from hardpairs.data.split import Split
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.reading import clean_text

A_FEW = 10  # Files that can't be read, or one in a hundred: then something is wrong with them all.
ENDS_BYTES = 4096
OTHER_ENDINGS = {".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".ico", ".psd", ".dng", ".nef"}
NO_CLASSES = {"__macosx", "@eadir", "__pycache__"}
Classes = tuple[Path, dict[str, list[str]]]  # A folder, and pictures below it by class.


@dataclass(frozen=True, eq=False)
class Photos:
    """Picture files, each read when it is asked for.

    Attributes:
        root: The folder that holds them.
        names: Their paths below it, with "/" between folders.
        unreadable: What couldn't be read so far, by name, and why. In its place stands a grey
            square.
    """

    root: Path
    names: tuple[str, ...]
    unreadable: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray | list[np.ndarray]:
        """Read pictures in full; uint8 (n, H, W, C) or, of different sizes, a list of (h, w, C).

        Raises:
            InputError: More than a few of those asked for so far can't be read; it lists them.
        """
        return self.reduced(rows, 0)

    def reduced(self, rows: np.ndarray | slice, side: int) -> np.ndarray | list[np.ndarray]:
        """Read pictures as finely as one of ``side`` pixels needs, JPEGs faster; 0: in full."""
        names = [self.names[row] for row in np.arange(len(self))[rows]]
        files = (self.root / name for name in names)
        pictures = read_pictures(files, names, self.unreadable, side)
        check_few(self.root, self.unreadable, len(self), are_all=False)
        return pictures

    def unreadable_rows(self) -> list[int]:
        """Rows of what couldn't be read so far."""
        return [row for row, name in enumerate(self.names) if name in self.unreadable]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names, sizes in bytes, and the first and last 4 kB of every file.

        Reading 50,000 photos whole takes minutes; one that was edited has another size, beginning
        or end.
        """
        digest = hashlib.sha256()
        for name in counted(self.names, "looking at the pictures", len(self)):
            digest.update(f"{name}\0".encode(errors="surrogateescape"))
            with open(self.root / name, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                digest.update(f"{size}\0".encode() + file.read(ENDS_BYTES))
                file.seek(max(size - ENDS_BYTES, 0))
                digest.update(file.read(ENDS_BYTES))
        return digest.hexdigest()


def open_folder(folder: Path) -> Source | None:
    """Recognise class folders, those of several parts, or pictures side by side.

    Args:
        folder: ``CLASS/…``, ``{train,test,val}/CLASS/…``, see `find_classes`, or pictures alone,
            which have no labels and are joined with predictions by name. Links are followed.

    Returns:
        What was found, its ids being paths below the folder of the part; None where there is no
        picture.

    Raises:
        InputError: More than a few files aren't the pictures that their names say.
    """
    found, left_out = find_classes(folder)
    if found:
        return _open(found, left_out)
    below, beside = _class_folders(folder), _pictures_in(folder, folder)
    if len(below) == 1 and not beside:
        return open_folder(folder / next(iter(below)))
    flat = [*beside, *(name for pictures in below.values() for name in pictures)]
    return _open({"all": (folder, {"": flat})}, []) if flat else None


def find_classes(folder: Path) -> tuple[dict[str, Classes], list[str]]:
    """Find class folders, and the parts that they are divided into.

    Args:
        folder: ``CLASS/…``, ``{train,test,val}/CLASS/…``, ``CLASS/{train,test,val}/…``, or with
            longer names and another folder between, ``seg_train/seg_train/CLASS/…``; any of these
            may lie in a folder alone.

    Returns:
        Of each part, "all" where there are none, the folder of its classes and, by class, the
        paths of pictures below it; and names of what was left out beside. Nothing where no folder
        of pictures is a class.
    """
    below = subfolders(folder)
    exact = {part: p for p in below if (part := PART_OF_NAME.get(p.name.lower()))}
    words = [(part_of(path.name), path) for path in below if part_of(path.name)]
    told = dict(words)
    for named, fewest in ((exact, 1), (told if len(told) == len(words) else {}, 2)):
        found = {part: own for part, path in named.items() if (own := _classes_of_part(path))}
        # Pictures in one folder that is no class have no labels.
        parts = {p: own for p, own in found.items() if len(own[1]) > 1 or _has_known(own, found)}
        if len(parts) >= fewest:
            roots = [root for root, _ in parts.values()]
            return parts, [p.name for p in below if not any(r.is_relative_to(p) for r in roots)]
    classes, beside = _class_folders(folder), _pictures_in(folder, folder)
    if not classes or _are_parts(classes):
        return {}, []
    if len(classes) == 1 and not beside:
        return find_classes(folder / next(iter(classes)))
    return _parts_below(folder, classes) or {"all": (folder, classes)}, beside


def _has_known(classes: Classes, parts: Mapping[str, Classes]) -> bool:
    """Whether one of a part's classes is trained on, where it is known which are."""
    return bool(classes[1].keys() & parts.get("train", classes)[1].keys())


def _parts_below(folder: Path, classes: dict[str, list[str]]) -> dict[str, Classes]:
    """The parts that each class's own folders are named as, ``CLASS/{train,test,val}/…``.

    Nothing where a picture lies in another folder, or where there is no part to train on.
    """
    parts: dict[str, dict[str, list[str]]] = {}
    for name, pictures in classes.items():
        for path in pictures:
            inner = path.split("/")[1].lower() if path.count("/") > 1 else ""
            parts.setdefault(PART_OF_NAME.get(inner, ""), {}).setdefault(name, []).append(path)
    if "" in parts or "train" not in parts or len(parts) < 2:
        return {}
    return {part: (folder, by_class) for part, by_class in parts.items()}


def _are_parts(names: Collection[str]) -> bool:
    """Whether folders are named as parts, all of them or at least two different ones."""
    return all(name.lower() in PART_OF_NAME for name in names) or (
        len({part_of(name) for name in names} - {""}) > 1
    )


def _classes_of_part(folder: Path) -> Classes | None:
    classes = _class_folders(folder)
    if len(classes) == 1:
        inner = folder / next(iter(classes))
        if len(deeper := _class_folders(inner)) > 1:
            return inner, deeper
    return (folder, classes) if classes else None


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, by name, without hidden ones and what other tools leave behind."""
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and path.name.lower() not in NO_CLASSES
            and path.is_dir()
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"{folder}: can't be read ({error.strerror}); check it.") from error


def check_few(
    place: Path, unreadable: Mapping[str, str], count: int, *, are_all: bool = True
) -> None:
    """Raise InputError where more than a few of ``count`` files can't be read; it lists them.

    Where ``unreadable`` aren't all, as some weren't tried yet, it says so.
    """
    if len(unreadable) > max(A_FEW, count // 100):
        least = "" if are_all or len(unreadable) == count else "at least "
        raise InputError(
            f"{place}: {least}{len(unreadable):,} of {count:,} files can't be read as pictures "
            f"({few_files(unreadable)}); mend them or move them away."
        )


def few_files(names: Iterable[str]) -> str:
    """The first five names, made harmless for a terminal, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(map(one_line, names[:5])) + more


def _open(parts: Mapping[str, Classes], left_out: list[str]) -> Source:
    """Make a source of folders and their pictures by class, by part; a class "" is no class."""
    names = sorted({name for _, classes in parts.values() for name in classes} - {""})
    index = {name: place for place, name in enumerate(names)} | {"": -1}
    notes = [f"Left out: {few_files(left_out)}, beside the folders of classes."] if left_out else []
    notes += filter(None, (_inner_note(classes) for _, classes in parts.values()))
    _check_parts(parts)
    readers = {}
    for part, (folder, classes) in parts.items():
        rows = [(path, index[name]) for name in sorted(classes) for path in classes[name]]
        found = counted(rows, "finding the pictures", len(rows))
        good = [row for row in found if looks_like_picture(folder / row[0])]
        bad = sorted({path for path, _ in rows} - {path for path, _ in good})
        check_few(folder, dict.fromkeys(bad, ""), len(rows))
        if bad:
            notes.append(f"Left out, being no pictures whatever their names: {few_files(bad)}.")
        if formats := unknown_formats(folder):
            notes.append(f"Left out, being of formats that aren't read: {formats}; convert them.")
        readers[part] = partial(photos_split, folder, good)
    return make_source([clean_text(name) for name in names], readers, notes)


def _check_parts(parts: Mapping[str, Classes]) -> None:
    """Raise InputError where a part has none of the classes that are trained on."""
    for own in parts.values():
        if not _has_known(own, parts):
            (folder, classes), (root, trained) = own, parts["train"]
            raise InputError(
                f"{folder}: its folders ({few_files(sorted(classes))}) are none of the classes "
                f"that {root} has ({few_files(sorted(trained))}); sort its pictures into folders "
                "of these names, or move it away."
            )


def _inner_note(classes: Mapping[str, list[str]]) -> str:
    """A sentence where all folders of classes hold the same folders, which may be the classes."""
    inner = {
        frozenset(path.split("/")[1] if path.count("/") > 1 else "" for path in pictures)
        for pictures in classes.values()
    }
    names = next(iter(inner)) if len(classes) > 1 and len(inner) == 1 else ()
    if len(names) < 2 or "" in names:
        return ""
    outer, names_in = few_files(sorted(classes)), few_files(sorted(names))
    return (
        f"Its folders {outer} all hold folders named {names_in}: the outer ones are taken for the "
        "classes; give one of them where the inner ones are."
    )


def photos_split(folder: Path, rows: list[tuple[str, int]]) -> Split:
    """Make a split of picture files: paths below a folder, each with its label or -1."""
    names = tuple(name for name, _ in rows)
    # What isn't UTF-8 in a name is spelled out: an id has to be written into texts.
    ids = np.array([name.encode(errors="backslashreplace").decode() for name in names], str)
    labels = np.array([label for _, label in rows], np.int64)
    return Split(Photos(folder, names), labels, ids)


def picture_paths(folder: Path, split: Split) -> list[str]:
    """The paths below a folder of the picture files that are a split's; none of other images."""
    if not isinstance(split.images, Photos):
        return []
    inside = split.images.root.relative_to(folder)
    return [(inside / name).as_posix() for name in split.images.names]


def together(splits: Sequence[Split]) -> Split | None:
    """The picture files of several parts as one, each named from the folder of all parts on.

    None where a part isn't of picture files.
    """
    photos = [split.images for split in splits if isinstance(split.images, Photos)]
    if len(photos) < len(splits):
        return None
    root = Path(os.path.commonpath([each.root for each in photos]))
    rows = [
        row
        for split in splits
        for row in zip(picture_paths(root, split), split.labels.tolist(), strict=True)
    ]
    return photos_split(root, rows)


def _class_folders(folder: Path) -> dict[str, list[str]]:
    """The pictures below each subfolder that has any, as paths below ``folder``."""
    classes = subfolders(folder)
    others = {os.path.realpath(place) for place in (folder, *folder.absolute().parents, *classes)}
    found = {path.name: _pictures_below(path, folder, others) for path in classes}
    return {name: pictures for name, pictures in found.items() if pictures}


def _pictures_below(folder: Path, root: Path, others: set[str]) -> list[str]:
    """Pictures in a folder and below, in the order in which torchvision and Keras take them.

    A link to one of the ``others``, where this class and the other classes lie, isn't followed:
    their pictures would be this class's too.
    """
    by_folder, seen = {}, others - {os.path.realpath(folder)}
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        real = os.path.realpath(place)
        if real in seen:  # A link that leads back up.
            continue
        seen.add(real)
        by_folder[str(place)] = _pictures_in(place, root)
        waiting += subfolders(place)
    return [name for place in sorted(by_folder) for name in by_folder[place]]


def _pictures_in(folder: Path, root: Path) -> list[str]:
    prefix = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
    with os.scandir(folder) as entries:
        return sorted(
            prefix + entry.name
            for entry in entries
            if os.path.splitext(entry.name)[1].lower() in ENDINGS
            and not entry.name.startswith(".") and entry.is_file()
        )  # fmt: skip


def unknown_formats(folder: Path) -> str:
    """How many pictures there are of each format that isn't read, as "2 .heic"; "" without any."""
    found = Counter(
        ending
        for _, _, names in os.walk(folder)
        for name in names
        if (ending := os.path.splitext(name)[1].lower()) in OTHER_ENDINGS
    )
    return ", ".join(f"{count:,} {ending}" for ending, count in sorted(found.items()))
