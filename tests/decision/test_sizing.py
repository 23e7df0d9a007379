"""What sizes a fleet is what makes it smaller when it is loosened."""

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
    assert sized(3e9, ttft_s=10.0, tpot_s=0.04)[0] < n_gpu


def test_where_memory_binds_no_looser_limit_saves_any():
    n_gpu, words = sized(10e9, ttft_s=10.0, tpot_s=0.2)
    assert "memory binds. A replica holds at most" in words
    assert sized(10e9, ttft_s=20.0, tpot_s=0.4)[0] >= n_gpu


def test_of_a_single_replica_nothing_binds():
    n, words = sized(4e6)
    assert n == 1
    assert words.startswith("Size: one replica is the least there is")


def test_what_waits_or_is_bought_by_the_token_has_no_such_sentence():
    waits = econ.decide(scenario(), deadline_h=24.0, no_api=True, **QUICK)
    sold = econ.decide(scenario(), terms=["api"], **QUICK)
    for answer in (waits, sold):
        assert not any(text.startswith("Size") for text in answer.what_would_change_it)
