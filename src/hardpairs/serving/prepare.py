"""From a photo to the picture that the net sees, and to doubts about it.

As Zalando made Fashion-MNIST of its shop's photos (Xiao, Rasul, Vollgraf, arXiv:1708.07747,
section 2): trimmed to the thing, its longer side made 28 pixels, sharpened, put into the middle,
negated, 8-bit gray. Their photos had white ground and even light; here both are seen to first.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from hardpairs.serving.ground import Scene, take_apart
from hardpairs.serving.photo import WORKING_SIDE
from hardpairs.serving.preparation import Preparation
from hardpairs.serving.regions import grown, near, opened, parts_of, smooth

GRAY = np.array([0.299, 0.587, 0.114], np.float32)
EDGE = 0.12  # What counts as the thing's edge, of its brightest.
SHARPER = 0.4  # How much of what a Gaussian of radius 1 takes away is added.
BRIGHTEST = 99.9  # Percentile that becomes white: single pixels are noise.
LOW_CONTRAST = 0.15  # Of black to white.
LEAST_CONTRAST = 0.05
LEAST_AREA = 0.0005  # Of the photo
PART = 0.03  # A part of the thing has at least so much of its largest part's weight.
GAP = 0.06  # Parts nearer than this, of the thing's longer side, are one thing's.
SECOND = 0.2  # Another thing has at least so much of the first one's weight.
MOST_SHADOW = 0.2  # A shadow has at most so much of its thing's weight.
# A thing that was cut out fills its picture up to the border, where the ground is looked for. Where
# hardly anything is clear, as in a window's round corners, the picture is a whole photo.
SEEN, LEAST_CLEAR, MARGIN = 128, 0.05, 0.1
SMALL = 0.35  # A thing smaller than this, of the photo's longer side, is looked at again, closer.


@dataclass(frozen=True)
class Doubt:
    """A reason not to trust a prediction: a code for programs, a sentence for people."""

    code: str
    sentence: str


NOTHING = Doubt("nothing", "Nothing was found that differs from its background.")
LOW = Doubt("low-contrast", "It hardly differs from its background: try another or more light.")
CUT = Doubt("cut", "It reaches the photo's edge, so a part of it may be cut off.")
SEVERAL = Doubt("several", "There is more than one thing; only the largest was looked at.")


@dataclass(frozen=True)
class Prepared:
    """What the net sees, uint8 (H, W, C), and what speaks against trusting it."""

    picture: np.ndarray
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class _Thing:
    """Its value, float32 (H, W), 0 is ground, 1 its brightest; top, bottom, left, right."""

    value: np.ndarray
    box: tuple[int, int, int, int]
    doubts: tuple[Doubt, ...]


def prepare(photo: Image.Image, preparation: Preparation) -> Prepared:
    """Prepare a photo, RGB or RGBA, as `open_photo` gives it."""
    shape = preparation.height, preparation.width
    if not preparation.thing:
        flat = _on_ground(photo, 255).convert("L" if preparation.channels == 1 else "RGB")
        middle = ImageOps.fit(flat, shape[::-1], Image.Resampling.LANCZOS)
        return Prepared(np.asarray(middle).reshape(*shape, preparation.channels), ())
    photo = _on_contrasting_ground(photo)
    thing = _find_thing(_pixels(photo))
    if thing is None:
        return Prepared(np.zeros((*shape, 1), np.uint8), (NOTHING,))
    thing = _look_closer(photo, thing) or thing
    return Prepared(_compose(thing, preparation), thing.doubts)


def _on_ground(photo: Image.Image, gray: int) -> Image.Image:
    if photo.mode != "RGBA":
        return photo
    ground = Image.new("RGBA", photo.size, (gray, gray, gray, 255))
    return Image.alpha_composite(ground, photo).convert("RGB")


def _on_contrasting_ground(photo: Image.Image) -> Image.Image:
    """Lay what is transparent on white, or on black where the thing itself is light."""
    if photo.mode != "RGBA":
        return photo
    content = np.asarray(photo, np.float32)
    gray, alpha = content[..., :3] @ GRAY, content[..., 3]
    mean = float((gray * alpha).sum() / max(float(alpha.sum()), 1.0))
    if (alpha < SEEN).mean() > LEAST_CLEAR:
        photo = ImageOps.expand(photo, round(MARGIN * max(photo.size)), (0, 0, 0, 0))
    return _on_ground(photo, 255 if mean < 160 else 0)


def _pixels(photo: Image.Image) -> np.ndarray:
    if max(photo.size) > WORKING_SIDE:
        photo = photo.copy()
        photo.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(photo, np.float32) / 255


def _look_closer(photo: Image.Image, thing: _Thing) -> _Thing | None:
    """Find a small thing again in its own part of the photo, which has more pixels."""
    height, width = thing.value.shape
    top, bottom, left, right = thing.box
    longest = max(bottom - top, right - left)
    if longest > SMALL * max(height, width) or max(photo.size) <= WORKING_SIDE:
        return None
    margin, scale = 0.6 * longest, photo.width / width
    corners = (left - margin, top - margin, right + margin, bottom + margin)
    limits = (width, height, width, height)
    part = [round(scale * min(max(c, 0), limit)) for c, limit in zip(corners, limits, strict=True)]
    found = _find_thing(_pixels(photo.crop(part)))  # type: ignore[arg-type]
    if found is None:
        return None
    # What else lies in the photo was seen in the whole of it.
    doubts = dict.fromkeys((*thing.doubts, *(d for d in found.doubts if d is not CUT)))
    return _Thing(found.value, found.box, tuple(doubts))


def _find_thing(pixels: np.ndarray) -> _Thing | None:
    shaded, scene = take_apart(pixels)
    inside, more = _largest(shaded)
    less, more_of_less = _largest(scene)
    if _is_shadow(inside, less, shaded.distance):
        inside, more = less, more_of_less
    else:
        scene = shaded
    if not inside.any() or scene.distance[inside].max() < LEAST_CONTRAST:
        return None
    inside = grown(inside, 2)
    direction = (scene.difference[inside] * scene.distance[inside][:, None]).sum(0)
    direction /= max(float(np.linalg.norm(direction)), 1e-9)
    along = scene.difference @ direction
    even = smooth(along, 0.7)
    brightest = float(np.percentile(even[inside], BRIGHTEST))
    if brightest <= 0:
        return None
    value = np.where(inside, np.clip(along / brightest, 0, 1), 0).astype(np.float32)
    edge = np.where(inside, even, 0) > EDGE * brightest
    rows, columns = np.flatnonzero(edge.any(1)), np.flatnonzero(edge.any(0))
    if len(rows) == 0 or edge.sum() < LEAST_AREA * edge.size:
        return None
    box = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    doubts = []
    if more:
        doubts.append(SEVERAL)
    if brightest < max(LOW_CONTRAST, 3 * scene.noise):
        doubts.append(LOW)
    if _is_cut(edge, box):
        doubts.append(CUT)
    return _Thing(value, box, tuple(doubts))


def _largest(scene: Scene) -> tuple[np.ndarray, bool]:
    """The heaviest thing, bool (H, W), of all parts that lie close together; are there more?"""
    differs = (scene.distance > max(2 * scene.noise, LEAST_CONTRAST)) & ~scene.ground
    wide = opened(differs)
    numbers, count = parts_of(wide if wide.any() else differs)
    if count == 0:
        return differs, False
    weights = _weights(scene.distance, numbers)
    parts = np.concatenate([[False], weights[1:] >= PART * weights.max()])[numbers]
    heaviest = numbers == int(weights.argmax())
    longest = max(np.ptp(np.flatnonzero(heaviest.any(axis))) + 1 for axis in (0, 1))
    things, _ = parts_of(near(parts, GAP * longest / 2))
    sizes = _weights(scene.distance * parts, things)
    first = int(sizes.argmax())
    more = bool((np.delete(sizes, first) > SECOND * sizes[first]).any())
    return parts & (things == first), more


def _weights(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The sum of values in each numbered part; of number 0, which is outside, none."""
    sums = np.bincount(numbers.ravel(), values.ravel())
    sums[0] = 0
    return sums


