"""The back of the envelope: the whole chain from tokens to USD, each link at its physical bound.

A bound, not a forecast: memory traffic and FLOP at the datasheet's peak, no software, no queue.
`reality_frame` divides measured runs by it and so says how wrong it is; the later notebooks
replace link after link by a model with an error.

>>> from econ.scenario import Scenario
>>> one = envelope(Scenario.default(), batch=1)
>>> f"{one.step_s * 1e3:.1f} ms per token"
'5.3 ms per token'
>>> envelope(Scenario.default(), batch=10_000)
Traceback (most recent call last):
    ...
econ.latency.steps.DoesNotFit: 10000 requests need 4072 GB of KV cache beside 73 GB of weights; \
4 × h100-sxm hold 320 GB: 3825 GB missing
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog import accelerator, model, site, table
from econ.catalog.guard import count, positive
from econ.catalog.precision import weight_bytes_by_part
from econ.catalog.units import GB, HOUR_S, KILO, KWH_J, usd_per_mtok_from_usd_per_token
from econ.latency.steps import DoesNotFit
from econ.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One request's bill at the physical bound, and what it was computed from."""

    batch: int
    input_tokens: float
    output_tokens: float
    weight_bytes: float
    kv_bytes: float
    prefill_s: float
    weights_s: float
    kv_s: float
    compute_s: float
    step_s: float
    answer_s: float
    machine_s: float
    energy_j: float
    electricity_usd: float
    accelerator_usd: float
    n_gpu: int

    @property
    def output_tokens_per_s_per_gpu(self) -> float:
        """Throughput of one accelerator while it is busy."""
        return self.output_tokens / self.machine_s / self.n_gpu

    @property
    def total_usd(self) -> float:
        """Accelerator time and electricity of one request."""
        return self.accelerator_usd + self.electricity_usd

    @property
    def cost_usd_per_mtok(self) -> float:
        """Per million output tokens, with all the input on their account."""
        return usd_per_mtok_from_usd_per_token(self.total_usd / self.output_tokens)


def envelope(
    scenario: Scenario,
    batch: int = 32,
    *,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
    slowdown: float = 1.0,
) -> Envelope:
    """The bill of one request that shares the machine with ``batch − 1`` others.

    * prefill: 2 FLOP × active parameters × input tokens / peak FLOP/s
    * decode step: the slower of memory (weights once, without the input table of which one row is
      read, and the KV cache of every request) and compute
    * machine time per request: its prefill and its 1/batch share of the decode steps
    * energy: thermal design power × that time × PUE, an upper bound on power
    * USD: rent × that time, and electricity

    ``slowdown`` stretches every time by a measured factor (`reality_frame`); 1 is the bound. The
    workload's mean lengths are used unless given. Mean context: the input and half the output.
    """
    batch = count("batch", batch, 1, 10_000_000)
    positive("slowdown", slowdown, 1_000)
    deployment = scenario.deployment
    chip, net = accelerator(deployment.accelerator), model(scenario.model)
    place = site(scenario.site, scenario.operator)
    n = deployment.n_gpu
    load = scenario.workload
    tokens_in = load.mean_input_tokens if input_tokens is None else input_tokens
    tokens_out = load.mean_output_tokens if output_tokens is None else output_tokens
    positive("input_tokens", tokens_in, 1e9)
    positive("output_tokens", tokens_out, 1e9)

    parts = weight_bytes_by_part(net, deployment.precision)
    stored_bytes = sum(parts.values())
    kv_bytes = float(net.kv_bytes(tokens_in + tokens_out / 2))
    memory, need = n * chip.memory_bytes, stored_bytes + batch * kv_bytes
    if need > memory:
        raise DoesNotFit(
            f"{batch} requests need {batch * kv_bytes / GB:.0f} GB of KV cache beside "
            f"{stored_bytes / GB:.0f} GB of weights; {n} × {chip.id} hold {memory / GB:.0f} GB: "
            f"{(need - memory) / GB:.0f} GB missing",
            need - memory,
        )

    peak = n * chip.peak_flop_per_s(deployment.precision) / slowdown
    bandwidth = n * chip.memory_bandwidth_bytes_per_s / slowdown
    touched = 1.0
    if net.is_moe:  # a batch reaches more experts than one token does
        touched = 1 - (1 - net.experts_per_token / net.n_experts) ** batch
    read = stored_bytes - parts["table"] - parts["experts"] * (1 - touched)
    weights_s, kv_s = read / bandwidth, batch * kv_bytes / bandwidth
    compute_s = 2 * net.active_params * batch / peak
    step_s = max(weights_s + kv_s, compute_s)
    prefill_s = 2 * net.active_params * tokens_in / peak
    machine_s = prefill_s + tokens_out * step_s / batch
    energy_j = n * (chip.tdp_w or np.nan) * machine_s * (place.pue or 1.0)
    return Envelope(
        batch=batch,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        weight_bytes=stored_bytes,
        kv_bytes=kv_bytes,
        prefill_s=prefill_s,
        weights_s=weights_s,
        kv_s=kv_s,
        compute_s=compute_s,
        step_s=step_s,
        answer_s=prefill_s + tokens_out * step_s,
        machine_s=machine_s,
        energy_j=energy_j,
        electricity_usd=energy_j / KWH_J * (place.electricity_usd_per_kwh or np.nan),
        accelerator_usd=n * machine_s / HOUR_S * scenario.cost_usd_per_gpu_hour,
        n_gpu=n,
    )


