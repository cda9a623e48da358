"""A word that is none: the one it is like is named."""

import pytest

from conftest import run_here

NAMING_FILES = (
    *(["evaluate"], ["evaluate", "a.csv", "--out"], ["evaluate", "a.csv", "--labels"]),
    *(["evaluate", "a.csv", "--votes"], ["evaluate", "a.csv", "--data"]),
    *(["diff", "a.csv"], ["diff", "a.csv", "b.csv", "--summary"], ["run", "--out"]),
    *(["run", "--data"], ["export"], ["serve"], ["votes", "--out"], ["audit", "--out"]),
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evalute"], "No such command 'evalute'. Did you mean 'evaluate'?"),
        (["Predict", "x.jpg"], "Did you mean 'predict'?"),
        (["zzz"], "No such command 'zzz'."),
        (["train", "--recipe", "Quik", "--out", "x"], "did you mean quick? There are lesson,"),
        (["train", "--recipe", "zzz", "--out", "x"], "no such recipe; choose one of lesson,"),
    ],
)
def test_a_mistyped_word_leads_to_the_one_it_is_like(words, said, tmp_path):
    done = run_here(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", NAMING_FILES, ids=" ".join)
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", ": is empty; name a file or a folder."),
        ("-", ": standard input and output, '-', aren't used here; name a file, as ./- where"),
        ("https://a.org/x.csv", "https://a.org/x.csv: is an address, and nothing is read from"),
        ("s3://a/x.csv", "s3://a/x.csv: is an address, and nothing is read from the web or"),
    ],
)
def test_what_names_no_file_is_told_before_anything_is_written(words, word, said, tmp_path):
    done = run_here(*words, word, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
