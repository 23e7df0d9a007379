"""The catalogue: what a row becomes, what an unknown name or a bad number says."""

from __future__ import annotations

import builtins
import dataclasses
import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.catalog import (
    Accelerator,
    Price,
    Site,
    UnknownName,
    accelerator,
    accelerators_frame,
    model,
    models_frame,
    price,
    prices_frame,
    prices_now_frame,
    site,
    table,
)
from econ.catalog.precision import PRECISIONS

CHIP = {
    "id": "mine",
    "memory_bytes": 80e9,
    "memory_bandwidth_bytes_per_s": 3e12,
    "peak_bf16_flop_per_s": 1e15,
}


# -- rows become objects --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("build", "name"),
    [(accelerator, "accelerators"), (site, "sites"), (model, "models")],
)
def test_every_row_becomes_an_object_with_its_figures(build, name):
    rows = table(name)
    for id, row in rows.iterrows():
        thing = build(id)
        for field in dataclasses.fields(thing):
            value = getattr(thing, field.name)
            if field.name in row.index and value not in (None, "") and row[field.name] != 0:
                assert value == row[field.name], (id, field.name)


def test_an_empty_cell_is_none_and_never_zero():
    rows = accelerators_frame()
    lacking = rows.index[rows["peak_fp8_flop_per_s"].isna()]
    assert len(lacking) > 3
    assert all(accelerator(id).peak_fp8_flop_per_s is None for id in lacking)
    assert site("mexico").electricity_usd_per_kwh is None
    assert site("us-virginia").pue is None  # of the operator, not of the place


def test_objects_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        accelerator("h100-sxm").tdp_w = 1.0


def test_an_operator_adds_its_own_figures():
    place = site("us-oregon", operator="google")
    assert place.pue == table("operators").loc["google", "pue"]
    assert place.carbon_g_per_kwh == site("us-oregon").carbon_g_per_kwh
    with pytest.raises(UnknownName, match="unknown operator 'gogle'; nearest: google"):
        site("us-oregon", operator="gogle")


# -- unknown names --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("look_up", "says"),
    [
        (lambda: accelerator("H100-SMX"), "unknown accelerator 'H100-SMX'; nearest: h100-sxm"),
        (lambda: model("llama-3.1-7b"), r"unknown model 'llama-3\.1-7b'; nearest: .*llama-3\.1-"),
        (lambda: site("virgina"), "unknown site 'virgina'; nearest: us-virginia"),
        (lambda: price("gpt4o-mini"), "unknown priced model 'gpt4o-mini'; nearest: gpt-4o-mini"),
        (lambda: price("gpt-5", "OpenAl"), "unknown provider of gpt-5 'OpenAl'; nearest: OpenAI"),
        (
            lambda: accelerator("h100-sxm").peak_flop_per_s("bf61"),
            "unknown precision 'bf61'; nearest: bf16",
        ),
    ],
)
def test_an_unknown_name_lists_the_nearest(look_up, says):
    with pytest.raises(UnknownName, match=says):
        look_up()


# -- numbers are checked at construction ----------------------------------------------------
@pytest.mark.parametrize("bad", [-1, 0, math.nan, math.inf, "80", True])
def test_a_bad_number_repeats_name_value_and_range(bad):
    with pytest.raises(ValueError, match=r"memory_bytes = .* is outside its range: a finite num"):
        Accelerator(**{**CHIP, "memory_bytes": bad})


@given(
    st.sampled_from([f.name for f in dataclasses.fields(Accelerator) if f.type != "str"]),
    st.one_of(st.floats(max_value=0), st.just(math.nan)),
)
def test_no_figure_of_an_accelerator_may_be_negative(name, bad):
    with pytest.raises(ValueError, match=f"{name} = "):
        Accelerator(**{**CHIP, name: bad})


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Site(id="x", pue=0.9), "pue = 0.9 is outside its range: 1 to 10"),
        (lambda: Site(id="x", electricity_usd_per_kwh=-0.1), "electricity_usd_per_kwh = -0.1"),
        (
            lambda: Price(
                model="x", input_usd_per_mtok=1, output_usd_per_mtok=2, batch_discount_frac=50
            ),
            r"batch_discount_frac = 50 .*a share, not a percentage",
        ),
        (lambda: Price(model="x", input_usd_per_mtok=-1, output_usd_per_mtok=2), "input_usd_per_m"),
        (lambda: Accelerator(**CHIP, n_per_server=7.5), "n_per_server = 7.5 .* a whole number"),
        (lambda: Accelerator(**CHIP, link_kind="swich"), "unknown link_kind 'swich'; nearest: swi"),
    ],
)
def test_absurd_figures_are_refused(build, says):
    with pytest.raises(ValueError, match=says):
        build()


# -- precisions -----------------------------------------------------------------------------
def test_peaks_by_precision():
    h100, a100, b200 = (
        accelerator("h100-sxm"),
        accelerator("a100-sxm-80gb"),
        accelerator("b200-sxm"),
    )
    ratio = h100.peak_flop_per_s("fp8") / h100.peak_flop_per_s("bf16")
    assert ratio == pytest.approx(2, rel=1e-3)
    # weights stored in 4 bits are widened before they are multiplied, unless fp4 is native
    assert h100.peak_flop_per_s("fp4") == h100.peak_flop_per_s("int4") == h100.peak_flop_per_s()
    assert b200.peak_flop_per_s("fp4") == 9e15
    with pytest.raises(ValueError, match="a100-sxm-80gb has no fp8 arithmetic; it has bf16, fp16"):
        a100.peak_flop_per_s("fp8")


