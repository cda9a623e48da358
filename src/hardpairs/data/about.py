"""What is known of a dataset beyond its images: a text file beside the bundled data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from hardpairs.reading import read_toml

BUNDLED_FOLDER = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class About:
    """What one published dataset's own text file says.

    Attributes:
        title: The dataset's name as its authors write it.
        files: Usual file name -> this dataset's own, as "answers.md" -> "fashion.md".
        separates: A pair of class names -> what tells the two apart.
        paragraphs: What else an answer about it should say.
        class_votes: The file of mean human votes per class, or None.
        votes_source: Whose they are, and how many.
        asked_about: The fingerprint of the images that those people saw.
    """

    title: str
    files: Mapping[str, str] = field(default_factory=dict)
    separates: Mapping[frozenset[str], str] = field(default_factory=dict)
    paragraphs: tuple[str, ...] = ()
    class_votes: Path | None = None
    votes_source: str = ""
    asked_about: str = ""

    def file_name(self, name: str) -> str:
        """This dataset's own name of a file, the usual one where it has none."""
        return self.files.get(name, name)


def find_about(fingerprint: str) -> About | None:
    """Return what is known of the data with a `Split.fingerprint`; None for all other data."""
    return _all_known().get(fingerprint)


def load_class_votes(fingerprint: str) -> np.ndarray | None:
    """Mean human votes per class, where the package knows them.

    Args:
        fingerprint: `Split.fingerprint` of the test images that people were asked about.

    Returns:
        float64 (K, K), rows are true classes, columns what people chose, rows sum to 1; None for
        all other images. Source: Fashion-MNIST-H (Ishida et al., ICLR 2023), see NOTICE.
    """
    about = find_about(fingerprint)
    if about is None or about.class_votes is None or fingerprint != about.asked_about:
        return None
    return np.loadtxt(about.class_votes, delimiter=",", skiprows=1)


def other_file_names(name: str) -> set[str]:
    """What a file may be called for some known data, by its usual name."""
    return {about.file_name(name) for about in _all_known().values()} - {name}


@cache
def _all_known() -> dict[str, About]:
    known: dict[str, About] = {}
    for path in sorted(BUNDLED_FOLDER.glob("*/about.toml")):
        content = read_toml(path)
        about = About(
            title=content["title"],
            files=content["files"],
            separates={frozenset(row["classes"]): row["by"] for row in content["separates"]},
            paragraphs=tuple(content["paragraphs"]),
            class_votes=path.parent / content["class_votes"],
            votes_source=content["votes_source"],
            asked_about=content["asked_about"],
        )
        known |= dict.fromkeys(content["fingerprints"], about)
    return known
