"""The scenario: there and back through JSON, and errors that name what is wrong."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.catalog import UnknownName, accelerator, model, table
from econ.catalog.ranges import Range
from econ.catalog.rents import rent
from econ.scenario import Deployment, Scenario
from econ.terms import Finance, Slo
from econ.tokens.workloads import workload

BASE = Scenario.default()


def test_the_default_fits_and_is_sourced():
    chips = BASE.deployment.n_gpu * accelerator(BASE.deployment.accelerator).memory_bytes
    assert model(BASE.model).n_params < chips  # one byte a weight in fp8
    rents = table("rentals").query("term == 'on-demand'")
    rents = rents[rents["accelerator"] == BASE.deployment.accelerator]
    latest = rents.sort_values("as_of").iloc[-1]
    assert latest.usd_per_gpu_hour == BASE.cost_usd_per_gpu_hour


@given(
    st.sampled_from(["chat", "code", "rag", "reasoning", "batch"]),
    st.sampled_from(["llama-3.1-8b", "deepseek-v3", "gpt-oss-120b"]),
    st.integers(1, 64),
    st.floats(0.001, 100),
    st.floats(0.01, 1),
)
def test_json_there_and_back(load, net, n, ttft_s, share):
    scenario = BASE.with_(
        workload=workload(load),
        model=net,
        deployment=Deployment(accelerator="h200-sxm", n_gpu=n, precision="bf16"),
        slo=Slo(ttft_s=ttft_s, attainment_frac=share),
        finance=Finance(cost_usd_per_gpu_hour=ttft_s, utilisation_frac=share),
    )
    assert Scenario.from_json(scenario.to_json()) == scenario


def _changed(path: list[str], value) -> str:
    values = json.loads(BASE.to_json())
    at = values
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (_changed(["modle"], "x"), r"unknown key of scenario 'modle'; nearest: model"),
        (_changed(["slo", "tpot_ms"], 1), r"unknown key of slo 'tpot_ms'; nearest: tpot_s"),
        (_changed(["model"], "llama-3.1-7b"), "unknown model 'llama-3.1-7b'; nearest"),
        (_changed(["site"], "us-virgina"), "nearest: us-virginia"),
        (_changed(["deployment", "accelerator"], "h100-smx"), "nearest: h100-sxm"),
        (
            _changed(["deployment", "n_gpu"], 5),
            "n_gpu = 5 .* a multiple of tp × pp × dp = 4",
        ),
        (_changed(["format"], 99), "not a scenario of format 1 or 2"),
        (_changed(["slo"], 3), "slo: expected an object"),
        (_changed(["format"], True), "not a scenario of format 1 or 2"),
        (_changed(["name"], 7), r"scenario\.name = 7 is not text"),
        (_changed(["finance", "source"], [1]), r"finance\.source = \[1\] is not text"),
        (_changed(["workload", "output_quantile_tokens"], 5), "output_quantile_tokens = "),
        ("{", "a scenario line 1: not JSON"),
        ("[]", "not a scenario"),
    ],
)
def test_bad_json_says_what_is_wrong(text, match):
    with pytest.raises(ValueError, match=match):
        Scenario.from_json(text)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"workload": 5}, "workload = 5 is outside its range: a Workload"),
        ({"slo": 3}, "slo = 3 is outside its range: a Slo"),
        ({"deployment": None}, "deployment = None is outside its range: a Deployment"),
    ],
)
def test_a_part_must_be_what_it_is_called(change, match):
    with pytest.raises(ValueError, match=match):
        BASE.with_(**change)


def test_a_missing_key_is_named():
    values = json.loads(BASE.to_json())
    del values["deployment"]["accelerator"]
    with pytest.raises(ValueError, match="deployment: no key accelerator"):
        Scenario.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"precision": "fp6"}, "unknown precision 'fp6'"),
        ({"policy": "chunked"}, "nearest: chunked_prefill"),
        ({"tp": 0}, "tp = 0"),
    ],
)
def test_impossible_deployments(change, match):
    with pytest.raises(ValueError, match=match):
        Deployment(accelerator="h100-sxm", **change)


def test_fp8_on_a_chip_without_it_lists_what_it_has():
    with pytest.raises(ValueError, match=r"no fp8 arithmetic; it has bf16"):
        Deployment(accelerator="a100-sxm-80gb", precision="fp8")


def test_finance_and_parts_by_name():
    with pytest.raises(ValueError, match="utilisation_frac = 80"):
        Finance(cost_usd_per_gpu_hour=2, utilisation_frac=80)
    with pytest.raises(ValueError, match="nearest: on-demand"):
        rent("h100-sxm", term="on demand")
    with pytest.raises(ValueError, match="nearest: finance"):
        BASE.with_(finances=None)


def test_experts_are_spread_over_no_more_than_there_are():
    with pytest.raises(ValueError, match=r"ep = 8 is outside its range: 1 to tp × dp = 4"):
        Deployment(accelerator="h100-sxm", n_gpu=4, tp=4, ep=8)
    wide = Deployment(accelerator="h100-sxm", n_gpu=4, tp=4, ep=4)
    with pytest.raises(ValueError, match=r"ep = 4 .* a dense model has no experts"):
        Scenario.default().with_(deployment=wide)
    with pytest.raises(ValueError, match=r"ep = 16 .* 1 to the lesser of 8 experts"):
        Scenario.default().with_(
            model="mixtral-8x7b",
            deployment=Deployment(accelerator="h100-sxm", n_gpu=16, tp=16, ep=16),
        )
    assert Scenario.default().with_(model="mixtral-8x7b", deployment=wide).deployment.ep == 4


def test_a_workload_goes_by_its_name():
    named = Scenario.default().with_(workload="rag", rate_per_s=2.0)
    assert named == Scenario.default().with_(workload=workload("rag")).with_(rate_per_s=2.0)
    with pytest.raises(UnknownName, match="unknown workload 'ragg'; nearest: rag"):
        named.with_(workload="ragg")


def test_a_place_becomes_its_identifier_so_that_its_owner_finds_the_price_there():
    named = Scenario.default().with_(site="Germany", tenure="owned")
    assert named.site == "germany"
    assert econ.tco.cost(named) == econ.tco.cost(named.with_(site="germany"))


def test_a_name_is_a_text():
    with pytest.raises(ValueError, match=r"name = Range.* is outside its range: a text"):
        Scenario.default().with_(name=Range(1, 2, 3))


def test_what_an_own_accelerator_lacks_is_named_as_its_field():
    gpu = econ.Accelerator(id="mine", memory_bytes=2e11, memory_bandwidth_bytes_per_s=2e12,
                           peak_bf16_flop_per_s=5e14)  # fmt: skip
    with pytest.raises(ValueError, match=r"scaleup_bandwidth_bytes_per_s.*not 4 accelerators"):
        Scenario.default().with_(accelerator=gpu, precision="bf16")
    alone = Scenario.default().with_(accelerator=gpu, n_gpu=1, tp=1, precision="bf16")
    with pytest.raises(ValueError, match="tdp_w"):
        econ.energy.energy(alone, concurrency=4)
    with pytest.raises(ValueError, match="n_per_server and server_power_w"):
        econ.tco.cost(alone.with_(tenure="owned"), concurrency=4)


def test_one_accelerator_holds():
    with pytest.raises(ValueError, match=r", 1 accelerator holds 85\.5 GB"):
        econ.latency.predict(Scenario.of("llama-3.1-405b", "H100"), concurrency=1)


def test_numbers_of_numpy_survive_json():
    s = Scenario.default().with_(rate_per_s=np.float32(2), n_gpu=np.int64(8))
    assert Scenario.from_json(s.to_json()) == s


def test_power_of_a_site_is_kept_and_checked():
    s = Scenario.default().with_(site_mw=0.5, rack_kw=40)
    assert Scenario.from_json(s.to_json()) == s
    assert "0.5 MW, 40 kW a rack" in s.frame()["value"].tolist()
    with pytest.raises(ValueError, match="site_mw = 0 is outside its range"):
        s.with_(site_mw=0)
    with pytest.raises(ValueError, match="rack_kw"):
        s.with_(rack_kw=Range(10, 20, 30))
