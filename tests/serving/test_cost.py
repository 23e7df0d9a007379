"""Step costs: tables carried on, refused and fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.serving.cost import FIT_COLUMNS, StepCost

SEEDS = st.integers(0, 2**32 - 1)


def test_tables_go_on_with_their_last_slope():
    cost = StepCost(linear_s=[0.0, 1.0, 3.0])
    assert cost.step_s(chunk_tokens=[(0, 7)]) == 3.0 + 5 * 2.0
    with pytest.raises(ValueError, match="falls at its end"):
        StepCost(linear_s=[0.0, 2.0, 1.0])
    with pytest.raises(ValueError, match=r"decode_base_s\[1\] = -1.5"):
        StepCost(linear_s=[0.0, 1.0, 3.0], decode_base_s=[0.0, -1.5, -1.5])
    with pytest.raises(ValueError, match=r"linear_s\[1\] = nan"):
        StepCost(linear_s=[0.0, np.nan, 1.0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-9, 1e-2), min_size=6, max_size=6), SEEDS)
def test_fit_finds_the_affine_cost_behind_exact_steps(terms, seed):
    true, rng = StepCost.affine(*terms), np.random.default_rng(seed)
    rows = []
    for k in range(60):
        x, c, b = int(rng.integers(0, 900)) * (k % 3 > 0), int(rng.integers(0, 900)), k % 50
        context = int(b * rng.integers(1, 3000))
        chunks = [(c, x)] if x else []
        step_s = true.step_s(b, context, chunks)
        if step_s > 0:
            rows.append((step_s, x, b, context, x * (2 * c + x)))
    frame = pd.DataFrame(rows, columns=FIT_COLUMNS)
    fitted = StepCost.fit(frame)
    for row in frame.itertuples():
        chunks = [((row.prefill_pairs // row.prefill_tokens - row.prefill_tokens) // 2,
                   row.prefill_tokens)] if row.prefill_tokens else []  # fmt: skip
        again = fitted.step_s(row.n_decode, row.context_tokens, chunks)
        assert again == pytest.approx(row.step_s, rel=1e-3, abs=1e-9)


def test_fit_names_the_bad_row():
    frame = pd.DataFrame([(1.0, 1, 1, 1, 1), (np.nan, 1, 1, 1, 1)], columns=FIT_COLUMNS)
    with pytest.raises(ValueError, match="row 2"):
        StepCost.fit(frame)
    with pytest.raises(ValueError, match="no column step_s"):
        StepCost.fit(frame.drop(columns="step_s"))
