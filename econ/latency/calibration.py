"""What the latency model cannot know from a datasheet: efficiencies and overheads, with intervals.

Three sets of values share one shape. `Calibration.fitted` holds what ``python -m econ.calibrate``
found in measured runs; `Calibration.textbook` round values of the common size;
`Calibration.datasheet` the bound, with perfect efficiency and no overhead.

>>> fitted = Calibration.fitted()
>>> 0.7 < fitted.weight_bandwidth_frac < 1
True
>>> low, high = fitted.intervals["weight_bandwidth_frac"]
>>> low <= fitted.weight_bandwidth_frac <= high
True
>>> Calibration.datasheet().kernel_s
0.0
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field, fields

import pandas as pd

from econ.catalog.guard import fraction, not_negative, unknown
from econ.catalog.tables import table
from econ.catalog.units import GB, MICRO, MILLI

ENGINES = ("vllm", "sglang", "trtllm")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Efficiencies (shares of the datasheet) and overheads of today's serving software.

    ``prefill_wait_frac``: of the time in which others' prompts are read, the share that falls
    before a request's own first token; the rest stretches its later tokens, so nothing is lost
    or counted twice. ``n_wait_steps``: decode steps until a new request is admitted and its first
    token leaves. ``n_state_passes``: how often a linear layer's state crosses the memory bus per
    prompt token. ``host_s_per_sequence``: the least a step takes per running sequence, set by the
    one process that hands out tokens; ``host_exposed_frac``: the share of it that the accelerator
    waits for in any case. ``pipeline_bubble_frac``: b in a slowdown of 1 + b·(pp − 1)/pp; parts of
    equal length have 0, exponentially distributed ones 1 (a closed ring of pp stages and parts).
    ``amd_overhead_factor``: a kernel or collective on AMD over one on NVIDIA.
    ``network_bytes_per_s``: one accelerator's card beyond the fast links.

    Raises ``ValueError`` for a share outside 0..1 or a negative time.
    """

    weight_bandwidth_frac: float = 1.0
    kv_bandwidth_frac: float = 1.0
    decode_compute_frac: float = 1.0
    prefill_compute_frac: float = 1.0
    attention_compute_frac: float = 1.0
    expert_compute_frac: float = 1.0
    link_frac: float = 1.0
    prefill_link_frac: float = 1.0
    n_tile_tokens: float = 0.0
    n_prefill_tile_tokens: float = 0.0
    prefill_chunk_tokens: float = 0.0
    large_message_bytes: float = 0.0
    kernel_s: float = 0.0
    collective_s: float = 0.0
    first_token_s: float = 0.0
    first_token_sglang_s: float = 0.0
    first_token_trtllm_s: float = 0.0
    prefill_wait_frac: float = 0.0
    prefill_wait_sglang_frac: float = 0.0
    n_wait_steps: float = 0.0
    n_state_passes: float = 0.0
    host_s_per_sequence: float = 0.0
    host_trtllm_s_per_sequence: float = 0.0
    host_exposed_frac: float = 0.0
    amd_compute_frac: float = 1.0
    amd_overhead_factor: float = 1.0
    pipeline_bubble_frac: float = 0.0
    slow_link_bytes_per_s: float = 0.0
    network_bytes_per_s: float = 50 * GB
    usable_memory_frac: float = 1.0
    reserved_bytes: float = 0.0
    interference_frac: float = 1.0
    intervals: dict = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in self.names():
            value = getattr(self, name)
            fraction(name, value) if name.endswith("_frac") else not_negative(name, value)
            if name in DIVISORS and value == 0:
                raise ValueError(f"{name} = 0 is outside its range: above 0, it divides")

    @classmethod
    def names(cls) -> list[str]:
        """The parameters, without the intervals."""
        return [f.name for f in fields(cls) if f.name != "intervals"]

    @classmethod
    @functools.cache
    def fitted(cls) -> Calibration:
        """The values in ``data/calibration.csv``; the default of every prediction."""
        rows = table("calibration")
        bounds = rows.dropna(subset=["low", "high"])
        return cls(
            **rows["value"].to_dict(),
            intervals={n: (lo, hi) for n, lo, hi in bounds[["low", "high"]].itertuples()},
        )

    @classmethod
    @functools.cache
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
            collective_s=10 * MICRO,
            first_token_s=20 * MILLI,
            n_wait_steps=1.0,
            prefill_wait_frac=0.1,
            prefill_wait_sglang_frac=0.1,
            n_state_passes=0.1,
            usable_memory_frac=0.9,
        )

    @classmethod
    @functools.cache
    def datasheet(cls) -> Calibration:
        """The physical bound: full bandwidth and FLOP/s, no overhead, nobody else's prompt."""
        return cls(interference_frac=0.0)

    def replace(self, **changes: float) -> Calibration:
        """The same calibration with some values changed; intervals of those are dropped.

        >>> Calibration.datasheet().replace(kernel_s=5e-6).kernel_s
        5e-06
        """
        for name in changes:
            if name not in self.names():
                raise unknown("parameter of the calibration", name, self.names())
        kept = {n: v for n, v in self.intervals.items() if n not in changes}
        return dataclasses.replace(self, **changes, intervals=kept)

    def frame(self) -> pd.DataFrame:
        """The parameters as a table: name, value, low, high (5 % and 95 %)."""
        rows = [(n, getattr(self, n), *self.intervals.get(n, (None, None))) for n in self.names()]
        return pd.DataFrame(rows, columns=["name", "value", "low", "high"])


DIVISORS = {
    "weight_bandwidth_frac",
    "kv_bandwidth_frac",
    "decode_compute_frac",
    "prefill_compute_frac",
    "attention_compute_frac",
    "expert_compute_frac",
    "link_frac",
    "prefill_link_frac",
    "amd_compute_frac",
    "usable_memory_frac",
    "network_bytes_per_s",
}


@dataclass(frozen=True, kw_only=True)
class Band:
    """By which factor a prediction is off, held out: half the runs lie within ``median_factor``,
    90 % within ``p90_factor``; with ``n_rows`` of 0 nothing was measured and both are assumed."""

    regime: str
    metric: str
    median_factor: float
    p90_factor: float
    n_rows: int


@functools.cache
def bands() -> dict[tuple[str, str], Band]:
    """The bands in ``data/calibration_bands.csv`` by (regime, metric).

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
            p90_factor=r.p90_x,
            n_rows=int(r.n_rows),
        )
        for r in rows.itertuples()
    }
