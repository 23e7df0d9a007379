"""Costs by hand: paths, whole units, base and burst, work that waits, resale."""

import numpy as np
import pytest

from econ.decision import chance
from econ.decision.books import Books, Market, api_books, hourly_load
from econ.decision.waiting import spread_load
from tests.decision.cases import busy


@pytest.mark.parametrize("factor", [1.0, 1.3, 2.0, 3.7, 12.0])
def test_a_day_keeps_its_mean_and_its_peak(factor):
    load = hourly_load(5.0, factor)
    assert load.mean() == pytest.approx(5.0)
    assert load.max() == pytest.approx(5.0 * factor)
    assert load.min() >= 0


def test_an_api_bill_follows_growth_and_price_path():
    draws = chance.Draws({chance.GROWTH: np.array([2.0]), chance.TOKENS: np.array([0.5])}, 1)
    books = api_books(Market(np.full(24, 1.0), draws, 3), usd_per_request=0.001)
    year = 86_400 * 365 * 0.001
    expected = [year * 2.0**t * 0.5 ** (t + 0.5) for t in range(3)]
    assert books.year_usd[0].tolist() == pytest.approx(expected)


def test_present_cost_counts_capital_first_and_resale_last():
    books = Books(np.array([[10.0, 10.0]]), np.array([[5.0, 5.0]]),
                  capital=np.array([[100.0, 0.0]]), resale=np.array([40.0]))  # fmt: skip
    by_hand = 100 + 10 / 1.1**0.5 + 10 / 1.1**1.5 - 40 / 1.1**2
    assert books.present_usd(np.array([0.1]))[0] == pytest.approx(by_hand)


def test_work_that_may_wait_needs_less():
    load = hourly_load(4.0, 3.0)
    peaks = [spread_load(load, hours).max() for hours in (0.0, 2.0, 6.0, 24.0)]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] == pytest.approx(load.max(), rel=1e-3)
    assert peaks[-1] == pytest.approx(4.0, rel=0.01)


def test_prices_move_together():
    draws = chance.draw(busy().ranges, 4000, seed=1)
    logs = [np.log(draws.of(name)[1:]) for name in chance.TOGETHER]
    for i, one in enumerate(logs):
        for other in logs[i + 1 :]:
            assert np.corrcoef(one, other)[0, 1] == pytest.approx(chance.CORRELATION, abs=0.1)
    assert draws.of(chance.RENTS)[0] == 1.0


def test_knowing_a_coin_is_worth_half_the_difference():
    import pandas as pd

    from econ.catalog.ranges import Range

    n = 20_000
    shares = (np.arange(n) + 0.5) / n
    ranges = {chance.STAFF: Range(0.0, 1.0, 2.0, law="uniform")}
    draws = chance.Draws({chance.STAFF: np.concatenate([[1.0], 2 * shares])}, n + 1)
    costs = pd.DataFrame({"sure": np.full(n, 1.0), "risky": 2 * shares})
    worth = chance.value_of_knowing(draws, ranges, costs)
    assert worth["value_usd"].item() == pytest.approx(0.25, rel=0.01)  # E max(0, 1 − U(0, 2))


def test_the_sampling_error_is_the_spread_over_seeds():
    import pandas as pd

    from econ.catalog.ranges import Range

    ranges = {chance.STAFF: Range(0.0, 1.0, 2.0, law="uniform")}
    values, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, noise = rng.uniform(0, 2, 500), rng.normal(0, 1, 500)
        draws = chance.Draws({chance.STAFF: np.concatenate([[1.0], x])}, 501)
        costs = pd.DataFrame({"sure": np.ones(500), "risky": x + noise})
        worth = chance.value_of_knowing(draws, ranges, costs)
        values.append(worth["value_usd"].item())
        errors.append(worth["value_se_usd"].item())
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.35)
