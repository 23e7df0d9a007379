"""What an accelerator draws: a floor while it is awake, and joules for each byte and each FLOP.

power = TDP · min(1, awake + memory · share of bandwidth in use + compute · share of peak in use)

The three shares of TDP are fitted to measured runs (`econ.energy.fit`); without work an
accelerator falls to ``idle``. Decode loads the memory, prefill the arithmetic, so each phase has a
power of its own. The board's limit caps both.

>>> law = PowerLaw.fitted()
>>> round(law.power_w(700, memory_load_frac=0.6, compute_load_frac=0.02), -2)      # decode
500.0
>>> float(law.power_w(700, compute_load_frac=0.6))                                 # prefill
700.0
>>> law.power_w(700, memory_load_frac=60)
Traceback (most recent call last):
    ...
ValueError: memory_load_frac = 60 is outside its range: 0 to 1 (a share, not a percentage)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import fraction, not_negative, positive
from econ.latency import steps
from econ.latency.calibration import Calibration
from econ.latency.shapes import as_accelerator
from econ.latency.steps import Case, Prepared

LARGEST_SHARE = 10.0  # of TDP per full load; the cap makes anything above 1 mean "at the limit"


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """What an accelerator draws, in shares of its TDP.

    Parameters
    ----------
    idle_frac : float
        With a model in memory and no work, e.g. 0.12.
    awake_frac : float
        At work, before any byte is read, e.g. 0.23.
    memory_frac, compute_frac : float
        For all the bandwidth and for all the arithmetic: slopes, which may exceed 1, since the
        limit is reached before the datasheet's peak is.
    intervals : dict of str to (float, float)
        Ends of the fitted values.
    """

    idle_frac: float
    awake_frac: float
    memory_frac: float
    compute_frac: float
    intervals: dict[str, tuple[float, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        fraction("idle_frac", self.idle_frac)
        fraction("awake_frac", self.awake_frac)
        for name in ("memory_frac", "compute_frac"):
            not_negative(name, getattr(self, name), LARGEST_SHARE)
        if self.awake_frac < self.idle_frac:
            raise ValueError(
                f"awake_frac = {self.awake_frac} is outside its range: idle_frac "
                f"{self.idle_frac} to 1; power at work is not below idle"
            )

    @classmethod
    def names(cls) -> list[str]:
        """The parameters, without the intervals."""
        return [f.name for f in fields(cls) if f.name != "intervals"]

    @classmethod
    @functools.cache
    def fitted(cls) -> PowerLaw:
        """The values in ``data/energy/power_calibration.csv``; the default of every prediction."""
        rows = table("power_calibration")
        ends = {r.name: (r.low, r.high) for r in rows.itertuples()}
        return cls(**{n: float(rows.loc[n, "value"]) for n in cls.names()}, intervals=ends)

    def load_power_w(self, tdp_w: Any, memory_load_frac: Any, compute_load_frac: Any) -> Any:
        """The law itself, unchecked, for a number or arrays."""
        wanted = (
            self.awake_frac
            + self.memory_frac * memory_load_frac
            + self.compute_frac * compute_load_frac
        )
        return tdp_w * np.minimum(wanted, 1.0)

    def power_w(
        self, tdp_w: float, *, memory_load_frac: float = 0.0, compute_load_frac: float = 0.0
    ) -> float:
        """Watts of one accelerator at work, from its TDP and the loads of memory and arithmetic."""
        positive("tdp_w", tdp_w)
        fraction("memory_load_frac", memory_load_frac)
        fraction("compute_load_frac", compute_load_frac)
        return float(self.load_power_w(tdp_w, memory_load_frac, compute_load_frac))

    def idle_power_w(self, tdp_w: Any) -> Any:
        """Watts of one accelerator that holds a model and has no work."""
        return self.idle_frac * tdp_w


def known_tdp_w(accelerator: Accelerator) -> float:
    """The TDP of an accelerator, or an error that says that nobody has published one."""
    if not accelerator.tdp_w:
        raise ValueError(
            f"{accelerator.id} has no published TDP, so its power is not known (tdp_w of an "
            "accelerator of your own)"
        )
    return accelerator.tdp_w


def unit_energy(accelerator: str | Accelerator, law: PowerLaw | None = None) -> dict[str, float]:
    """What the law means per byte read and per operation, above the awake floor.

    Parameters
    ----------
    accelerator : str or Accelerator
        A name of the catalogue or an object of your own, with a TDP.
    law : PowerLaw, optional
        The fitted one by default.

    Returns
    -------
    dict of str to float
        ``energy_j_per_byte`` and ``energy_j_per_flop`` (bf16), e.g. 150e-12 and 2e-12.

    Notes
    -----
    slope of the law · TDP / datasheet rate.

    Examples
    --------
    >>> {k: f"{v * 1e12:.0f} pJ" for k, v in unit_energy("h100-sxm").items()}
    {'energy_j_per_byte': '144 pJ', 'energy_j_per_flop': '2 pJ'}
    """
    law, device = law or PowerLaw.fitted(), as_accelerator(accelerator)
    tdp_w = known_tdp_w(device)
    return {
        "energy_j_per_byte": law.memory_frac * tdp_w / device.memory_bandwidth_bytes_per_s,
        "energy_j_per_flop": law.compute_frac * tdp_w / device.peak_bf16_flop_per_s,
    }


@functools.lru_cache(maxsize=8)
def _bound(n_tile_tokens: float) -> Calibration:
    return Calibration.datasheet().replace(n_tile_tokens=n_tile_tokens)


class Loads(NamedTuple):
    """How a replica's time divides, and how loaded memory and arithmetic are in each part.

    All are 0 to 1; loads are the time that the work takes at the datasheet's rates over the time
    that it took.
    """

    prefill_share_frac: Any  # of time
    decode_memory_load_frac: Any
    decode_compute_load_frac: Any
    prefill_compute_load_frac: Any


def phases(p: Prepared, calibration: Calibration, rate_per_s: Any, batch: Any) -> Loads:
    """Loads of a case prepared under a calibration, while ``batch`` sequences decode and
    ``rate_per_s`` requests finish per replica and second."""
    split = p.split
    bound = _bound(calibration.n_tile_tokens)  # matrix units also work on what pads a tile
    bare = steps.prepare(Case(p.shapes, split, p.load), bound)
    least, alone = steps.step(bare, bound, batch), steps.prefill(bare, bound)
    prefill_s = steps.prefill(p, calibration).prefill_s
    share = np.clip(rate_per_s * prefill_s, 0, 1)
    busy = rate_per_s * p.load.output_tokens / np.maximum(batch, 1e-9)  # decode steps per second
    decode_s = np.maximum(1 - share, 1e-9) / np.maximum(busy, 1e-12)
    stages = np.minimum(batch, split.pp) / split.pp  # of a pipeline, those that have work
    attend_s = batch / split.dp * p.decode_attention_flop / (split.tp * p.work16_flop_per_s)
    arithmetic_s = (alone.compute_s + alone.attention_s) / split.pp
    return Loads(
        prefill_share_frac=share,
        decode_memory_load_frac=np.clip((least.weights_s + least.kv_s) * stages / decode_s, 0, 1),
        decode_compute_load_frac=np.clip((least.compute_s + attend_s) * stages / decode_s, 0, 1),
        prefill_compute_load_frac=np.clip(arithmetic_s / np.maximum(prefill_s, 1e-12), 0, 1),
    )


def load_frame(
    accelerator: str | Accelerator = "h100-sxm", law: PowerLaw | None = None
) -> pd.DataFrame:
    """Power against load: phase, load_percent (of bandwidth or of peak), power_w, tdp_w."""
    law, device = law or PowerLaw.fitted(), as_accelerator(accelerator)
    tdp_w = known_tdp_w(device)
    loads = np.linspace(0, 1, 21)
    rows = [
        ("decode: memory", 100 * x, law.power_w(tdp_w, memory_load_frac=x), tdp_w) for x in loads
    ]
    rows += [
        ("prefill: arithmetic", 100 * x, law.power_w(tdp_w, compute_load_frac=x), tdp_w)
        for x in loads
    ]
    return pd.DataFrame(rows, columns=["phase", "load_percent", "power_w", "tdp_w"])
