"""Finding the one thing in a photo: its ground, whatever its colour and light, and what differs.

The ground is what surrounds the thing up to the photo's border. Its light is a smooth surface,
fitted to what looks like the border and is joined to it; the thing is what is left.
"""

from dataclasses import dataclass

import numpy as np

from hardpairs.serving.regions import joined_to, length_of, opened, slope, smooth

BORDER = 0.03  # Width of the border that is taken for ground, of the photo's shorter side.
ROUNDS = 6
LEAST_DISTANCE = 0.05  # Colours nearer than this are one; Zalando's 5% of the range.
DARKEST = 0.02  # Light can't be told from colour where there is none.
MOST_SHADOW = 0.6  # A shadow takes at most so much of the light.
SHADOW_SLOPE = 0.025  # Change of colour per pixel: soft as a shadow's edge, or a thing's.
SHADOW_REACH = 3.0  # Pixels


@dataclass(frozen=True)
class Scene:
    """A photo taken apart.

    Attributes:
        difference: float32 (H, W, 3), how each pixel differs from the ground under it, in even
            light; black to white is 1.
        distance: float32 (H, W), its length, smoothed a little.
        ground: bool (H, W), what is ground.
        noise: Of the ground, in the same measure.
    """

    difference: np.ndarray
    distance: np.ndarray
    ground: np.ndarray
    noise: float


def take_apart(pixels: np.ndarray) -> tuple[Scene, Scene]:
    """Tell a photo's ground from what lies on it.

    Args:
        pixels: float32 (H, W, 3), 0 to 1.

    Returns:
        The scene with shadows as a part of what lies there, and with them as ground. A light gray
        thing on white may be soft and gray as a shadow is: which is right is seen in the shapes.
    """
    surface, ground = _fit_light(pixels)
    even = smooth(pixels, 1.0)
    noise = float(np.percentile(length_of(even - surface)[ground], 95)) if ground.any() else 0.0
    shaded, grown = _follow_shadows(pixels, even, surface, ground, noise)
    return _scene(pixels, surface, ground, noise), _scene(pixels, shaded, grown, noise)


def _scene(pixels: np.ndarray, surface: np.ndarray, ground: np.ndarray, noise: float) -> Scene:
    brightness = np.einsum("hwc->hw", surface) / 3
    light = np.maximum(brightness / max(float(brightness.mean()), DARKEST), 0.2)
    difference = (pixels - surface) / light[..., None]
    distance = length_of(smooth(difference, 1.0))
    return Scene(difference, distance, ground, noise)


def _fit_light(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ground's colour everywhere, as if nothing lay on it, and where it is seen."""
    height, width, _ = pixels.shape
    terms = _quadratic_terms(height, width)
    border = np.zeros((height, width), bool)
    depth = max(2, round(BORDER * min(height, width)))
    border[:depth] = border[-depth:] = border[:, :depth] = border[:, -depth:] = True
    usual = np.median(pixels[border], axis=0)
    red, green, blue = np.moveaxis(np.abs(pixels - usual), -1, 0)
    off = np.maximum(np.maximum(red, green), blue)
    ground = border & (off <= max(7 * float(np.median(off[border])), 0.15))
    surface = np.broadcast_to(usual, pixels.shape)
    for _ in range(ROUNDS):
        # Row by row, in one thread: see `hardpairs.serving.regions`.
        chosen = (terms * ground[..., None]).swapaxes(1, 2)
        inner = (chosen @ terms).sum(0, dtype=np.float64)
        outer = (chosen @ pixels).sum(0, dtype=np.float64)
        # A little of it to the diagonal: where hardly any ground is seen, the surface stays flat.
        weight = np.diag([0.0, 1, 1, 1, 1, 1]) * 1e-3 * np.count_nonzero(ground)
        fitted = np.linalg.solve(inner + weight + 1e-6 * np.eye(6), outer)
        surface = terms @ fitted.astype(np.float32)
        distance = length_of(pixels - surface)
        spread = 1.2 * float(np.median(distance[ground]))
        near = distance < max(3 * spread, LEAST_DISTANCE)
        if not (border & near).any():
            break
        ground = joined_to(border, near)
    return np.maximum(surface, DARKEST).astype(np.float32), ground


def _follow_shadows(
    pixels: np.ndarray, even: np.ndarray, surface: np.ndarray, ground: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Let the ground go on into what is the same colour, darker, and has no sharp edge."""
    lit = _products(even, surface) / _products(surface, surface)
    other_colour = length_of(even - lit[..., None] * surface)
    like_shadow = (
        (lit > 1 - MOST_SHADOW) & (lit < 1.1) & (other_colour < max(1.5 * noise, LEAST_DISTANCE))
    )
    steep = length_of(slope(pixels, 1.5))
    usual = float(np.median(steep[ground])) if ground.any() else 0.0
    soft = like_shadow & (steep < SHADOW_SLOPE + 2 * usual)
    wide = opened(soft | ground, 2)
    grown = joined_to(ground, ground | wide & soft)
    weight = grown.astype(np.float32)
    change = (even / surface - 1) * weight[..., None]
    around = smooth(change, SHADOW_REACH)
    share = smooth(weight, SHADOW_REACH)
    # Deep inside the thing, where no ground is near, nothing changes.
    change = np.clip(around / (share + 0.02)[..., None], -MOST_SHADOW, 0.1)
    return surface * (1 + change), grown


def _quadratic_terms(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _products(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.einsum("hwc,hwc->hw", first, second)