def test_what_a_chip_says_it_serves_it_serves():
    for id in accelerators_frame().index:
        chip = accelerator(id)
        for precision in PRECISIONS:
            if precision in chip.precisions:
                assert chip.peak_flop_per_s(precision) > 0
            else:
                with pytest.raises(ValueError, match=f"{id} has no {precision}"):
                    chip.peak_flop_per_s(precision)


def test_single_precision_is_a_format_where_a_peak_is_known():
    own = econ.Accelerator(
        id="laptop", memory_bytes=16e9, memory_bandwidth_bytes_per_s=40e9,
        peak_bf16_flop_per_s=3e11, peak_fp32_flop_per_s=3e11,
    )  # fmt: skip
    net = econ.catalog.model("llama-3.1-8b")
    s = econ.Scenario.of(net, own, precision="fp32", workload_id="chat", input_tokens=10)
    assert econ.latency.weight_bytes(net, "fp32") == 4 * net.n_params > own.memory_bytes
    with pytest.raises(econ.latency.DoesNotFit):
        econ.latency.predict(s, concurrency=1)
    half, full = (econ.catalog.engines.Engine().kv_bytes_per_element(p) for p in ("bf16", "fp32"))
    assert (half, full) == (2.0, 4.0)


# -- prices ---------------------------------------------------------------------------------
def test_the_latest_price_by_default_and_the_one_in_force_on_a_date():
    assert price("gpt-5.6-luna").input_usd_per_mtok == 0.2
    assert price("gpt-5.6-luna", on="2026-06-30").input_usd_per_mtok == 1.0
    assert price("gpt-3-davinci", on="2022-08").output_usd_per_mtok == 60
    assert price("gpt-3-davinci", on="2022-09").output_usd_per_mtok == 20


def test_prices_before_the_first_and_on_no_date_are_refused():
    with pytest.raises(ValueError, match=r"no price of gpt-5 before 2025-08; asked for 2024-01"):
        price("gpt-5", on="2024-01")
    with pytest.raises(
        ValueError, match="on = 'yesterday' is outside its range: a date as YYYY-MM"
    ):
        price("gpt-5", on="yesterday")


def test_a_model_with_several_sellers_needs_one():
    with pytest.raises(ValueError, match=r"gpt-oss-120b is sold by .*Groq.*: name a provider"):
        price("gpt-oss-120b")
    assert price("gpt-oss-120b", "Groq").provider == "Groq"


def test_every_price_row_can_be_asked_for():
    for row in prices_frame().itertuples():
        found = price(row.model, row.provider, on=row.in_force_since)
        assert found.input_usd_per_mtok == row.input_usd_per_mtok
        assert found.output_usd_per_mtok == row.output_usd_per_mtok


def test_prices_now_agree_with_the_package_by_hand():
    frame = prices_now_frame(datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC))
    assert frame["provider"].nunique() > 20
    assert frame["source"].str.fullmatch(r"genai-prices \d+\.\d+\.\d+").all()
    assert (frame[["input_usd_per_mtok", "output_usd_per_mtok"]] >= 0).all(axis=None)
    opus = frame[(frame["provider"] == "Anthropic") & (frame["model"] == "claude-opus-4-5")]
    dated = price("claude-opus-4-5")
    for column in ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok"):
        assert opus[column].item() == getattr(dated, column)
    assert opus["batch_discount_frac"].item() == dated.batch_discount_frac == 0.5
    assert frame["tiered"].any()
    assert not frame["tiered"].all()


def test_prices_now_without_the_package_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("genai_prices"):
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'inference-economics\[notebooks\]'"):
        prices_now_frame()


# -- frames ---------------------------------------------------------------------------------
def test_frames_hold_a_row_per_object():
    assert list(models_frame()["id"]) == list(table("models")["id"])
    llama = models_frame().loc["llama-3.1-70b"]
    assert llama["n_params"] == model("llama-3.1-70b").n_params
    assert llama["kv_bytes_per_token"] == 327_680


def test_names_as_bills_write_them_have_a_price():
    from econ.catalog import price_now, prices_now_frame

    for name in ("gpt-5-mini-2025-08-07", "openai/gpt-5-mini", "litellm_proxy/openai/gpt-5-mini"):
        assert price_now(name).model == "gpt-5-mini"
    assert price_now("gpt-5-mini", "OpenAI").services == price_now("gpt-5-mini").services
    with pytest.raises(ValueError, match="unknown priced model 'gtp-9'"):
        price_now("gtp-9")
    rows = prices_now_frame().set_index(["provider", "model"])
    sonnet = rows.loc[("Anthropic", "claude-sonnet-4-5")]
    assert sonnet["tiered"]
    assert sonnet["cache_write_1h_usd_per_mtok"] == 6
    assert {(r.service, r.above_input_tokens) for r in sonnet["other_rates"]} == {
        ("standard", 200_000), ("batch", 0), ("batch", 200_000)}  # fmt: skip
