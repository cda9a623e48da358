"""A word that is none: the one it is like is named."""

import pytest
from click.testing import CliRunner

from hardpairs.cli.main import cli


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
def test_a_mistyped_word_leads_to_the_one_it_is_like(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, words)
    assert said in done.output + str(done.exception)
    assert list(tmp_path.iterdir()) == []
