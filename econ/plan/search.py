"""Every candidate at every batch, against a latency promise: what fits, and what each loser lacks.

The latency model is evaluated over the whole table at once (100,000 deployments in a fraction of a
second on one core), in blocks that joblib can spread over cores, or over machines on a dask
cluster (``with joblib.parallel_config(backend="dask"): ...``); the rows are the same either way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import count, fraction, in_range, not_negative, positive
from econ.latency.calibration import bands
from econ.latency.frame import predict_frame
from econ.latency.regimes import REGIMES
from econ.latency.steps import answer_s
from econ.plan.candidates import CONSTRAINTS, SPLIT, listed
from econ.plan.site import point_energy
from econ.tco.token_cost import cost_usd_per_mtok
from econ.terms import Slo

REPLICAS_PER_TASK = 500
KEYS = ("accelerator", "precision", *SPLIT)
RATE = "output_tokens_per_s_per_gpu"


def concurrency_grid(n_most: int = 1024, n_per_octave: int = 4) -> list[int]:
    """Batch limits from 1 to ``n_most``, each a fixed factor above the last.

    >>> concurrency_grid(16, 2)
    [1, 2, 3, 4, 6, 8, 11, 16]
    """
    count("n_most", n_most, 1, 1_000_000)
    count("n_per_octave", n_per_octave, 1, 32)
    steps = range(math.floor(math.log2(n_most) * n_per_octave) + 1)
    return sorted({round(2 ** (i / n_per_octave)) for i in steps})


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What has to be served: arrivals, mean lengths, promise; ``peak_factor`` sizes the fleet.

    ``cached_frac`` of each prompt is found in a prefix cache: it saves reading, not memory. TPOT is
    then still that of whole prompts, which is on the safe side. ``software_maturity`` and
    ``step_overhead_s`` are those of your stack (`econ.latency.own_stack`).
    """

    rate_per_s: float
    input_tokens: float
    output_tokens: float
    slo: Slo
    peak_factor: float = 1.0
    n_spare: int = 0
    cached_frac: float = 0.0
    software_maturity: float = 1.0
    step_overhead_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rate_per_s", "input_tokens", "output_tokens", "software_maturity"):
            positive(name, getattr(self, name))
        in_range("peak_factor", self.peak_factor, 1, 1000)
        count("n_spare", self.n_spare, 0, 1000)
        not_negative("step_overhead_s", self.step_overhead_s, 1.0)
        fraction("cached_frac", self.cached_frac)
        if self.cached_frac == 1:
            raise ValueError(
                "cached_frac = 1 is outside its range: below 1, a token is always read"
            )

    @property
    def output_tokens_per_s(self) -> float:
        """Output tokens per second on average over the day."""
        return self.rate_per_s * self.output_tokens


