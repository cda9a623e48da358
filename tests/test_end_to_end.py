import re

import numpy as np
import pytest

from conftest import run_cli, run_here


@pytest.mark.train
def test_run_on_the_bundled_data_reaches_what_the_recipe_promises(tmp_path):
    done = run_cli("run", "--recipe", "sprint", "--quiet", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "oneDNN" not in done.stderr + done.stdout
    assert "TensorFlow" not in done.stderr + done.stdout
    assert float(re.search(r"accuracy (\d+\.\d+)%", done.stdout)[1]) > 91
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written >= {"fashion.md", "report.html", "fashion_cm.png", "predictions.npz"}


@pytest.mark.train
def test_a_run_on_data_without_a_test_part_finds_its_images_again(tmp_path):
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 200, (60, 10, 10), np.uint8)
    images[:, 4, 4] += 55 * (labels == 1).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    arguments = ("run", "--data", tmp_path / "data.npz", "--recipe", "fast-dense", "--quiet")
    done = run_here(*arguments, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout + done.stderr
    assert (tmp_path / "run" / "pairs.png").exists()
