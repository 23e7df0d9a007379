"""Laws that hold along the chain whatever the service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.latency import predict, users_within
from econ.latency.users import MOST_USERS
from tests.laws.cases import LENGTHS, law, services, with_chip

MORE = st.floats(1.01, 4.0)
SAME = 1 + 1e-9  # rounding of floats


@pytest.mark.parametrize(
    ("quantities", "slack"),
    # more memory admits more users, and the batch that decodes between prompts which are read
    # first is approximated
    [(("memory_bytes",), 0.006), (("scaleup_bandwidth_bytes_per_s",), 1e-9)],
    ids=["memory", "links"],
)
@law
@given(services(), MORE)
def test_more_memory_or_faster_links_never_slow(quantities, slack, service, more):
    s, users = service
    s = with_chip(s)
    better = with_chip(s, **dict.fromkeys(quantities, more))
    before, after = (predict(x, concurrency=users) for x in (s, better))
    assert after.answer_s <= before.answer_s * (1 + slack)
    assert after.output_tokens_per_s_per_gpu * (1 + slack) >= before.output_tokens_per_s_per_gpu


@law
@given(services(), st.integers(1, 64))
def test_more_users_never_lower_a_wait(service, more):
    s, users = service
    few, many = (predict(s, concurrency=n) for n in (users, users + more))
    assert many.answer_s >= few.answer_s / SAME
    assert many.mean_ttft_s >= few.mean_ttft_s / SAME
    assert many.tpot_s >= few.tpot_s / SAME


@law
@given(services(), st.integers(2, 5))
def test_more_accelerators_and_as_many_more_users_cost_the_same(service, times):
    s, users = service
    larger = s.with_(n_gpu=s.deployment.n_gpu * times)
    one, all_ = (
        econ.tco.cost(s, concurrency=users),
        econ.tco.cost(larger, concurrency=users * times),
    )
    assert all_.usd_per_mtok == pytest.approx(one.usd_per_mtok, rel=1e-9)
    assert all_.usd_per_day == pytest.approx(times * one.usd_per_day, rel=1e-9)


@law
@given(services(), st.floats(0.01, 100))
def test_twice_the_price_is_twice_the_cost(service, times):
    s, users = service
    dear = s.with_(cost_usd_per_gpu_hour=2.0 * times)
    one, other = econ.tco.cost(s, concurrency=users), econ.tco.cost(dear, concurrency=users)
    for name in ("usd_per_mtok", "usd_per_gpu_hour", "usd_per_request", "usd_per_day"):
        assert getattr(other, name) == pytest.approx(times * getattr(one, name), rel=1e-9)
    assert other.output_tokens_per_s_per_gpu == one.output_tokens_per_s_per_gpu


@law
@given(services(), st.floats(1.001, 1.05))
def test_a_little_more_to_read_or_write_is_a_little_more_to_wait(service, more):
    s, users = service
    w = s.workload
    before = predict(s, concurrency=users)
    for change in (
        {"input_tokens": w.mean_input_tokens * more, "output_tokens": w.mean_output_tokens},
        {"input_tokens": w.mean_input_tokens, "output_tokens": w.mean_output_tokens * more},
    ):
        after = predict(s.with_(**change), concurrency=users)
        for name in ("tpot_s", "mean_ttft_s", "ttft_s", "answer_s"):
            ratio = getattr(after, name) / getattr(before, name)
            assert 1 / 1.3 < ratio < 1.3, (name, change)


@law
@given(services(), LENGTHS)
def test_a_longer_prompt_never_shortens_an_answer(service, tokens):
    s, users = service
    w = s.workload
    short, long = sorted([tokens, w.mean_input_tokens])
    waits = [
        predict(s.with_(input_tokens=n, output_tokens=w.mean_output_tokens), concurrency=users)
        for n in (short, long)
    ]
    assert waits[1].answer_s >= waits[0].answer_s / SAME


@law
@given(services())
def test_energy_of_a_token_is_power_over_speed_and_energy_of_many_is_their_sum(service):
    s, users = service
    if s.deployment.resolved_accelerator.tdp_w is None:
        return
    e = econ.energy.energy(s, concurrency=users)
    speed = econ.latency.predict(s, concurrency=users).output_tokens_per_s_per_gpu
    assert e.output_tokens_per_s_per_gpu == pytest.approx(speed, rel=1e-9)
    assert e.j_per_output_token * speed == pytest.approx(e.power_w, rel=1e-6)


@law
@given(services(), MORE)
def test_users_within_is_the_most_and_looser_limits_or_more_memory_admit_no_fewer(service, more):
    s, _ = service
    most, limits, replicas = users_within(s), s.slo, s.n_replicas
    if most:
        served = predict(s, concurrency=most)
        assert served.ttft_s <= limits.ttft_s
        assert served.tpot_s <= limits.tpot_s
    if most < MOST_USERS * replicas:
        late = predict(s, concurrency=most + replicas)
        assert late.ttft_s > limits.ttft_s or late.tpot_s > limits.tpot_s
    assert users_within(s.with_(ttft_s=limits.ttft_s * more, tpot_s=limits.tpot_s * more)) >= most
    assert users_within(with_chip(s, memory_bytes=more)) >= most
