"""What sizes a fleet is what makes it smaller when it is loosened."""

import math
import re

import pytest

import econ
from tests.decision.cases import QUICK, scenario


def sized(tokens_per_day, **slo):
    """The accelerators that are rented by the hour, and the sentence."""
    limits = QUICK | {"n_draws": 50, "terms": ["on-demand"], "no_api": True}
    d = econ.decide(scenario(tokens_per_day, **slo), **limits)
    (words,) = (text for text in d.what_would_change_it if text.startswith("Size: "))
    return d.chosen.n_gpu, words


def test_a_looser_limit_that_binds_saves_accelerators_and_the_other_does_not():
    n_gpu, words = sized(3e9, ttft_s=10.0, tpot_s=0.02)
    assert "the limit of 20 ms per token binds" in words
    assert sized(3e9, ttft_s=20.0, tpot_s=0.02)[0] == n_gpu
    loose = sized(3e9, ttft_s=10.0, tpot_s=0.04)[0]
    assert loose < n_gpu
    said = re.search(r"looser limits save at most (\d+) × h100-sxm, some \$([\d,.]+) a day", words)
    most, usd = (float(number.replace(",", "")) for number in said.groups())
    assert n_gpu - loose <= most < n_gpu
    hour = econ.decide(scenario(), terms=["on-demand"], no_api=True, **QUICK).chosen.rates[0]
    assert usd == pytest.approx(most * hour * 24, rel=0.01)


@pytest.mark.parametrize(("tokens_per_day", "n_saved"), [(3e9, 0), (4e9, 8)])
def test_within_whole_servers_of_ones_own_a_looser_limit_may_save_nothing(tokens_per_day, n_saved):
    asked = scenario(tokens_per_day, ttft_s=10.0, tpot_s=0.02)
    d = econ.decide(asked, **(QUICK | {"n_draws": 50, "on_premises": True}))
    words = next(text for text in d.what_would_change_it if text.startswith("Size: "))
    by_rate = int(re.search(r"rate alone would take (\d+) replica", words)[1])
    fewest = math.ceil(by_rate * d.fleet().n_gpu_per_replica / 8) * 8
    assert d.chosen.n_gpu - fewest == n_saved
    expected = f"save at most {n_saved} × h100-sxm, some $" if n_saved else "limits save nothing"
    assert expected in words


def test_where_memory_binds_no_looser_limit_saves_any():
    n_gpu, words = sized(8e9, ttft_s=10.0, tpot_s=0.2)
    assert "memory binds. A replica holds at most" in words
    assert sized(8e9, ttft_s=20.0, tpot_s=0.4)[0] >= n_gpu


def test_of_a_single_replica_nothing_binds():
    n, words = sized(4e6)
    assert n == 1
    assert words.startswith("Size: one replica is the least there is")


def test_what_waits_or_is_bought_by_the_token_has_no_such_sentence():
    waits = econ.decide(scenario(), deadline_h=24.0, no_api=True, **QUICK)
    sold = econ.decide(scenario(), terms=["api"], **QUICK)
    for answer in (waits, sold):
        assert not any(text.startswith("Size") for text in answer.what_would_change_it)
