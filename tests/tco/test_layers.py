"""Layers of an owned hour: each is a row; a scenario brings its site; what is unknown is named."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from econ.catalog import Accelerator, Site, given, table
from econ.catalog.tables import data_dir
from econ.scenario import Scenario
from econ.tco.layers import TERMS, cost_layers, owner

OWN_CHIP = Accelerator(
    id="my-chip", memory_bytes=96e9, memory_bandwidth_bytes_per_s=2e12, peak_bf16_flop_per_s=4e14
)
OPTIONAL = ("licences", "staff", "support", "insurance")


def test_every_default_is_a_row():
    named = {layer.quote: layer.typical for layer in cost_layers()}
    named |= {name: given("tco_inputs", id).typical for name, id in TERMS.items()}
    server = table("servers").loc["h200-sxm"]
    named |= {"server_usd": server.typical_usd, "provisioned_w": server.provisioned_w, "n_gpu": 8}
    optional = {layer.quote for layer in cost_layers() if not layer.counted or layer.housing}
    required = {name: value for name, value in named.items() if name not in optional}
    frames = [owner("h200-sxm", **inputs).frame() for inputs in (required, {})]
    assert frames[0].drop(columns="source").equals(frames[1].drop(columns="source"))


def test_a_new_layer_is_one_row(tmp_path):
    """A folder of data with one more row: the owner's hour, the bill and the inputs follow."""
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder)
    row = ("security,Guards,operation,security,guards_usd_per_gpu_per_year,USD per GPU-year,"
           "gpu_year,0,876,876,true,,,false,judgement,2026-11,assumed,2027-12-31,")  # fmt: skip
    with (folder / "tco" / "layers.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    code = (
        "import json; from econ.tco.layers import owner; a = owner('h100-sxm');"
        "b = owner('h100-sxm', guards_usd_per_gpu_per_year=0);"
        "print(json.dumps([a.groups()['security'],"
        " a.cost_usd_per_gpu_hour - b.cost_usd_per_gpu_hour]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ECON_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(out.stdout) == pytest.approx([0.1, 0.1])


def test_licences_and_staff_are_layers_of_their_own():
    plain = owner("h100-sxm")
    more = owner("h100-sxm", licence_usd_per_gpu_per_year=8760, staff_usd_per_year=876 * 8)
    assert more.cost_usd_per_gpu_hour - plain.cost_usd_per_gpu_hour == pytest.approx(1.1)
    groups = more.groups()
    assert (groups["licences"], groups["staff"]) == pytest.approx((1.0, 0.1))
    assert groups["space and services"] == pytest.approx(plain.groups()["space and services"])
    assert set(owner("h100-sxm", include=OPTIONAL).groups().index) == {
        layer.group for layer in cost_layers()
    }


def test_what_a_fleet_pays_is_spread_over_it():
    small, large = (
        owner("h100-sxm", include=["staff"], n_fleet_gpu=n).groups()["staff"] for n in (8, 800)
    )
    assert small == pytest.approx(100 * large)
    assert small == pytest.approx(360_000 / 8760 / 8)


def test_a_building_of_ones_own_takes_the_place_of_colocation():
    rented, own = owner("h100-sxm"), owner("h100-sxm", housing="own building")
    assert "colocation" in {c.name for c in rented.charges}
    assert "colocation" not in {c.name for c in own.charges}
    assert own.assets[-1].name == "facility"
    assert own.cost_usd_per_gpu_hour == pytest.approx(rented.cost_usd_per_gpu_hour, rel=0.15)


@pytest.mark.parametrize("accelerator", table("servers").index)
def test_low_typical_high_are_in_order(accelerator):
    levels = [owner(accelerator, level=x).cost_usd_per_gpu_hour for x in ("low", "typical", "high")]
    assert levels == sorted(levels)


def test_samples_go_through_at_once():
    price, life = np.array([200e3, 258e3, 320e3]), np.array([3.0, 5.0, 6.0])
    got = owner("h100-sxm", server_usd=price, life_years=life).cost_usd_per_gpu_hour
    one = [
        owner("h100-sxm", server_usd=p, life_years=n).cost_usd_per_gpu_hour
        for p, n in zip(price, life, strict=True)
    ]
    assert got.tolist() == pytest.approx(one)


# -- a scenario's owner, and what is unknown -----------------------------------------------------
def test_a_scenario_brings_its_site_life_and_cost_of_capital():
    s = Scenario.default().with_(tenure="owned")
    virginia, france = owner(s), owner(s.with_(site="france"))
    ratio = france.groups()["electricity"] / virginia.groups()["electricity"]
    assert ratio == pytest.approx(0.1024 / 0.0899)
    site = s.resolved_site
    by_hand = owner(
        "h100-sxm", electricity_usd_per_kwh=site.electricity_usd_per_kwh, pue=site.pue, life_years=4
    )
    assert owner(s.with_(life_years=4)).cost_usd_per_gpu_hour == by_hand.cost_usd_per_gpu_hour
    cheap = owner(s.with_(cost_of_capital_frac=0.0))
    assert cheap.capital_usd_per_month < virginia.capital_usd_per_month


def test_each_layer_names_the_source_of_its_own_price():
    def sources(of, **inputs):
        return owner(of, **inputs).frame().set_index("layer")["source"]

    assert sources("h200-sxm")["server"] == table("servers")["source"]["h200-sxm"]
    assert sources("h100-sxm", spare_frac=0.1)["spares"] == "given"
    s = Scenario.default().with_(tenure="owned")
    assert sources(s)["electricity"] == "eia-2024"
    assert sources(s.with_(site="france"))["electricity"] == "eurostat-prices"
    quoted = dataclasses.replace(s.finance, server_usd=2e5, source="our quote")
    assert sources(s.with_(finance=quoted))["server"] == "our quote"


def test_an_accelerator_of_ones_own_says_what_is_unknown():
    with pytest.raises(ValueError, match="n_gpu, provisioned_w, server_usd of my-chip: unknown"):
        owner(OWN_CHIP)
    bought = owner(OWN_CHIP, n_gpu=8, provisioned_w=9_000, server_usd=150_000)
    assert 0.5 < bought.cost_usd_per_gpu_hour < owner("h100-sxm").cost_usd_per_gpu_hour
    dark = Scenario.default().with_(site=Site(id="moon", pue=1.2), operator="", tenure="owned")
    with pytest.raises(ValueError, match="electricity_usd_per_kwh of moon is unknown"):
        owner(dark)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: owner("h100-sxn"), "nearest: h100-sxm"),
        (lambda: owner("l4"), "server_usd of l4: unknown in data/tco/servers.csv"),
        (lambda: owner("h100-sxm", level="mean"), "unknown level"),
        (lambda: owner("h100-sxm", housing="tent"), "unknown housing"),
        (lambda: owner("h100-sxm", include=["stuff"]), "unknown layer 'stuff'; nearest: staff"),
        (lambda: owner("h100-sxm", hourly_usd=1), "unknown input of an owner"),
        (lambda: owner("h100-sxm", facility_usd_per_w=3), "needs housing='own building'"),
        (lambda: owner("h100-sxm", life_years=0), "years = 0"),
        (lambda: owner("h100-sxm", spare_frac=-0.1), "spare_frac = -0.1"),
        (lambda: owner("h100-sxm", n_gpu=0), "n_gpu = 0"),
        (lambda: owner("h100-sxm", pue=0.9), "pue = 0.9"),
        (lambda: owner("h100-sxm", power_load_frac=80), "power_load_frac = 80"),
        (lambda: owner("h100-sxm", provisioned_w=-1), "provisioned_w = -1"),
        (lambda: owner("h100-sxm", support_frac_per_year=5), "support: share of capital"),
        (lambda: owner("h100-sxm", licence_usd_per_gpu_per_year=float("nan")), "per_year = nan"),
        (lambda: given("tco_inputs", "pu"), "nearest: pue"),
    ],
)
def test_bad_names_and_numbers(call, says):
    with pytest.raises(ValueError, match=says):
        call()
