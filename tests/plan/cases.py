"""Scenarios, prices and own objects that the tests of a plan share."""

from __future__ import annotations

import dataclasses

from econ.catalog import Site, accelerator, model
from econ.scenario import Scenario

SCENARIO = Scenario.default()
PRICES = {"h100-sxm": 3.0, "h200-sxm": 4.0, "a100-sxm-80gb": 1.5, "l4": 0.5}
BOTH = ["chunked_prefill", "prefill_first"]
QUICK = {
    "prices_usd_per_gpu_hour": PRICES,
    "accelerators": list(PRICES),
    "concurrencies": [1, 8, 32, 128],
}
GPU = dataclasses.replace(accelerator("h100-sxm"), id="my-gpu", name="Mine")
NET = dataclasses.replace(model("llama-3.1-70b"), id="my-model", n_layers=40, n_dense_layers=40,
                          n_attention_layers=40)  # fmt: skip
PLACE = Site(id="my-hall", electricity_usd_per_kwh=0.31, carbon_g_per_kwh=12.0, pue=1.05)
FEW = {"parallelism": [(4, 1, 1, 1)], "concurrencies": [8, 32], "n_refined": 1, "n": 400,
       "precisions": ["fp8"]}  # fmt: skip
