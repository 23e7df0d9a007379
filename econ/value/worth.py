"""Which model, fleet and tier earn the most: value of accepted answers less their cost.

An answer is worth something only if it is right and in time. So a cheap model that fails often, or
a full machine that answers late, can be the dear one. `value` prices every model × accelerator ×
number format × tier × batch of a menu, sizes its fleet for the demand under the limit of
accelerators or megawatts, and returns the option that earns the most, or none.

>>> from econ.scenario import Scenario
>>> s = Scenario.default()
>>> one = value(s, value_usd_per_answer=0.01, right_frac={"llama-3.1-70b": 0.7})
>>> one.profit_usd_per_hour > 0, one.break_even_usd_per_answer < 0.01
(True, True)
>>> value(s, value_usd_per_answer=0.0, right_frac={"llama-3.1-70b": 0.7}).serves
False
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import positive
from econ.catalog.menus import Answering, answering
from econ.catalog.scores import BENCHMARK
from econ.catalog.units import HOUR_S
from econ.latency.calibration import bands as latency_bands
from econ.latency.prediction import predict_scenarios
from econ.scenario import Scenario
from econ.station import require_certain
from econ.tco.earning import Earning, Tiers, Worth, limits, profits, worths
from econ.tco.hours import hours_usd
from econ.value.site_power import site_w_per_gpu

SPLITS = (1, 2, 4, 8)  # accelerators of a replica, joined by tensor parallelism
BATCHES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
MOST_OPTIONS = 200_000


@dataclass(frozen=True, kw_only=True)
class Value(Earning):
    """The option that earns the most, and all the others that can serve.

    Attributes
    ----------
    n_replicas : int
        Replicas of its fleet.
    concurrency : float
        Users of one replica.
    ttft_s, tpot_s : float
        Its waits.
    answers_per_s, accepted_per_s : float
        Answers made, and those that are right and in time.
    value_usd_per_hour, cost_usd_per_hour : float
        What accepted answers are worth, and what the accelerators cost.
    regime : str
        How far it lies from what was measured.
    """

    n_replicas: int = 0
    concurrency: float = 0.0
    ttft_s: float = 0.0
    tpot_s: float = 0.0
    answers_per_s: float = 0.0
    accepted_per_s: float = 0.0
    value_usd_per_hour: float = 0.0
    cost_usd_per_hour: float = 0.0
    regime: str = ""


def value(
    s: Scenario,
    *,
    value_usd_per_answer: Worth,
    models: Sequence[str | Model] | None = None,
    accelerators: Sequence[str | Accelerator] | None = None,
    precisions: Sequence[str] | None = None,
    tiers: Tiers | None = None,
    right_frac: Mapping[str, float] | None = None,
    benchmark: str = BENCHMARK,
    floor_frac: float = 0.0,
    demand_per_s: float | None = None,
    wait_elasticity: float = 0.0,
    price_elasticity: float = 0.0,
    n_gpu_most: int | None = None,
) -> Value:
    """The model, fleet and tier that earn the most.

    Parameters
    ----------
    s : Scenario
        Workload, finance, site with its power (``site_mw``, ``rack_kw``), engine; its model,
        accelerator, precision and SLO are the menu where none is given.
    value_usd_per_answer : float or mapping of str to float
        What an answer that is right and in time is worth, or sells for, in USD, e.g. 0.02; by tier
        where they sell at different prices.
    models, accelerators, precisions : sequence, optional
        The menu.
    tiers : mapping of str to Slo, optional
        Name → limits; an answer later than these is not accepted.
    right_frac : mapping of str to float, optional
        Model → share of its answers that are right for your task, 0 to 1: measure it. For models
        without one, the score on ``benchmark`` stands in (`econ.catalog.quality`), less what the
        number format costs (`econ.catalog.precision_loss`).
    floor_frac : float
        Least share of right answers of a model on the menu.
    demand_per_s : float, optional
        Answers asked for per second; by default the workload's rate. It is the demand at the
        answer time of the scenario's own SLO.
    wait_elasticity : float
        Percent of demand per percent of answer time, at most 0, e.g. -0.3: quicker answers are
        asked for more often.
    price_elasticity : float
        Percent of demand per percent that a tier sells above the cheapest, at most 0, e.g. -1.2.
    n_gpu_most : int, optional
        Accelerators that can be had.

    Returns
    -------
    Value
        The best option; ``serves`` is False where none earns anything.

    Raises
    ------
    ValueError
        For a floor that no model of the menu reaches, a limit below one replica, or a menu of
        which nothing runs: with what would work.

    Notes
    -----
    profit per hour = 3600 · answers/s · right share · in-time share · USD per answer in its tier
    − accelerators · USD per GPU-hour. The in-time share is the tier's attainment. A model that
    writes more tokens an answer than the scenario's (scores table) fills more of the machine. The
    profit is linear in answers up to the last replica, so whole fleets below and above the demand
    are both priced.

    Examples
    --------
    >>> s = Scenario.default().with_(model="qwen3-32b")
    >>> menu = value(s, value_usd_per_answer=0.02, models=["qwen3-32b", "llama-3.1-8b"],
    ...              right_frac={"qwen3-32b": 0.8, "llama-3.1-8b": 0.4})
    >>> menu.model
    'qwen3-32b'
    """
    require_certain("value", s)
    for name, elasticity in (("wait", wait_elasticity), ("price", price_elasticity)):
        if not -10 <= elasticity <= 0:
            raise ValueError(f"{name}_elasticity = {elasticity} is outside its range: -10 to 0")
    demand = positive(
        "demand_per_s", s.workload.rate_per_s if demand_per_s is None else demand_per_s
    )
    menu = answering(
        [s.model] if models is None else models, right_frac, benchmark=benchmark,
        floor_frac=floor_frac,
    )  # fmt: skip
    of_tier = limits(s, tiers)
    rows = _operating_points(s, menu, benchmark, accelerators, precisions)
    usd = worths(of_tier, value_usd_per_answer)
    rows = _in_time(rows, of_tier)
    if rows.empty:
        raise ValueError(
            "no option keeps any tier: give a looser SLO, more bandwidth or a smaller model"
        )
    own = s.slo.ttft_s + s.slo.tpot_s * max(s.workload.mean_output_tokens - 1, 0)
    sells, least = rows["tier"].map(usd), min(usd.values())
    dearer = sells / least if least else 1.0
    answers_per_s = demand * (rows["answer_s"] / own) ** wait_elasticity * dearer**price_elasticity
    rows = _fleets(rows.assign(demand_per_s=answers_per_s, value_usd_per_answer=sells), n_gpu_most)
    return _best(_profits(rows))


def _operating_points(
    s: Scenario,
    menu: Sequence[Answering],
    benchmark: str,
    accelerators: Sequence[str | Accelerator] | None,
    precisions: Sequence[str] | None,
) -> pd.DataFrame:
    """A row for each model, machine, format, split and batch that runs."""
    scenarios, shares = [], []
    for one in menu:
        factor = one.longer_than(s.model_id, benchmark)
        tokens = s.workload.mean_output_tokens * factor
        longer = {} if factor == 1 else {"output_tokens": max(round(tokens), 1)}
        for accelerator in accelerators or [s.deployment.accelerator]:
            for precision in precisions or [s.deployment.precision]:
                for n in SPLITS:
                    scenarios.append(
                        s.with_(model=one.model, accelerator=accelerator, precision=precision,
                                n_gpu=n, tp=n, pp=1, ep=1, dp=1, **longer)
                    )  # fmt: skip
                    shares.append(one.right_in(precision))
    if len(scenarios) * len(BATCHES) > MOST_OPTIONS:
        raise ValueError(f"{len(scenarios) * len(BATCHES):,} options; at most {MOST_OPTIONS:,}")
    reasons = [""] * len(scenarios)
    hour = hours_usd(scenarios, [()] * len(scenarios), reasons)
    watts = [site_w_per_gpu(one) for one in scenarios]
    limits = [one.power_limit() for one in scenarios]
    at = np.repeat(np.arange(len(scenarios)), len(BATCHES))
    users = np.tile(np.array(BATCHES, float), len(scenarios))
    out = predict_scenarios([scenarios[i] for i in at], concurrency=users)
    out = out.assign(
        which=at, concurrency=users,
        model=[scenarios[i].model_id for i in at],
        accelerator=[scenarios[i].deployment.accelerator_id for i in at],
        precision=[scenarios[i].deployment.precision for i in at],
        gpus_per_replica=[scenarios[i].deployment.n_gpu for i in at],
        right_frac=[shares[i] for i in at],
        output_tokens=[scenarios[i].workload.mean_output_tokens for i in at],
        usd_per_gpu_hour=hour[at],
        site_w_per_gpu=[watts[i] for i in at],
        n_gpu_held=[limits[i][0] for i in at],
        limit=[limits[i][1] for i in at],
    )  # fmt: skip
    runs = (out["reason"] == "") & np.isfinite(out["usd_per_gpu_hour"])
    if not runs.any():
        why = next((r for r in [*reasons, *out["reason"]] if r), "no accelerator has a price")
        raise ValueError(f"nothing on the menu runs: {why}")
    return out[runs].drop(columns="reason").reset_index(drop=True)


def _in_time(rows: pd.DataFrame, tiers: Tiers) -> pd.DataFrame:
    """The rows that keep a tier, once for each tier that they keep."""
    parts = []
    for name, slo in tiers.items():
        within = (rows["ttft_s"] <= slo.ttft_s) & (rows["tpot_s"] <= slo.tpot_s)
        parts.append(rows[within].assign(tier=name, in_time_frac=slo.attainment_frac))
    return pd.concat(parts, ignore_index=True)


def _fleets(rows: pd.DataFrame, n_gpu_most: int | None) -> pd.DataFrame:
    """Whole replicas just below and just above the demand, within accelerators and power."""
    most_gpu = rows["n_gpu_held"].astype(float)
    if n_gpu_most is not None:
        most_gpu = np.minimum(most_gpu, positive("n_gpu_most", n_gpu_most))
    size = rows["gpus_per_replica"]
    per_replica = rows["output_tokens_per_s_per_gpu"] * size / rows["output_tokens"]
    most = np.floor(most_gpu / size)
    if not (most >= 1).any():
        least = rows.loc[(size - most_gpu).idxmin()]
        words = least.limit if least.n_gpu_held < least.gpus_per_replica else f"{n_gpu_most=}"
        raise ValueError(
            "no replica fits the limit: the smallest on the menu is "
            f"{int(least.gpus_per_replica)} × {least.accelerator}; {words}"
        )
    needed = rows["demand_per_s"] / per_replica
    parts = []
    for n_whole in (np.floor(needed), np.ceil(needed)):
        n = np.minimum(n_whole, most)
        parts.append(
            rows.assign(
                n_replicas=n, answers_per_s=np.minimum(n * per_replica, rows["demand_per_s"])
            )
        )
    both = pd.concat(parts)
    return both[both["n_replicas"] >= 1].drop(columns=["n_gpu_held", "limit"])


def _profits(rows: pd.DataFrame) -> pd.DataFrame:
    """Value, cost and profit of each option, best first."""
    n_gpu = rows["n_replicas"] * rows["gpus_per_replica"]
    accepted = rows["answers_per_s"] * rows["right_frac"] * rows["in_time_frac"]
    worth = HOUR_S * accepted * rows["value_usd_per_answer"]
    cost = n_gpu * rows["usd_per_gpu_hour"]
    columns = profits(
        worth, cost, accepted_per_hour=HOUR_S * accepted, n_gpu=n_gpu,
        site_w_per_gpu=rows["site_w_per_gpu"],
    )  # fmt: skip
    out = rows.assign(
        n_gpu=n_gpu.astype(int), n_replicas=rows["n_replicas"].astype(int),
        accepted_per_s=accepted, value_usd_per_hour=worth, cost_usd_per_hour=cost, **columns,
    )  # fmt: skip
    return out.sort_values(
        ["profit_usd_per_hour", "n_gpu"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _best(options: pd.DataFrame) -> Value:
    first = options.iloc[0]
    low, high = _band(first)
    return Value.of(
        options, first, serves=first.profit_usd_per_hour > 0,
        profit_low_usd_per_hour=low, profit_high_usd_per_hour=high,
    )  # fmt: skip


def _band(option: pd.Series) -> tuple[float, float]:
    """Profit if the throughput is off by its 90 % factor: fewer answers, or fewer machines."""
    known = latency_bands()[option.regime, "output_tokens_per_s_per_gpu"].p90_factor
    low = option.value_usd_per_hour / known - option.cost_usd_per_hour
    high = option.value_usd_per_hour - option.cost_usd_per_hour / known
    return float(low), float(high)
