"""What preparing a photo means for one net: measured from its training images, kept with it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from hardpairs.errors import InputError

# "Close to the colour of the corners" is, for Fashion-MNIST's authors, within 5% of the range.
CLOSE = 0.05
MOST_MEASURED = 5_000
LARGEST_SIDE = 1024


@dataclass(frozen=True)
class Preparation:
    """How a photo becomes a picture for the net.

    Attributes:
        height, width, channels: The picture's shape.
        thing: The training images are one thing each, white on black and nothing else: a photo is
            trimmed to its thing, which becomes white on black. Otherwise the middle of the photo
            is taken whole.
        longest: Pixels that the longer side of the thing takes.
        centre: "box": the middle of the thing's box is the picture's. "mass": its centre of mass.
    """

    height: int
    width: int
    channels: int
    thing: bool
    longest: int
    centre: Literal["box", "mass"]

    def to_dict(self) -> dict[str, Any]:
        """As it is kept, in JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Any) -> "Preparation":
        """Undo `to_dict`.

        Raises:
            InputError: It isn't one.
        """
        try:
            found = cls(**kept)
            sides = (found.height, found.width, found.longest)
            sound = (
                all(type(side) is int and 0 < side <= LARGEST_SIDE for side in sides)
                and found.longest <= max(found.height, found.width)
                and found.channels in (1, 3)
                and type(found.thing) is bool
                and found.centre in ("box", "mass")
            )
        except TypeError:
            sound = False
        if not sound:
            raise InputError("describes no preparation of photos; export the run again.")
        return found


def measure_preparation(images: np.ndarray, *, inverted: bool) -> Preparation:
    """Find out how a set's images are framed.

    Fashion-MNIST's article (Xiao, Rasul, Vollgraf, arXiv:1708.07747, section 2) puts the thing,
    its longest edge 28 pixels, into the middle of the canvas, and 97% of its images indeed have
    equal margins beside the box, give or take a pixel. MNIST's digits are 20 pixels long and
    centred by their mass (LeCun et al. 1998). So both are measured: what varies least is the rule.

    Args:
        images: uint8 (N, H, W, C).
        inverted: They are white on black, as `Split.inverted` says.
    """
    height, width, channels = images.shape[1:]
    whole = Preparation(height, width, channels, False, max(height, width), "box")
    if not inverted or channels != 1:
        return whole
    some = images[:: -(-len(images) // MOST_MEASURED), :, :, 0].astype(np.float32)
    seen = some > 255 * CLOSE
    filled = np.flatnonzero(seen.reshape(len(seen), -1).any(1))
    some, seen = some[filled], seen[filled]
    if len(some) == 0:
        return whole
    lengths, from_boxes, from_masses = [], [], []
    for axis in (1, 2):  # Columns' profile first, then the rows'.
        profile, mass = np.asarray(seen.any(axis)), some.sum(axis)
        first = profile.argmax(1)
        end = profile.shape[1] - profile[:, ::-1].argmax(1)
        lengths.append(end - first)
        from_boxes.append((first + end) / 2)
        from_masses.append((mass * (np.arange(mass.shape[1]) + 0.5)).sum(1) / mass.sum(1))
    by_mass = sum(np.var(place) for place in from_masses) < sum(
        np.var(place) for place in from_boxes
    )
    longest = round(float(np.median(np.maximum(*lengths))))
    return Preparation(height, width, channels, True, longest, "mass" if by_mass else "box")
