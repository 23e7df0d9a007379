"""What a token costs on a machine that somebody owns: a laptop, a card, a machine for a desk.

The price is spread over the hours in which the machine works, and it draws electricity while it
does. Machines of the catalogue that people buy for a desk are predicted from their datasheet and
from the share of the memory's bound that public runs of llama.cpp reached on such machines
(``data/machine/desk_reach.csv``: shares alone, derived from runs of others).

>>> cost = own_cost(50.0, price_usd=1500, power_w=60, electricity_usd_per_kwh=0.15)
>>> round(cost.usd_per_mtok, 2), round(cost.j_per_token, 2)
(2.9, 1.2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.guard import fraction, in_range, not_negative, positive
from econ.catalog.tables import table
from econ.catalog.units import (
    HOUR_S,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    KWH_J,
    usd_per_mtok_from_usd_per_token,
)
from econ.latency.bound import envelope
from econ.latency.shapes import as_model
from econ.latency.steps import DoesNotFit
from econ.machine.probe import Machine
from econ.scenario import Scenario
from econ.station import Result
from econ.tco.finance import annuity_usd_per_month

LIFE_YEARS = 4.0
HOURS_IN_USE = 2.0  # of a day, for a machine that one person owns
FASTEST_TOKENS_PER_S = 1e7


@dataclass(frozen=True, kw_only=True)
class OwnCost(Result):
    """What an hour of a machine of one's own costs while it works, and a token at a rate."""

    output_tokens_per_s: float
    capital_usd_per_hour: float
    electricity_usd_per_hour: float
    usd_per_mtok: float
    j_per_token: float

    @property
    def usd_per_hour(self) -> float:
        """Price and electricity of an hour in use."""
        return self.capital_usd_per_hour + self.electricity_usd_per_hour


def own_cost(
    output_tokens_per_s: float,
    *,
    price_usd: float,
    power_w: float,
    electricity_usd_per_kwh: float,
    life_years: float = LIFE_YEARS,
    hours_per_day: float = HOURS_IN_USE,
    cost_of_capital_frac: float = 0.0,
) -> OwnCost:
    """The cost of a token on a machine that one owns.

    Parameters
    ----------
    output_tokens_per_s : float
        What it writes while it works, over all users, e.g. 50.
    price_usd : float
        What it cost, e.g. 1,500; 0 for one that is there anyway.
    power_w : float
        At the plug while it works, e.g. 60.
    electricity_usd_per_kwh : float
        What a household pays, e.g. 0.15 to 0.40.
    life_years : float
        Until it is replaced, e.g. 4.
    hours_per_day : float
        Hours of a day in which it writes tokens, e.g. 2; up to 24.
    cost_of_capital_frac : float
        Interest per year on the price, e.g. 0.05.

    Returns
    -------
    OwnCost
        USD per hour in use and per million tokens; joules per token.

    Raises
    ------
    ValueError
        For a number outside its range.

    Notes
    -----
    hour = annuity per month / hours in use of a month + kW · USD/kWh;
    token = hour / 3600 / tokens per second.
    """
    positive("output_tokens_per_s", output_tokens_per_s, FASTEST_TOKENS_PER_S)
    not_negative("price_usd", price_usd, 1e8)
    positive("power_w", power_w, 1e6)
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh, 100)
    positive("life_years", life_years, 50)
    in_range("hours_per_day", hours_per_day, 0, HOURS_PER_DAY, open_low=True)
    fraction("cost_of_capital_frac", cost_of_capital_frac)
    month_hours = HOURS_PER_MONTH * hours_per_day / HOURS_PER_DAY
    monthly_usd = annuity_usd_per_month(price_usd, cost_of_capital_frac, life_years)
    capital_usd = float(monthly_usd) / month_hours
    electricity_usd = power_w * HOUR_S / KWH_J * electricity_usd_per_kwh
    token_usd = (capital_usd + electricity_usd) / HOUR_S / output_tokens_per_s
    return OwnCost(
        output_tokens_per_s=output_tokens_per_s,
        capital_usd_per_hour=capital_usd,
        electricity_usd_per_hour=electricity_usd,
        usd_per_mtok=usd_per_mtok_from_usd_per_token(token_usd),
        j_per_token=power_w / output_tokens_per_s,
    )


def scaled_tokens_per_s(
    machine: Machine,
    bandwidth_frac: float,
    *,
    model: Model | str = "llama-3.1-8b",
    precision: str = "int4",
    context_tokens: float = 1000.0,
) -> float:
    """What a real model would write here for one user, at the share that a small one reached.

    Parameters
    ----------
    machine : Machine
        From `measure` or the recorded one.
    bandwidth_frac : float
        Share of the measured bandwidth that decoding reached, e.g. 0.7 (`OwnFit`).
    model : Model or str
        A name of the catalogue or an object of your own.
    precision : str
        Of its weights, e.g. ``"int4"``.
    context_tokens : float
        Of the conversation, e.g. 1,000.

    Returns
    -------
    float
        Tokens per second.

    Raises
    ------
    DoesNotFit
        Where the model exceeds this computer's memory.

    Notes
    -----
    share / bound of one step. That a model of other size and format reaches the same share is an
    assumption: widening 4 bits costs arithmetic that float32 does not.
    """
    fraction("bandwidth_frac", bandwidth_frac)
    return bandwidth_frac / _bound_s(machine.accelerator, model, precision, context_tokens)


