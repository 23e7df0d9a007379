"""Power as a limit: what a site of some megawatts holds, what a cap and an hour off the grid cost.

>>> from econ.scenario import Scenario
>>> round(site_w_per_gpu(Scenario.default()))  # of an H100, its share of the server, and cooling
2110
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.guard import fraction, not_negative, one_of
from econ.catalog.provisioned import Unit
from econ.catalog.units import HOUR_S, HOURS_PER_MONTH, MEGA
from econ.energy.consumption import energy
from econ.latency.prediction import answer_s, predict
from econ.scenario import Scenario
from econ.station import Result, require_certain, station
from econ.tco.bill import cost

PHASES = ("prefill", "decode")


def site_w_per_gpu(s: Scenario) -> float:
    """Watts that a site must provide for one accelerator: its share of the server, and cooling.

    Parameters
    ----------
    s : Scenario
        Its accelerator and site count.

    Returns
    -------
    float
        W, e.g. 2,100 for an H100 in a building of average PUE; nan where neither the server's
        power nor the TDP is known.

    Notes
    -----
    provisioned power of the server / accelerators in it · PUE. Where no server is listed, the TDP
    times the median ratio of provisioned power to TDP over the listed servers.

    Examples
    --------
    >>> s = Scenario.default()
    >>> site_w_per_gpu(s.with_(accelerator="b200-sxm")) > site_w_per_gpu(s)
    True
    """
    require_certain("site_w_per_gpu", s)
    site = s.resolved_site
    if site.pue is None:
        raise ValueError(f"pue of {site.id} is unknown: set it with scenario.with_(pue=...)")
    unit = Unit.of(s.deployment.resolved_accelerator)
    return unit.power_w / unit.n_gpu * site.pue


@dataclass(frozen=True, kw_only=True)
class Megawatts(Result):
    """What a site full of one deployment writes, costs and earns.

    Attributes
    ----------
    n_gpu, n_replicas : int
        Accelerators in whole servers, and the replicas that they make.
    power_mw : float
        Power that the servers are provisioned with, cooling included.
    output_tokens_per_s, answers_per_s : float
        Of the whole site, with as many users as the SLO allows or as many as are given.
    cost_usd_per_hour, usd_per_mtok : float
        What the accelerators cost, and a million output tokens.
    value_usd_per_hour, profit_usd_per_hour : float
        Of accepted answers; nan without a value.
    tokens_per_s_per_mw, cost_usd_per_mw_hour, profit_usd_per_mw_hour : float
        The same over the site's own megawatts, used or not.
    """

    n_gpu: int
    n_replicas: int
    power_mw: float
    output_tokens_per_s: float
    answers_per_s: float
    cost_usd_per_hour: float
    usd_per_mtok: float
    value_usd_per_hour: float
    profit_usd_per_hour: float
    tokens_per_s_per_mw: float
    cost_usd_per_mw_hour: float
    profit_usd_per_mw_hour: float
    regime: str


@station(headline="tokens_per_s_per_mw", searches=True)
def megawatts(
    s: Scenario,
    *,
    concurrency: float | None = None,
    value_usd_per_answer: float | None = None,
    right_frac: float = 1.0,
) -> Megawatts:
    """What the power of a scenario's site holds of its deployment, at full load.

    Parameters
    ----------
    s : Scenario
        Deployment, SLO, site, finance, and the limit ``site_mw``.
    concurrency : float, optional
        Users of the deployment, e.g. 64; None for the most within the SLO.
    value_usd_per_answer : float, optional
        What an answer that is right and in time is worth, e.g. 0.002.
    right_frac : float
        Share of answers that are right, e.g. 0.7.

    Raises
    ------
    ValueError
        Without ``site_mw``, or where not one replica finds power: with what one needs.

    Notes
    -----
    profit = 3600 · answers/s · right share · attainment of the SLO · value − cost of the
    accelerators. The site's last fraction of a server and of a replica stays empty.

    Examples
    --------
    >>> site = megawatts(Scenario.default().with_(site_mw=1.0, pue=1.2))
    >>> site.n_gpu, site.n_replicas, round(site.power_mw, 2)
    (608, 152, 1.0)
    """
    if s.site_mw is None:
        raise ValueError("no site_mw is set: say how many MW the site has, e.g. with_(site_mw=1)")
    most_gpu, words = s.power_limit()
    size = int(s.deployment.n_gpu)
    if most_gpu < size:
        raise ValueError(f"{words}; one deployment has {size}")
    n = most_gpu // size
    hour = cost(s, concurrency=concurrency)
    rate = n * size * hour.output_tokens_per_s_per_gpu
    answers = rate / s.workload.mean_output_tokens
    accepted = answers * fraction("right_frac", right_frac) * s.slo.attainment_frac
    worth = math.nan
    if value_usd_per_answer is not None:
        worth = HOUR_S * accepted * not_negative("value_usd_per_answer", value_usd_per_answer)
    usd = n * size * hour.usd_per_gpu_hour
    mw = float(s.site_mw)
    return Megawatts(
        n_gpu=n * size,
        n_replicas=n * s.n_replicas,
        power_mw=most_gpu * site_w_per_gpu(s) / MEGA,
        output_tokens_per_s=rate,
        answers_per_s=answers,
        cost_usd_per_hour=usd,
        usd_per_mtok=hour.usd_per_mtok,
        value_usd_per_hour=worth,
        profit_usd_per_hour=worth - usd,
        tokens_per_s_per_mw=rate / mw,
        cost_usd_per_mw_hour=usd / mw,
        profit_usd_per_mw_hour=(worth - usd) / mw,
        regime=hour.regime,
    )


def power_bill_usd_per_month(
    energy_kwh: float,
    peak_kw: float,
    *,
    usd_per_kwh: float,
    demand_usd_per_kw_month: float = 0.0,
    contracted_kw: float | None = None,
    least_billed_frac: float = 0.85,
) -> float:
    """A month's electricity: energy, and the demand that is billed whether it is drawn or not.

    Parameters
    ----------
    energy_kwh, peak_kw : float
        Drawn in the month, and at its peak, e.g. 500,000 kWh and 1,000 kW.
    usd_per_kwh, demand_usd_per_kw_month : float
        Prices of energy and of a kW of demand, e.g. 0.07 and 10.
    contracted_kw : float, optional
        Demand in the contract; by default the peak.
    least_billed_frac : float
        Share of the contract that is billed at least (take or pay), e.g. 0.85.

    Returns
    -------
    float
        USD for the month.

    Notes
    -----
    energy · price + max(peak, least share · contract) · price of demand.

    References
    ----------
    AEP Ohio's tariff of 2025 and Dominion's GS-5: ``data/energy/power_terms.csv``.

    Examples
    --------
    >>> power_bill_usd_per_month(0, 0, usd_per_kwh=0.07, demand_usd_per_kw_month=10,
    ...                          contracted_kw=1000)
    8500.0
    """
    not_negative("energy_kwh", energy_kwh)
    not_negative("peak_kw", peak_kw)
    contract = peak_kw if contracted_kw is None else not_negative("contracted_kw", contracted_kw)
    billed_kw = max(peak_kw, fraction("least_billed_frac", least_billed_frac) * contract)
    energy_usd = energy_kwh * not_negative("usd_per_kwh", usd_per_kwh)
    return energy_usd + billed_kw * not_negative("demand_usd_per_kw_month", demand_usd_per_kw_month)


def delay_usd_per_mw(profit_usd_per_mw_hour: float, wait_months: float) -> float:
    """Profit that a megawatt misses while its connection waits.

    Parameters
    ----------
    profit_usd_per_mw_hour : float
        What a megawatt earns once it runs, e.g. 900.
    wait_months : float
        Of waiting, e.g. 12.

    Returns
    -------
    float
        USD per MW; nothing is discounted.

    Examples
    --------
    >>> delay_usd_per_mw(1000, 12)
    8760000.0
    """
    return profit_usd_per_mw_hour * not_negative("wait_months", wait_months) * HOURS_PER_MONTH


def curtailment_usd_per_mw_hour(
    profit_usd_per_mw_hour: float,
    *,
    cut_frac: float,
    batch_frac: float,
    batch_lost_frac: float = 0.0,
) -> float:
    """What an hour with less power costs, if work that can wait is cut first.

    Parameters
    ----------
    profit_usd_per_mw_hour : float
        What a megawatt at work earns above the costs that stop with it, e.g. 900: revenue less
        electricity. Machines that stand still are paid all the same, so profit after their cost
        is a lower bound.
    cut_frac : float
        Share of the power given up for the hour, e.g. 0.25.
    batch_frac : float
        Share of the power that serves work which may wait, e.g. 0.3.
    batch_lost_frac : float
        Share of the delayed work that is never done, e.g. 0.1; the rest is done later, in an
        hour that has room.

    Returns
    -------
    float
        USD per MW of the site and hour of the event.

    Notes
    -----
    earning · (cut beyond the batch work + cut inside it · share lost).

    Examples
    --------
    >>> curtailment_usd_per_mw_hour(900, cut_frac=0.25, batch_frac=0.3, batch_lost_frac=0.1)
    22.5
    >>> curtailment_usd_per_mw_hour(900, cut_frac=0.25, batch_frac=0.0)
    225.0
    """
    cut, batch = fraction("cut_frac", cut_frac), fraction("batch_frac", batch_frac)
    inside = min(cut, batch)
    lost = cut - inside + inside * fraction("batch_lost_frac", batch_lost_frac)
    return max(profit_usd_per_mw_hour, 0.0) * lost


def capped_speed_frac(cap_frac: float, phase: str) -> float:
    """How fast a phase runs under a power cap, against no cap.

    Parameters
    ----------
    cap_frac : float
        Cap over the board's limit, e.g. 0.7.
    phase : str
        prefill, which is bound by arithmetic, or decode, which waits for the memory.

    Returns
    -------
    float
        Share of the speed, e.g. 0.85 of prefill and 0.97 of decode at 0.7.

    Raises
    ------
    ValueError
        Below the lowest cap that was measured.

    Notes
    -----
    Lines between the points measured on one rig of six RTX 3090 (``data/energy/power_caps.csv``),
    the only public ones that we found: a shape, not a datasheet. One point of another card, an
    RTX 5060 Ti in decode, lies on the line to 0.1 %. A cap above what a phase draws changes
    nothing: an H200 draws 137 to 300 of its 700 W in decode.

    Examples
    --------
    >>> capped_speed_frac(1.0, "decode"), capped_speed_frac(0.5, "prefill") < 0.5
    (1.0, True)
    """
    one_of("phase", phase, PHASES)
    rows = table("power_caps")
    rows = rows[(rows["phase"] == phase) & (rows["accelerator"] == "rtx-3090")].sort_values(
        "cap_frac"
    )
    least = float(rows["cap_frac"].iloc[0])
    if not least <= cap_frac <= 1:
        raise ValueError(f"cap_frac = {cap_frac} is outside its range: {least} to 1, as measured")
    caps = [*rows["cap_frac"], 1.0]
    return float(np.interp(cap_frac, caps, [*rows["speed_frac"], 1.0]))


@dataclass(frozen=True, kw_only=True)
class Capped(Result):
    """A deployment under a power cap, against none.

    Attributes
    ----------
    cap_w : float
        Of one board.
    prefill_speed_frac, decode_speed_frac : float
        Share of the speed that each phase keeps; 1 where the cap lies above what it draws.
    ttft_s, tpot_s : float
        Under the cap.
    j_per_output_token : float
        Of the accelerators, prefill included.
    time_factor, energy_factor : float
        Time of an answer and joules of a token over those without a cap.
    """

    cap_w: float
    prefill_speed_frac: float
    decode_speed_frac: float
    ttft_s: float
    tpot_s: float
    j_per_output_token: float
    time_factor: float
    energy_factor: float
    regime: str


@station(headline="energy_factor")
def capped(s: Scenario, *, cap_frac: float, concurrency: float) -> Capped:
    """Time and energy of a deployment whose boards are capped.

    Parameters
    ----------
    s : Scenario
        The deployment.
    cap_frac : float
        Cap over the board's limit, e.g. 0.7.
    concurrency : float
        Users, e.g. 32.

    Raises
    ------
    ValueError
        Below the lowest cap that was measured, or where no limit of the board is published.

    Notes
    -----
    What a phase draws is the power law's (`econ.energy`). A cap above that changes nothing. Below
    it the phase draws the cap and keeps `capped_speed_frac` of its speed; joules are power · time.
    The speeds come from one rig of six RTX 3090. There tokens per kWh fell under every cap, since
    its cards seldom drew what the cap allows: this counts a phase that does.

    Examples
    --------
    >>> one = capped(Scenario.default(), cap_frac=0.7, concurrency=16)
    >>> one.decode_speed_frac, one.prefill_speed_frac < 0.9
    (1.0, True)
    """
    power = energy(s, concurrency=concurrency)
    wait = predict(s, concurrency=concurrency)
    cap_w = cap_frac * power.tdp_w
    draws = {"prefill": power.prefill_power_w, "decode": power.decode_power_w}
    speed = {
        phase: capped_speed_frac(cap_frac, phase) if draw > cap_w else 1.0
        for phase, draw in draws.items()
    }
    prefill_j = power.j_per_output_token * power.prefill_share_frac
    decode_j = power.j_per_output_token - prefill_j
    after = sum(
        j * min(cap_w / draws[phase], 1.0) / speed[phase]
        for phase, j in (("prefill", prefill_j), ("decode", decode_j))
    )
    ttft_s, tpot_s = wait.ttft_s / speed["prefill"], wait.tpot_s / speed["decode"]
    tokens = s.workload.mean_output_tokens
    time_factor = answer_s(ttft_s, tpot_s, tokens) / answer_s(wait.ttft_s, wait.tpot_s, tokens)
    return Capped(
        cap_w=cap_w,
        prefill_speed_frac=speed["prefill"],
        decode_speed_frac=speed["decode"],
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        j_per_output_token=after,
        time_factor=float(time_factor),
        energy_factor=after / power.j_per_output_token,
        regime=power.regime,
    )


def caps_frame() -> pd.DataFrame:
    """Speed and energy per token under caps: ``phase, cap_frac, speed_frac, energy_frac``.

    ``energy_frac`` counts a phase that draws its cap: cap over speed.

    >>> bool(caps_frame().query("phase == 'prefill'")["energy_frac"].max() > 1)
    True
    """
    rows = table("power_caps")
    rows = rows[rows["accelerator"] == "rtx-3090"].reset_index(drop=True)
    rows = rows.assign(energy_frac=rows["cap_frac"] / rows["speed_frac"])
    return rows[["phase", "cap_frac", "speed_frac", "energy_frac"]]
