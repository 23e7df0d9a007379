"""The share of errors at which a simulated fleet still keeps its SLO."""

import types
import warnings

import numpy as np
import pandas as pd
import pytest

import econ
from econ.decision import fleets, searching
from econ.terms import Slo
from tests.decision.cases import QUICK, scenario


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


def test_parts_of_a_large_load_say_what_the_whole_says(monkeypatch):
    """A fleet of parts is no smaller, and larger by four replicas in a hundred at most."""
    s = scenario().with_(rate_per_s=700.0)
    in_parts = econ.decide(s, terms=["on-demand"], no_api=True, **QUICK)
    monkeypatch.setattr(searching, "n_parts", lambda rate_per_s, output_tokens: 1)
    whole = econ.decide(s, terms=["on-demand"], no_api=True, **QUICK)
    one, other = (d.fleets["h100-sxm", "rent"] for d in (in_parts, whole))
    assert any("2 equal parts" in note for note in in_parts.notes)
    assert other.n_replicas <= one.n_replicas <= 1.04 * other.n_replicas
    assert one.rate_per_s == pytest.approx(other.rate_per_s, rel=0.03)


def test_spares_are_paid():
    s = scenario().with_(rate_per_s=2.0)
    none, two = (
        econ.decide(s, terms=["on-demand"], no_api=True, n_spare=n, **QUICK) for n in (0, 2)
    )
    fleet = none.fleets["h100-sxm", "rent"]
    chips = [next(o for o in d.options if o.kind == "on-demand").n_gpu for d in (none, two)]
    assert chips[1] == chips[0] + 2 * fleet.n_gpu_per_replica
    assert two.usd_per_day > 1.2 * none.usd_per_day
