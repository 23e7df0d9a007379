"""The decision: by hand, against the simulator, and held to what any decision must obey."""

import dataclasses
import re

import numpy as np
import pytest

import econ
from econ.catalog import table
from econ.catalog.rents import rent, rent_rows
from econ.decision.answer import JSON_KEYS
from econ.decision.reasons import what_changes
from econ.plan.screens import screened
from econ.tco import owner
from tests.decision.cases import (
    DAY,
    QUICK,
    answer,
    busy,
    everything,
    option,
    priced,
    scenario,
)

YEAR_H = 8760


def test_the_api_costs_what_its_list_says():
    w, cheapest = scenario().workload, answer().best_of("api")
    rates = {  # USD per Mtok of input and output, read off the price package by hand
        "HuggingFace (nscale)": (0.08, 0.25),
        "Groq": (0.29, 0.59),
        "AWS Bedrock": (0.15, 0.60),
    }
    requests = 40e6 / (w.mean_input_tokens + w.mean_output_tokens)
    for seller, (given, out) in rates.items():
        usd = requests * (w.mean_input_tokens * given + w.mean_output_tokens * out) / 1e6
        assert option(answer(), "api", seller).usd_per_day == pytest.approx(usd)
    assert cheapest.seller == "HuggingFace (nscale)"
    assert 3 < cheapest.usd_per_day < 6
    assert cheapest.as_of == table("sources").loc["genai-prices", "accessed"] < DAY.isoformat()


def test_one_gpu_is_enough_by_the_simulator():
    hourly = option(answer(), "on-demand")
    assert (hourly.accelerator, hourly.n_gpu) == ("h100-sxm", 1)
    service = econ.serving.simulate(answer().fleet_of(hourly).scenario, n=4000)
    assert service.meets_slo
    assert service.good_frac > 0.95


def test_a_rented_day_is_its_hours_and_staff():
    median = next(o for o in answer().options if o.kind == "on-demand" and o.seller[0] == "l")
    staff = median.parts["staff"]
    assert median.usd_per_year == pytest.approx(rent("H100") * YEAR_H + staff)
    assert staff == 30_000  # a quarter person, data/tco/layers.csv
    assert median.usd_per_day * 365 == pytest.approx(median.usd_per_year)


def test_an_owned_day_is_a_whole_server():
    own, s = option(answer(), "own"), scenario()
    site = s.resolved_site
    hour = owner(
        "h100-sxm", include=("support", "insurance"), pue=site.pue,
        electricity_usd_per_kwh=site.electricity_usd_per_kwh,
    ).cost_usd_per_gpu_hour  # fmt: skip
    assert own.n_gpu == 8
    assert own.usd_per_year == pytest.approx(hour * 8 * YEAR_H + 30_000)


def test_the_cheapest_that_may_be_chosen_is_chosen():
    decision = answer()
    assert decision.chosen.npv_usd <= 1.03 * min(o.npv_usd for o in decision.eligible)
    assert decision.next_best.is_api != decision.chosen.is_api
    assert decision.surest.p_keeps_slo >= 0.9
    for one in decision.options:
        assert one.low_usd_per_year <= one.usd_per_year <= one.high_usd_per_year
        assert one.npv_low_usd <= one.npv_usd <= one.npv_high_usd
        assert 0 <= one.p_keeps_slo <= 1
        assert one.n_gpu <= one.n_gpu_sure
    assert all(o.regret_usd >= 0 for o in decision.eligible)


def test_the_json_says_what_it_promises():
    said = answer().to_dict()
    assert {"question", "chosen", "options", "what_would_change_it", "measure_next"} <= set(said)
    assert {tuple(one) for one in said["options"]} == {JSON_KEYS}
    assert said["chosen"] in said["options"]
    assert said["what_would_change_it"]
    assert said["measure_next"]


