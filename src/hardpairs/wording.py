"""Numbers as a sentence has them: rounded, but never to something else than they are.

Of 100,000 images with one mistake 99.999% are right, which isn't 100.00%.
"""

from collections.abc import Iterable, Sequence

import numpy as np

MOST_DECIMALS = 9
LEAST_SPREAD = 1e-12  # Of shares: less is what adding up leaves over.


def plainly(value: float, decimals: int, *, apart_from: Iterable[float]) -> str:
    """A number with so many decimals, or with as many more as tell it from some others.

    >>> plainly(0.91998, 4, apart_from=[0.92])
    '0.91998'
    """
    others = [other for other in apart_from if other != value]
    for more in range(decimals, MOST_DECIMALS + 1):
        text = f"{value:,.{more}f}"
        if float(text.replace(",", "")) not in others:
            return text
    return f"{value:,.{decimals}f}"


def percent(share: float, decimals: int = 1) -> str:
    """A share in percent, which reads as none or all only where it is.

    >>> percent(0.5, 2), percent(1, 2), percent(99_999 / 100_000, 2)
    ('50.00%', '100.00%', '99.999%')
    """
    return f"{plainly(100 * share, decimals, apart_from=(0, 100))}%"


def estimated(count: float) -> str:
    """An estimated number of things, whole, or with as many decimals as tell it from none.

    >>> estimated(1204.3), estimated(0.21), estimated(0)
    ('1,204', '0.2', '0')
    """
    return plainly(count, 0, apart_from=[0])


def seeds_interval(interval: Sequence[float], decimals: int = 2) -> str:
    """An interval over seeds in percent; without any spread there is none to be told.

    >>> seeds_interval((0.91, 0.925)), seeds_interval((0.91, 0.91))
    ('91.00% to 92.50%', 'all seeds alike')
    """
    low, high = interval
    if high - low < LEAST_SPREAD:
        return "all seeds alike"
    return f"{percent(low, decimals)} to {percent(high, decimals)}"


def probability_text(share: float) -> str:
    """A probability in percent with one decimal, which reads as none or all only where it is.

    >>> probability_text(0.5), probability_text(0.0003), probability_text(0.99996)
    ('50.0%', '<0.1%', '>99.9%')
    """
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"


def score_text(score: float) -> str:
    """A precision, recall or F1 with three decimals, which reads as 0 or 1 only where it is."""
    return plainly(score, 3, apart_from=(0, 1))


def counted(count: int, noun: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "image"), counted(2000, "image"), counted(0, "class", "classes")
    ('1 image', '2,000 images', '0 classes')
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def percent_texts(counts: Sequence[int]) -> list[str]:
    """`whole_percents` as text, in which the rare is under 1% and what isn't all over 99%.

    >>> percent_texts([4, 490, 207, 147, 0])
    ['under 1%', '58%', '24%', '17%', '0%']
    >>> percent_texts([1, 999])
    ['under 1%', 'over 99%']
    """
    texts, total = zip(counts, whole_percents(counts), strict=True), sum(counts)
    return [
        "under 1%"
        if 0 < 100 * count < total
        else "over 99%"
        if count < total and percent == 100
        else f"{percent}%"
        for count, percent in texts
    ]


def whole_percents(counts: Sequence[int]) -> list[int]:
    """Shares in whole percents that sum to 100: the largest remainders are rounded up.

    >>> whole_percents([1, 1, 1])
    [34, 33, 33]
    """
    exact = 100 * np.asarray(counts, np.float64) / sum(counts)
    percents = np.floor(exact).astype(np.int64)
    short = 100 - int(percents.sum())
    percents[np.argsort(percents - exact, kind="stable")[:short]] += 1
    return [int(each) for each in percents]
