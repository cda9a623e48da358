"""Predictions from a folder of texts, one for each image, as Ultralytics' classify saves them."""

import re
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError
from hardpairs.predictions.found import Found
from hardpairs.reading import guarded

LINE = re.compile(r"^(?P<score>\d*\.?\d+(?:e-?\d+)?) (?P<name>\S.*)$")  # "0.93 tabby cat"
LARGEST_TEXT = 2**20


def read_yolo_folder(folder: Path) -> Found:
    """Read the five most probable classes of each image, as ``save_txt=True`` writes them.

    Args:
        folder: Holds NAME.txt for each image NAME.jpg; its ``labels`` folder is looked into.

    Raises:
        InputError: There are no such texts, or one isn't of this form.
    """
    paths = sorted(folder.glob("[!.]*.txt")) or sorted((folder / "labels").glob("[!.]*.txt"))
    rows = [_read_text(path) for path in paths]
    if not rows:
        raise InputError(
            f"{folder}: holds neither predictions.npz nor another file of predictions; "
            "name the file itself."
        )
    known = min(map(len, rows))
    top_classes = np.empty((len(rows), known), object)
    top_classes[:] = [[name for _, name in row[:known]] for row in rows]
    return Found(
        top_classes=top_classes,
        top_scores=np.array([[score for score, _ in row[:known]] for row in rows]),
        ids=[path.stem for path in paths],
    )


def _read_text(path: Path) -> list[tuple[float, str]]:
    with guarded(path, "UTF-8 text of lines as '0.93 cat', a score and a class"):
        if path.stat().st_size > LARGEST_TEXT:
            raise InputError(f"{path}: is too large for the classes of one image; remove it.")
        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    found = [LINE.match(line) for line in lines if line]
    pairs = [(float(match["score"]), match["name"].strip()) for match in found if match]
    if not pairs or len(pairs) < len(found):
        raise InputError(
            f"{path}: has a line that isn't a score and a class, as '0.93 cat'; remove it."
        )
    if len({name for _, name in pairs}) < len(pairs):
        raise InputError(
            f"{path}: names a class twice, as a second run into the same folder makes it; "
            "predict again into a new one."
        )
    return sorted(pairs, key=lambda pair: -pair[0])
