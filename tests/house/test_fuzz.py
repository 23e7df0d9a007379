"""Public functions under mutated arguments: an answer, or an error of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261129  # fixed: the day's seed belongs to `make fuzz` and the weekly job


@pytest.mark.slow
def test_mutated_calls_meet_no_raw_place_that_is_not_listed():
    words = ["tools/fuzz.py", "--calls", "3000", "--seed", str(SEED), "--only", "quick"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "3,000 mutated calls" in done.stdout
