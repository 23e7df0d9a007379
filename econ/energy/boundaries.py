"""The boundary ladder: accelerators, + host, + idle capacity, × PUE, each a range.

What the accelerators spend is a band (`econ.energy.consumption`); the host, the share of time at
work, idle power and the PUE are ranges of their own. Ends are the 5 % and 95 % quantiles of joint
samples: adding up everybody's worst case would describe a site that does not exist.

>>> from econ.energy.consumption import energy
>>> one = energy("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", input_tokens=1000,
...              output_tokens=500, concurrency=32)
>>> frame = boundary_frame(one, "h100-sxm", pue=1.17)
>>> frame["rung"].tolist()
['accelerators', 'host', 'idle capacity', 'building']
>>> bool((frame["low"] < frame["typical"]).all() and (frame["typical"] < frame["high"]).all())
True
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from econ.catalog import accelerator, table
from econ.catalog.guard import fraction, in_range, not_negative, positive, unknown
from econ.catalog.ranges import Range, typical_of
from econ.energy.power import known_tdp_w
from econ.uncertainty.samples import run_model, sample_frame
from econ.uncertainty.sensitivity import tornado_frame

if TYPE_CHECKING:
    from econ.energy.consumption import Energy

RUNGS = ("accelerators", "host", "idle capacity", "building")
N_SAMPLES, TAIL = 500, 0.05
MOST_PUE = 10.0


def checked_pue(pue: float) -> float:
    """``pue`` if it can be one: site energy over IT energy, so not below 1."""
    return in_range("pue", pue, 1, MOST_PUE, says="1 to 10 (site energy over IT energy)")


def inputs() -> pd.DataFrame:
    """``data/energy_inputs.csv``: low, typical and high of what the ladder needs."""
    return table("energy_inputs")


def input_range(id: str) -> Range:
    """An input of ``data/energy_inputs.csv`` as a `Range`.

    >>> input_range("life_years").typical
    5.0
    """
    rows = inputs()
    if id not in rows.index:
        raise unknown("input of the energy ladder", id, rows.index)
    row = rows.loc[id]
    ends = (float(row["low"]), float(row["typical"]), float(row["high"]))
    return Range(*ends, unit=row["unit"], source=row["source"])


def host_w_per_gpu(tdp_w, host_frac):
    """The host's share of one accelerator: processors, memory, network, fans, conversion losses."""
    return tdp_w * host_frac


def idle_j_per_token(
    idle_w_per_gpu: float, output_tokens_per_s_per_gpu: float, busy_frac: float
) -> float:
    """Idle capacity on a token's account: idle power · (1 − busy)/busy / throughput.

    A fleet that works a share of the time draws idle power the rest, and the tokens pay for it.

    >>> round(idle_j_per_token(400, 460, 0.25), 2)
    2.61
    """
    not_negative("idle_w_per_gpu", idle_w_per_gpu)
    positive("output_tokens_per_s_per_gpu", output_tokens_per_s_per_gpu)
    positive("busy_frac", busy_frac)
    fraction("busy_frac", busy_frac)
    return idle_w_per_gpu * (1 - busy_frac) / busy_frac / output_tokens_per_s_per_gpu


def rungs_j(accelerators_j, rate, tdp_w, *, host_frac, busy_frac, idle_frac, pue) -> dict:
    """J per output token up to each rung, for numbers or arrays: the ladder's arithmetic.

    ``rate``: output tokens per second and accelerator while at work.
    """
    host_w = host_w_per_gpu(tdp_w, host_frac)
    served = accelerators_j + host_w / rate
    waiting_w = (host_w + idle_frac * tdp_w) * (1 - busy_frac) / busy_frac
    ready = served + waiting_w / rate
    return dict(zip(RUNGS, (accelerators_j, served, ready, ready * pue), strict=True))


def climb(spent: Energy, tdp_w: float):
    """The ladder of one deployment as a function of its uncertain inputs.

    ``accelerators_j`` moves the throughput, not the power: what takes longer spends more on host
    and idling too.
    """

    def rungs(accelerators_j, **shares) -> dict[str, np.ndarray]:
        rate = spent.output_tokens_per_s_per_gpu * spent.energy_j_per_token / accelerators_j
        return rungs_j(accelerators_j, rate, tdp_w, **shares)

    return rungs


def boundary_ranges(
    spent: Energy,
    *,
    pue: float | tuple[float, float, float] = 1.0,
    busy_frac: float | None = None,
    host_frac: float | None = None,
) -> dict[str, Range]:
    """The ladder's inputs as ranges; a number given here is certain, three are a range."""
    three = pue if isinstance(pue, tuple) else (pue,) * 3
    if len(three) != 3:
        raise ValueError(f"pue = {pue!r} is outside its range: one number, or low, typical, high")
    for value in three:
        checked_pue(value)
    idle = table("power_calibration").loc["idle_frac", ["low", "value", "high"]].astype(float)
    for name, value in (("busy_frac", busy_frac), ("host_frac", host_frac)):
        if value is not None:
            not_negative(name, value, 5)
    if busy_frac is not None:
        positive("busy_frac", busy_frac)
        fraction("busy_frac", busy_frac)
    return {
        "accelerators_j": spent.range(),
        "host_frac": input_range("host_frac") if host_frac is None else Range(*[host_frac] * 3),
        "busy_frac": input_range("busy_frac") if busy_frac is None else Range(*[busy_frac] * 3),
        "idle_frac": Range(*idle),
        "pue": Range(*three),
    }


@functools.lru_cache(maxsize=64)
def _drawn(ranges: tuple[tuple[str, Range], ...]) -> pd.DataFrame:
    return sample_frame(dict(ranges), N_SAMPLES)


def boundary_frame(
    spent: Energy,
    accelerator_id: str,
    *,
    pue: float | tuple[float, float, float] = 1.0,
    busy_frac: float | None = None,
    host_frac: float | None = None,
) -> pd.DataFrame:
    """J per output token up to each rung: rung, low, typical, high, and adds (typical).

    ``low`` and ``high`` hold the middle 90 % of samples of `boundary_ranges`; ``typical`` is at
    the typical inputs.
    """
    tdp_w = known_tdp_w(accelerator(accelerator_id))
    ranges = boundary_ranges(spent, pue=pue, busy_frac=busy_frac, host_frac=host_frac)
    rungs = climb(spent, tdp_w)
    made = run_model(rungs, _drawn(tuple(ranges.items())))
    typical = pd.Series(rungs(**typical_of(ranges)))
    frame = pd.DataFrame({"rung": RUNGS, "typical": typical.to_numpy()})
    low, high = np.quantile(made[list(RUNGS)].to_numpy(), [TAIL, 1 - TAIL], axis=0)
    frame.insert(1, "low", np.minimum(low, frame["typical"]))
    frame["high"] = np.maximum(high, frame["typical"])
    return frame.assign(adds=frame["typical"].diff().fillna(frame["typical"]))


def boundary_tornado_frame(
    spent: Energy, accelerator_id: str, *, pue: float | tuple[float, float, float] = 1.0
) -> pd.DataFrame:
    """Which input moves the site's J per output token: `sensitivity.tornado_frame`."""
    tdp_w = known_tdp_w(accelerator(accelerator_id))
    rungs = climb(spent, tdp_w)
    ranges = boundary_ranges(spent, pue=pue)
    return tornado_frame(lambda **inputs: rungs(**inputs)["building"], ranges)
