import re

import pytest

from conftest import run_cli


@pytest.mark.train
def test_run_on_the_bundled_data_reaches_what_the_recipe_promises(tmp_path):
    done = run_cli("run", "--recipe", "sprint", "--quiet", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"accuracy (\d+\.\d+)%", done.stdout)[1]) > 91
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written >= {"fashion.md", "report.html", "fashion_cm.png", "predictions.npz"}