def desk_frame(
    model: Model | str = "llama-3.1-8b",
    *,
    precision: str = "int4",
    context_tokens: float = 1000.0,
    hours_per_day: float = HOURS_IN_USE,
    life_years: float = LIFE_YEARS,
    electricity_usd_per_kwh: float = 0.15,
) -> pd.DataFrame:
    """Machines for a desk: what one user gets, and what a token costs, with the band.

    Parameters
    ----------
    model : Model or str
        What runs, e.g. ``"llama-3.1-8b"``.
    precision : str
        int4 or bf16: the formats of which public runs exist.
    context_tokens : float
        Of the conversation, e.g. 1,000.
    hours_per_day, life_years, electricity_usd_per_kwh
        As in `own_cost`.

    Returns
    -------
    DataFrame
        accelerator, kind (card or unified), bound_tokens_per_s, tokens_per_s_per_user with its ends
        low_tokens_per_s and high_tokens_per_s, price_usd, power_w, usd_per_mtok with
        cost_low_usd_per_mtok and cost_high_usd_per_mtok, j_per_token, n_runs (public runs on this
        very device), reason where the model does not fit.

    Notes
    -----
    Tokens per second = bound · median share of the kind's devices, in a band from the lowest to
    the highest of them. The price of a card includes the computer around it.
    """
    rows = []
    for desk in table("desk_machines").itertuples():
        chip = catalog.accelerator(desk.accelerator)
        row: dict[str, Any] = {"accelerator": chip.id, "name": chip.name, "kind": desk.desk_kind}
        share = reach(desk.desk_kind, precision)
        try:
            bound = 1 / _bound_s(chip, model, precision, context_tokens)
        except DoesNotFit as error:
            rows.append({**row, "reason": str(error)})
            continue
        speeds = [bound * share[end] for end in ("typical", "low", "high")]
        prices = (desk.typical_usd, desk.high_usd, desk.low_usd)
        costs = [
            own_cost(
                speed, price_usd=price, power_w=desk.power_w, life_years=life_years,
                hours_per_day=hours_per_day, electricity_usd_per_kwh=electricity_usd_per_kwh,
            )
            for speed, price in zip(speeds, prices, strict=True)
        ]  # fmt: skip
        rows.append(
            row
            | {
                "bound_tokens_per_s": bound,
                "tokens_per_s_per_user": speeds[0],
                "low_tokens_per_s": speeds[1],
                "high_tokens_per_s": speeds[2],
                "price_usd": desk.typical_usd,
                "power_w": desk.power_w,
                "usd_per_mtok": costs[0].usd_per_mtok,
                "cost_low_usd_per_mtok": costs[2].usd_per_mtok,
                "cost_high_usd_per_mtok": costs[1].usd_per_mtok,
                "j_per_token": costs[0].j_per_token,
                "n_runs": int((table("desk_reach")["accelerator"] == chip.id).sum()),
                "reason": "",
            }
        )
    return pd.DataFrame(rows)


def reach(kind: str, precision: str) -> dict[str, float]:
    """Share of the bound that public runs reached on a kind of machine: low, typical and high.

    Parameters
    ----------
    kind : str
        ``"card"`` or ``"unified"``.
    precision : str
        ``"int4"`` or ``"bf16"``.

    Raises
    ------
    ValueError
        Where no run is known.
    """
    rows = table("desk_reach")
    shares = rows[(rows["desk_kind"] == kind) & (rows["precision"] == precision)]["bandwidth_frac"]
    if shares.empty:
        known = sorted(set(zip(rows["desk_kind"], rows["precision"], strict=True)))
        raise ValueError(f"no public run of a {kind} in {precision}; there are {known}")
    return {
        "low": float(shares.min()),
        "typical": float(np.median(shares)),
        "high": float(shares.max()),
    }


def held_out_reach_frame() -> pd.DataFrame:
    """Each device beside what the others of its kind would have said of it.

    Returns
    -------
    DataFrame
        accelerator_name, desk_kind, model, precision, measured_frac, predicted_frac (the median of
        the other devices), ratio.
    """
    rows = table("desk_reach").reset_index(drop=True)
    out = []
    for _, row in rows.iterrows():
        alike = rows[(rows["desk_kind"] == row["desk_kind"])
                     & (rows["precision"] == row["precision"])
                     & (rows["accelerator_name"] != row["accelerator_name"])]  # fmt: skip
        predicted = float(alike["bandwidth_frac"].median())
        out.append(
            {
                "accelerator_name": row["accelerator_name"],
                "desk_kind": row["desk_kind"],
                "model": row["model"],
                "precision": row["precision"],
                "measured_frac": row["bandwidth_frac"],
                "predicted_frac": predicted,
                "ratio": predicted / row["bandwidth_frac"],
            }
        )
    return pd.DataFrame(out)


def _bound_s(chip: Any, model: Model | str, precision: str, context_tokens: float) -> float:
    """One user's decode step at the memory's bound."""
    scenario = Scenario.of(as_model(model), chip, precision=precision)
    return float(envelope(scenario, 1, input_tokens=context_tokens, output_tokens=1e-9).step_s)
