import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardpairs.wording import (
    counted,
    percent,
    percent_texts,
    plainly,
    probability_text,
    score_text,
    whole_percents,
)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(0, 2))
def test_a_share_reads_as_none_or_all_only_where_it_is(some, total, decimals):
    some = min(some, total)
    text = percent(some / total, decimals)
    assert (float(text[:-1]) == 0) == (some == 0)
    assert (float(text[:-1]) == 100) == (some == total)
    assert abs(float(text[:-1]) - 100 * some / total) <= 0.5 * 10**-decimals + 1e-9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.92345, 2), "92.34%"),
        (percent(1 - 1e-16, 2), "100.00%"),
        (score_text(0.99996), "0.99996"),
        (score_text(1.0), "1.000"),
        (plainly(1234.04, 1, apart_from=[0]), "1,234.0"),
        (plainly(0.204, 2, apart_from=[0.2]), "0.204"),
        (counted(1, "class", "classes"), "1 class"),
    ],
)
def test_numbers_as_texts(text, expected):
    assert text == expected


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(sum))
def test_shares_sum_to_100(counts):
    percents = whole_percents(counts)
    assert sum(percents) == 100
    exact = 100 * np.array(counts) / sum(counts)
    assert (np.abs(np.array(percents) - exact) < 1).all()


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(sum))
def test_what_is_there_is_not_0_percent(counts):
    texts, total = percent_texts(counts), sum(counts)
    assert [text == "0%" for text in texts] == [not count for count in counts]
    assert [text == "under 1%" for text in texts] == [0 < count / total < 0.01 for count in counts]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0%"), (1e-9, "<0.1%"), (0.0005, "0.1%"), (0.9996, ">99.9%"), (1, "100.0%")],
)
def test_a_probability_reads_as_certain_only_where_it_is(share, text):
    assert probability_text(share) == text
