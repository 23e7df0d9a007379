"""What a trained FLOP and a served answer cost.

Training: the accelerator-hours that published runs reported, pauses and restarts included, at a
rent. Serving: a scenario's hour (`econ.tco`) over the latency model's throughput at the most users
that still meet every limit, so a tight SLO has its price; `goodput_price` asks the simulator for
the same with requests that arrive at random.

>>> s = Scenario.default().with_(ttft_s=10, tpot_s=0.1, input_tokens=500, output_tokens=4000)
>>> free, hurried = answer_price(s), answer_price(s, answer_limit_s=60)
>>> 2 < hurried.cost_usd_per_answer / free.cost_usd_per_answer < 5
True
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from econ.catalog import accelerator as accelerator_of
from econ.catalog import table
from econ.catalog.guard import each, one_of, positive
from econ.catalog.units import HOUR_S, per_second_from_per_hour, usd_per_token_from_usd_per_mtok
from econ.latency.prediction import answer_s, predict_frame, scenarios_frame
from econ.scenario import Scenario
from econ.station import Result, station
from econ.tco import cost_usd_per_mtok
from econ.tco.hours import hour_parts

USERS = np.unique(np.geomspace(1, 4096, 49).round())  # of a replica: tried, 19 % apart


class TooSlow(ValueError):
    """Not even one user alone is served within the limits."""


@dataclass(frozen=True, kw_only=True)
class AnswerPrice(Result):
    """What one answer costs, and the users and speed at which it does.

    Attributes
    ----------
    concurrency : float
        Users over all replicas.
    ttft_s, tpot_s, answer_s : float
        Times that each of them sees.
    output_tokens_per_s_per_gpu : float
        Throughput of an accelerator while it serves.
    cost_usd_per_answer, cost_usd_per_mtok : float
        Of an answer of mean length with its prompt; of a million output tokens.
    """

    concurrency: float
    ttft_s: float
    tpot_s: float
    answer_s: float
    output_tokens_per_s_per_gpu: float
    cost_usd_per_answer: float
    cost_usd_per_mtok: float


def answer_prices(
    scenarios: Sequence[Scenario], *, answer_limit_s: float | Iterable[float] = math.inf
) -> pd.DataFrame:
    """`answer_price` for many scenarios at once, with a ``reason`` where no load meets the limits.

    ``answer_limit_s`` is one number or one a scenario. All loads of all scenarios are one table of
    the latency model.
    """
    if not len(scenarios):
        raise ValueError("no scenarios to price")
    each(_limit, "answer_limit_s", answer_limit_s)
    n, n_loads = len(scenarios), len(USERS)
    cases = scenarios_frame(scenarios, 1.0).assign(
        answer_limit_s=answer_limit_s,
        ttft_limit_s=[s.slo.ttft_s for s in scenarios],
        tpot_limit_s=[s.slo.tpot_s for s in scenarios],
        n_replicas=[s.n_replicas for s in scenarios],
    )
    loads = cases.iloc[np.repeat(np.arange(n), n_loads)].reset_index(drop=True)
    loads = predict_frame(loads.assign(concurrency=np.tile(USERS, n) * loads["n_replicas"]))
    loads["answer_s"] = answer_s(loads["ttft_s"], loads["tpot_s"], loads["output_tokens"])
    slow = np.zeros(len(loads), dtype=bool)
    for name in ("ttft", "tpot", "answer"):
        slow |= (loads[f"{name}_s"] > loads[f"{name}_limit_s"]).to_numpy()
    rate = loads["output_tokens_per_s_per_gpu"].mask(slow).to_numpy().reshape(n, n_loads)
    alone = np.arange(n) * n_loads
    best = alone + np.nan_to_num(rate, nan=-1.0).argmax(axis=1)
    prices = loads.iloc[best].reset_index(drop=True)
    served = ~np.isnan(rate).all(axis=1)
    use = np.array([s.finance.utilisation_frac for s in scenarios], dtype="float64")
    known = prices["output_tokens_per_s_per_gpu"].where(served).to_numpy()
    prices["cost_usd_per_mtok"] = cost_usd_per_mtok(_hours(scenarios), known, use)
    per_token = usd_per_token_from_usd_per_mtok(prices["cost_usd_per_mtok"])
    prices["cost_usd_per_answer"] = per_token * prices["output_tokens"]
    reasons = [""] * n
    for i in np.flatnonzero(~served):
        row = loads.iloc[alone[i]]
        reasons[i] = row.reason or (
            f"{scenarios[i].model_id}: one user alone waits {row.ttft_s:.2f} s and reads at "
            f"{row.tpot_s:.3f} s a token, {row.answer_s:.0f} s in all; the limits are "
            f"{row.ttft_limit_s:g}, {row.tpot_limit_s:g} and {row.answer_limit_s:g} s"
        )
    prices["reason"] = reasons
    return prices[[*(f.name for f in fields(AnswerPrice)), "reason"]]


@station(headline="cost_usd_per_answer", vector=answer_prices)
def answer_price(s: Scenario, *, answer_limit_s: float = math.inf) -> AnswerPrice:
    """What an answer costs at the cheapest load that is served within all limits.

    Parameters
    ----------
    s : Scenario
        Model, deployment, mean lengths, the SLO's limits, and the price of an hour.
    answer_limit_s : float
        Limit on the whole answer, thinking included, e.g. 60; by default none.

    Raises
    ------
    TooSlow
        Where not even one user alone is served within the limits.

    Notes
    -----
    USD per answer = USD per GPU-hour / 3600 / (output tokens/s per GPU · utilisation) · tokens. Of
    the loads in `USERS` the one of highest throughput counts; limits hold for the mean user.
    """
    row = answer_prices([s], answer_limit_s=answer_limit_s).iloc[0]
    if row["reason"]:
        raise TooSlow(row["reason"])
    return AnswerPrice(**{f.name: float(row[f.name]) for f in fields(AnswerPrice)})


def _limit(name: str, value: float) -> float:
    return value if value == math.inf else positive(name, value)


def _hours(scenarios: Sequence[Scenario]) -> np.ndarray:
    """USD of a paid GPU-hour of each scenario; alike ones are priced once."""
    keys = [(s.deployment, s.finance, s.site) for s in scenarios]
    hours: dict[object, float] = {}
    for key, s in zip(keys, scenarios, strict=True):
        if key not in hours:
            hours[key] = sum(float(part.usd_per_gpu_hour) for part in hour_parts(s))
    return np.array([hours[key] for key in keys])


@station(headline="cost_usd_per_answer")
def goodput_price(s: Scenario, *, n: int = 1000, seed: int = 0) -> AnswerPrice:
    """What an answer costs when requests arrive at random and the SLO holds for the agreed share.

    Parameters
    ----------
    s : Scenario
        Workload, model, deployment, SLO and finance.
    n : int
        Requests that are simulated at each rate that is tried.
    seed : int
        Of the arrivals and lengths.

    Raises
    ------
    TooSlow
        Where no rate holds the SLO.

    Notes
    -----
    USD per hour of all accelerators over the highest rate at which enough requests are good. It
    costs more than steady users do (`answer_price`), since bursts must find room.
    """
    from econ.serving import max_rate_per_s, simulate

    rate = max_rate_per_s(s, n=n, seed=seed)
    if rate == 0:
        raise TooSlow(
            f"no rate holds TTFT {s.slo.ttft_s:g} s and TPOT {s.slo.tpot_s:g} s for "
            f"{s.slo.attainment_frac:.0%} of requests"
        )
    requests = simulate(s, rate_per_s=rate, n=n, seed=seed).requests
    output_tokens = s.workload.mean_output_tokens
    per_s = rate * output_tokens / s.deployment.n_gpu
    mean_answer_s = float(np.mean(requests.done_s - requests.arrival_s))
    usd = float(cost_usd_per_mtok(_hours([s])[0], per_s, s.finance.utilisation_frac))
    return AnswerPrice(
        concurrency=rate * mean_answer_s,  # Little's law
        ttft_s=float(np.mean(requests.ttft_s)),
        tpot_s=requests.request_mean_tpot_s,
        answer_s=mean_answer_s,
        output_tokens_per_s_per_gpu=per_s,
        cost_usd_per_answer=usd_per_token_from_usd_per_mtok(usd) * output_tokens,
        cost_usd_per_mtok=usd,
    )


@dataclass(frozen=True, eq=False)
class SizePrice:
    """USD per token in service by the size of a dense model: straight between known sizes, in logs.

    Below the smallest known size its price holds: kernels and the host are then what is paid for.
    Beyond the largest the last slope goes on.
    """

    params: np.ndarray
    usd_per_token: np.ndarray

    def __post_init__(self) -> None:
        for name in ("params", "usd_per_token"):
            each(positive, name, getattr(self, name))
        if len(self.params) < 2 or not (np.diff(self.params) > 0).all():
            raise ValueError("params is outside its range: two sizes or more, in rising order")

    def __call__(self, params: float) -> float:
        """USD per token, read or written, of a model of this size."""
        positive("params", params)
        x, y = np.log(self.params), np.log(self.usd_per_token)
        size = math.log(params)
        if size > x[-1]:
            return math.exp(y[-1] + (size - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2]))
        return math.exp(float(np.interp(size, x, y)))


def size_price(scenarios: Sequence[Scenario]) -> SizePrice:
    """The price of a token by size, from scenarios of dense models under the same limits.

    Parameters
    ----------
    scenarios : sequence of Scenario
        One a model, of rising size, with the same lengths; those too slow are left out.

    Raises
    ------
    TooSlow
        Where fewer than two of them meet their limits.

    Examples
    --------
    >>> base = Scenario.default().with_(ttft_s=10, tpot_s=0.1)
    >>> by_size = size_price([base.with_(model="llama-3.1-8b", n_gpu=1, tp=1), base])
    >>> 5 < by_size(70e9) / by_size(8e9) < 15
    True
    """
    prices = answer_prices(scenarios)
    served = [s for s, reason in zip(scenarios, prices["reason"], strict=True) if not reason]
    if len(served) < 2:
        raise TooSlow("fewer than two sizes meet the limits: no price by size")
    lengths = [s.workload.mean_input_tokens + s.workload.mean_output_tokens for s in served]
    usd = prices.loc[prices["reason"] == "", "cost_usd_per_answer"].to_numpy("float64")
    return SizePrice(np.array([s.resolved_model.n_params for s in served]), usd / lengths)


def training_runs_frame(cost_usd_per_gpu_hour: float | None = None) -> pd.DataFrame:
    """Published runs: FLOP by 6·N·D, FLOP/s per accelerator over all hours, MFU, and USD at a rent.

    MFU is held against the dense bf16 peak. Without a rent the USD columns are left out.
    """
    rows = table("training_runs")
    flop = 6 * rows["params"] * rows["tokens"]
    speed = flop / (rows["gpu_hours"] * HOUR_S)
    peak = rows["accelerator"].map(lambda id: accelerator_of(id).peak_bf16_flop_per_s)
    frame = rows.assign(flop=flop, flop_per_s_per_gpu=speed, mfu_frac=speed / peak,
                        tokens_per_param=rows["tokens"] / rows["params"])  # fmt: skip
    if cost_usd_per_gpu_hour is None:
        return frame
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour, 10_000)
    usd = rows["gpu_hours"] * cost_usd_per_gpu_hour
    return frame.assign(usd=usd, usd_per_flop=usd / flop)


def training_usd_per_flop(cost_usd_per_gpu_hour: float, like: str = "llama-3.1-405b") -> float:
    """What a trained FLOP costs at a rent, at the mean speed of a published run over all hours.

    >>> f"{training_usd_per_flop(2.24):.1e}"
    '1.8e-18'
    """
    rows = table("training_runs")
    one_of("training run", like, rows.index)
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour, 10_000)
    speed = training_runs_frame().loc[like, "flop_per_s_per_gpu"]
    return float(per_second_from_per_hour(cost_usd_per_gpu_hour) / speed)


def training_gpu_hours(flop: float, accelerator: str, mfu_frac: float) -> float:
    """Accelerator-hours of a training run: FLOP over peak × MFU, dense bf16.

    >>> round(training_gpu_hours(6.3e24, "tpu-v5p", 0.4) / 8960 / 24)       # days on 8,960 of them
    44
    """
    positive("flop", flop)
    positive("mfu_frac", mfu_frac, 1.0)
    return flop / (accelerator_of(accelerator).peak_bf16_flop_per_s * mfu_frac) / HOUR_S
