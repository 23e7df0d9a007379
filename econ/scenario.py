"""The one object that flows through the chain: who asks what, of which model, where, at what price.

Every station (`econ.latency.predict`, `econ.serving.simulate`, `econ.energy.energy`,
`econ.tco.cost`, `econ.plan.plan`) takes a `Scenario` first. Whatever a scenario says is felt by the
stations that follow, or refused by name.

>>> scenario = Scenario.default()
>>> scenario.workload.id, scenario.model, scenario.deployment.accelerator
('chat', 'llama-3.1-70b', 'h100-sxm')
>>> faster = scenario.with_(accelerator="b200-sxm", precision="fp4")
>>> faster.deployment.accelerator, faster.cost_usd_per_gpu_hour > scenario.cost_usd_per_gpu_hour
('b200-sxm', True)
>>> scenario.with_(electricity_price=0.2)  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown setting of a scenario 'electricity_price'; nearest: elec...
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator, Site
from econ.catalog.guard import UnknownName, positive, unknown
from econ.catalog.provisioned import NO_LIMIT, Unit
from econ.catalog.ranges import Range, ends
from econ.catalog.records import parse, read_object
from econ.catalog.rents import rent
from econ.catalog.units import GIGA, KILO, MEGA
from econ.deployment import Deployment
from econ.terms import Finance, Slo
from econ.tokens.tasks import Task
from econ.tokens.workloads import Workload, workload

if TYPE_CHECKING:
    import pandas as pd

    from econ.tokens.usage_bill import UsageBill

FORMAT = 2  # of the JSON; 1 knew no objects of one's own and always wrote a price
FORMATS = (1, FORMAT)
LARGEST_TOKENS = 1e8  # of a prompt or an answer


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Workload, model, deployment, SLO, place and price: one case of inference.

    Parameters
    ----------
    name : str
        What a reader calls it.
    workload : Workload or str
        Arrivals and lengths: your own from a trace, or a name of `econ.tokens.workload`.
    model : str or Model
        A name of the catalogue or an object of your own.
    deployment : Deployment
        Accelerators, split, precision, engine.
    slo : Slo
        What is promised to users.
    site : str or Site
        A place of the catalogue, or your own with its PUE.
    operator : str
        Who runs a place of the catalogue: adds its PUE, site water and market-based carbon.
        Empty for a site of your own.
    finance : Finance
        What an hour costs and how much of it is used.
    site_mw : float, optional
        Power that the site has, in MW, cooling included, e.g. 1.5; None for no limit. Servers are
        whole and count at their provisioned power.
    rack_kw : float, optional
        Power of a rack in kW, e.g. 40; a server that needs more cannot stand there.
    """

    name: str = "A service"
    workload: Workload
    model: str | Model
    deployment: Deployment
    slo: Slo = field(default_factory=Slo)
    site: str | Site = "us-virginia"
    operator: str = "industry"
    finance: Finance = field(default_factory=Finance)
    site_mw: float | None = None
    rack_kw: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.workload, str):
            object.__setattr__(self, "workload", workload(self.workload))
        for name, part in PARTS.items():
            if not isinstance(value := getattr(self, name), part):
                raise ValueError(f"{name} = {value!r} is not a {part.__name__}")
        if not isinstance(self.model, Model):
            read = catalog.model(self.model)  # by name, or from a config.json
            by_name = isinstance(self.model, str) and not self.model.endswith(".json")
            is_row = by_name and read == catalog.model(read.id)  # a release may have another window
            object.__setattr__(self, "model", read.id if is_row else read)
        self.deployment.check(self.resolved_model)
        for name in ("site_mw", "rack_kw"):  # a limit is chosen: it is no chance
            if (limit := getattr(self, name)) is not None:
                positive(name, limit, 1e5)
        if not isinstance(self.site, Site):
            object.__setattr__(self, "site", catalog.site(self.site, self.operator or None).id)
        elif self.operator not in ("", "industry"):
            raise ValueError(
                f"operator = {self.operator!r}: a site of your own carries its own PUE; leave the "
                "operator empty"
            )

    @property
    def resolved_model(self) -> Model:
        """The model itself, whether it was given by name or as an object."""
        return self.model if isinstance(self.model, Model) else catalog.model(self.model)

    @property
    def model_id(self) -> str:
        """The model's name."""
        return self.resolved_model.id

    @property
    def resolved_site(self) -> Site:
        """The site itself, with the operator's PUE where both come from the catalogue."""
        if isinstance(self.site, Site):
            return self.site
        return catalog.site(self.site, self.operator or None)

    def power_limit(self, chip: Accelerator | None = None) -> tuple[int, str]:
        """Accelerators that the power of site and rack holds, and that limit in words.

        Parameters
        ----------
        chip : Accelerator, optional
            Which; None for the deployment's.

        Examples
        --------
        >>> n, words = Scenario.default().with_(site_mw=0.03, pue=1.2).power_limit()
        >>> n, words
        (16, 'site_mw = 0.03 holds 16 × h100-sxm: a server of 8 takes 13.2 kW with its cooling')
        """
        if self.site_mw is None and self.rack_kw is None:
            return NO_LIMIT, ""
        chip = chip or self.deployment.resolved_accelerator
        unit = Unit.of(chip)
        server = f"a server of {unit.n_gpu}" if unit.n_gpu > 1 else "one"
        if self.rack_kw is not None and not unit.held(rack_w=self.rack_kw * KILO):
            needs = f"takes {unit.power_w / KILO:.1f} kW"
            return 0, f"rack_kw = {self.rack_kw:g} holds no {chip.id}: {server} {needs}"
        if self.site_mw is None:
            return NO_LIMIT, ""
        if (known := self.resolved_site.pue) is None:
            raise ValueError(f"site_mw needs the PUE of {self.resolved_site.id}: set pue")
        pue = float(known)
        n = unit.held(site_w=self.site_mw * MEGA, pue=pue) * unit.n_gpu
        needs = f"takes {unit.power_w * pue / KILO:.1f} kW with its cooling"
        return n, f"site_mw = {self.site_mw:g} holds {n:,} × {chip.id}: {server} {needs}"

    @property
    def n_replicas(self) -> int:
        """Independent replicas that share the users."""
        return self.deployment.n_replicas(self.resolved_model)

    @property
    def cost_usd_per_gpu_hour(self) -> float:
        """The price of an accelerator-hour: your own, else the latest list rent.

        Raises ``ValueError`` for an owner's hour, which `econ.tco.cost` builds, and for an
        accelerator nobody rents.
        """
        if self.finance.cost_usd_per_gpu_hour is not None:
            return self.finance.cost_usd_per_gpu_hour
        if self.finance.tenure == "owned":
            raise ValueError(
                "an owned hour has no list price: econ.tco.cost(scenario) builds it; or set "
                "cost_usd_per_gpu_hour"
            )
        try:
            return rent(self.deployment.accelerator_id, self.finance.term)
        except UnknownName as error:
            raise UnknownName(f"{error}; or set cost_usd_per_gpu_hour") from None

    @classmethod
    def default(cls) -> Scenario:
        """The case all notebooks start from: chat on Llama-3.1-70B, four H100, Virginia."""
        return cls.of(
            "llama-3.1-70b",
            "h100-sxm",
            n_gpu=4,
            precision="fp8",
            name="A chat service on four H100",
        )

    @classmethod
    def of(
        cls,
        model: str | Path | Model | Mapping[str, Any],
        accelerator: str | Accelerator,
        *,
        n_gpu: int | None = None,
        tp: int | None = None,
        workload_id: str = "chat",
        **settings: Any,
    ) -> Scenario:
        """A scenario from a few words: ``settings`` as in `with_`, the rest by default.

        ``tp`` defaults to what ``n_gpu`` leaves after ``pp`` and ``dp``; ``n_gpu`` to one replica.

        >>> Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=1000, output_tokens=500).model
        'llama-3.1-8b'
        """
        inner = int(settings.get("pp", 1)) * int(settings.get("dp", 1))
        if tp is None:
            tp = 1 if n_gpu is None else max(int(n_gpu) // inner, 1)
        own = {f.name for f in fields(Deployment)}
        split = {n: settings.pop(n) for n in list(settings) if n in own}
        machine = Deployment(
            accelerator=accelerator, n_gpu=tp * inner if n_gpu is None else n_gpu, tp=tp, **split
        )
        read = model if isinstance(model, str | Model) else catalog.model(model)
        base = cls(workload=workload(workload_id), model=read, deployment=machine)
        return base.with_(**settings) if settings else base

    @classmethod
    def from_bill(
        cls,
        bill: UsageBill,
        model: str | Model | None = None,
        *,
        like: str | None = None,
        requests_per_day: float | None = None,
    ) -> Scenario:
        """The scenario that a bill asks for: its load, on an open model.

        Parameters
        ----------
        bill : UsageBill
            What `econ.tokens.read_usage` returns.
        model : str or Model, optional
            An open model, e.g. ``"qwen3-32b"``; left out, the bill's own of most tokens that the
            catalogue has.
        like, requests_per_day
            As in `econ.tokens.UsageBill.workload`.

        Raises
        ------
        ValueError
            For a bill of closed models where no open one is named, or without a number of requests.

        Examples
        --------
        >>> from econ.tokens import read_usage
        >>> log = b"date,model,requests,input_tokens,output_tokens\\n"
        >>> log += b"2026-10-20,qwen/qwen3-32b,86400,86400000,8640000\\n"
        >>> s = Scenario.from_bill(read_usage(log, name="usage.csv"))
        >>> s.model, s.workload.rate_per_s
        ('qwen3-32b', 1.0)
        """
        named = [model] if model is not None else list(bill.models)
        for name in named:
            try:
                served = catalog.model(name)
            except UnknownName:
                if model is not None:
                    raise
                continue
            load = bill.workload(like=like, requests_per_day=requests_per_day)
            known = catalog.models_frame().index
            return cls.default().with_(
                model=served.id if served.id in known else served, workload=load
            )
        raise ValueError(
            f"{bill.read['file']}: none of {', '.join(bill.models) or 'its models'} is an open "
            "model of the catalogue: name the one that could take its place with model"
        )

    def with_(self, **changes: Any) -> Scenario:
        """The same scenario with settings changed by their own names, wherever they sit.

        Names are those of `Scenario`, `Deployment`, `Slo`, `Finance` and `Workload`, of a `Site`
        (``electricity_usd_per_kwh``, ``pue``, …: the site becomes your own), and
        ``input_tokens`` and ``output_tokens``: every request then has that length.

        >>> s = Scenario.default().with_(tpot_s=0.02, rate_per_s=8, electricity_usd_per_kwh=0.2)
        >>> s.slo.tpot_s, s.workload.rate_per_s, s.resolved_site.electricity_usd_per_kwh
        (0.02, 8, 0.2)
        """
        top_level: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {name: {} for name in (*PARTS, "site")}
        own = {f.name for f in fields(self)}
        for name, value in changes.items():
            homes = [part for part, names in SETTINGS.items() if name in names]
            if name in own:
                top_level[name] = value
            elif name in ("input_tokens", "output_tokens"):
                parts["workload"] |= _fixed_length(name, value)
            elif len(homes) == 1:
                parts[homes[0]][name] = value
            elif homes:
                raise ValueError(
                    f"{name} is a setting of {' and of '.join(homes)}: change that part as a whole"
                )
            else:
                raise unknown("setting of a scenario", name, sorted(known_settings()))
        base = dataclasses.replace(self, **top_level) if top_level else self
        inner = {
            name: dataclasses.replace(getattr(base, name), **parts[name])
            for name in PARTS
            if parts[name]
        }
        if parts["site"]:
            inner["site"] = dataclasses.replace(base.resolved_site, **parts["site"])
            inner["operator"] = ""
        return dataclasses.replace(base, **inner) if inner else base

    def ranges(self) -> dict[str, Range]:
        """The settings that are uncertain, by path (``"finance.cost_usd_per_gpu_hour"``)."""
        return dict(_ranges(self, ""))

    def at(self, sample: Mapping[str, Any]) -> Scenario:
        """The scenario with numbers in place of the uncertain settings, by path as in `ranges`."""
        changed: Scenario = _with_numbers(self, "", sample)
        return changed

    def to_json(self, indent: int | None = 2) -> str:
        """The scenario as JSON, complete: objects of your own are written out."""
        written = {"format": FORMAT, **dataclasses.asdict(self)}
        return json.dumps(written, indent=indent, default=lambda scalar: scalar.item())  # NumPy's

    @classmethod
    def from_json(cls, text: str) -> Scenario:
        """The scenario that `to_json` wrote (format 2, or format 1 of version 1.0).

        >>> Scenario.from_json(Scenario.default().to_json()) == Scenario.default()
        True
        """
        values = parse(text, "a scenario")
        written = values.pop("format", None) if isinstance(values, dict) else None
        if written not in FORMATS or isinstance(written, bool):
            raise ValueError(f"not a scenario of format {' or '.join(map(str, FORMATS))}")
        scenario: Scenario = read_object(cls, values, "scenario", JSON_PARTS, JSON_OBJECTS)
        return scenario

    def frame(self) -> pd.DataFrame:
        """The scenario as a table for reading: part, setting, value."""
        import pandas as pd

        w, d, s = self.workload, self.deployment, self.slo
        split = [f"{n.upper()} {getattr(d, n)}" for n in ("tp", "pp", "ep", "dp")]
        arrive = f"{w.rate_per_s:.2f} requests/s, gaps vary by {w.arrival_cv:.2f} of their mean"
        parameters = f"{self.resolved_model.n_params / GIGA:.1f} B parameters"
        rows = [
            ("workload", w.id, w.title),
            ("", "arrivals", "all at once" if w.arrival == "all_at_once" else arrive),
            ("", "mean input", f"{w.mean_input_tokens:,.0f} tokens"),
            ("", "mean output", f"{w.mean_output_tokens:,.0f} tokens"),
            ("model", self.model_id, parameters),
            ("deployment", f"{d.n_gpu} × {d.accelerator_id}", f"{', '.join(split)}; {d.precision}"),
            (
                "SLO",
                "TTFT, TPOT",
                f"≤ {s.ttft_s:g} s, ≤ {s.tpot_s:g} s for {s.attainment_frac:.0%}",
            ),
            ("site", self.resolved_site.id, f"PUE of operator: {self.operator or 'your own'}"),
            ("finance", "accelerator", _hour(self)),
        ]
        if limits := [
            f"{v:g} {u}" for v, u in ((self.site_mw, "MW"), (self.rack_kw, "kW a rack")) if v
        ]:
            rows.insert(-1, ("", "power", ", ".join(limits)))
        return pd.DataFrame(rows, columns=["part", "setting", "value"])


PARTS = {"workload": Workload, "deployment": Deployment, "slo": Slo, "finance": Finance}
JSON_PARTS = {(Scenario, name): cls for name, cls in PARTS.items()}
JSON_OBJECTS = {
    (Scenario, "model"): Model,
    (Scenario, "site"): Site,
    (Deployment, "accelerator"): Accelerator,
    (Workload, "task"): Task,
}
DESCRIPTIVE = {"id", "name", "title", "source", "as_of"}  # of a site: what is no setting
SETTINGS = {
    **{part: {f.name for f in fields(cls)} for part, cls in PARTS.items()},
    "site": {f.name for f in fields(Site)} - DESCRIPTIVE,
}


def known_settings() -> set[str]:
    """Every name that `Scenario.with_` takes."""
    own = {f.name for f in fields(Scenario)} | {"input_tokens", "output_tokens"}
    return own.union(*SETTINGS.values())


def _hour(scenario: Scenario) -> str:
    if scenario.finance.tenure == "owned" and scenario.finance.cost_usd_per_gpu_hour is None:
        return "owned: built up from its layers"
    return f"${scenario.cost_usd_per_gpu_hour:.2f} per GPU-hour"


def _fixed_length(name: str, value: Any) -> dict[str, Any]:
    """Every request with the same length, which a `Range` may give."""
    ends(positive, name, value, LARGEST_TOKENS)
    quantiles = f"{name.split('_')[0]}_quantile_tokens"
    n_quantiles = len(workload("chat").input_quantile_tokens)
    return {quantiles: (value,) * n_quantiles}


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def _ranges(thing: Any, path: str) -> Iterable[tuple[str, Range]]:
    """Every `Range` inside a dataclass, with its path; a tuple of one range counts once."""
    kind: Any = type(thing)
    for name in _field_names(kind):
        value, here = getattr(thing, name), f"{path}{name}"
        if isinstance(value, Range):
            yield here, value
        elif isinstance(value, tuple) and any(isinstance(v, Range) for v in value):
            if len(set(value)) > 1:
                raise ValueError(f"{here}: lengths at quantiles take one Range for all of them")
            yield here, value[0]
        elif hasattr(value, "__dataclass_fields__"):
            yield from _ranges(value, f"{here}.")


def _with_numbers(thing: Any, path: str, sample: Mapping[str, Any]) -> Any:
    changes: dict[str, Any] = {}
    for item in fields(thing):
        value, here = getattr(thing, item.name), f"{path}{item.name}"
        if here in sample:
            number = sample[here]
            changes[item.name] = (number,) * len(value) if isinstance(value, tuple) else number
        elif dataclasses.is_dataclass(value) and any(p.startswith(f"{here}.") for p in sample):
            changes[item.name] = _with_numbers(value, f"{here}.", sample)
    return dataclasses.replace(thing, **changes)