def search_frame(
    candidates: pd.DataFrame,
    concurrencies: Iterable[int],
    model: Model | str,
    demand: Demand,
    *,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """All candidates at all batch limits: latency with its band, fleet, cost, ``constraint``.

    A replica with ``concurrency`` requests in it serves concurrency/(TTFT + (output − 1)·TPOT)
    requests per second (Little's law); the fleet is the peak rate over it, rounded up, plus spares.
    ``regime`` says what the prediction rests on (`econ.latency.regimes`). The band on cost prices
    the fleets that throughput at the ends of its 90 % band would need.
    """
    limits = [count("concurrency", c, 1, 1_000_000) for c in listed("concurrencies", concurrencies)]
    if not limits:
        raise ValueError("no concurrency to look at")
    cuts = range(0, len(candidates), REPLICAS_PER_TASK)
    blocks = [candidates.iloc[i : i + REPLICAS_PER_TASK] for i in cuts]
    if n_jobs is None and not progress and len(blocks) == 1:
        parts = [_search(blocks[0], limits, model, demand)]
    else:
        from joblib import Parallel, delayed
        from tqdm.auto import tqdm

        pool = Parallel(n_jobs=n_jobs, return_as="generator")
        made = pool(delayed(_search)(block, limits, model, demand) for block in blocks)
        total = len(candidates) * len(limits)
        with tqdm(total=total, unit="deployment", disable=not progress) as bar:
            parts = []
            for part in made:
                parts.append(part)
                bar.update(len(part))
    frame = pd.concat(parts, ignore_index=True)
    names = ("accelerator", "precision", "constraint")
    regime = frame["regime"].fillna(-1).astype("int8")  # -1 where nothing was predicted
    return frame.assign(
        regime=pd.Categorical.from_codes(regime, REGIMES),
        **{name: frame[name].astype("category") for name in names},
    )


def _search(block: pd.DataFrame, limits: list[int], model, demand: Demand) -> pd.DataFrame:
    n = len(limits)
    frame = block.loc[block.index.repeat(n)].reset_index(drop=True)
    frame["concurrency"] = np.tile(np.array(limits, dtype="int64"), len(block))
    over = (frame["concurrency"] > frame["most_sequences"]) & (frame["constraint"] == "")
    held = zip(frame.loc[over, "concurrency"], frame.loc[over, "most_sequences"], strict=True)
    frame.loc[over, "constraint"] = "kv cache"
    frame.loc[over, "reason"] = [
        f"{c} sequences at a time, memory holds {most}" for c, most in held
    ]
    possible = np.flatnonzero(frame["constraint"] == "")
    found = _predicted(frame.iloc[possible], model, demand)
    for name in found:
        values = np.full(len(frame), np.nan)
        values[possible] = found[name]
        frame[name] = values
    frame = _judged(frame, demand.slo)
    return _fleet(frame, demand)


def _predicted(frame: pd.DataFrame, model, demand: Demand) -> pd.DataFrame:
    """Latency and its band of deployments that can be built."""
    columns = [*KEYS, "n_gpu", "input_tokens", "output_tokens", "concurrency", "engine"]
    asked = frame[columns].assign(model=model)
    stack = {"software_maturity": demand.software_maturity}
    made = predict_frame(asked.assign(**stack))
    tpot_s, ttft_s = made["tpot_s"] + demand.step_overhead_s, made["ttft_s"]
    if demand.cached_frac:
        fresh = np.maximum(demand.input_tokens * (1 - demand.cached_frac), 1)
        ttft_s = predict_frame(asked.assign(input_tokens=fresh, **stack))["ttft_s"]
    ttft_s = ttft_s + demand.step_overhead_s
    usual_s = made["tpot_s"] if demand.software_maturity == 1 else predict_frame(asked)["tpot_s"]
    ratio = ttft_s / made["ttft_s"]
    whole_s = answer_s(ttft_s, tpot_s, demand.output_tokens)
    spread = np.array([bands()[name, RATE].p90_factor for name in REGIMES])
    return pd.DataFrame(
        {
            "ttft_s": ttft_s,
            "ttft_low_s": made["ttft_low_s"] * ratio,
            "ttft_high_s": made["ttft_high_s"] * ratio,
            "tpot_s": tpot_s,
            "tpot_low_s": made["tpot_low_s"] * tpot_s / made["tpot_s"],
            "tpot_high_s": made["tpot_high_s"] * tpot_s / made["tpot_s"],
            "tokens_per_s_per_user": 1 / tpot_s,
            "slowdown": tpot_s / usual_s,
            "batch": made["batch"],
            "requests_per_s_per_replica": frame["concurrency"].to_numpy() / whole_s,
            "rate_p90_factor": spread[made["regime"].cat.codes],
            "regime": made["regime"].cat.codes,
            **point_energy(made),
        }
    )


def _judged(frame: pd.DataFrame, slo: Slo) -> pd.DataFrame:
    """The latency constraints: the one that fails, both named where both do."""
    late = (frame["ttft_s"] > slo.ttft_s).to_numpy()
    slow = (frame["tpot_s"] > slo.tpot_s).to_numpy()
    reason, constraint = frame["reason"].to_numpy(object), frame["constraint"].to_numpy(object)
    ttft_s, tpot_s = frame["ttft_s"].to_numpy(), frame["tpot_s"].to_numpy()
    for row in np.flatnonzero(late | slow):
        said = []
        if late[row]:
            said.append(f"TTFT {ttft_s[row]:.3g} s > {slo.ttft_s:g} s")
        if slow[row]:
            said.append(f"TPOT {tpot_s[row]:.3g} s > {slo.tpot_s:g} s")
        reason[row] = "; ".join(said)
        constraint[row] = "ttft" if late[row] else "tpot"
    return frame.assign(reason=reason, constraint=constraint)


def _fleet(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """Whole replicas for the peak and spares, and what a good token costs on them."""
    peak = demand.rate_per_s * demand.peak_factor
    per_replica, spread = frame["requests_per_s_per_replica"], frame["rate_p90_factor"]
    out = {}
    for name, rate in (
        ("", per_replica),
        ("low_", per_replica * spread),
        ("high_", per_replica / spread),
    ):
        n_replicas = np.ceil(peak / rate * (1 - 1e-12)) + demand.n_spare
        rate_per_gpu = demand.output_tokens_per_s / (n_replicas * frame["n_gpu"])
        out[name] = n_replicas
        out[f"cost_{name}"] = cost_usd_per_mtok(frame["usd_per_gpu_hour"], rate_per_gpu)
    return frame.assign(
        n_replicas=out[""],
        fleet_gpus=out[""] * frame["n_gpu"],
        usd_per_hour=out[""] * frame["n_gpu"] * frame["usd_per_gpu_hour"],
        busy_frac=demand.rate_per_s / (out[""] * per_replica),
        cost_usd_per_good_mtok=out["cost_"],
        cost_low_usd_per_good_mtok=out["cost_low_"],
        cost_high_usd_per_good_mtok=out["cost_high_"],
    )


def constraints_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """How many deployments each constraint rules out, in the order in which they are looked for."""
    counts = frame["constraint"].astype(str).value_counts()
    order = ["", *CONSTRAINTS]
    rows = [(name or "none: meets the promise", int(counts.get(name, 0))) for name in order]
    made = pd.DataFrame(rows, columns=["constraint", "n_deployments"])
    return made[made["n_deployments"] > 0].reset_index(drop=True)
