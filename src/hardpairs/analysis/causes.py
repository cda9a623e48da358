"""How probable each cause of a mistake is: a wrong label, an ambiguous picture, the model.

What it needs to know of a dataset is estimated from the images at hand. What it rests on, how its
constants were chosen and what it was measured to be worth: docs/verdicts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardpairs.analysis.samples import even_sample

SMALLEST = 1e-12  # Below it a float32 softmax has rounded to 0.
MOST_SCORES = 20_000_000
PAIRS_COUNTED, NUMBERS_FITTED = 2**21, 2**18
MISTAKES_A_BIN, MOST_BINS = 10, 200
LOWEST = 1 / 3  # Of a predicted class's images, those that look least like another class.
STRONG = np.log(10)  # Odds of ten to one are strong evidence (Jeffreys, 1961, appendix B).
STRENGTHS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
STEPS, RIDGE, HEAVIEST = 30, 1e-3, 20.0


@dataclass(frozen=True)
class LabelErrors:
    """What `label_errors` finds.

    Attributes:
        probability: float64 (N,), that the label is wrong.
        rank: float64 (N,), without ties, to sort by: the most suspect has the largest. It weighs
            the rates of slips by all classes that the image may be of.
    """

    probability: np.ndarray
    rank: np.ndarray


def label_errors(scores: np.ndarray, labels: np.ndarray) -> LabelErrors:
    """How probable it is that each label is a slip, one that has nothing to do with the picture.

    Of the images that look like class t, take the third that look least like class k. What of them
    is labelled k looks like k no more than any other image, so their share is the rate at which
    slips turn t into k; rates of pairs with few images are drawn towards that of all pairs. An
    image's label is a slip with the probability: that rate, divided by its sum with the share of
    images that carry the label for their looks, among those with its score. To take the rate from
    images of which one is sure is the method of anchor points (Liu, Tao, IEEE TPAMI 38, 2016;
    Patrini et al., CVPR 2017).

    Args:
        scores: float (N, K), logarithms of calibrated probabilities, see `pool`; an image looks
            like the class with the largest.
        labels: int64 (N,).
    """
    images, classes = scores.shape
    rows, likeliest = np.arange(images), scores.argmax(axis=1)
    own, wrong = scores[rows, labels].astype(np.float64), likeliest != labels
    sample = even_sample(images, max(PAIRS_COUNTED // classes, 1))
    rates = _slip_rates(scores, labels, likeliest, sample)
    by_looks = _share_by_looks(
        *(own, wrong),
        *_unlikely(scores[sample], likeliest[sample], rates),
        images / len(sample),
    )
    by_looks = np.where(wrong, by_looks, np.exp(own))
    rate = rates[_other(scores, labels), labels]
    probability = rate / np.maximum(rate + by_looks, SMALLEST)
    return LabelErrors(probability, _slip_odds(scores, labels, rates))


def _slip_odds(scores: np.ndarray, labels: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """float64 (N,): logarithms of a slip's odds, of whatever class the image is, against none."""
    others = rates.astype(np.float32)
    np.fill_diagonal(others, 0)
    slip = (np.exp(scores) * others.T[labels]).sum(axis=1, dtype=np.float64)
    return np.log(np.maximum(slip, SMALLEST)) - scores[np.arange(len(labels)), labels]