def test_one_line_has_all_three_side_by_side():
    line = str(answer())
    assert all(word in line for word in ("API $4.27", "rent $", "own $"))
    memo = answer().memo()
    assert "vllm serve Qwen/Qwen3-32B" in memo
    assert memo.count("\n## ") == 5


def test_a_tight_itl_rules_cheap_sellers_out():
    tight = econ.decide(scenario(tpot_s=0.011), **QUICK)
    assert "SLO" in option(tight, "api", "HuggingFace (nscale)").reason
    assert not option(tight, "api", "Cerebras").reason
    assert not tight.chosen.is_api or tight.chosen.seller == "Cerebras"


def test_what_you_measured_decides():
    slow = {"HuggingFace (nscale)": (10.0, 0.3)}
    decision = econ.decide(scenario(), measured=slow, **QUICK)
    assert option(decision, "api", "HuggingFace (nscale)").p_keeps_slo < 0.001
    assert decision.chosen.seller != "HuggingFace (nscale)"
    fast = econ.decide(scenario(), measured={"HuggingFace (nscale)": (60.0, 0.4)}, **QUICK)
    assert 0.9 < fast.chosen.p_keeps_slo < 1  # one day is not every day
    assert "100%" not in str(fast)


def test_a_speed_on_another_model_is_unproven():
    tight = econ.decide(scenario(tpot_s=0.001), terms=["api"], least_p_frac=0.05, **QUICK)
    assert tight.chosen.seller == "Cerebras"
    assert str(tight).startswith("Unproven: Cerebras says how fast it is on another model")


def test_the_cached_price_decides_a_cached_load():
    quotes = [priced("Plain"), priced("Cache", input_usd_per_mtok=0.2,
                                      cached_input_usd_per_mtok=0.01)]  # fmt: skip
    settings = QUICK | {"api_prices": quotes, "sellers": ["Plain", "Cache"], "terms": ["api"]}
    fresh, cached = (econ.decide(scenario(cached_frac=c), **settings) for c in (0.0, 0.95))
    assert (fresh.chosen.seller, cached.chosen.seller) == ("Plain", "Cache")


def test_the_cheapest_that_is_sure_is_among_the_options():
    """Two H100 keep it where one does not surely: cheaper than a whole server that does."""
    s = econ.Scenario.of("llama-3.1-70b", "h100-sxm").with_(tpot_s=0.042)
    w = s.workload
    s = s.with_(rate_per_s=40e6 / 86_400 / (w.mean_input_tokens + w.mean_output_tokens))
    d = econ.decide(s, ["H100", "a100-sxm-80gb"], n_refined=1, n_draws=200, on=DAY, no_api=True)
    hourly = [o for o in d.eligible if o.kind == "on-demand" and o.accelerator == "h100-sxm"]
    unsure, sure = (
        [o for o in hourly if (o.p_keeps_slo >= 0.9) == is_sure] for is_sure in (False, True)
    )
    assert {o.n_gpu for o in unsure} == {1}
    assert {o.n_gpu for o in sure} == {2}
    assert d.surest.usd_per_day <= min(o.usd_per_day for o in sure)
    assert d.surest.usd_per_day < 0.8 * d.best_of("own").usd_per_day
    for one in sure:  # an option finds its own fleet
        assert d.fleet_of(one).p_keeps_slo == one.p_keeps_slo
        assert d.fleet_of(one).n_gpu_per_replica * d.fleet_of(one).n_replicas == 2


def test_a_chance_that_is_asked_for_is_looked_for():
    s = scenario(tpot_s=0.02)
    usual, strict = (econ.decide(s, no_api=True, least_p_frac=p, **QUICK) for p in (None, 0.97))
    assert strict.chosen.p_keeps_slo >= 0.97
    assert strict.chosen.usd_per_day >= usual.chosen.usd_per_day


