"""The choice under stress."""

from __future__ import annotations

import math

import numpy as np

from econ.plan.stress import stress_frame
from econ.scenario import Scenario

SCENARIO = Scenario.default().with_(rate_per_s=30.0)
PRICES = {"h100-sxm": 3.0, "h200-sxm": 4.0, "a100-sxm-80gb": 1.5}
QUICK = {"prices_usd_per_gpu_hour": PRICES, "accelerators": list(PRICES),
         "concurrencies": [8, 32, 64, 128],
         "parallelism": [(2, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


def test_stress_says_what_changes():
    frame = stress_frame(SCENARIO, n_refined=1, n=500, **QUICK)
    assert frame["case"].tolist()[0] == "as planned"
    assert frame["cost_over_plan"][0] == 1
    by = frame.set_index("case")
    assert by.loc["twice the load", "fleet_gpus"] > by.loc["as planned", "fleet_gpus"]
    assert by.loc["one spare replica", "fleet_gpus"] > by.loc["as planned", "fleet_gpus"]
    assert by.loc["TPOT limit halved", "cost_over_plan"] >= 0.95
    dearer = by[by.index.str.contains("dearer")].iloc[0]
    assert dearer["cost_over_plan"] > 1


def test_a_case_that_cannot_be_says_so():
    hard = SCENARIO.with_(ttft_s=0.2, tpot_s=0.02)
    frame = stress_frame(hard, n_refined=0, **QUICK)
    assert frame["note"].str.contains("none of .* meets the SLO").any()
    assert all(n is None or isinstance(n, str) or math.isnan(n) for n in frame["accelerator"])
    assert np.isfinite(frame["cost_over_plan"].dropna()).all()
