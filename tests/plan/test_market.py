"""Which accelerators, and what an hour of each costs."""

from __future__ import annotations

import dataclasses

import pytest

from econ.catalog.rents import rents
from econ.plan import plan, prices_of
from econ.tco.layers import owner
from tests.plan.cases import FEW, GPU, SCENARIO


def test_prices_go_from_the_general_to_the_special():
    assert prices_of(SCENARIO) == rents() | {"h100-sxm": 3.99}
    assert prices_of(SCENARIO, {"h100-sxm": 1.0})["h100-sxm"] == 1.0


def test_own_accelerators_need_a_price_and_a_name_of_their_own():
    with pytest.raises(ValueError, match="no price of my-gpu, an accelerator of your own"):
        plan(SCENARIO, [GPU], **FEW)
    with pytest.raises(ValueError, match="no price of my-gpu"):
        plan(SCENARIO.with_(accelerator=GPU), **FEW)
    twin = dataclasses.replace(GPU, id="h100-sxm", memory_bandwidth_bytes_per_s=5e12)
    with pytest.raises(ValueError, match="no price of h100-sxm, an accelerator of your own"):
        plan(SCENARIO, [twin], **FEW)
    prices = {"h100-sxm": 3.0}
    with pytest.raises(ValueError, match="two accelerators are called 'h100-sxm'"):
        plan(SCENARIO, [twin, "h100-sxm"], prices_usd_per_gpu_hour=prices, **FEW)


def test_an_owner_pays_for_server_and_site():
    owned = SCENARIO.with_(tenure="owned")
    chips = ["h100-sxm", "h200-sxm"]
    answer = plan(owned, chips, **FEW)
    hour = answer.rows.drop_duplicates("accelerator").set_index("accelerator")["usd_per_gpu_hour"]
    assert hour["h100-sxm"] == pytest.approx(owner(owned).cost_usd_per_gpu_hour)
    assert hour["h200-sxm"] > hour["h100-sxm"]
    assert answer.scenario().finance == owned.finance
    dear = plan(owned.with_(electricity_usd_per_kwh=0.5), chips, **FEW)
    assert dear.cost_usd_per_good_mtok > answer.cost_usd_per_good_mtok
    server = plan(owned.with_(server_usd=900_000.0), chips, **FEW)
    assert server.best["accelerator"] == "h200-sxm"
    assert server.scenario().finance.server_usd is None
    given = plan(owned, chips, prices_usd_per_gpu_hour={"h100-sxm": 0.5}, **FEW)
    assert given.scenario().finance.cost_usd_per_gpu_hour == 0.5
    with pytest.raises(ValueError, match="server_usd"):
        plan(owned.with_(accelerator=GPU), **FEW)
    everywhere = plan(owned, **FEW).rows
    assert set(everywhere.loc[everywhere["constraint"] != "price", "accelerator"]) >= set(chips)


def test_a_rental_term_selects_the_price():
    spot = plan(SCENARIO.with_(term="spot"), ["h100-sxm"], **FEW).best["usd_per_gpu_hour"]
    assert spot == rents("spot")["h100-sxm"]
    with pytest.raises(ValueError, match="unknown rental term 'sopt'"):
        plan(SCENARIO.with_(term="sopt"), ["h100-sxm"], **FEW)