def test_rules_of_the_house():
    closed = econ.decide(scenario(), on_premises=True, **QUICK)
    assert {o.kind for o in closed.options} == {"own"}
    tuned = econ.decide(scenario(), no_api=True, **QUICK)
    assert not any(o.is_api for o in tuned.options)
    assert tuned.best_of("api") is None


def test_on_premises_rests_on_simulated_whole_servers():
    closed = econ.decide(
        scenario(2e9), on_premises=True, **(QUICK | {"accelerators": None, "n_refined": 6})
    )
    assert len({o.accelerator for o in closed.options}) > 1
    for one in closed.options:
        assert "simulated" in one.evidence
        assert one.n_gpu % 8 == 0


def test_nothing_known_of_a_server_is_said_at_once():
    with pytest.raises(ValueError, match=r"no server is known of .*h100-sxm"):
        econ.decide(scenario(), on_premises=True, **(QUICK | {"accelerators": ["L40S"]}))


def test_one_screen_finds_what_to_rent_and_what_to_buy(monkeypatch):
    calls = []

    def counted(*given, **settings):
        calls.append(given)
        return screened(*given, **settings)

    monkeypatch.setattr("econ.decision.searching.screened", counted)
    every = econ.decide(scenario(), **(QUICK | {"accelerators": None}))
    assert len(calls) == 1
    assert every.best_of("own") is not None
    assert {family for _, family in every.fleets} == {"rent", "own"}
    assert all(fleet.basis == "simulated" for fleet in every.fleets.values())


def cheapest_by_kind(decision):
    best = {}
    for one in decision.eligible:
        if not one.is_api:
            best[one.kind] = min(one.npv_usd, best.get(one.kind, np.inf))
    return best


@pytest.mark.parametrize(
    "only",
    [
        {"on_premises": True},
        {"no_api": True},
        {"accelerators": ["L40S"]},
        {"accelerators": ["MI300X", "H200"]},
        {"terms": ["reserved"]},
    ],
)
@pytest.mark.parametrize("tokens_per_day", [40e6, 3e9])
def test_less_to_choose_from_never_finds_anything_cheaper(only, tokens_per_day):
    settings = QUICK | {"accelerators": None}
    every = cheapest_by_kind(everything(tokens_per_day))
    some = cheapest_by_kind(econ.decide(scenario(tokens_per_day), **(settings | only)))
    assert some
    for kind, usd in some.items():
        assert every[kind] <= usd * (1 + 1e-9), kind


def test_a_tie_within_the_band_goes_to_the_surer_and_then_to_the_shorter():
    api = answer().best_of("api")
    quote = {"terms": ["api"], "sellers": ["Slow", "Sure"]}
    prices = [priced("Slow"), priced("Sure", input_usd_per_mtok=0.1005)]
    decision = econ.decide(
        scenario(), api_prices=prices, measured={"Sure": (90.0, 0.3)}, **QUICK, **quote
    )
    assert (decision.chosen.seller, decision.tied_with) == ("Sure", ("API of Slow",))
    assert "ties, within the band, with the API of Slow" in str(decision)
    assert answer().tied_with == ()
    assert api.name not in str(decision)


def test_a_deadline_is_the_question_of_its_memo():
    waits = econ.decide(scenario(), deadline_h=24, terms=["api"], **QUICK)
    for words in (str(waits), waits.memo(), waits.to_dict()["question"]):
        assert "done within 24 h" in words
        assert "TTFT" not in words.split("## ")[0]


def test_a_region_without_lists_is_said():
    near = econ.decide(scenario(), region="eu-central-1", **QUICK)
    assert any("No rents are listed for eu-central-1" in note for note in near.notes)


def test_work_that_waits_takes_batch_and_spot():
    waits = econ.decide(scenario(), deadline_h=24, peak_factor=3, **QUICK)
    spot = option(waits, "spot")
    assert not spot.reason
    now = econ.decide(scenario(), peak_factor=3, **QUICK)
    assert "deadline" in option(now, "spot").reason
    assert spot.n_gpu <= option(now, "spot").n_gpu


