"""The cheapest fleet that keeps its SLO with a chance: against every other one of small grids."""

import itertools
import math

import numpy as np
import pytest

from econ.plan.screens import proven, screened
from econ.plan.surest import (
    Spread,
    Wanted,
    chance,
    chance_of,
    least_sd,
    share_within,
)
from econ.scenario import Scenario
from econ.terms import Slo

PRICES = {"h100-sxm": 3.2, "a100-sxm-80gb": 1.6, "l40s": 0.9}
SPLITS = [(1, 1, 1, 1), (2, 1, 1, 1), (4, 1, 1, 1)]
LIMITS = [2, 8, 32, 128]
P_FRAC = 0.9


def staff(gpus):
    return 3.4 * np.ceil(np.asarray(gpus) / 8)


def by_brute_force(screen, below_usd):
    """The least bill of all fleets that keep the SLO, with the chance that is wanted."""
    least = math.inf
    for _, rows in screen.frame.groupby(["accelerator", "precision", "tp"], observed=True):
        can = rows[rows["constraint"].isin(["", "ttft", "tpot"])]
        for _, row in can.iterrows():
            named = row.copy()
            named["accelerator"], named["policy"] = row["accelerator"].id, screen.policies[0]
            shape, n_row = screen.shape(named)
            for n in itertools.count(1):
                usd = shape.usd_per_hour(n)
                usd += float(staff(usd / row["usd_per_gpu_hour"]))
                if usd >= min(least, below_usd):
                    break
                is_owned = screen.demand.scenario.finance.tenure == "owned"
                if shape.trial(n, n_row).keeps and chance(shape, n, n_row, is_owned) >= P_FRAC:
                    least = usd
                    break
    return least


@pytest.mark.parametrize(
    ("model", "rate_per_s", "slo"),
    [
        ("llama-3.1-70b", 0.34, {}),
        ("llama-3.1-70b", 3.0, {"tpot_s": 0.04}),
        ("qwen3-32b", 6.0, {"ttft_s": 0.5}),
        ("qwen3-32b", 25.0, {"ttft_s": 2.0, "tpot_s": 0.1}),
    ],
)
@pytest.mark.parametrize("tenure", ["rented", "owned"])
def test_no_fleet_is_cheaper_and_as_sure(model, rate_per_s, slo, tenure):
    s = Scenario.of(model, "h100-sxm", rate_per_s=rate_per_s).with_(**slo)
    screen = screened(
        s, list(PRICES), ["bf16", "fp8"], SPLITS, concurrencies=LIMITS, n=600,
        prices_usd_per_gpu_hour=PRICES,
    )  # fmt: skip
    finance = s.with_(tenure=tenure, cost_usd_per_gpu_hour=1.0).finance
    paid = screen.paid(finance, PRICES)
    wanted = [Wanted((P_FRAC,), staff)]
    proof = proven(paid, n_refined=2, lists=[PRICES], wanted=wanted).evidence
    found = proof.rows.iloc[proof.sure[0]]
    row = found.iloc[0]
    usd = row["usd_per_hour"] + float(staff(row["paid_gpus"]))
    named = row.copy()
    named["accelerator"] = row["accelerator"].id
    shape, n_row = paid.shape(named)
    assert chance(shape, int(row["n_replicas"]), n_row, tenure == "owned") >= P_FRAC
    assert shape.trial(int(row["n_replicas"]), n_row).keeps
    assert usd == pytest.approx(min(by_brute_force(paid, usd), usd))


def test_the_chance_is_the_largest_error_that_enough_requests_bear():
    """By the definition: at each error, the share of requests within both limits."""
    rng = np.random.default_rng(1)
    slo, spread = Slo(ttft_s=1.0, tpot_s=0.05, attainment_frac=0.9), Spread(0.4, 0.25)
    for _ in range(20):
        ttft, tpot = rng.lognormal(-1.0, 0.5, 400), rng.lognormal(-3.4, 0.2, 400)
        errors = np.linspace(-3, 3, 121)
        good = [
            np.mean(
                (ttft * np.exp(e * spread.ttft_factor) <= 1.0) & (tpot * np.exp(e * 0.25) <= 0.05)
            )
            for e in errors
        ]
        most = max((e for e, share in zip(errors, good, strict=True) if share >= 0.9), default=None)
        want = 0.0 if most is None else chance_of(most)
        assert share_within(ttft, tpot, spread, slo) == pytest.approx(want)


def test_limits_are_as_tight_as_the_chance_asks():
    slo, spread = Slo(), Spread(0.4, 0.2)
    error = least_sd(0.9)
    tight = spread.tightened(slo, error)
    just = np.full(100, tight.ttft_s), np.full(100, tight.tpot_s)
    assert share_within(*just, spread, slo) >= 0.9
    late = np.full(100, tight.ttft_s * 1.03), just[1]
    assert share_within(*late, spread, slo) < 0.9


def test_a_wide_band_does_not_overflow():
    wide = Spread(100.0, 0.0)
    times = np.array([0.5, 0.5]), np.array([np.nan, 0.01])
    assert share_within(*times, wide, Slo(attainment_frac=0.5)) == pytest.approx(0.5)


def test_a_request_never_answered_is_not_within_the_slo():
    times = np.array([np.nan, np.inf]), np.array([np.nan, 0.01])
    assert share_within(*times, Spread(0.4, 0.0), Slo(attainment_frac=0.5)) == 0.0
