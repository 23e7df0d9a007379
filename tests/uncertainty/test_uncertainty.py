"""Ranges, intervals, decisions, Sobol indices, value of information: against closed forms."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from econ.catalog.ranges import LAWS, typical_of
from econ.uncertainty import (
    Range,
    decide,
    evpi_usd,
    information_frame,
    interval,
    propagate,
    sample_frame,
    sobol_frame,
    tornado_frame,
)
from econ.uncertainty.samples import at_shares, run_model

EVEN = (np.arange(20_000) + 0.5) / 20_000  # quantiles whose mean integrates the distribution


def test_pert_is_the_beta_it_says_it_is():
    r = Range(2.0, 3.0, 6.0)
    other = stats.beta(1 + 4 * 0.25, 1 + 4 * 0.75, loc=2, scale=4)
    shares = [0.0, 0.05, 0.5, 0.95, 1.0]
    assert r.quantile(shares) == pytest.approx(other.ppf(shares))
    assert r.mean == pytest.approx(other.mean()) == pytest.approx(20 / 6)


def test_a_lognormals_low_and_high_are_its_5_and_95_percent():
    r = Range(0.5, 1.0, 3.0, law="lognormal")
    assert r.quantile([0.05, 0.5, 0.95]) == pytest.approx([0.5, 1.0, 3.0])
    plain = Range.within_factor(2.0, 1.4)
    sigma = math.log(1.4) / stats.norm.ppf(0.95)
    assert plain.quantile(0.8) == pytest.approx(stats.lognorm(sigma, scale=2).ppf(0.8))
    assert plain.mean == pytest.approx(2 * math.exp(sigma**2 / 2))
    assert r.mean == pytest.approx(r.quantile(EVEN).mean(), rel=1e-3)


@given(
    ends=st.lists(st.floats(0.01, 1e6), min_size=3, max_size=3).map(sorted),
    law=st.sampled_from(LAWS),
    share=st.floats(0.001, 0.999),
)
@settings(max_examples=150, deadline=None)
def test_quantiles_rise_and_stay_inside(ends, law, share):
    r = Range(*ends, law=law)
    low, here, high = r.quantile([0.0005, share, 0.9995])
    assert low <= here <= high
    if law != "lognormal":
        assert r.low <= here <= r.high
        assert r.low * (1 - 1e-12) <= r.mean <= r.high * (1 + 1e-12)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Range(3, 2, 6), "give them in rising order"),
        (lambda: Range(math.nan, 2, 6), "low = nan"),
        (lambda: Range(1, 2, math.inf), "high = inf"),
        (lambda: Range(1, 2, 3, law="normal"), "unknown law of a range 'normal'; nearest: logn"),
        (lambda: Range(0, 2, 3, law="lognormal"), "low = 0"),
        (lambda: Range.within_factor(1.0, 0.9), "p90_factor = 0.9"),
        (lambda: Range(1, 2, 3).quantile(1.5), "outside its range: 0 to 1"),
        (lambda: sample_frame({}), "give the inputs as"),
        (lambda: sample_frame({"a": 3.0}), "is outside its range: a Range"),
        (lambda: sample_frame({"a": Range(1, 1, 1)}), "nothing is uncertain"),
        (lambda: sample_frame({"a": Range(1, 2, 3)}, n=1), "n = 1"),
        (lambda: interval([]), "is outside its range: numbers, at least one"),
        (lambda: interval([1.0, math.nan]), "numbers only"),
        (lambda: interval([1.0], 90), "coverage_frac = 90"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        build()


def test_a_latin_hypercube_fills_every_slice_once():
    n = 64
    drawn = sample_frame({"a": Range(0, 1, 1, law="uniform"), "b": Range(0, 2, 8)}, n, seed=3)
    assert sorted((drawn["a"] * n).astype(int)) == list(range(n))
    assert (drawn == sample_frame({"a": Range(0, 1, 1, law="uniform"), "b": Range(0, 2, 8)}, n, 3)
            ).all(axis=None)  # fmt: skip
    slices = np.quantile(Range(0, 2, 8).quantile(EVEN), np.arange(1, n) / n)
    assert sorted(np.searchsorted(slices, drawn["b"])) == list(range(n))


def test_it_settles_faster_than_independent_draws():
    ranges = {name: Range(0, 1, 5) for name in "abc"}
    hyper = [sample_frame(ranges, 100, s).to_numpy().sum(axis=1).mean() for s in range(20)]
    rng = np.random.default_rng(0)
    plain = [at_shares(ranges, rng.random((100, 3))).to_numpy().sum(axis=1).mean() for _ in hyper]
    assert np.std(hyper) < np.std(plain) / 5
    assert np.mean(hyper) == pytest.approx(3 * Range(0, 1, 5).mean, rel=0.01)


def test_the_interval_of_a_sum_of_normals_logs_is_the_closed_form():
    ranges = {"a": Range.within_factor(1.0, 1.2), "b": Range.within_factor(1.0, 1.3)}
    got = interval(propagate(lambda a, b: a * b, ranges, 8000)["value"])
    half = math.hypot(math.log(1.2), math.log(1.3))  # logs add, so factors add in squares
    assert math.log(got.high) == pytest.approx(half, rel=0.03)
    assert got.spread_factor == pytest.approx(math.exp(2 * half), rel=0.05)


def test_a_tornado_by_hand():
    ranges = {
        "flat": Range(1, 2, 3, law="uniform"),
        "rate": Range(1, 2, 5, "1/s", law="uniform"),
        "fixed": Range(7, 7, 7),
    }
    frame = tornado_frame(lambda flat, rate, fixed: flat + 10 / rate + 0 * fixed, ranges, 1.0)
    assert frame["input"].tolist() == ["rate", "flat", "fixed"]
    top = frame.iloc[0]
    assert (top.low_input, top.high_input, top.unit) == (1, 5, "1/s")
    assert (top.low, top.high, top.at_low_input, top.typical) == (4, 12, 12, 7)
    assert frame["swing"].tolist() == [8, 2, 0]
    narrow = tornado_frame(lambda flat, rate, fixed: flat + 0 * rate, ranges, 0.5)
    assert narrow["swing"][0] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="a lognormal has no ends"):
        tornado_frame(lambda a: a, {"a": Range.within_factor(1, 2)}, 1.0)
    with pytest.raises(ValueError, match="one number, not of a, b"):
        tornado_frame(lambda x: {"a": x, "b": x}, {"x": Range(1, 2, 3)})


def test_sobol_indices_of_an_additive_model_are_its_variances():
    pytest.importorskip("SALib")
    ranges = {n: Range(0, 0.5, 1, law="uniform") for n in ("a", "b", "c")} | {"d": Range(3, 3, 3)}
    frame = sobol_frame(lambda a, b, c, d: 1e6 + d + 3 * a + 2 * b + c, ranges, 1024)
    found = frame.set_index("input")
    for name, share in {"a": 9 / 14, "b": 4 / 14, "c": 1 / 14, "d": 0}.items():
        assert found.loc[name, "first_frac"] == pytest.approx(share, abs=0.01)
        assert found.loc[name, "total_frac"] == pytest.approx(share, abs=0.01)
    assert frame["input"].tolist() == ["a", "b", "c", "d"]


def test_sobol_indices_of_ishigami_are_the_published_ones():
    pytest.importorskip("SALib")
    ranges = {f"x{i}": Range(-math.pi, 0, math.pi, law="uniform") for i in (1, 2, 3)}

    def ishigami(x1, x2, x3, a=7.0, b=0.1):
        return np.sin(x1) + a * np.sin(x2) ** 2 + b * x3**4 * np.sin(x1)

    found = sobol_frame(ishigami, ranges, 4096).set_index("input")
    first = {"x1": 0.3139, "x2": 0.4424, "x3": 0.0}  # closed form (Saltelli and others, 2000)
    total = {"x1": 0.5576, "x2": 0.4424, "x3": 0.2437}
    for name in first:
        assert found.loc[name, "first_frac"] == pytest.approx(first[name], abs=0.02)
        assert found.loc[name, "total_frac"] == pytest.approx(total[name], abs=0.02)


def test_sobol_says_what_it_needs(monkeypatch):
    one = {"a": Range(1, 2, 3)}
    with pytest.raises(ValueError, match="n = 100 is outside its range: a power of two"):
        sobol_frame(lambda a: a, one, n=100)
    monkeypatch.setitem(sys.modules, "SALib.sample", None)
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    with pytest.raises(ImportError, match=r"inference-economics\[sensitivity\]"):
        sobol_frame(lambda a: a, one)
    monkeypatch.undo()
    pytest.importorskip("SALib")
    with pytest.raises(ValueError, match="no variance to share out"):
        sobol_frame(lambda a: 1.0, one, n=8)


def test_a_decision_by_hand():
    # x uniform on 10..20 against a sure 14: E[min] = (∫x over 10..14 + 14·6)/10 = 13.2
    ranges = {"x": Range(10, 15, 20, law="uniform"), "noise": Range(-5, 0, 5)}

    def costs(x, noise):
        return {"risky": x + noise, "sure": 14.0 + noise}

    got = decide(costs, ranges, n=4000)
    assert got.best == "sure"
    assert got.confidence_frac == pytest.approx(0.6, abs=0.002)
    assert got.evpi_usd == pytest.approx(0.8, abs=0.01)
    assert got.frame.loc["sure", "regret_usd"] == pytest.approx(got.evpi_usd)
    assert got.frame["wins_frac"].sum() == pytest.approx(1)
    value = information_frame(costs, ranges).set_index("input")
    assert value.loc["x", "value_usd"] == pytest.approx(0.8, abs=0.01)
    assert value.loc["x", "share_frac"] == pytest.approx(1, abs=0.02)
    # the noise moves the cost of both alike: uncertain, yet worth nothing to know
    assert value.loc["noise", "value_usd"] == pytest.approx(0, abs=1e-9)


def test_two_inputs_are_worth_more_together():
    # the choice turns on a + b, both uniform on ±1: EVPPI = E[max(a, 0)] = 1/4 each, and
    # EVPI = E[max(a + b, 0)] = 1/3 of the triangular law on ±2
    ranges = {n: Range(-1, 0, 1, law="uniform") for n in ("a", "b")} | {"c": Range(4, 4, 4)}
    value = information_frame(lambda a, b, c: {"go": a + b, "stay": 0.0 * c}, ranges, 2000, 64)
    assert value["value_usd"].tolist() == pytest.approx([0.25, 0.25, 0.0], abs=0.005)
    got = decide(lambda a, b, c: {"go": a + b, "stay": 0.0 * c}, ranges, 8000)
    assert got.evpi_usd == pytest.approx(1 / 3, abs=0.01)


def test_an_option_that_always_wins_makes_knowledge_worthless():
    ranges = {"a": Range(1, 2, 3)}
    got = decide(lambda a: {"low": a, "high": a + 1}, ranges)
    assert (got.best, got.confidence_frac, got.evpi_usd) == ("low", 1.0, 0.0)
    frame = information_frame(lambda a: {"low": a, "high": a + 1}, ranges)
    assert frame[["value_usd", "share_frac"]].to_numpy().tolist() == [[0.0, 0.0]]
    tie = decide(lambda a: {"x": a, "y": a}, ranges)
    assert tie.frame["wins_frac"].tolist() == [0.5, 0.5]


def test_models_that_do_not_fit_are_named():
    ranges = {"a": Range(1, 2, 3), "b": Range(1, 2, 3)}
    with pytest.raises(ValueError, match=r"the shape \(3,\) for 1000 samples"):
        propagate(lambda a, b: np.zeros(3), ranges, 1000)
    with pytest.raises(ValueError, match="narrow the ranges"):
        propagate(lambda a, b: np.where(a > 1.5, np.nan, a), ranges, 100)
    with pytest.raises(ValueError, match="two options or more"):
        decide(lambda a, b: a, ranges)
    with pytest.raises(ValueError, match="'a' names an input and an answer"):
        propagate(lambda a, b: {"a": a}, ranges)
    with pytest.raises(ValueError, match="'x' is not finite in"):
        decide(lambda a, b: {"x": np.where(a > 1.5, np.inf, a), "y": b}, ranges)
    with pytest.raises(ValueError, match="the cost of 'costs' is not finite"):
        evpi_usd(pd.DataFrame())
    wrapped = np.vectorize(lambda a, b: max(a, b))  # a model of single numbers
    assert run_model(wrapped, sample_frame(ranges, 10))["value"].between(1, 3).all()
    assert typical_of(ranges) == {"a": 2, "b": 2}


def _rent_or_own(price, busy_frac, noise):
    return {"own": 15_000.0 + 0 * price, "rent": price * busy_frac * 8760 + noise}


CHOICE = {
    "price": Range(2.0, 3.0, 4.0),
    "busy_frac": Range(0.3, 0.5, 0.9),
    "noise": Range(-6_000, 0, 6_000, law="uniform"),
}


def test_the_worth_of_knowing_carries_the_error_that_other_seeds_show():
    frames = [
        information_frame(_rent_or_own, CHOICE, n=80, n_points=16, seed=s).set_index("input")
        for s in range(30)
    ]
    for name in ("price", "busy_frac"):
        values = [f.loc[name, "value_usd"] for f in frames]
        stated = np.mean([f.loc[name, "value_se_usd"] for f in frames])
        assert np.std(values) / 2 < stated < 3 * np.std(values)
    assert not any(f["may_swap"].iloc[0] for f in frames)  # the share at work, by far


def test_two_inputs_that_are_worth_the_same_may_swap():
    twins = {name: Range(0, 1, 2, law="uniform") for name in ("a", "b")}
    frame = information_frame(lambda a, b: {"x": a * b, "y": 1.0 + 0 * a}, twins, n=60)
    assert frame["may_swap"].tolist() == [True, False]
    assert abs(frame["value_usd"].diff().iloc[1]) < 2 * frame["value_se_usd"].sum()


def test_perfect_information_and_interval_carry_their_errors():
    found = [decide(_rent_or_own, CHOICE, n=300, seed=s) for s in range(25)]
    stated = np.mean([d.evpi_se_usd for d in found])
    assert np.std([d.evpi_usd for d in found]) < stated < 6 * np.std([d.evpi_usd for d in found])
    rng = np.random.default_rng(5)
    spans = [interval(rng.lognormal(size=800)) for _ in range(60)]
    for name in ("low", "median", "high", "mean"):
        spread = np.std([getattr(s, name) for s in spans])
        assert np.mean([getattr(s, f"{name}_se") for s in spans]) == pytest.approx(spread, rel=0.35)
    assert re.fullmatch(r"\$0\.\d\d to \$\d\.\d", spans[0].words("${}"))
