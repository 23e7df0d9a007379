"""Vidur's scheduler, given our cost of a step, serves the same requests at the same times.

`bench/bench_vidur.py` wrote the file with Vidur 0.0.26 (MIT); both policies, 60 requests each.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from econ.serving import Replica, StepCost, compiled, simulate

CASES = json.loads(Path(__file__).with_name("vidur_golden.json").read_text(encoding="utf-8"))
EQUAL_S = 1e-11


@pytest.mark.parametrize("engine", ["python", "c"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["policy"])
def test_vidur_serves_the_same_requests_at_the_same_times(case, engine):
    if engine == "c" and compiled.native() is None:
        pytest.skip("no C compiler was there when the package was installed")
    cost = StepCost.affine(**{f"{name}_s": ps / 1e12 for name, ps in case["cost_ps"].items()})
    replica = Replica(
        cost=cost, kv_tokens=10**9, max_batch=case["max_batch"],
        policy=case["policy"], token_budget=case["token_budget"],
    )  # fmt: skip
    times = simulate(*map(list, zip(*case["requests"], strict=True)), replica, engine=engine)
    assert len({round(t, 3) for t in case["done_s"]}) > 50
    for ours, theirs in ((times.first_token_s, "first_token_s"), (times.done_s, "done_s")):
        assert np.abs(ours - np.array(case[theirs])).max() <= EQUAL_S
