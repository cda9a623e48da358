"""`hardpairs.serving.regions` against SciPy, which does the same and takes longer to import."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from hardpairs.serving import regions

SHAPES = [(5, 7), (1, 9), (40, 1), (64, 48)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.5, 0.6, 1.0])
def test_regions(shape, share):
    rng = np.random.default_rng(0)
    region = rng.random(shape) < share
    for corners, structure in ((True, np.ones((3, 3))), (False, None)):
        numbers, count = regions.parts_of(region, corners=corners)
        expected, expected_count = ndimage.label(region, structure)
        assert count == expected_count
        assert np.array_equal(numbers, expected)
    seeds = (rng.random(shape) < 0.05) & region
    spread = ndimage.binary_propagation(seeds, mask=region)
    assert np.array_equal(regions.joined_to(seeds, region), spread)
    for times in (1, 2):
        wider = ndimage.binary_dilation(region, iterations=times)
        assert np.array_equal(regions.grown(region, times), wider)
        opened = ndimage.binary_opening(region, iterations=times)
        assert np.array_equal(regions.opened(region, times), opened)
    for distance in (0.5, 1, 2.7, 7.68):
        close = ndimage.distance_transform_edt(~region) <= distance
        assert np.array_equal(regions.near(region, distance), close & region.any())


def test_a_spiral_is_one_part():
    spiral = np.zeros((41, 41), bool)
    y = x = 20
    for step in range(1, 40):
        dy, dx = ((0, 1), (1, 0), (0, -1), (-1, 0))[step % 4]
        for _ in range(2 * ((step + 1) // 2)):
            if 0 <= y < 41 and 0 <= x < 41:
                spiral[y, x] = True
            y, x = y + dy, x + dx
    assert regions.parts_of(spiral)[1] == ndimage.label(spiral, np.ones((3, 3)))[1]


@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_smoothing(shape, sigma):
    picture = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    expected = ndimage.gaussian_filter(picture, (sigma, sigma, 0))
    assert np.abs(regions.smooth(picture, sigma) - expected).max() < 1e-5
    gray = picture[..., 0]
    expected = ndimage.gaussian_gradient_magnitude(gray, sigma)
    assert np.abs(regions.slope(gray, sigma) - expected).max() < 1e-5


def test_predicting_imports_nothing_that_takes_longer_than_predicting():
    code = (
        "import sys, hardpairs.serving.answer, hardpairs.cli.predict\n"
        "slow = ('scipy', 'sklearn', 'matplotlib', 'pandas', 'jinja2', 'keras')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