def batches_frame(
    scenario: Scenario, batches: list[int] | None = None, slowdown: float = 1.0
) -> pd.DataFrame:
    """The envelope over batch sizes, up to the largest that fits: speed for a user against cost."""
    rows = []
    for batch in batches or [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]:
        try:
            e = envelope(scenario, batch, slowdown=slowdown)
        except DoesNotFit:
            break
        rows.append(
            {
                "batch": batch,
                "tpot_s": e.step_s,
                "tokens_per_s_per_user": 1 / e.step_s,
                "answer_s": e.answer_s,
                "output_tokens_per_s_per_gpu": e.output_tokens_per_s_per_gpu,
                "energy_j_per_token": e.energy_j / e.output_tokens,
                "cost_usd_per_mtok": e.cost_usd_per_mtok,
            }
        )
    if not rows:
        envelope(scenario, 1)  # raises DoesNotFit with the missing bytes
    return pd.DataFrame(rows)


def parts_frame(
    scenario: Scenario, batch: int, *, output_tokens: float | None = None, slowdown: float = 1.0
) -> pd.DataFrame:
    """What a thousand answers pay for: part, usd_per_1000, and the answer's speed beside it.

    Rented time is split by what the machine does in it: prefill, reading weights, reading the KV
    cache (or computing, where compute sets the pace); electricity stands apart.
    """
    e = envelope(scenario, batch, output_tokens=output_tokens, slowdown=slowdown)
    decode_usd = e.accelerator_usd * (1 - e.prefill_s / e.machine_s)
    if e.compute_s > e.weights_s + e.kv_s:
        decode = {"computing": decode_usd}
    else:
        share = e.weights_s / (e.weights_s + e.kv_s)
        decode = {
            "reading weights": decode_usd * share,
            "reading the KV cache": decode_usd * (1 - share),
        }
    parts = {"prefill": e.accelerator_usd - decode_usd, **decode, "electricity": e.electricity_usd}
    return pd.DataFrame(
        {
            "part": list(parts),
            "usd_per_1000": [KILO * usd for usd in parts.values()],
            "tokens_per_s_per_user": 1 / e.step_s,
            "answer_s": e.answer_s,
            "cost_usd_per_mtok": e.cost_usd_per_mtok,
        }
    )


