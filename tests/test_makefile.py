"""Setting up, as far as it goes without an index."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not shutil.which("make") or os.name == "nt", reason="no make")
def test_another_python_is_refused_before_anything_is_made(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python3.10"
    python.write_text('#!/bin/sh\ntest "$1" = -V && echo Python 3.10.13 || exit 1\n')
    python.chmod(0o755)
    command = ["make", "shell", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "3.11 to 3.13 is needed" in done.stderr
    assert "is Python 3.10.13; name another, as in 'make shell PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()  # Or the next Python would never be asked.
