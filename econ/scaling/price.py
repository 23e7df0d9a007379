"""What a trained FLOP and a served answer cost on rented hardware.

Training: the accelerator-hours that published runs reported, pauses and restarts included, at a
rent. Serving: the latency model's throughput at the largest crowd that still meets every limit, so
a promise of speed has its price; `goodput_price` asks the simulator for the same with requests
that arrive at random.

>>> serving = Serving(accelerator="h100-sxm", tp=4, cost_usd_per_gpu_hour=3.85)
>>> free = answer_price("llama-3.1-70b", serving, input_tokens=500, output_tokens=4000)
>>> hurried = answer_price("llama-3.1-70b", serving.replace(answer_limit_s=60),
...                        input_tokens=500, output_tokens=4000)
>>> 2 < hurried.cost_usd_per_answer / free.cost_usd_per_answer < 5
True
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import accelerator as chip_of
from econ.catalog import model as model_of
from econ.catalog import table
from econ.catalog.guard import count, each, positive, unknown
from econ.catalog.units import HOUR_S, per_second_from_per_hour, usd_per_token_from_usd_per_mtok
from econ.latency.prediction import answer_s, predict_frame
from econ.scenario import Scenario
from econ.tco import cost_usd_per_mtok

CROWDS = np.unique(np.geomspace(1, 4096, 49).round())  # users tried, 19 % apart
# dense models of one design, and the accelerators each is usually split over
LADDER = {
    "llama-3.2-1b": 1, "llama-3.2-3b": 1, "llama-3.1-8b": 1, "qwen3-14b": 1, "qwen3-32b": 2,
    "llama-3.1-70b": 4, "llama-3.1-405b": 8,
}  # fmt: skip


class TooSlow(ValueError):
    """Not even one user alone is served within the limits."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The machine that serves, its rent, and what users are promised.

    ``answer_limit_s`` bounds the whole answer, thinking included; the other limits are those of an
    `Slo`, met by the mean user of a steady crowd. ``utilisation_frac``: share of hours in use.
    """

    accelerator: str
    cost_usd_per_gpu_hour: float
    tp: int = 1
    precision: str = "fp8"
    ttft_limit_s: float = 10.0
    tpot_limit_s: float = 0.1
    answer_limit_s: float = math.inf
    utilisation_frac: float = 1.0

    def __post_init__(self) -> None:
        chip_of(self.accelerator).peak_flop_per_s(self.precision)
        positive("cost_usd_per_gpu_hour", self.cost_usd_per_gpu_hour, 10_000)
        positive("utilisation_frac", self.utilisation_frac, 1.0)
        count("tp", self.tp, 1, 100_000)
        for name in ("ttft_limit_s", "tpot_limit_s", "answer_limit_s"):
            if getattr(self, name) != math.inf:
                positive(name, getattr(self, name))

    def replace(self, **changes: Any) -> Serving:
        """The same with some parts changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class AnswerPrice:
    """What one answer costs, and the crowd and speed at which it does."""

    concurrency: float
    ttft_s: float
    tpot_s: float
    answer_s: float
    output_tokens_per_s_per_gpu: float
    cost_usd_per_answer: float
    cost_usd_per_mtok: float


def answer_price(
    model: str, serving: Serving, *, input_tokens: float, output_tokens: float
) -> AnswerPrice:
    """The cheapest crowd that is served within all limits; `TooSlow` if there is none."""
    model_of(model)
    for name, value in (("input_tokens", input_tokens), ("output_tokens", output_tokens)):
        positive(name, value)
    lengths = pd.DataFrame({"input_tokens": [input_tokens], "output_tokens": [output_tokens]})
    row = answer_prices_frame(lengths.assign(model=model), serving).iloc[0]
    if row.reason:
        raise TooSlow(row.reason)
    return AnswerPrice(**{f.name: float(row[f.name]) for f in dataclasses.fields(AnswerPrice)})


def answer_prices_frame(cases: pd.DataFrame, serving: Serving) -> pd.DataFrame:
    """Prices of many answers: columns model, input_tokens, output_tokens in; `AnswerPrice` added.

    Optional columns of ``cases`` override the serving: tp, answer_limit_s. A case without any
    crowd that meets the limits has NaN and a ``reason``.
    """
    cases = cases.reset_index(drop=True)
    if cases.empty:
        raise ValueError("no cases to price: the frame has no rows")
    own = {"accelerator": serving.accelerator, "tp": serving.tp, "precision": serving.precision}
    own |= {"answer_limit_s": serving.answer_limit_s}
    cases = cases.assign(**{name: v for name, v in own.items() if name not in cases})
    case = np.repeat(np.arange(len(cases)), len(CROWDS))
    grid = cases.iloc[case].reset_index(drop=True)
    grid = predict_frame(grid.assign(concurrency=np.tile(CROWDS, len(cases))))
    whole_s = answer_s(grid["ttft_s"], grid["tpot_s"], grid["output_tokens"])
    slow = grid["tpot_s"] > serving.tpot_limit_s
    slow |= (grid["ttft_s"] > serving.ttft_limit_s) | (whole_s > grid["answer_limit_s"])
    rate = grid["output_tokens_per_s_per_gpu"].where(~slow).to_numpy().reshape(len(cases), -1)
    alone = np.arange(len(cases)) * len(CROWDS)
    best = alone + np.nan_to_num(rate, nan=-1.0).argmax(axis=1)
    found = grid.iloc[best].reset_index(drop=True).assign(answer_s=whole_s.to_numpy()[best])
    none = np.isnan(rate).all(axis=1)
    known = found["output_tokens_per_s_per_gpu"].mask(none).to_numpy()
    found["cost_usd_per_mtok"] = cost_usd_per_mtok(
        serving.cost_usd_per_gpu_hour, known, serving.utilisation_frac
    )
    per_token = usd_per_token_from_usd_per_mtok(found["cost_usd_per_mtok"])
    found["cost_usd_per_answer"] = per_token * found["output_tokens"]
    first = grid.iloc[alone].reset_index(drop=True)
    found["reason"] = [
        "" if not n else why or
        f"{m}: one user alone waits {t:.2f} s and reads at {p:.3f} s a token, {a:.0f} s in all; "
        f"the limits are {serving.ttft_limit_s:g}, {serving.tpot_limit_s:g} and {limit:g} s"
        for n, why, m, t, p, a, limit in zip(
            none, first["reason"], first["model"], first["ttft_s"], first["tpot_s"],
            whole_s.to_numpy()[alone], first["answer_limit_s"], strict=True,
        )
    ]  # fmt: skip
    return found