def reality_frame() -> pd.DataFrame:
    """Measured decode against the bound: public runs of one model on one machine.

    Columns: ``batch``, ``measured_tpot_s``, ``bound_tpot_s``, ``slowdown`` (their ratio).
    """
    rows = table("measured_points")
    bounds = []
    for row in rows.itertuples():
        scenario = Scenario.of(row.model, row.accelerator, n_gpu=row.n_gpu, precision=row.precision)
        e = envelope(
            scenario, row.batch, input_tokens=row.input_tokens, output_tokens=row.output_tokens
        )
        bounds.append(e.step_s)
    frame = rows.rename(columns={"tpot_s": "measured_tpot_s"}).assign(bound_tpot_s=bounds)
    return frame.assign(slowdown=frame["measured_tpot_s"] / frame["bound_tpot_s"])


def bill_frame(scenario: Scenario, batch: int = 32) -> pd.DataFrame:
    """One answer's chain from tokens to USD: link, low, typical, high, unit, where it is refined.

    Low is the physical bound; typical and high stretch the time by the median and the largest
    slowdown of `reality_frame`.
    """
    slow = reality_frame()["slowdown"]
    cases = [envelope(scenario, batch, slowdown=s) for s in (1.0, slow.median(), slow.max())]
    links = [
        ("tokens read", "input_tokens", "tokens", "01"),
        ("tokens written", "output_tokens", "tokens", "01"),
        ("prefill", "prefill_s", "s", "02"),
        ("one decode step", "step_s", "s", "02"),
        ("whole answer, no queue", "answer_s", "s", "03"),
        ("machine time", "machine_s", "s", "03"),
        ("energy with the building", "energy_j", "J", "04"),
        ("electricity", "electricity_usd", "USD", "04"),
        ("accelerators, rented", "accelerator_usd", "USD", "07"),
        ("total", "total_usd", "USD", "07"),
        ("total per million output tokens", "cost_usd_per_mtok", "USD/Mtok", "07"),
    ]
    rows = [
        (name, *(getattr(c, key) for c in cases), unit, notebook)
        for name, key, unit, notebook in links
    ]
    return pd.DataFrame(rows, columns=["link", "low", "typical", "high", "unit", "notebook"])


def ranges_frame(scenario: Scenario, batch: int = 64) -> pd.DataFrame:
    """How far three inputs move the cost of a million output tokens, one at a time.

    Columns: ``input``, ``low``, ``high`` (of the input), ``low_usd``, ``high_usd``, ``base_usd``.
    Slowdown as measured (`reality_frame`), rent from the cheapest to the dearest dated row of this
    accelerator, share of time in use from that of enterprise clusters to that of a provider
    (``data/utilisation.csv``).
    """
    slow = reality_frame()["slowdown"]
    mine = table("rentals").query("accelerator == @scenario.deployment.accelerator")
    used = table("utilisation")

    def usd(slowdown: float, rent: float, busy: float) -> float:
        case = scenario.with_(finance=type(scenario.finance)(cost_usd_per_gpu_hour=rent / busy))
        return envelope(case, batch, slowdown=slowdown).cost_usd_per_mtok

    base = (float(slow.median()), scenario.cost_usd_per_gpu_hour, 1.0)
    ends = {
        "software slowdown (×)": (0, slow.min(), slow.max()),
        "rent (USD/GPU-hour)": (1, mine["usd_per_gpu_hour"].min(), mine["usd_per_gpu_hour"].max()),
        "share of time in use": (2, used["high"].max(), used["low"].min()),
    }
    rows = []
    for name, (place, low, high) in ends.items():
        cases = [(*base[:place], float(v), *base[place + 1 :]) for v in (low, high)]
        rows.append((name, low, high, usd(*cases[0]), usd(*cases[1]), usd(*base)))
    return pd.DataFrame(rows, columns=["input", "low", "high", "low_usd", "high_usd", "base_usd"])
