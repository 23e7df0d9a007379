"""Topic ``tco``, whole units: servers for agents and for developers, wafers for a model."""

from __future__ import annotations

import numpy as np

from econ.catalog import model, price
from econ.catalog.units import (
    DAYS_PER_YEAR,
    HOUR_S,
    KILO,
    MONTHS_PER_YEAR,
    usd_per_mtok_from_usd_per_token,
)
from econ.ledger.recompute import recompute
from econ.ledger.tco import step
from econ.tco import token_time
from econ.tco.ownership import Asset, Charge, Ownership, electricity, per_year
from econ.tco.whole_units import break_even, units, whole
from econ.tokens.bill import token_bill


@recompute("units", "list_split_frame", "Ownership")
def agent_servers(
    what: str,
    server_usd: float,
    years: float,
    hosting_usd_per_year: float,
    software_usd_per_year: float,
    n_runs_per_day: float,
    n_calls: float,
    input_tokens: float,
    output_tokens: float,
    peak_hour_frac: float,
    requests_per_s_per_instance: float,
    gpus_per_instance: int,
    output_over_input_factor: float,
    n_licences: int = 1,
    gpus_per_server: int = 8,
) -> float:
    """A vendor's worked example: from runs a day to servers, their year, and a token's price."""
    calls = n_runs_per_day * n_calls
    peak = calls * peak_hour_frac / HOUR_S
    need = units(
        peak_per_s=peak,
        per_s_per_instance=requests_per_s_per_instance,
        gpus_per_instance=gpus_per_instance,
        gpus_per_server=gpus_per_server,
    )
    own = Ownership(
        n_gpu=gpus_per_server,
        assets=(Asset("server", server_usd, 0.0, years, method="straight line"),),
        charges=(
            per_year("hosting", hosting_usd_per_year),
            per_year("software", software_usd_per_year, n_licences),
        ),
    )
    year = own.usd_per_month * MONTHS_PER_YEAR * float(need.n_servers)
    runs = n_runs_per_day * DAYS_PER_YEAR
    split = token_time.list_split_frame(
        year,
        input_tokens=runs * input_tokens,
        output_tokens=runs * output_tokens,
        output_over_input_factor=output_over_input_factor,
    ).set_index("kind")["cost_usd_per_mtok"]
    tokens = runs * (input_tokens + output_tokens)
    return step(
        what,
        {
            "peak requests/s": peak,
            "instances": float(need.n_instances),
            "servers": float(need.n_servers),
            "year": year,
            "thousand requests": year / (calls * DAYS_PER_YEAR) * KILO,
            "Mtok": usd_per_mtok_from_usd_per_token(year / tokens),
            "input Mtok": split["input"],
            "output Mtok": split["output"],
        },
    )


def _node(node_usd, months, watt, pue, usd_per_kwh, colocation_usd_per_month) -> Ownership:
    return Ownership(
        n_gpu=8,
        assets=(Asset("node", node_usd, 0.0, months / MONTHS_PER_YEAR, method="straight line"),),
        charges=(
            electricity(watt, usd_per_kwh, pue=pue),
            Charge("colocation", colocation_usd_per_month),
        ),
    )


@recompute("units", "Ownership", "break_even")
def developers(
    what: str,
    node: dict,
    n_users: int,
    n_users_per_node: float,
    utilisation_frac: float,
    n_spare_servers: int,
    n_fte: float,
    fte_usd_per_month: float,
    api_usd_per_user: float = 0.0,
    n_most: int = 2000,
) -> float:
    """Nodes and staff for a number of developers, and from how many on an API costs more."""
    month = _node(**node).usd_per_month
    each = n_users_per_node * utilisation_frac

    def total_usd(n):
        need = units(peak_per_s=n, per_s_per_instance=each, gpus_per_instance=8,
                     n_spare_servers=n_spare_servers)  # fmt: skip
        return need.n_servers * month + n_fte * fte_usd_per_month

    if what == "break-even users":
        n = np.arange(1, n_most + 1)
        return float(break_even(n, total_usd(n), n * api_usd_per_user).lasting or np.inf)
    return step(
        what,
        {
            "node per month": month,
            "next user": month / each,
            "nodes": float(whole(n_users, each)) + n_spare_servers,
            "per month": float(total_usd(n_users)),
            "per user": float(total_usd(n_users)) / n_users,
        },
    )


@recompute("token_bill")
def api_usd_per_user(
    input_tokens: float, output_tokens: float, hit_frac: float, model: str, provider: str, on: str
) -> float:
    """A user's month on a dated price list; a list without a cached rate bills hits as fresh."""
    return token_bill(
        price(model, provider, on),
        input_tokens=input_tokens,
        cache_read_tokens=input_tokens * hit_frac,
        output_tokens=output_tokens,
    ).total_usd


@recompute("whole", "n_params")
def chips_that_hold(id: str, bytes_per_param: float, chip_bytes: float) -> float:
    """Whole chips that the weights of a model fill."""
    return float(whole(model(id).n_params * bytes_per_param, chip_bytes))
