"""The one object that flows through the chain: who asks what, of which model, where, at what price.

Every notebook works on a `Scenario`; its JSON carries it from one to the next.

>>> scenario = Scenario.default()
>>> scenario.workload.id, scenario.model, scenario.deployment.accelerator
('chat', 'llama-3.1-70b', 'h100-sxm')
>>> Scenario.from_json(scenario.to_json()) == scenario
True
>>> scenario.replace(model="llama-3.1-8b").model
'llama-3.1-8b'
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from econ.facts import catalog
from econ.facts.guard import count, fraction, positive, shown, unknown
from econ.facts.tables import table
from econ.facts.units import DAY_S, GIGA, HOUR_S
from econ.models.workloads import Workload, workload

FORMAT = 1  # raised when the JSON changes its meaning
POLICIES = ("prefill_first", "chunked_prefill", "disaggregated")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """On what the model runs: accelerators, how it is split over them, precision, policy.

    Whether a model fits in the memory depends on precision, batch and lengths, so it is not asked
    here: `econ.models.envelope`, `econ.models.roofline` and the simulator say how much is missing.
    """

    accelerator: str
    n_gpu: int = 1
    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1
    precision: str = "bf16"
    policy: str = "chunked_prefill"

    def __post_init__(self) -> None:
        catalog.accelerator(self.accelerator).peak_flop_per_s(self.precision)
        for name in ("n_gpu", "tp", "pp", "ep", "dp"):
            count(name, getattr(self, name), 1, 100_000)
        if self.tp * self.pp * self.dp != self.n_gpu:
            raise ValueError(
                f"n_gpu = {self.n_gpu} is outside its range: tp × pp × dp = "
                f"{self.tp * self.pp * self.dp}"
            )
        if self.ep > self.tp * self.dp:
            raise ValueError(
                f"ep = {self.ep} is outside its range: 1 to tp × dp = {self.tp * self.dp}"
            )
        if self.policy not in POLICIES:
            raise unknown("policy", self.policy, POLICIES)


@dataclass(frozen=True, kw_only=True)
class Slo:
    """The latency promised: limits on TTFT and TPOT, and the share of requests that meet both."""

    ttft_s: float = 1.0
    tpot_s: float = 0.05
    attainment_frac: float = 0.95

    def __post_init__(self) -> None:
        positive("ttft_s", self.ttft_s, DAY_S)
        positive("tpot_s", self.tpot_s, HOUR_S)
        fraction("attainment_frac", self.attainment_frac)


@dataclass(frozen=True, kw_only=True)
class Finance:
    """What an accelerator-hour costs and how much of it is used."""

    cost_usd_per_gpu_hour: float
    utilisation_frac: float = 1.0
    source: str = ""

    def __post_init__(self) -> None:
        positive("cost_usd_per_gpu_hour", self.cost_usd_per_gpu_hour, 10_000)
        positive("utilisation_frac", self.utilisation_frac)
        fraction("utilisation_frac", self.utilisation_frac)

    @classmethod
    def rented(cls, accelerator: str, term: str = "on-demand", **more: Any) -> Finance:
        """The latest rental price of the accelerator in ``data/rentals.csv``."""
        rows = table("rentals")
        mine = rows[rows["accelerator"] == accelerator]
        if mine.empty:
            raise unknown("rented accelerator", accelerator, rows["accelerator"].unique())
        if term not in set(mine["term"]):
            raise unknown(f"term of {accelerator}", term, mine["term"].unique())
        row = mine[mine["term"] == term].sort_values("as_of").iloc[-1]
        return cls(cost_usd_per_gpu_hour=float(row.usd_per_gpu_hour), source=row.source, **more)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Workload, model, deployment, promise, place and price: one case of inference."""

    name: str
    workload: Workload
    model: str
    deployment: Deployment
    slo: Slo = field(default_factory=Slo)
    site: str
    operator: str
    finance: Finance

    def __post_init__(self) -> None:
        for name, part in PARTS.items():
            if not isinstance(value := getattr(self, name), part):
                raise ValueError(f"{name} = {value!r} is not a {part.__name__}")
        net, ep = catalog.model(self.model), self.deployment.ep
        if ep > max(net.n_experts, 1):
            raise ValueError(
                f"ep = {ep} is outside its range: 1 to the {net.n_experts} experts of {net.id}"
                if net.is_moe
                else f"ep = {ep} is outside its range: 1, {net.id} has no experts"
            )
        catalog.site(self.site, self.operator)

    @classmethod
    def default(cls) -> Scenario:
        """The case all notebooks start from: chat on Llama-3.1-70B, four H100, Virginia."""
        return cls(
            name="A chat service on four H100",
            workload=workload("chat"),
            model="llama-3.1-70b",
            deployment=Deployment(accelerator="h100-sxm", n_gpu=4, tp=4, precision="fp8"),
            site="us-virginia",
            operator="industry",
            finance=Finance.rented("h100-sxm"),
        )

    @classmethod
    def serving(cls, model: str, accelerator: str, n_gpu: int, precision: str) -> Scenario:
        """The default case with another model on one replica of so many accelerators.

        >>> Scenario.serving("llama-3.1-8b", "h100-sxm", 2, "bf16").deployment.tp
        2
        """
        machine = Deployment(accelerator=accelerator, n_gpu=n_gpu, tp=n_gpu, precision=precision)
        return cls.default().replace(model=model, deployment=machine)

    def replace(self, **changes: Any) -> Scenario:
        """The same scenario with some parts changed."""
        known = {f.name for f in fields(self)}
        for name in changes:
            if name not in known:
                raise unknown("part of a scenario", name, known)
        return dataclasses.replace(self, **changes)

    def to_json(self, indent: int | None = 2) -> str:
        """The scenario as JSON, readable and complete."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Scenario:
        """The scenario that `to_json` wrote; an unknown key names its nearest."""
        if not isinstance(text, str):
            raise ValueError(f"a scenario is read from text, not from {shown(text)}")
        try:
            values = json.loads(text.removeprefix("\ufeff"))  # a mark that some editors write
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON: line {error.lineno}: {error.msg}") from None
        except (RecursionError, ValueError):  # more levels or digits than Python reads
            raise ValueError("not a scenario: nested too deeply, or a number too long") from None
        written = values.pop("format", None) if isinstance(values, dict) else None
        if written != FORMAT or isinstance(written, bool):
            raise ValueError(f"not a scenario of format {FORMAT}")
        return _from_dict(cls, values, "scenario")

    def frame(self) -> pd.DataFrame:
        """The scenario as a table for reading: part, setting, value."""
        w, d, s, f = self.workload, self.deployment, self.slo, self.finance
        split = [f"{n.upper()} {getattr(d, n)}" for n in ("tp", "pp", "ep", "dp")]
        arrive = f"{w.rate_per_s:.2f} requests/s, gaps vary by {w.arrival_cv:.2f} of their mean"
        rows = [
            ("workload", w.id, w.title),
            ("", "arrivals", "all at once" if w.arrival == "all_at_once" else arrive),
            ("", "mean input", f"{w.mean_input_tokens:,.0f} tokens"),
            ("", "mean output", f"{w.mean_output_tokens:,.0f} tokens"),
            ("model", self.model, f"{catalog.model(self.model).n_params / GIGA:.1f} B parameters"),
            ("deployment", f"{d.n_gpu} × {d.accelerator}", f"{', '.join(split)}; {d.precision}"),
            (
                "SLO",
                "TTFT, TPOT",
                f"≤ {s.ttft_s:g} s, ≤ {s.tpot_s:g} s for {s.attainment_frac:.0%}",
            ),
            ("site", self.site, f"PUE of operator: {self.operator}"),
            ("finance", "accelerator", f"${f.cost_usd_per_gpu_hour:.2f} per GPU-hour"),
        ]
        return pd.DataFrame(rows, columns=["part", "setting", "value"])


PARTS = {"workload": Workload, "deployment": Deployment, "slo": Slo, "finance": Finance}


def _from_dict(cls, values: Any, where: str):
    if not isinstance(values, dict):
        raise ValueError(f"{where}: expected an object, not {values!r}")
    known = {f.name: f.type for f in fields(cls)}
    for name, value in values.items():
        if name not in known:
            raise unknown(f"key of {where}", name, known)
        if known[name] == "str" and not isinstance(value, str):
            raise ValueError(f"{where}.{name} = {value!r} is not text")
    made = {}
    for name, value in values.items():
        if cls is Scenario and name in PARTS:
            value = _from_dict(PARTS[name], value, name)
        made[name] = tuple(value) if isinstance(value, list) else value
    needed = {
        f.name
        for f in fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    }
    if lacking := sorted(needed - made.keys()):
        raise ValueError(f"{where}: no key {', '.join(lacking)}")
    return cls(**made)
