"""One bill: every line is a station's own number, and the USD add up by hand."""

import pytest

import econ

CHAT = econ.Scenario.default().with_(utilisation_frac=0.5)
BILL = econ.bill(CHAT, concurrency=64, n=400)


def test_usd_of_an_answer_by_hand():
    answers_per_hour = 3600 * BILL.latency.output_tokens_per_s_per_gpu / BILL.output_tokens
    paid_usd_per_gpu_hour = CHAT.cost_usd_per_gpu_hour
    assert BILL.usd_per_answer == pytest.approx(paid_usd_per_gpu_hour / (0.5 * answers_per_hour))
    assert BILL.usd_per_mtok == pytest.approx(1e6 * BILL.usd_per_answer / BILL.output_tokens)


def test_electricity_and_carbon_follow_from_joules_and_site():
    kwh = BILL.site_j_per_answer / 3.6e6
    place = CHAT.resolved_site
    assert BILL.electricity_usd_per_answer == pytest.approx(kwh * place.electricity_usd_per_kwh)
    assert BILL.carbon_g_per_answer == pytest.approx(kwh * place.carbon_g_per_kwh)


def test_lines_come_from_the_stations():
    assert BILL.tpot_s == econ.latency.predict(CHAT, concurrency=64).tpot_s
    assert BILL.usd_per_mtok == econ.tco.cost(CHAT, concurrency=64).usd_per_mtok
    assert BILL.good_frac == econ.serving.simulate(CHAT, n=400).good_frac
    frame = BILL.frame().set_index("quantity")
    assert frame.loc["tpot_s", "low"] < BILL.tpot_s < frame.loc["tpot_s", "high"]
    assert (frame["title"] != "").all()


def test_a_bill_is_as_uncertain_as_the_throughput_behind_it():
    low, high = BILL.band("usd_per_answer")
    assert (low, high) == pytest.approx(
        tuple(v * BILL.output_tokens / 1e6 for v in BILL.cost.band("usd_per_mtok"))
    )


def test_a_change_replaces_the_lines_it_touches_and_no_other():
    elsewhere = econ.bill(CHAT.with_(site="france"), concurrency=64, n=400)
    changed = elsewhere.against(BILL)["quantity"].tolist()
    assert changed == ["carbon_g_per_answer", "electricity_usd_per_answer"]


def test_nobody_within_the_slo_is_said():
    with pytest.raises(ValueError, match=r"nobody is served within ttft_s = 0\.001"):
        econ.bill(CHAT.with_(ttft_s=0.001))