def test_base_and_burst_beat_the_same_machines_alone():
    decision = busy()
    mixed = option(decision, "reserved+burst")
    for alone in ("reserved", "on-demand"):
        assert mixed.usd_per_year <= option(decision, alone).usd_per_year * 1.000001
    assert option(decision, "own+burst").usd_per_year <= option(decision, "own").usd_per_year
    assert mixed.parts["burst"] > 0
    assert mixed.parts["machines"] > 0


def test_cost_rises_with_the_load_and_an_api_in_proportion():
    small, large = answer(), busy()
    for kind in ("api", "on-demand", "own"):
        assert option(small, kind).usd_per_year < option(large, kind).usd_per_year
    ratio = option(large, "api").usd_per_year / option(small, "api").usd_per_year
    assert ratio == pytest.approx(10e9 / 40e6)


@pytest.mark.parametrize(
    ("column", "times", "is_machine"),
    [
        ("api_tokens_per_day", 0.97, False),
        ("tokens_per_day", 1.0, True),
        ("tokens_per_day", 3.0, True),
    ],
)
def test_break_even_holds_when_the_plan_is_asked_anew(column, times, is_machine):
    """Below the first volume the API is no dearer than any machine, above the second they are no
    dearer than it."""
    row = answer().break_even.iloc[0]
    assert 40e6 < row["api_tokens_per_day"] <= row["tokens_per_day"]
    d = econ.decide(scenario(times * row[column]), sellers=[answer().chosen.seller], **QUICK)
    api = option(d, "api").usd_per_day
    machines = min(o.usd_per_day for o in d.eligible if not o.is_api and "+api" not in o.kind)
    assert (machines <= api) == is_machine


def test_what_is_owned_adds_up_in_the_memo():
    own = answer().best_of("own")
    assert sum(own.parts.values()) == pytest.approx(own.usd_per_year)
    line = next(text for text in answer().memo().splitlines() if text.startswith("The year of"))
    usd = [float(n.replace(",", "")) for n in re.findall(r"\$([\d,]+)", line)]
    bought, *of_bought = usd[: 1 + len(own.bought)]
    annuity, *rest, total = usd[1 + len(own.bought) :]
    assert sum(of_bought) == pytest.approx(bought, abs=5)
    assert annuity + sum(rest) == pytest.approx(total, abs=5)
    assert total == pytest.approx(own.usd_per_year, abs=1)


def test_no_price_is_asked_of_a_machine_whose_staff_alone_costs_more():
    words = " ".join(answer().what_would_change_it)
    assert "no price of its accelerators makes 1 × h100-sxm" in words
    assert "$30,000 a year" in words
    assert "would have to become 9" not in words


def test_what_is_left_out_is_left_out_as_asked():
    tuned = econ.decide(scenario(), no_api=True, **QUICK)
    assert "left out: API (nobody sells this model, as you say)" in str(tuned)
    closed = econ.decide(scenario(), on_premises=True, **QUICK)
    assert "left out: API (data must stay), rent (data must stay)" in str(closed)


def test_a_dearer_server_never_makes_owning_cheaper():
    s = scenario(tenure="owned", server_usd=200_000.0)
    cheap, dear = (econ.decide(s.with_(server_usd=usd), **QUICK) for usd in (2e5, 3e5))
    assert option(cheap, "own").usd_per_year < option(dear, "own").usd_per_year
    assert option(cheap, "own").npv_usd < option(dear, "own").npv_usd


