"""The share of errors at which a simulated fleet still keeps its SLO."""

import types
import warnings

import numpy as np
import pandas as pd

from econ.decision import fleets
from econ.terms import Slo


def share(monkeypatch, *, ttft_s, high_s):
    requests = types.SimpleNamespace(ttft_s=np.array(ttft_s), tpot_s=np.array([np.nan, 0.01]))
    ran = types.SimpleNamespace(requests=requests)
    monkeypatch.setattr(fleets, "simulate", lambda scenario, **options: ran)
    demand = types.SimpleNamespace(slo=Slo(attainment_frac=0.5), peak_per_s=1.0)
    row = pd.Series({"n_gpu": 1, "ttft_s": 0.1, "ttft_high_s": high_s, "tpot_s": 0.01,
                     "tpot_high_s": 0.01})  # fmt: skip
    alone = types.SimpleNamespace(with_=lambda **changes: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fleets._latency_share(types.SimpleNamespace(demand=demand), row, alone, 1)


def test_a_wide_band_does_not_overflow(monkeypatch):
    wide = share(monkeypatch, ttft_s=[0.5, 0.5], high_s=1e300)
    assert abs(wide - 0.5) < 1e-9  # right up to no error at all


def test_a_request_never_answered_is_not_within_the_slo(monkeypatch):
    assert share(monkeypatch, ttft_s=[np.nan, np.inf], high_s=0.2) == 0.0
