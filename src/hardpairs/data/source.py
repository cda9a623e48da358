"""Source: data that was recognised, and can be read part by part."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.split import Split, SplitName, stratified_order
from hardpairs.errors import InputError
from hardpairs.labels import listed
from hardpairs.reading import read_text

TEST_SHARE = 0.2  # Held out for testing where the data has no test part of its own.
PART_OF_NAME = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst", "t10k"), "test"),
    **dict.fromkeys(("val", "validation", "valid", "dev", "eval"), "validation"),
}
NO_LABELS = (
    "its images have no labels; put them into a folder for each class, or give a table with labels."
)
GLUED = re.compile(r"(?<=.)(set|data|images|imgs?)$")  # Behind a part's name: trainset, testdata.
Part = Callable[[], Split]


@dataclass(frozen=True)
class Source:
    """Data that was recognised but isn't read yet.

    Attributes:
        class_names: K names; none where the images have no labels.
        parts: What reads each part: "train" and "test", or "all" alone; and "validation" where it
            is there, which "test" may be too.
        notes: What was done to the data on the way and what was left out, a sentence each.
        no_labels: What is said where labels are needed and there are none.
    """

    class_names: tuple[str, ...]
    parts: Mapping[str, Part]
    notes: tuple[str, ...] = ()
    no_labels: str = NO_LABELS

    @property
    def is_whole(self) -> bool:
        """Whether the data comes without a test part of its own."""
        return "all" in self.parts

    def read(self, part: SplitName | None = None) -> Split:
        """Read one part.

        Args:
            part: Where the data is one whole, a fifth of every class is the test part, always the
                same one. None for what foreign predictions are of: the test part, or the whole
                where the data has no test part of its own.

        Raises:
            InputError: The data is damaged, or is one whole without labels to part it by.
        """
        if not self.is_whole:
            return self.parts[part or "test"]()
        whole = self.parts["all"]()
        if part is None:
            return whole
        if not whole.has_labels:
            raise InputError(self.no_labels)
        order = stratified_order(whole.labels, seed=0)
        first = len(order) - max(round(TEST_SHARE * len(order)), 1)
        return whole.take(np.sort(order[:first] if part == "train" else order[first:]))


def named_otherwise(place: str, names: Iterable[str]) -> str:
    """What to do where labels may stand in ``place`` under one of these names."""
    return (
        f"its images have no labels under a usual name; if one of {listed(names)} in {place} holds "
        "them, name it label."
    )


def make_source(
    class_names: Sequence[str],
    found: Mapping[str, Part],
    notes: Iterable[str] = (),
    no_labels: str = "",
) -> Source:
    """Make a source of what was found by part: any of "train", "test", "validation" and "all".

    Where there is no test part, the validation part is it.
    """
    notes, no_labels = list(notes), no_labels or NO_LABELS
    train = found.get("train") or found.get("all")
    test = found.get("test") or found.get("validation")
    if "validation" in found and train:
        used = "isn't used" if "test" in found else "is the test part"
        notes.append(f"Its validation part {used}.")
    # As names are read from predictions: macOS takes accents off letters in the names of folders.
    names = tuple(unicodedata.normalize("NFC", name) for name in class_names)
    if train and test:
        parts = {"train": cache(train), "test": cache(test)}
        if "validation" in found:
            validation = found["validation"]
            parts["validation"] = parts["test"] if test is validation else cache(validation)
        return Source(names, parts, (*notes,), no_labels)
    whole: Any = train or test
    return Source(names, {"all": cache(whole)}, (*notes,), no_labels)


def parts_named(ids: np.ndarray, class_names: Collection[str]) -> frozenset[str]:
    """The parts that paths name by the last of their folders that does; none if one names none.

    A folder named as a class is the class's.

    >>> sorted(parts_named(np.array(["train/cat/1.png", "val/cat/1.png"]), ["cat", "dog"]))
    ['train', 'validation']
    """
    if ids.dtype.kind not in "OU":
        return frozenset()
    named: set[str] = set()
    for each in ids.tolist():
        folders = reversed(str(each).replace("\\", "/").split("/")[:-1])
        parts = (PART_OF_NAME.get(name.lower()) for name in folders if name not in class_names)
        part = next(filter(None, parts), None)
        if part is None:
            return frozenset()
        named.add(part)
    return frozenset(named)


def check_parts(source: str, named: Collection[str], there: Collection[str]) -> None:
    """Raise InputError where ids name a part that the data hasn't."""
    if missing := sorted(set(named) - set(there)):
        raise InputError(
            f"{source}: the predictions' paths name its part {missing[0]!r}, and its parts are "
            f"{' and '.join(sorted(there))}; give the data that was predicted."
        )


def part_of(name: str) -> str:
    """The part that a file's or a folder's name tells, "" where it tells none.

    >>> part_of("x_test.csv.gz"), part_of("trainLabels.csv"), part_of("valset"), part_of("test2017")
    ('test', 'train', 'validation', 'test')
    """
    words = (GLUED.sub("", word) for word in words_of(name))
    return next((PART_OF_NAME[word] for word in words if word in PART_OF_NAME), "")


def words_of(name: str) -> list[str]:
    """The words that a name is put together of, in lower case; a year is one of its own.

    >>> words_of("X_trainImages-2.npy"), words_of("val2017")
    (['x', 'train', 'images', '2', 'npy'], ['val', '2017'])
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.split(r"[\W_]+|(?<=[a-z])(?=\d{4})", apart)


def read_class_names(folder: Path) -> tuple[str, ...] | None:
    """Read ``classes.txt``, one name a line; None where there is none.

    Raises:
        InputError: It isn't UTF-8 text, or has fewer than two names or one of them twice.
    """
    path = folder / "classes.txt"
    if not path.exists():
        return None
    names = tuple(name.strip() for name in read_text(path).splitlines() if name.strip())
    if len(names) < 2 or len(set(names)) != len(names):
        raise InputError(f"{path}: needs at least two names, all different, one a line.")
    return names