def test_quotes_of_your_own_come_first():
    d = econ.decide(
        scenario(), prices_usd_per_gpu_hour={"H100": 2.0, "H100:reserved": 1.5},
        api_prices=[priced("Groq", input_usd_per_mtok=0.01)], **QUICK,
    )  # fmt: skip
    assert option(d, "on-demand").rates == (2.0,)
    assert option(d, "reserved").rates == (1.5,)
    groq = option(d, "api", "Groq")
    assert groq.rates[0] == 0.01
    assert groq.source == "your quote"
    listed = rent_rows("H100", "reserved-3y").iloc[-1]
    assert option(d, "reserved-3y").as_of == listed["as_of"]


def test_cash_adds_up_and_draws_fit_the_options():
    d = answer()
    for name, rows in d.cash.groupby("option"):
        assert rows["total_usd"].iloc[-1] == pytest.approx(rows["usd"].sum())
        assert len(rows) == d.horizon_years * 12 + 1, name
    means = d.npv_draws.mean()
    for one in d.options:
        assert means[one.name] == pytest.approx(one.npv_usd)
        draws = d.npv_draws[one.name]
        assert one.se_usd["npv_usd"] == pytest.approx(draws.std(ddof=0) / len(draws) ** 0.5)
    assert np.isfinite(d.npv_draws.to_numpy()).all()


def test_only_what_can_be_found_out_is_worth_measuring():
    inputs = set(busy().worth["input"])
    assert "speed of h100-sxm" in inputs
    assert not any("by year" in name or name in ("life", "discount rate") for name in inputs)
    assert (busy().worth["value_usd"] >= 0).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"horizon_years": 0}, "horizon_years = 0 is outside its range"),
        ({"peak_factor": 30}, "peak_factor = 30 is outside its range"),
        ({"terms": ["resreved"]}, "unknown term 'resreved'; nearest: reserved"),
        ({"sellers": ["Grok"]}, "nearest: Groq"),
        ({"region": "us-east-7"}, "nearest: us-east-2, us-east-1"),
        ({"load_by_hour": [1.0]}, "24 weights"),
        ({"deadline_h": -1}, "deadline_h = -1 is outside its range"),
        ({"accelerators": ["H101"]}, "unknown accelerator 'H101'"),
        ({"discount_frac": 2.0}, "discount_frac = 2.0 is outside its range"),
    ],
)
def test_bad_input_is_named(settings, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        econ.decide(scenario(), **(QUICK | settings))


def test_an_unreachable_slo_says_the_nearest_that_can_be_kept():
    """And what it says holds when it is asked."""
    with pytest.raises(ValueError, match=r"nearest that can be kept is TTFT .* a day") as refused:
        econ.decide(scenario(tpot_s=0.0005), no_api=True, **QUICK)
    near = re.search(r"kept is TTFT ([\d.]+) s and ([\d.]+) s per token", str(refused.value))
    ttft_s, tpot_s = map(float, near.groups())
    again = econ.decide(scenario(ttft_s=ttft_s, tpot_s=tpot_s), no_api=True, **QUICK)
    assert again.chosen.accelerator


def test_a_load_beyond_the_largest_fleet_gives_the_range():
    with pytest.raises(ValueError, match=r"rate_per_s = .* is outside its range: at most"):
        econ.decide(scenario().with_(rate_per_s=5e8), no_api=True, **QUICK)


def test_an_uncertain_scenario_is_not_decided():
    with pytest.raises(ValueError, match=r"rate_per_s is uncertain"):
        econ.decide(scenario().with_(rate_per_s=econ.Range(1, 2, 3)))


def test_an_api_beside_a_cheaper_machine_says_why_it_is_taken():
    api, machine = answer().best_of("api"), answer().best_of("rent")
    row = answer().break_even.assign(tokens_per_day=30e6, api_tokens_per_day=np.nan)
    row = row[row["option"] == machine.name]
    said = []
    for times in (0.98, 1.02):
        other = dataclasses.replace(machine, npv_usd=times * api.npv_usd)
        said.append(what_changes([api, other], row, None, 40e6)[0])
    assert "the two tie within the band" in said[0]
    assert "Over the horizon the API costs less all the same" in said[1]
