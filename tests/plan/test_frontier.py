"""The frontier, by brute force."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.plan import on_frontier


@given(
    rows=st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, math.nan])] * 3), max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_the_frontier_is_that_of_brute_force(rows):
    frame = pd.DataFrame(rows, columns=["usd", "joules", "speed"], dtype="float64")
    got = on_frontier(frame, ["usd", "joules"], ["speed"])
    points = np.column_stack([frame["usd"], frame["joules"], -frame["speed"]])
    for i, p in enumerate(points):
        beaten = any((q <= p).all() and (q < p).any() for q in points)
        assert got[i] == (np.isfinite(p).all() and not beaten)
