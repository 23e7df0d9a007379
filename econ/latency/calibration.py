"""What the latency model cannot know from a datasheet: efficiencies and overheads, with intervals.

Three sets of values share one form. `Calibration.fitted` holds what ``python -m econ.calibrate``
found in measured runs; `Calibration.textbook` round values of the common size;
`Calibration.datasheet` the bound, with perfect efficiency and no overhead. Beside them stand the
bands: by which factor predictions were off, and how far a case lies from what was measured.

>>> fitted = Calibration.fitted()
>>> 0.7 < fitted.weight_bandwidth_frac < 1
True
>>> low, high = fitted.intervals["weight_bandwidth_frac"]
>>> low <= fitted.weight_bandwidth_frac <= high
True
>>> Calibration.datasheet().kernel_s, Calibration.datasheet().engine("sglang").first_token_s
(0.0, 0.0)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.engines import Engine, engines
from econ.catalog.guard import fraction, not_negative, unknown
from econ.catalog.tables import remember, table
from econ.catalog.units import GB, MICRO, MILLI
from econ.latency.software import Dated, Software, year_of

ENGINE_VALUES = ("first_token_s", "n_wait_steps", "opening_s", "host_s_per_sequence")
# those that are fitted, and the columns of their intervals
ENGINE_ENDS = {
    "first_token_s": ("first_token_low_s", "first_token_high_s"),
    "n_wait_steps": ("n_wait_low_steps", "n_wait_high_steps"),
    "opening_s": ("opening_low_s", "opening_high_s"),
}
# the regimes of a prediction, from near to far: model and accelerator were both measured; one or
# both were not; measured, but with so many users of one replica that batch limits which nobody
# recorded may bind; and beyond (pipelines, a crowd on something new, a thousand users), where
# there are no open measurements to speak of and physics alone carries
REGIMES = ("calibrated", "new accelerator", "new model", "new both", "crowded", "beyond")
NO_DATES = Software()
CROWD, MANY_USERS = 256, 1000
NO_SOFTMAX = 1e30  # a rate at which it takes no time
WIDEST = 4.0  # a factor beyond which a band says nothing


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Efficiencies (shares of the datasheet) and overheads of today's serving software.

    Parameters
    ----------
    weight_bandwidth_frac, kv_bandwidth_frac : float
        Share of the memory bandwidth at which weights and KV caches are read, e.g. 0.93.
    decode_compute_frac, prefill_compute_frac, attention_compute_frac, expert_compute_frac : float
        Share of the peak FLOP/s; that of the experts applies on top of the dense one.
    softmax_flop_per_s : float
        Rate of attention's products over a prompt if its exponentials alone took time, e.g. 4e14.
        Their units grow less with an accelerator than its matrix units, so this is no share of the
        peak: a slow one is hardly held up by them, the fastest most.
    link_frac, prefill_link_frac : float
        Share of the link bandwidth for decode's small and prefill's large messages.
    n_tile_tokens, n_prefill_tile_tokens : float
        Tokens of the smallest tile of a grouped product: an expert with fewer pads up.
    prefill_chunk_tokens : float
        Short prompts are read together up to so many tokens.
    large_message_bytes, slow_link_bytes_per_s, network_bytes_per_s : float
        Where messages count as large; a link no faster carries small ones as well; the card of one
        accelerator beyond the fast links.
    kernel_s, collective_s : float
        Time to launch a kernel, and least time of an all-reduce, e.g. 5 µs.
    expert_skew_factor : float
        How uneven experts are used: the squared coefficient of variation of their popularity, e.g.
        0.5; 0 where all are used alike.
    recv_wait_frac : float
        Share of the receive interval that a request waits on average: 0.5 by chance.
    n_state_passes : float
        How often a linear layer's state crosses the memory bus per prompt token.
    host_exposed_frac : float
        Share of the host's work that the accelerator waits for in any case.
    cdna3_compute_frac, cdna4_compute_frac : float
        Arithmetic on AMD's generations over that on NVIDIA, each relative to its peak.
    cdna3_overhead_factor, cdna4_overhead_factor : float
        Kernels and collectives there over those on NVIDIA.
    pipeline_bubble_frac : float
        b in a slowdown of 1 + b·(pp − 1)/pp: 0 for equal parts, 1 for exponentially distributed.
    usable_memory_frac, reserved_bytes : float
        What of the memory weights and caches may fill.
    interference_frac : float
        Share of others' prompts that is felt: 1, or 0 at the bound.
    engines : tuple of Engine
        The habits of each serving engine; the first stands for those without a row.
    software : Software
        How mature engines were at which date.
    intervals : mapping
        Name (``"kernel_s"``, ``"vllm.first_token_s"``) → 5 % and 95 % of refits.

    Raises
    ------
    ValueError
        For a share outside 0 to 1 or a negative time.
    """

    weight_bandwidth_frac: float = 1.0
    kv_bandwidth_frac: float = 1.0
    decode_compute_frac: float = 1.0
    prefill_compute_frac: float = 1.0
    attention_compute_frac: float = 1.0
    expert_compute_frac: float = 1.0
    softmax_flop_per_s: float = NO_SOFTMAX
    link_frac: float = 1.0
    prefill_link_frac: float = 1.0
    n_tile_tokens: float = 0.0
    n_prefill_tile_tokens: float = 0.0
    prefill_chunk_tokens: float = 0.0
    large_message_bytes: float = 0.0
    kernel_s: float = 0.0
    collective_s: float = 0.0
    expert_skew_factor: float = 0.0
    recv_wait_frac: float = 0.5
    n_state_passes: float = 0.0
    host_exposed_frac: float = 0.0
    cdna3_compute_frac: float = 1.0
    cdna4_compute_frac: float = 1.0
    cdna3_overhead_factor: float = 1.0
    cdna4_overhead_factor: float = 1.0
    pipeline_bubble_frac: float = 0.0
    slow_link_bytes_per_s: float = 0.0
    network_bytes_per_s: float = 50 * GB
    usable_memory_frac: float = 1.0
    reserved_bytes: float = 0.0
    interference_frac: float = 1.0
    engines: tuple[Engine, ...] = ()
    software: Software = NO_DATES
    intervals: Mapping[str, tuple[float, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        for name in self.names():
            value = getattr(self, name)
            fraction(name, value) if name.endswith("_frac") else not_negative(name, value)
            if name in DIVISORS and value == 0:
                raise ValueError(f"{name} = 0 is outside its range: above 0, it divides")

    @classmethod
    def names(cls) -> list[str]:
        """The parameters of the physics, without engines and intervals."""
        return [f.name for f in fields(cls) if f.name not in ("engines", "software", "intervals")]

    @classmethod
    def fitted(cls) -> Calibration:
        """The default: the values in ``data/latency/calibration.csv`` and ``engines.csv``."""
        return _fitted()

    @classmethod
    def textbook(cls) -> Calibration:
        """Round values of the common size, not fitted (but written down with the fit in view)."""
        return cls(
            weight_bandwidth_frac=0.8,
            kv_bandwidth_frac=0.7,
            decode_compute_frac=0.8,
            prefill_compute_frac=0.5,
            attention_compute_frac=0.4,
            expert_compute_frac=0.4,
            link_frac=0.3,
            prefill_link_frac=0.5,
            kernel_s=5 * MICRO,
            collective_s=5 * MICRO,
            n_state_passes=0.1,
            usable_memory_frac=0.9,
            engines=(Engine(first_token_s=20 * MILLI, n_wait_steps=1.0),),
        )

    @classmethod
    def datasheet(cls) -> Calibration:
        """The physical bound: full bandwidth and FLOP/s, no overhead, nobody else's prompt."""
        return _datasheet()

    def engine(self, name: str) -> Engine:
        """The habits of an engine; of one without a row, those of the first."""
        for engine in self.engines:
            if engine.name == name:
                return engine
        return self.engines[0] if self.engines else Engine()

    def value(self, name: str) -> float:
        """A parameter by name; engines' as ``"vllm.first_token_s"``.

        >>> Calibration.textbook().value("weight_bandwidth_frac")
        0.8
        """
        if "." not in name:
            return float(getattr(self, _known(name, self.names())))
        return float(getattr(self._engines_of(name)[0], name.split(".")[1]))

    def replace(self, **changes: float) -> Calibration:
        """The same calibration with some values changed; intervals of those are dropped.

        Names are those of `value`, or one of an engine's values for all engines.

        >>> Calibration.datasheet().replace(kernel_s=5e-6).kernel_s
        5e-06
        >>> slow = Calibration.fitted().replace(host_s_per_sequence=5e-4)
        >>> slow.engine("trtllm").host_s_per_sequence
        0.0005
        """
        physics: dict[str, Any] = {}
        changed = {engine.name: engine for engine in self.engines or (Engine(),)}
        for name, value in changes.items():
            if "." in name or name in ENGINE_VALUES:
                _check_engine_value(name, value)
                for engine in self._engines_of(name):
                    new: dict[str, Any] = {name.rsplit(".", maxsplit=1)[-1]: value}
                    changed[engine.name] = dataclasses.replace(changed[engine.name], **new)
            else:
                physics[_known(name, self.names())] = value
        gone = {n for n in self.intervals if n in changes or n.split(".")[-1] in changes}
        left = {n: ends for n, ends in self.intervals.items() if n not in gone}
        if any("." in name or name in ENGINE_VALUES for name in changes):
            physics["engines"] = tuple(changed.values())
        return dataclasses.replace(self, **physics, intervals=left)

    def _engines_of(self, name: str) -> list[Engine]:
        """The engines that ``"who.value"`` means: one by name, or all."""
        who, _, value = name.rpartition(".")
        _known(value, ENGINE_VALUES)
        rows = list(self.engines) or [Engine()]
        named = [e for e in rows if who in ("", e.name)]
        if not named:
            raise unknown("engine of the calibration", who, [e.name for e in rows])
        return named

    def frame(self) -> pd.DataFrame:
        """The parameters as a table: name, value, low, high (5 % and 95 %)."""
        names = [*self.names(), *(f"{e.name}.{v}" for e in self.engines for v in ENGINE_VALUES)]
        rows = [(n, self.value(n), *self.intervals.get(n, (None, None))) for n in names]
        return pd.DataFrame(rows, columns=["name", "value", "low", "high"])


def _known(name: str, names: Any) -> str:
    if name not in names:
        raise unknown("parameter of the calibration", name, [*names, *ENGINE_VALUES])
    return name


def _check_engine_value(name: str, value: float) -> None:
    fraction(name, value) if name.endswith("_frac") else not_negative(name, value)


@remember
def _fitted() -> Calibration:
    rows, habits = table("calibration"), table("engines")
    bounds = rows.dropna(subset=["low", "high"])
    intervals = {name: (low, high) for name, low, high in bounds[["low", "high"]].itertuples()}
    for row in habits[habits["n_runs"] > 0].itertuples():
        for value, (low, high) in ENGINE_ENDS.items():
            if (ends := (getattr(row, low), getattr(row, high)))[0] == ends[0]:
                intervals[f"{row.name}.{value}"] = ends
    dated = tuple(
        Dated(row.engine, row.generation, year_of(row.as_of), float(row.maturity))
        for row in table("software_maturity").itertuples()
    )
    return Calibration(
        **rows["value"].to_dict(),
        engines=tuple(engines().values()),
        software=Software(dated, str(rows["as_of"].max())),
        intervals=intervals,
    )


@remember
def _datasheet() -> Calibration:
    without: dict[str, Any] = dict.fromkeys(ENGINE_VALUES, 0.0)
    habits = tuple(dataclasses.replace(engine, **without) for engine in engines().values())
    return Calibration(interference_frac=0.0, engines=habits)


DIVISORS = {
    "weight_bandwidth_frac",
    "kv_bandwidth_frac",
    "decode_compute_frac",
    "prefill_compute_frac",
    "attention_compute_frac",
    "expert_compute_frac",
    "link_frac",
    "prefill_link_frac",
    "cdna3_compute_frac",
    "cdna4_compute_frac",
    "usable_memory_frac",
    "network_bytes_per_s",
}


@dataclass(frozen=True, kw_only=True)
class Band:
    """By which factor a prediction is off, held out: half the runs lie within ``median_factor``,
    90 % within ``p90_factor``; with ``n_rows`` of 0 nothing was measured and both are assumed.
    A factor beyond `WIDEST` is no band: ``p90_factor`` is infinite then, and ``reason`` says why.
    """

    regime: str
    metric: str
    median_factor: float
    p90_factor: float
    n_rows: int

    @property
    def reason(self) -> str:
        """Why there is no band; empty where there is one."""
        if np.isfinite(self.p90_factor):
            return ""
        if not self.n_rows:
            return (
                f"not predicted: no run of this kind (regime: {self.regime}) was measured, and the "
                f"error may exceed a factor of {WIDEST:g}"
            )
        return (
            f"not predicted: on the {self.n_rows} measured runs of this kind (regime: "
            f"{self.regime}) more than one error in ten exceeds a factor of {WIDEST:g}"
        )


@remember
def bands() -> dict[tuple[str, str], Band]:
    """The bands in ``data/latency/calibration_bands.csv`` by (regime, metric).

    >>> near, far = bands()["calibrated", "tpot_s"], bands()["beyond", "tpot_s"]
    >>> near.p90_factor < far.p90_factor
    True
    """
    rows = table("calibration_bands")
    return {
        (r.regime, r.metric): Band(
            regime=r.regime,
            metric=r.metric,
            median_factor=r.median_x,
            p90_factor=r.p90_x if r.p90_x <= WIDEST else math.inf,
            n_rows=int(r.n_rows),
        )
        for r in rows.itertuples()
    }


@remember
def measured_names() -> tuple[frozenset[str], frozenset[str]]:
    """The models and the accelerators of the measured runs."""
    rows = pd.concat([table("measured_serving"), table("measured_medians")])
    return frozenset(rows["model"]), frozenset(rows["accelerator"])


def novelty(model_id: str, accelerator_id: str) -> int:
    """Position in `REGIMES`, from the names alone.

    >>> REGIMES[novelty("llama-3.1-70b", "h100-sxm")], REGIMES[novelty("falcon-180b", "l40s")]
    ('calibrated', 'new both')
    """
    models, chips = measured_names()
    return (accelerator_id not in chips) + 2 * (model_id not in models)


def regime_code(new: Any, *, concurrency: Any, pp: Any) -> Any:
    """Position in `REGIMES` of one case or many: novelty, users of a replica, stages."""
    crowded = (concurrency >= CROWD) * (REGIMES.index("crowded") + (new > 0))
    alone = (pp > 1) | (concurrency >= MANY_USERS)
    return np.maximum(np.maximum(new, crowded), alone * REGIMES.index("beyond"))
