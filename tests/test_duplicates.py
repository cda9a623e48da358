import numpy as np

from hardpairs.analysis.duplicates import NEAR_DISTANCE, find_duplicates

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (400, 28, 28), dtype=np.uint8)


def by_hand(images: np.ndarray) -> set[tuple[int, int]]:
    """Every pair within the threshold, from the full matrix of distances."""
    pixels = images.reshape(len(images), -1) / 255
    distances = np.sqrt(((pixels[:, None] - pixels[None]) ** 2).mean(axis=2))
    first, second = np.nonzero(np.triu(distances <= NEAR_DISTANCE, k=1))
    return set(zip(first.tolist(), second.tolist(), strict=True))


def test_planted_duplicates_are_found_and_nothing_else():
    images = IMAGES.copy()
    images[[50, 60]] = images[7]
    images[300] = images[200]
    images[300, 3, 4] ^= 1
    images[301] = np.clip(images[201].astype(int) + 5, 0, 255)
    images[302] = np.clip(images[202].astype(int) + 30, 0, 255)  # Too far: 30 / 255 = 0.12.
    found = find_duplicates(images)
    assert found.pairs.tolist() == [[7, 50], [7, 60], [200, 300], [201, 301]]
    assert found.distances[:2].tolist() == [0, 0]
    np.testing.assert_allclose(found.distances[2:], [1 / 255 / 28, 5 / 255], rtol=0.1)


def test_nothing_is_missed_among_real_images(fashion):
    # Trousers are the class with the most near-duplicates.
    images = fashion.train.images[fashion.train.labels == 1][:1000].copy()
    images[1::2] = np.clip(images[::2] + RNG.normal(0, 9, images[::2].shape), 0, 255)
    expected = by_hand(images[:300])
    assert 10 < len(expected) < 200
    found = find_duplicates(images[:300])
    assert {tuple(pair) for pair in found.pairs.tolist()} == expected
    assert (np.diff(found.distances) >= 0).all()


def test_images_all_alike_and_one_alone():
    alike = find_duplicates(np.zeros((50, 28, 28), np.uint8))
    assert alike.pairs.tolist() == [[0, row] for row in range(1, 50)]
    assert len(find_duplicates(IMAGES[:1]).pairs) == 0
    assert len(find_duplicates(IMAGES[:2]).pairs) == 0


def test_near_blank_images_lower_the_threshold(monkeypatch):
    monkeypatch.setattr("hardpairs.analysis.duplicates.MOST_CANDIDATES", 1000)
    blank = np.zeros((200, 28, 28), np.uint8)
    blank[np.arange(200), np.arange(200) % 28, np.arange(200) // 28] = 200
    found = find_duplicates(blank)
    assert found.threshold < NEAR_DISTANCE
    assert len(found.pairs) <= 1000


class Files:
    """Images of different sizes, read when asked for."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        return [self.images[row] for row in np.arange(len(self))[rows]]


def test_images_of_any_size_and_colour():
    from PIL import Image

    smooth = RNG.integers(0, 256, (12, 6, 8, 3), dtype=np.uint8)
    large = [np.asarray(Image.fromarray(image).resize((240, 180))) for image in smooth]
    other_size = np.asarray(Image.fromarray(large[3]).resize((120, 90)))
    gray = np.asarray(Image.fromarray(large[5]).convert("L"))[..., None]
    noisy = np.clip(large[7].astype(int) + RNG.normal(0, 3, large[7].shape), 0, 255)
    train = Files([*large, large[2].copy(), gray])
    test = Files([other_size, noisy.astype(np.uint8), large[9].copy()])
    found = find_duplicates(train, test)
    pairs = {tuple(pair) for pair in found.pairs.tolist()}
    assert pairs == {(2, 12), (9, 16), (3, 14), (7, 15)}
    assert [tuple(pair) for pair in found.pairs[:2].tolist()] == [(2, 12), (9, 16)]
    assert (found.distances[2:] > 0).all()


def test_colour_images_of_one_size():
    images = RNG.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
    images[40] = images[4]
    assert find_duplicates(images).pairs.tolist() == [[4, 40]]
