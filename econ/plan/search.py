"""Every candidate at every batch limit, against an SLO: what fits, and why each other one fails.

The latency model is evaluated over the whole table at once (100,000 deployments in a fraction of a
second on one core), in blocks that joblib can spread over cores, or over machines on a dask
cluster (``with joblib.parallel_config(backend="dask"): ...``); the rows are the same either way.

>>> concurrency_grid(16, 2)
[1, 2, 3, 4, 6, 8, 11, 16]
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, fraction, in_range, not_negative
from econ.catalog.units import HOUR_S
from econ.energy.sites import PER_SERVER
from econ.latency.calibration import REGIMES, bands
from econ.latency.frame import predict_frame
from econ.latency.steps import answer_s
from econ.plan.candidates import CONSTRAINTS, SPLIT, settings_of
from econ.plan.market import listed
from econ.plan.site import POINT, point_energy
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.terms import Slo

REPLICAS_PER_TASK = 500
KEYS = ("accelerator", "precision", *SPLIT)
COST, PROFIT = "cost_usd_per_good_mtok", "profit_usd_per_hour"
LATENCY = ("ttft", "tpot")  # constraints that the screen judges by means
BY_MEANS = (*LATENCY, "power")  # with the size of the fleet
RATE = "output_tokens_per_s_per_gpu"
ORDER = ["", *CONSTRAINTS]
PREDICTED = ("ttft_s", "ttft_low_s", "ttft_high_s", "tpot_s", "tpot_low_s", "tpot_high_s",
             "mean_ttft_s", "batch", RATE)  # fmt: skip
ROUNDING = 1 - 1e-12  # 3.0000000000004 replicas are 3


@dataclass(frozen=True)
class Demand:
    """What a fleet has to serve: a scenario's load, its peak, spares, your stack's overhead, value.

    Parameters
    ----------
    scenario : Scenario
        Load, lengths, model, SLO and settings; certain numbers only.
    peak_factor : float
        Peak over mean rate, e.g. 1.5; the fleet is sized for the peak.
    n_spare : int
        Replicas beyond need; 1 is N+1.
    step_overhead_s : float
        Seconds that your stack adds to every step (`econ.latency.own_stack`), e.g. 0.001.
    value_usd_per_answer : float, optional
        What an answer that is right and in time is worth, e.g. 0.01.
    right_frac : float
        Share of answers that are right, e.g. 0.7.
    """

    scenario: Scenario
    peak_factor: float = 1.0
    n_spare: int = 0
    step_overhead_s: float = 0.0
    value_usd_per_answer: float | None = None
    right_frac: float = 1.0

    def __post_init__(self) -> None:
        in_range("peak_factor", self.peak_factor, 1, 1000)
        count("n_spare", self.n_spare, 0, 1000)
        not_negative("step_overhead_s", self.step_overhead_s, 1.0)
        fraction("right_frac", self.right_frac)
        if self.value_usd_per_answer is not None:
            not_negative("value_usd_per_answer", self.value_usd_per_answer, 1e6)

    @property
    def rate_per_s(self) -> float:
        """Requests per second on average."""
        return float(self.scenario.workload.rate_per_s)

    @property
    def peak_per_s(self) -> float:
        """Requests per second at the peak."""
        return self.rate_per_s * self.peak_factor

    @functools.cached_property
    def output_tokens(self) -> float:
        """Mean output tokens of a request."""
        return self.scenario.workload.mean_output_tokens

    @property
    def output_tokens_per_s(self) -> float:
        """Output tokens per second on average over the hours at work."""
        return self.rate_per_s * self.output_tokens

    @property
    def utilisation_frac(self) -> float:
        """Share of the paid hours in which the load comes."""
        return float(self.scenario.finance.utilisation_frac)

    @property
    def right_answers_per_hour(self) -> float:
        """Right answers in a paid hour, in time or not."""
        return HOUR_S * self.rate_per_s * self.utilisation_frac * self.right_frac

    @property
    def most_usd_per_hour(self) -> float:
        """What the answers of a paid hour are worth if all are in time."""
        return self.right_answers_per_hour * (self.value_usd_per_answer or 0.0)

    @property
    def slo(self) -> Slo:
        """The limits on latency."""
        return self.scenario.slo


def concurrency_grid(
    n_most: int = 1024, n_per_octave: int = 4, max_batch: int | None = None
) -> list[int]:
    """Batch limits from 1 to ``n_most``, each a fixed factor above the last.

    ``max_batch`` ends the list where it is less.

    >>> concurrency_grid(16, 1, max_batch=6)
    [1, 2, 4, 6]
    """
    count("n_most", n_most, 1, 1_000_000)
    count("n_per_octave", n_per_octave, 1, 32)
    steps = range(math.floor(math.log2(n_most) * n_per_octave) + 1)
    limits = {round(2 ** (i / n_per_octave)) for i in steps}
    if max_batch is not None:
        limits = {limit for limit in limits if limit < max_batch} | {max_batch}
    return sorted(limits)


def search_frame(
    candidates: pd.DataFrame,
    concurrencies: Iterable[int],
    demand: Demand,
    *,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """All candidates at all batch limits: latency with its band, fleet, cost, ``constraint``.

    Parameters
    ----------
    candidates : pandas.DataFrame
        From `econ.plan.candidates.candidates_frame`, for the demand's scenario.
    concurrencies : iterable of int
        Batch limits of a replica, e.g. ``[8, 32, 128]``.
    demand : Demand
        What has to be served.
    n_jobs : int, optional
        Processes, as in joblib.
    progress : bool
        Show a bar.

    Notes
    -----
    A replica with ``concurrency`` requests in it serves concurrency/(TTFT + (output − 1)·TPOT)
    requests per second (Little's law); the fleet is the peak rate over it, rounded up, plus
    spares. A good token costs fleet price / (output tokens per second · utilisation).
    ``regime`` says what the prediction rests on (`econ.latency.calibration.REGIMES`). The band on
    cost prices the fleets that throughput at the ends of its 90 % band would need.
    """
    return detailed(
        screened_frame(candidates, concurrencies, demand, n_jobs=n_jobs, progress=progress), demand
    )


def screened_frame(
    candidates: pd.DataFrame,
    concurrencies: Iterable[int],
    demand: Demand,
    *,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """What the search for the cheapest goes by, a row each: without energy, bands and reasons."""
    limits = [count("concurrency", c, 1, 1_000_000) for c in listed("concurrencies", concurrencies)]
    if not limits:
        raise ValueError("no concurrency to look at")
    words = ("precision", "engine", "reason", "constraint")
    candidates = candidates.astype(dict.fromkeys(words, "category"))
    cuts = range(0, len(candidates), REPLICAS_PER_TASK)
    blocks = [candidates.iloc[i : i + REPLICAS_PER_TASK] for i in cuts]
    if n_jobs is None and not progress:
        parts = [_search(block, limits, demand) for block in blocks]
    else:
        from joblib import Parallel, delayed

        pool = Parallel(n_jobs=n_jobs, return_as="generator")
        results = pool(delayed(_search)(block, limits, demand) for block in blocks)
        total = len(candidates) * len(limits)
        with progress_bar(total, progress) as advance:
            parts = []
            for part in results:
                parts.append(part)
                advance(len(part))
    frame = pd.concat(parts, ignore_index=True)
    regime = frame["regime"].fillna(-1).astype("int8")  # -1 where nothing was predicted
    return frame.assign(regime=pd.Categorical.from_codes(regime, REGIMES))


@contextlib.contextmanager
def progress_bar(n_rows: int, is_shown: bool) -> Iterator[Callable[[int], object]]:
    """What moves a bar of deployments on; where none is shown, nothing is imported for it."""
    if not is_shown:
        yield lambda n: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_rows, unit="deployment") as bar:
        yield bar.update


def _search(block: pd.DataFrame, limits: list[int], demand: Demand) -> pd.DataFrame:
    """What a search goes by; `detailed` adds what a reader wants to see."""
    frame = block.take(np.repeat(np.arange(len(block)), len(limits))).reset_index(drop=True)
    batch = np.tile(np.array(limits, dtype="int64"), len(block))
    frame["concurrency"] = batch
    code = frame["constraint"].cat.set_categories(ORDER).cat.codes.to_numpy().copy()
    _mark(code, batch > frame["most_sequences"].to_numpy(), "kv cache")
    if (max_batch := demand.scenario.deployment.max_batch) is not None:
        _mark(code, batch > max_batch, "max batch")
    possible = np.flatnonzero(code == 0)
    predicted = _predicted(frame.iloc[possible], demand)
    columns = {}
    for name, values in predicted.items():
        columns[name] = np.full(len(frame), np.nan)
        columns[name][possible] = values
    with np.errstate(invalid="ignore"):
        _mark(code, columns["ttft_s"] > demand.slo.ttft_s, "ttft")
        _mark(code, columns["tpot_s"] > demand.slo.tpot_s, "tpot")
    frame = sized(frame.assign(**columns), demand)
    chips = frame["accelerator"].cat
    most_gpus = np.array([_held(demand, chip)[0] for chip in chips.categories], "float64")
    _mark(code, frame["fleet_gpus"].to_numpy() > most_gpus[chips.codes.to_numpy()], "power")
    return frame.assign(constraint=pd.Categorical.from_codes(code, ORDER))


def _mark(code: np.ndarray, broken: np.ndarray, constraint: str) -> None:
    """Give the rows that are still possible and break a rule its constraint."""
    code[broken & (code == 0)] = ORDER.index(constraint)


def _held(demand: Demand, chip: Accelerator) -> tuple[float, str]:
    return demand.scenario.power_limit(chip)


def _predicted(frame: pd.DataFrame, demand: Demand) -> dict[str, Any]:
    """Latency and its band of deployments that can be built."""
    table = frame[[*KEYS, "n_gpu", "concurrency"]].assign(
        **settings_of(demand.scenario, len(frame))
    )
    prediction = predict_frame(table)
    values = {name: prediction[name].to_numpy() for name in PREDICTED}
    ttft_s, tpot_s = (values[f"{name}_s"] + demand.step_overhead_s for name in LATENCY)
    ttft_factor, tpot_factor = ttft_s / values["ttft_s"], tpot_s / values["tpot_s"]
    mean_ttft_s = values["mean_ttft_s"] + demand.step_overhead_s
    wait_s = answer_s(mean_ttft_s, tpot_s, demand.output_tokens)
    spread = np.array([bands()[name, RATE].p90_factor for name in REGIMES])
    regime = prediction["regime"].cat.codes.to_numpy()
    return {
        "ttft_s": ttft_s,
        "ttft_low_s": values["ttft_low_s"] * ttft_factor,
        "ttft_high_s": values["ttft_high_s"] * ttft_factor,
        "tpot_s": tpot_s,
        "tpot_low_s": values["tpot_low_s"] * tpot_factor,
        "tpot_high_s": values["tpot_high_s"] * tpot_factor,
        "tokens_per_s_per_user": 1 / tpot_s,
        "slowdown": tpot_factor,
        "batch": values["batch"],
        "requests_per_s_per_replica": frame["concurrency"].to_numpy() / wait_s,
        "rate_p90_factor": spread[regime],
        "regime": regime,
        RATE: values[RATE],
    }


def sized(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """Whole replicas for the peak and spares, and what a good token costs on them."""
    rate = frame["requests_per_s_per_replica"].to_numpy()
    n_replicas = np.ceil(demand.peak_per_s / rate * ROUNDING) + demand.n_spare
    return priced(frame.assign(n_replicas=n_replicas), demand)


def priced(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """What fleets of so many replicas cost under the demand's finance."""
    gpus = (frame["n_replicas"] * frame["n_gpu"]).to_numpy()
    usd = frame["usd_per_gpu_hour"].to_numpy()
    paid = paid_gpus(demand, frame["accelerator"], gpus)
    return frame.assign(
        fleet_gpus=gpus, paid_gpus=paid, usd_per_hour=paid * usd, **{COST: _cost(usd, paid, demand)}
    )


def _cost(usd_per_gpu_hour: np.ndarray, paid: np.ndarray, demand: Demand) -> Any:
    rate = demand.output_tokens_per_s / paid
    return cost_usd_per_mtok(usd_per_gpu_hour, rate, demand.utilisation_frac)


def detailed(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """The rows of a search with energy, the band on cost, and the reason of each rejection."""
    settings = settings_of(demand.scenario, len(frame))
    point = frame[[*KEYS, "n_gpu", "concurrency", "batch", RATE]].assign(**settings)
    is_known = frame[RATE].notna().to_numpy()
    energy = {name: np.full(len(frame), np.nan) for name in POINT}
    columns = point_energy(point[is_known])
    for name in POINT:
        energy[name][is_known] = columns[name]
    rate, spread = frame["requests_per_s_per_replica"].to_numpy(), frame["rate_p90_factor"]
    cost = {}
    for end, speed in (("low", rate * spread), ("high", rate / spread)):
        n_replicas = np.ceil(demand.peak_per_s / speed.to_numpy() * ROUNDING) + demand.n_spare
        paid = paid_gpus(demand, frame["accelerator"], n_replicas * frame["n_gpu"].to_numpy())
        usd = frame["usd_per_gpu_hour"].to_numpy()
        cost[f"cost_{end}_usd_per_good_mtok"] = _cost(usd, paid, demand)
    busy_frac = demand.rate_per_s / (frame["n_replicas"] * rate)
    return frame.drop(columns=RATE).assign(
        **energy, busy_frac=busy_frac, **cost, reason=_reasons(frame, demand)
    )


def _reasons(frame: pd.DataFrame, demand: Demand) -> np.ndarray:
    """In words why each row is rejected: those of its candidate, or of its batch limit."""
    reason: np.ndarray = frame["reason"].to_numpy(object).copy()
    constraint = frame["constraint"].to_numpy(object)
    columns = ("concurrency", "most_sequences", "ttft_s", "tpot_s", "fleet_gpus")
    batch, most, ttft_s, tpot_s, gpus = (frame[name].to_numpy() for name in columns)
    chips = frame["accelerator"].to_numpy(object)
    slo, max_batch = demand.slo, demand.scenario.deployment.max_batch
    for row in np.flatnonzero((constraint != "") & (reason == "")):
        match constraint[row]:
            case "kv cache":
                words = f"{batch[row]} sequences at a time, memory holds {most[row]}"
            case "max batch":
                words = f"{batch[row]} sequences at a time, max_batch is {max_batch}"
            case "power":
                words = f"{_held(demand, chips[row])[1]}; the load takes {gpus[row]:,.0f}"
            case _:
                late = [f"TTFT {ttft_s[row]:.3g} s > {slo.ttft_s:g} s"]
                slow = [f"TPOT {tpot_s[row]:.3g} s > {slo.tpot_s:g} s"]
                late = late if ttft_s[row] > slo.ttft_s else []
                words = "; ".join(late + (slow if tpot_s[row] > slo.tpot_s else []))
        reason[row] = words
    return reason


def server_gpus(demand: Demand, accelerator: Accelerator) -> int:
    """Accelerators that are paid for at a time: a server's where machines are owned, else one."""
    if demand.scenario.finance.tenure != "owned":
        return 1
    return accelerator.n_per_server or PER_SERVER


def in_servers(n_gpu: float, accelerator: Accelerator) -> float:
    """Accelerators of the whole servers that hold so many.

    >>> from econ.catalog import accelerator
    >>> in_servers(9, accelerator("h100-sxm"))
    16
    """
    size = accelerator.n_per_server or PER_SERVER
    return math.ceil(n_gpu / size) * size


def paid_gpus(demand: Demand, accelerators: pd.Series, fleet_gpus: Any) -> Any:
    """Accelerators that are paid for: who owns machines owns whole servers.

    >>> from econ.scenario import Scenario
    >>> chips = pd.Series([Scenario.default().deployment.resolved_accelerator])
    >>> owned = Demand(Scenario.default().with_(tenure="owned", site="france"))
    >>> paid_gpus(owned, chips, np.array([9.0])).tolist()
    [16.0]
    """
    chips = pd.Categorical(accelerators)
    sizes = np.array([server_gpus(demand, chip) for chip in chips.categories], "float64")
    size = sizes[chips.codes]
    return np.ceil(np.asarray(fleet_gpus, "float64") / size) * size