def _unlikely(
    scores: np.ndarray, likeliest: np.ndarray, rates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """float64 (M,): scores of all classes but the likeliest, sorted, and rates of slips there."""
    is_pair = np.ones(scores.shape, bool)
    is_pair[np.arange(len(scores)), likeliest] = False
    found = scores[is_pair]
    order = np.argsort(found)
    return found[order].astype(np.float64), rates[likeliest][is_pair][order]


def _share_by_looks(
    own: np.ndarray, wrong: np.ndarray, pairs: np.ndarray, slips: np.ndarray, weight: float
) -> np.ndarray:
    """float64 (N,): of unlikely classes with a label's score, the share that is one for its looks.

    That is what slips don't explain of the share that carries the label. In bins of ten mistakes
    or more, never falling with the score, and linear between the bins' means.

    Args:
        own: float64 (N,), the labels' scores.
        wrong: bool (N,), where the label isn't the likeliest class.
        pairs, slips: Sorted scores of unlikely classes, of a part of the images, and the rates at
            which slips lead there.
        weight: How many images one of that part stands for.
    """
    if not wrong.any():
        return np.zeros(len(own))
    found = np.sort(own[wrong])[::-1]
    size = max(MISTAKES_A_BIN, len(found) // MOST_BINS)
    edges = np.unique(found[size - 1 :: size][:-1])
    counted = np.concatenate([[0], np.searchsorted(pairs, edges), [len(pairs)]])
    images = np.maximum(np.diff(counted) * weight, 1)
    expected = np.diff(np.concatenate([[0], np.cumsum(slips)])[counted]) * weight
    bins = np.searchsorted(edges, found, side="right")
    hit = np.bincount(bins, minlength=len(edges) + 1)
    shares = np.maximum(never_falling((hit - expected) / images, images), 0)
    means = np.bincount(bins, weights=found, minlength=len(hit)) / np.maximum(hit, 1)
    return np.interp(own, means[hit > 0], shares[hit > 0])


def never_falling(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Isotonic regression: the nearest values, by weighted squares, that never fall.

    >>> never_falling(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            mean, heavy, length = pools.pop()
            total = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / total, total, length + pool[2])
        pools.append(pool)
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])


def _slip_rates(
    scores: np.ndarray, labels: np.ndarray, likeliest: np.ndarray, sample: np.ndarray
) -> np.ndarray:
    """float64 (K, K): how often a slip turns the likeliest class into each.

    Where all scores of a pair are equal none is lowest, and the pair says nothing.
    """
    classes = scores.shape[1]
    found, counted = np.zeros((classes, classes)), np.zeros((classes, classes))
    rows_of = np.split(
        np.argsort(likeliest, kind="stable"), np.bincount(likeliest, minlength=classes).cumsum()
    )
    in_sample = np.zeros(len(labels), bool)
    in_sample[sample] = True
    for other in range(classes):
        rows = rows_of[other]
        known = scores[rows[in_sample[rows]]]
        if len(known) < 2:
            continue
        place = max(round(LOWEST * len(known)) - 1, 0)
        bound = np.partition(known, place, axis=0)[place]
        tells = (known <= bound).mean(axis=0) < 1
        # No higher than the bound, and far below the likeliest class.
        unlike = (known <= bound) & (known <= known[:, other, None] - STRONG)
        of, own = labels[rows], scores[rows, labels[rows]]
        slips = (own <= bound[of]) & (own <= scores[rows, other] - STRONG) & tells[of]
        found[other] = np.bincount(of[slips], minlength=classes)
        counted[other] = np.where(tells, unlike.mean(axis=0) * len(rows), 0)
        counted[other, other] = 0
    base = float(found.sum() / max(counted.sum(), 1))
    if not base:
        return np.zeros((classes, classes))
    strength = _strength(found[counted > 0], base * counted[counted > 0])
    return np.asarray((found + strength) / (counted + strength / base))


def _strength(found: np.ndarray, expected: np.ndarray) -> float:
    """How far to believe that a pair is like all pairs: so far as makes the counts likeliest.

    Rates of pairs are taken as drawn from one gamma distribution, so that the counts (M,) are
    negative binomial; empirical Bayes (Robbins 1956; Casella, American Statistician 39, 1985).
    """
    counts = found.astype(np.int64)
    best, strength = -np.inf, STRENGTHS[0]
    for each in STRENGTHS:
        rising = np.concatenate([[0], np.cumsum(np.log(each + np.arange(counts.max())))])
        odds = np.log(expected) - np.log(each + expected)
        fit = (rising[counts] - each * np.log1p(expected / each) + counts * odds).sum()
        if fit > best:
            best, strength = fit, each
    return strength


def _other(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (N,): the likeliest class but for the label."""
    rest = scores.copy()
    rest[np.arange(len(labels)), labels] = -np.inf
    return rest.argmax(axis=1)


def pool(sources: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Logarithms of calibrated probabilities, from several sources' logarithms.

    Each source gets one weight, and the weighted sums a softmax: a logarithmic opinion pool
    (Genest, Zidek, Statistical Science 1, 1986), of one source temperature scaling. The weights
    are those that make the labels at hand most likely, found by Newton's method.

    Args:
        sources: float32 (N, K) each, see `log_probabilities` and `log_shares`.
        labels: int64 (N,).

    Returns:
        float32 (N, K).
    """
    logs = np.stack(sources)
    rows = even_sample(len(labels), max(NUMBERS_FITTED // logs.shape[2], 1))
    weights = _weights(logs[:, rows].astype(np.float64), labels[rows])
    return _log_softmax(np.tensordot(weights.astype(np.float32), logs, 1))


def even_pool(sources: Sequence[np.ndarray]) -> np.ndarray:
    """float32 (N, K): as `pool`, with equal weights that sum to 1."""
    return _log_softmax(np.mean(sources, axis=0))


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """float32 (N, K), of a model's probabilities, of which none is taken for 0."""
    return np.log(np.maximum(probabilities, np.float32(SMALLEST))).astype(np.float32)


def log_confusions(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """float32 (N, K): how often images of the predicted class carry each label.

    What a model says whose predicted classes alone are known. No label is taken for impossible: one
    image is added to each class, spread over all labels.
    """
    counts = np.full((classes, classes), 1 / classes)
    np.add.at(counts, (predicted, labels), 1)
    logs = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.asarray(logs[predicted])


def log_shares(shares: np.ndarray) -> np.ndarray:
    """float32 (N, K), of neighbours' shares; none is impossible for not being among them.

    A twentieth is added to each row's sum, spread over all classes.
    """
    return np.log(shares + np.float32(1 / (20 * shares.shape[1]))).astype(np.float32)


def _weights(logs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float64 (S,), from 0 to 20, of logarithms (S, n, K)."""
    sources, rows = len(logs), np.arange(len(labels))
    weights, of_label = np.full(sources, 1 / sources), logs[:, rows, labels]
    for _ in range(STEPS):
        likely = np.exp(_log_softmax(np.tensordot(weights, logs, 1)))
        expected = (logs * likely).sum(axis=2)
        slope = (of_label - expected).sum(axis=1) - RIDGE * weights
        away = (logs - expected[..., None]) * np.sqrt(likely)
        flat = away.reshape(sources, -1)
        step = np.linalg.solve(flat @ flat.T + RIDGE * np.eye(sources), slope)
        moved = np.clip(weights + step, 0, HEAVIEST)
        done = np.abs(moved - weights).max() < 1e-4
        weights = moved
        if done:
            break
    return weights


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def image_times_class(labels: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """float64 (N,): an image's doubt times the mean of that of all images with its label.

    Where an image is in doubt and its class seldom is, it is as likely that the evidence is poor.
    """
    images = np.maximum(np.bincount(labels), 1)
    return doubt * (np.bincount(labels, weights=doubt) / images)[labels]