def _is_shadow(inside: np.ndarray, less: np.ndarray, distance: np.ndarray) -> bool:
    """Whether what shadows would take off a thing is slight beside what stays of it."""
    kept = float(distance[less].sum())
    return kept > 0 and float(distance[inside & ~less].sum()) < MOST_SHADOW * kept


def _is_cut(edge: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """A thing that only touches the frame with a corner isn't taken for cut."""
    sides = edge[0], edge[-1], edge[:, 0], edge[:, -1]
    longest = max(box[1] - box[0], box[3] - box[2])
    return max(int(side.sum()) for side in sides) > 0.08 * longest


def _compose(thing: _Thing, preparation: Preparation) -> np.ndarray:
    """Scale the thing, sharpen it, put it where the training images have it: uint8 (H, W, 1)."""
    height, width = preparation.height, preparation.width
    top, bottom, left, right = thing.box
    part = Image.fromarray(thing.value[top:bottom, left:right])
    scale = min(preparation.longest / max(part.size), height / part.height, width / part.width)
    size = max(1, round(part.width * scale)), max(1, round(part.height * scale))
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = np.pad(np.asarray(part.resize(size, how)), 2)
    sharp = small + SHARPER * (small - smooth(small, 1.0))
    small = np.clip(sharp[2:-2, 2:-2], 0, 1)
    picture = np.zeros((height, width), np.float32)
    y, x = (
        _place(small.sum(1 - axis), length, preparation.centre)
        for axis, length in enumerate((height, width))
    )
    picture[y : y + size[1], x : x + size[0]] = small
    return (picture * 255 + 0.5).astype(np.uint8)[..., None]


def _place(profile: np.ndarray, length: int, centre: str) -> int:
    """Where a profile begins on an axis; of an odd margin, the first side has the larger part."""
    room = length - len(profile)
    if centre == "box":
        return (room + 1) // 2
    mass = float((profile * (np.arange(len(profile)) + 0.5)).sum() / max(profile.sum(), 1e-9))
    return min(max(round(length / 2 - mass), 0), room)
