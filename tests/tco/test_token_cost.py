"""USD per token, good token, request and task: closed forms, arrays, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.tco.token_cost import (
    Utilisation,
    added_by_use,
    cost_usd_per_accepted_task,
    cost_usd_per_good_mtok,
    cost_usd_per_mtok,
    cost_usd_per_request,
)

POSITIVE = st.floats(0.01, 1e5)
SHARE = st.floats(0.01, 1.0)


@given(cost=POSITIVE, rate=POSITIVE, use=SHARE)
def test_an_hours_tokens_at_their_cost_are_the_hour(cost, rate, use):
    tokens = rate * 3600 * use
    assert cost_usd_per_mtok(cost, rate, use) * tokens / 1e6 == pytest.approx(cost)


@given(cost=POSITIVE, rate=POSITIVE, use=SHARE, good=SHARE)
def test_late_tokens_cost_as_much_as_good_ones(cost, rate, use, good):
    late_included = cost_usd_per_mtok(cost, rate, use)
    assert cost_usd_per_good_mtok(cost, rate, good, use) * good == pytest.approx(late_included)


@given(usd=POSITIVE, a=SHARE, b=SHARE)
def test_losses_of_use_sum_to_the_cost_of_a_useful_token(usd, a, b):
    added = added_by_use(usd, {"downtime": a, "idle hours": b})
    assert usd + added.sum() == pytest.approx(usd / (a * b))
    assert (added >= 0).all()


def test_the_vendors_ladder():
    """$1.41 at 90 tokens/s is 4.35, not 4.20; $2.65 at 6,000 is 0.12: the denominator decides."""
    assert cost_usd_per_mtok(1.41, 90) == pytest.approx(4.3519, abs=1e-4)
    assert cost_usd_per_mtok(2.65, 6000) == pytest.approx(0.12269, abs=1e-5)


def test_a_request_is_its_share_of_the_machine():
    assert cost_usd_per_request(7.2, 4.0, 0.5) == pytest.approx(7.2 / 3600 / 2)


def test_arrays_keep_empty_cells():
    got = cost_usd_per_mtok(np.array([3.6, 3.6, np.nan]), np.array([1000.0, np.nan, 5.0]), 1.0)
    assert got[0] == pytest.approx(1.0)
    assert np.isnan(got[1:]).all()


@given(a=st.floats(0.1, 1), b=st.floats(0.1, 1), c=st.floats(0.1, 1))
def test_useful_hours_are_the_product(a, b, c):
    use = Utilisation(available_frac=a, allocated_frac=b, busy_frac=c)
    assert use.useful_frac == pytest.approx(a * b * c)


def test_a_task_is_tried_until_accepted():
    """Second route: the sum over the number of attempts, k · (attempt + review) · p (1 − p)ᵏ⁻¹."""
    p, attempt, review = 0.3, 0.02, 0.5
    k = np.arange(1, 400)
    expected = (k * (attempt + review) * p * (1 - p) ** (k - 1)).sum()
    assert cost_usd_per_accepted_task(attempt, p, review) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cost_usd_per_mtok(1.0, 100, 0), "utilisation_frac = 0"),
        (lambda: cost_usd_per_mtok(1.0, 100, 1.2), "utilisation_frac = 1.2"),
        (lambda: cost_usd_per_mtok(1.0, 100, 60), "utilisation_frac = 60"),
        (lambda: cost_usd_per_mtok(1.0, 0), "tokens_per_s_per_gpu = 0"),
        (lambda: cost_usd_per_mtok(-1.0, 5), "cost_usd_per_gpu_hour = -1.0"),
        (lambda: cost_usd_per_mtok(1.0, np.array([5.0, -2.0])), r"tokens_per_s_per_gpu\[1\]"),
        (lambda: cost_usd_per_mtok(float("inf"), 5), "cost_usd_per_gpu_hour = inf"),
        (lambda: cost_usd_per_good_mtok(1.0, 5, 0), "good_frac = 0"),
        (lambda: Utilisation(busy_frac=0), "busy_frac = 0"),
        (lambda: added_by_use(1.0, {"downtime": 98}), "downtime = 98"),
        (lambda: cost_usd_per_accepted_task(1, 0), "accepted_frac = 0"),
        (lambda: cost_usd_per_request(1, 0), "requests_per_s_per_gpu = 0"),
    ],
)
def test_bad_numbers_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