def goodput_price(scenario: Scenario, *, n: int = 1000, seed: int = 0) -> AnswerPrice:
    """What an answer costs when requests arrive at random and the SLO holds for the agreed share.

    The simulator finds the highest rate at which enough requests are good; cost = rent × GPUs /
    that rate. Dearer than a steady crowd: bursts must find room.
    """
    from econ.serving import max_rate_per_s, simulate

    load = scenario.workload
    rate = max_rate_per_s(scenario, n=n, seed=seed)
    if rate == 0:
        slo = scenario.slo
        raise TooSlow(
            f"no rate holds TTFT {slo.ttft_s:g} s and TPOT {slo.tpot_s:g} s for "
            f"{slo.attainment_frac:.0%} of requests"
        )
    ran = simulate(scenario, rate_per_s=rate, n=n, seed=seed).requests
    n_gpu, rent = scenario.deployment.n_gpu, scenario.cost_usd_per_gpu_hour
    per_s = rate * load.mean_output_tokens / n_gpu
    mean_answer_s = float(np.mean(ran.done_s - ran.arrival_s))
    price = cost_usd_per_mtok(rent, per_s, scenario.finance.utilisation_frac)
    return AnswerPrice(
        concurrency=rate * mean_answer_s,  # Little's law
        ttft_s=float(np.mean(ran.ttft_s)),
        tpot_s=ran.request_mean_tpot_s,
        answer_s=mean_answer_s,
        output_tokens_per_s_per_gpu=per_s,
        cost_usd_per_answer=usd_per_token_from_usd_per_mtok(price) * load.mean_output_tokens,
        cost_usd_per_mtok=price,
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
        at = math.log(params)
        if at > x[-1]:
            return math.exp(y[-1] + (at - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2]))
        return math.exp(float(np.interp(at, x, y)))


def size_price(serving: Serving, *, input_tokens: float, output_tokens: float) -> SizePrice:
    """The price of a token by size, from seven dense models under the same limits.

    >>> by_size = size_price(Serving(accelerator="h100-sxm", cost_usd_per_gpu_hour=3.85),
    ...                      input_tokens=1000, output_tokens=500)
    >>> 5 < by_size(70e9) / by_size(8e9) < 15
    True
    """
    cases = pd.DataFrame({"model": list(LADDER), "tp": list(LADDER.values())})
    cases = cases.assign(input_tokens=input_tokens, output_tokens=output_tokens)
    rows = answer_prices_frame(cases, serving)
    rows = rows[rows["reason"] == ""]
    if len(rows) < 2:
        raise TooSlow("fewer than two sizes meet the limits: no price by size")
    params = np.array([model_of(m).n_params for m in rows["model"]])
    per_token = rows["cost_usd_per_answer"].to_numpy() / (input_tokens + output_tokens)
    return SizePrice(params, per_token)


def training_runs_frame(cost_usd_per_gpu_hour: float | None = None) -> pd.DataFrame:
    """Published runs: FLOP by 6·N·D, FLOP/s per accelerator over all hours, MFU, and USD at a rent.

    MFU is held against the dense bf16 peak. Without a rent the USD columns are left out.
    """
    rows = table("training_runs")
    flop = 6 * rows["params"] * rows["tokens"]
    speed = flop / (rows["gpu_hours"] * HOUR_S)
    peak = rows["accelerator"].map(lambda id: chip_of(id).peak_bf16_flop_per_s)
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
    if like not in rows.index:
        raise unknown("training run", like, rows.index)
    positive("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour, 10_000)
    speed = training_runs_frame().loc[like, "flop_per_s_per_gpu"]
    return float(per_second_from_per_hour(cost_usd_per_gpu_hour) / speed)


def training_gpu_hours(flop: float, accelerator: str, mfu_frac: float) -> float:
    """Accelerator-hours of a training run: FLOP over peak × MFU, dense bf16.

    >>> round(training_gpu_hours(6.3e24, "tpu-v5p", 0.4) / 8960 / 24)       # days on 8,960 chips
    44
    """
    positive("flop", flop)
    positive("mfu_frac", mfu_frac, 1.0)
    return flop / (chip_of(accelerator).peak_bf16_flop_per_s * mfu_frac) / HOUR_S
