"""A model, accelerator, site or workload of one's own goes wherever a name goes."""

import dataclasses
import json

import pytest

import econ
from tests.flow.cases import CHAT, OWNED, STATIONS

GPU = dataclasses.replace(econ.catalog.accelerator("h100-sxm"), id="my-gpu", name="Mine")
NET = dataclasses.replace(econ.catalog.model("llama-3.1-70b"), id="my-model", ffn_size=14336)
PLACE = econ.Site(id="my-hall", electricity_usd_per_kwh=0.31, carbon_g_per_kwh=12.0, pue=1.05)
LOAD = econ.Workload.from_trace(econ.tokens.workload("code").sample(2000, seed=3), id="mine")

OWN = {
    "accelerator": {"accelerator": GPU, "cost_usd_per_gpu_hour": 2.0},
    "model": {"model": NET},
    "site": {"site": PLACE, "operator": ""},
    "workload": {"workload": dataclasses.replace(LOAD, rate_per_s=2.0)},
}
ALL = {name: value for change in OWN.values() for name, value in change.items()}


@pytest.mark.parametrize("change", [*OWN.values(), ALL], ids=[*OWN, "all at once"])
@pytest.mark.parametrize("station", STATIONS)
def test_own_objects_go_through_every_station(station, change):
    answer = STATIONS[station](CHAT.with_(**change))
    assert len(answer.frame())


@pytest.mark.parametrize("station", STATIONS)
def test_an_object_like_the_catalogues_gives_the_catalogues_answer(station):
    chip = econ.catalog.accelerator("h100-sxm")
    named, objects = (
        CHAT,
        CHAT.with_(
            accelerator=chip, model=CHAT.resolved_model, site=CHAT.resolved_site, operator=""
        ),
    )
    one, two = (STATIONS[station](s).row() for s in (named, objects))
    assert str(one) == str(two)  # NaN, an unknown figure, does not equal itself


def test_own_objects_survive_json():
    scenario = CHAT.with_(**ALL)
    text = scenario.to_json()
    assert json.loads(text)["model"]["ffn_size"] == 14336
    assert econ.Scenario.from_json(text) == scenario


def test_a_range_survives_json():
    scenario = OWNED.with_(life_years=econ.Range(3, 5, 8), site=PLACE, operator="")
    assert econ.Scenario.from_json(scenario.to_json()) == scenario


def test_format_1_of_version_1_is_still_read():
    old = {
        "format": 1, "name": "A chat service on four H100", "model": "llama-3.1-70b",
        "workload": json.loads(CHAT.to_json())["workload"],
        "deployment": {"accelerator": "h100-sxm", "n_gpu": 4, "tp": 4, "pp": 1, "ep": 1, "dp": 1,
                       "precision": "fp8", "policy": "chunked_prefill"},
        "slo": {"ttft_s": 1.0, "tpot_s": 0.05, "attainment_frac": 0.95},
        "site": "us-virginia", "operator": "industry",
        "finance": {"cost_usd_per_gpu_hour": 3.85, "utilisation_frac": 1.0, "source": "vast"},
    }  # fmt: skip
    scenario = econ.Scenario.from_json(json.dumps(old))
    assert scenario.cost_usd_per_gpu_hour == 3.85
    assert scenario.deployment.launch == CHAT.deployment.launch
    assert scenario.with_(policy="").deployment == CHAT.deployment


def test_an_uncertain_scenario_is_refused_by_stations_and_answered_by_uncertain():
    scenario = OWNED.with_(utilisation_frac=econ.Range(0.3, 0.6, 0.9))
    with pytest.raises(ValueError, match=r"utilisation_frac is uncertain .*econ\.uncertain"):
        econ.tco.cost(scenario)
    answer = econ.uncertain(econ.tco.cost, scenario, n=64)
    sure = econ.tco.cost(OWNED)
    assert answer.interval.low < getattr(sure, answer.metric) < answer.interval.high
    assert answer.measure_next()["explains_frac"].iloc[0] > 0.9


@pytest.mark.parametrize(
    ("station", "options", "change"),
    [
        (econ.latency.predict, {"concurrency": 8}, {"utilisation_frac": econ.Range(0.3, 0.6, 0.9)}),
        (econ.tco.cost, {}, {"pue": econ.Range(1.1, 1.2, 1.5)}),  # a rent is all in
    ],
)
def test_what_a_station_does_not_feel_is_no_certainty(station, options, change):
    with pytest.raises(ValueError, match=rf"one answer over all of \w+\.{next(iter(change))}"):
        econ.uncertain(station, CHAT.with_(**change), n=16, **options)


def test_counts_are_choices_not_chance():
    with pytest.raises(ValueError, match="n_gpu"):
        CHAT.with_(n_gpu=econ.Range(2, 4, 8))


@pytest.mark.parametrize(("alias", "id"), [("H100", "h100-sxm"), ("MI300X", "mi300x")])
def test_common_names_are_understood(alias, id):
    assert CHAT.with_(accelerator=alias).deployment.accelerator == id


def test_hugging_face_names_are_understood():
    assert CHAT.with_(model="meta-llama/Llama-3.1-8B-Instruct").model == "llama-3.1-8b"


@pytest.mark.parametrize("station", ["latency", "energy", "tco", "bill"])
def test_separate_pools_are_refused_where_one_machine_is_meant(station):
    pools = CHAT.with_(n_gpu=8, policy="disaggregated")
    with pytest.raises(ValueError, match=r"'disaggregated' has two pools"):
        STATIONS[station](pools)


def test_separate_pools_are_simulated():
    pools = CHAT.with_(n_gpu=8, policy="disaggregated")
    assert econ.serving.simulate(pools, n=400).good_frac > 0
    swept = econ.sweep(econ.latency.predict, CHAT, n_gpu=8, concurrency=8,
                       policy=["chunked_prefill", "disaggregated"])  # fmt: skip
    assert [bool(reason) for reason in swept["reason"]] == [False, True]
