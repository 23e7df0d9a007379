"""A trace in words, and the peak that sizes a fleet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from econ.plan import describe_frame, peak_factor
from econ.tokens.workloads import workload

TRACE = workload("chat").sample(600, 4)


def test_a_trace_in_words():
    frame = describe_frame(TRACE).set_index("what")
    assert frame.loc["requests", "value"] == 600
    span = TRACE["arrival_s"].iloc[-1] - TRACE["arrival_s"].iloc[0]
    assert frame.loc["arrivals", "value"] == pytest.approx(599 / span)
    assert frame.loc["mean input", "value"] == TRACE["input_tokens"].mean()
    assert np.isnan(frame.loc["cached input", "value"])
    cached = TRACE.assign(cached_tokens=TRACE["input_tokens"] // 2)
    assert 0.4 < describe_frame(cached).set_index("what").loc["cached input", "value"] <= 0.5
    assert "arrivals" not in set(describe_frame(workload("batch").sample(50))["what"])


def test_the_peak_by_hand():
    busy = np.concatenate([np.arange(0, 1000, 10.0), 500 + np.arange(0, 50, 1.0)])
    trace = pd.DataFrame({"arrival_s": np.sort(busy), "input_tokens": 5, "output_tokens": 5})
    factor, window_s = peak_factor(trace, window_s=50)
    assert window_s == pytest.approx(990 / 20)
    assert 5 < factor < 9  # 5 + 50 in one window of 20, 150 in all
    assert peak_factor(trace.assign(arrival_s=0.0))[0] == 1.0
