"""How a study's command ends, with an engine that trains nothing."""

import os
import signal

import pytest

from hardpairs.cli import studies
from hardpairs.cli.commands import _conclude, cli
from hardpairs.errors import InputError
from hardpairs.stopping import Stopped
from toys import DATASETS, Recorder, files_of

COMPARE = ("compare", "--data", "toy", "--seeds", "2", "--quiet", "--out", "study")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Run a comparison with an engine; return what ended it, None where it came to its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "load_dataset", lambda _: DATASETS["toy"])

    def run(engine):
        monkeypatch.setattr(studies, "local_engine", lambda *_: engine)
        try:
            cli.main(COMPARE, standalone_mode=False)
        except BaseException as error:
            return error
        return None

    return run


def test_what_was_trained_before_a_stop_is_told_of(study, tmp_path):
    def stopped_after(count):
        def engine(jobs, datasets):
            for job in jobs[:count]:
                yield job, files_of(job, tmp_path)
            raise Stopped(signal.SIGTERM)

        return engine

    ended = study(stopped_after(0))
    assert not getattr(ended, "__notes__", None)
    ended = study(stopped_after(1))
    assert ended.__notes__ == [
        "what was trained so far is kept in study, and the same command goes on from there"
    ]


def test_a_study_that_lost_its_seeds_is_unfinished_and_not_at_fault(study, tmp_path, capsys):
    class Failing(Recorder):
        def __call__(self, jobs, datasets):
            self.failing = jobs[1:2]
            return super().__call__(jobs, datasets)

    ended = study(Failing(tmp_path))
    assert _conclude(ended) == 1
    *_, failed, last = capsys.readouterr().err.splitlines()
    assert "seed 1: RuntimeError: no luck" in failed
    assert "run the same command again" in last


def test_a_studys_results_are_replaced_together_or_not_at_all(study, tmp_path, monkeypatch, capsys):
    assert study(Recorder(tmp_path)) is None
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in (tmp_path / "study").glob("[!.]*.*")}
    assert {"report.html", "difference.html", "study.md", "study.json"} <= set(before)

    def page(*arguments):
        folder = arguments[-1]
        (folder / "report.html").write_text("new")
        raise InputError("no space")

    monkeypatch.setattr(studies, "write_study_page", page)
    ended = study(Recorder(tmp_path))
    assert _conclude(ended) == 2
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "hardpairs: no space",
        "hardpairs: what was trained so far is kept in study, and the same command goes on from "
        "there.",
    ]
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "study").glob("[!.]*.*")}
    assert set(os.listdir("study")) == {*before, "jobs", ".lock"}
