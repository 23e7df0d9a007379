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

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.guard import count, positive
from econ.catalog.precision import weight_bytes_by_part
from econ.catalog.units import GB, HOUR_S, KWH_J, usd_per_mtok_from_usd_per_token
from econ.latency.steps import DoesNotFit, Load, computed_tokens
from econ.scenario import Scenario
from econ.station import Result, station


@dataclass(frozen=True, kw_only=True)
class Envelope(Result):
    """One request's bill at the physical bound, and what it was computed from.

    USD are computed when they are asked for: times need no price.
    """

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
    n_gpu: int
    scenario: Scenario = field(repr=False)

    @property
    def tokens_per_s_per_user(self) -> float:
        """Speed that one user sees after the first token."""
        return 1 / self.step_s

    @property
    def output_tokens_per_s_per_gpu(self) -> float:
        """Throughput of one accelerator while it is busy."""
        return self.output_tokens / self.machine_s / self.n_gpu

    @property
    def energy_j_per_token(self) -> float:
        """Energy of an output token, all the input on its account."""
        return self.energy_j / self.output_tokens

    @property
    def electricity_usd(self) -> float:
        """The energy at the site's price: part of the accelerators' price, not on top of it.

        NaN where the price is unknown.
        """
        price = self.scenario.resolved_site.electricity_usd_per_kwh
        return self.energy_j / KWH_J * (np.nan if price is None else price)

    @property
    def accelerator_usd(self) -> float:
        """The accelerators' time, idle hours included: price / utilisation."""
        s = self.scenario
        paid_s = self.machine_s / float(s.finance.utilisation_frac)
        return self.n_gpu * paid_s / HOUR_S * float(s.cost_usd_per_gpu_hour)

    @property
    def cost_usd_per_mtok(self) -> float:
        """Per million output tokens, with all the input on their account."""
        return usd_per_mtok_from_usd_per_token(self.accelerator_usd / self.output_tokens)

    def row(self) -> dict[str, Any]:
        """The numbers; USD are left out where nobody rents this accelerator."""
        names = ["tokens_per_s_per_user", "output_tokens_per_s_per_gpu", "energy_j_per_token"]
        numbers = super().row() | {name: getattr(self, name) for name in names}
        with contextlib.suppress(ValueError):
            usd = ("accelerator_usd", "electricity_usd", "cost_usd_per_mtok")
            numbers |= {name: getattr(self, name) for name in usd}
        return numbers


@station(headline="step_s")
def envelope(
    s: Scenario,
    batch: int = 32,
    *,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
    slowdown: float = 1.0,
) -> Envelope:
    """The bill of one request that shares the machine with ``batch − 1`` others.

    Parameters
    ----------
    s : Scenario
        Model, deployment, workload, site and price.
    batch : int
        Requests that decode at a time, e.g. 32.
    input_tokens, output_tokens : float, optional
        Lengths, e.g. 1000 and 200; the workload's means by default.
    slowdown : float
        Stretches every time by a measured factor (`reality_frame`); 1 is the bound.

    Returns
    -------
    Envelope
        Seconds, bytes and joules; USD on demand.

    Raises
    ------
    DoesNotFit
        Where weights and KV caches exceed the memory.
    ValueError
        For a batch beyond the deployment's ``max_batch``, or a number outside its range.

    Notes
    -----
    * prefill: 2 FLOP × active parameters × input tokens that are not cached / peak FLOP/s
    * decode step: the slower of memory (weights once, without the input table of which one row is
      read, and the KV cache of every request, at the prompt and half the output) and compute
    * machine time per request: its prefill and its 1/batch share of the decode steps
    * energy: thermal design power × that time × PUE, without the server around the accelerators
    * USD: price / utilisation × that time; the price contains the electricity

    Examples
    --------
    >>> round(1000 * envelope(Scenario.default(), batch=1).step_s, 1)
    5.3
    """
    batch = count("batch", batch, 1, 10_000_000)
    positive("slowdown", slowdown, 1_000)
    d, net, site = s.deployment, s.resolved_model, s.resolved_site
    if d.max_batch is not None and batch > d.max_batch:
        raise ValueError(
            f"batch = {batch} is outside its range: 1 to the deployment's max_batch = {d.max_batch}"
        )
    chip, n = d.resolved_accelerator, d.n_gpu
    n_in = s.workload.mean_input_tokens if input_tokens is None else input_tokens
    n_out = s.workload.mean_output_tokens if output_tokens is None else output_tokens
    positive("input_tokens", n_in, 1e9)
    positive("output_tokens", n_out, 1e9)

    parts = weight_bytes_by_part(net, d.precision)
    stored_bytes = sum(parts.values())
    kv_bytes = float(net.kv_bytes(n_in + n_out / 2, s.deployment.kv_bytes_per_element))
    memory, need = n * chip.memory_bytes, stored_bytes + batch * kv_bytes
    if need > memory:
        raise DoesNotFit(
            f"{batch} requests need {batch * kv_bytes / GB:.0f} GB of KV cache beside "
            f"{stored_bytes / GB:.0f} GB of weights; {n} × {chip.id} hold {memory / GB:.0f} GB: "
            f"{(need - memory) / GB:.0f} GB missing",
            need - memory,
        )

    peak = n * chip.peak_flop_per_s(d.precision) / slowdown
    bandwidth = n * chip.memory_bandwidth_bytes_per_s / slowdown
    touched = 1.0
    if net.is_moe:  # a batch reaches more experts than one token does
        touched = 1 - (1 - net.experts_per_token / net.n_experts) ** batch
    read = stored_bytes - parts["table"] - parts["experts"] * (1 - touched)
    weights_s, kv_s = read / bandwidth, batch * kv_bytes / bandwidth
    compute_s = 2 * net.active_params * batch / peak
    step_s = max(weights_s + kv_s, compute_s)
    fresh = float(computed_tokens(Load(n_in, n_out, cached_frac=s.workload.cached_frac)))
    prefill_s = 2 * net.active_params * fresh / peak
    machine_s = prefill_s + n_out * step_s / batch
    return Envelope(
        batch=batch,
        input_tokens=n_in,
        output_tokens=n_out,
        weight_bytes=stored_bytes,
        kv_bytes=kv_bytes,
        prefill_s=prefill_s,
        weights_s=weights_s,
        kv_s=kv_s,
        compute_s=compute_s,
        step_s=step_s,
        answer_s=prefill_s + n_out * step_s,
        machine_s=machine_s,
        energy_j=n * (chip.tdp_w or np.nan) * machine_s * (site.pue or 1.0),
        n_gpu=n,
        scenario=s,
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
