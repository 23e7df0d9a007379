"""The boundary ladder: accelerators, + host, + idle capacity, × PUE, each a range.

What the accelerators spend is known within a band (`econ.energy.consumption`); the host, the share
of time at work, idle power and the PUE are ranges of their own. Ends are the 5 % and 95 % quantiles
of joint samples: adding up everybody's worst case would describe a site that does not exist.

>>> from econ.energy.consumption import energy
>>> from econ.scenario import Scenario
>>> frame = boundary_frame(energy(Scenario.default(), concurrency=32), pue=1.17)
>>> frame["rung"].tolist()
['accelerators', 'host', 'idle capacity', 'building']
>>> bool((frame["low"] < frame["typical"]).all() and (frame["typical"] < frame["high"]).all())
True

What sellers of tokens say about the energy of a prompt: two figures, and nothing by the token.

>>> google = disclosed_prompt("Google")
>>> google.energy_wh, google.kind
(0.24, 'measured')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from econ.catalog import given, table
from econ.catalog.catalog import build
from econ.catalog.guard import fraction, in_range, not_negative, positive
from econ.catalog.ranges import Range, typical_of
from econ.uncertainty import interval, propagate, tornado_frame

RUNGS = ("accelerators", "host", "idle capacity", "building")
N_SAMPLES = 500
MOST_PUE = 10.0
MOST_HOST_FRAC = 5.0  # of TDP


class OperatingPoint(Protocol):
    """What the ladder needs of an energy; `econ.energy.Energy` is one."""

    @property
    def j_per_output_token(self) -> float:
        """Joules of the accelerators per output token."""

    @property
    def output_tokens_per_s_per_gpu(self) -> float:
        """Output tokens per second and accelerator while at work."""

    @property
    def tdp_w(self) -> float:
        """The accelerator's thermal design power."""

    @property
    def n_per_server(self) -> int:
        """Accelerators that share a server."""

    def range(self, metric: str = ...) -> Range:
        """An energy as an uncertain input."""


def checked_pue(pue: float) -> float:
    """``pue`` if it can be one: site energy over IT energy, so not below 1."""
    return in_range("pue", pue, 1, MOST_PUE, says="1 to 10 (site energy over IT energy)")


def checked_busy(busy_frac: float) -> float:
    """``busy_frac`` if it can be one: greater than 0 and up to 1."""
    positive("busy_frac", busy_frac)
    return fraction("busy_frac", busy_frac)


def idle_range() -> Range:
    """Idle power over TDP, of an accelerator that holds a model and has no work."""
    row = table("power_calibration").loc["idle_frac"]
    return Range(float(row["low"]), float(row["value"]), float(row["high"]), unit="share")


def idle_j_per_token(
    idle_w_per_gpu: float, output_tokens_per_s_per_gpu: float, busy_frac: float
) -> float:
    """What idle capacity adds to a token.

    Parameters
    ----------
    idle_w_per_gpu : float
        Power without work, e.g. 400 W with the host's share.
    output_tokens_per_s_per_gpu : float
        Throughput while at work, e.g. 460.
    busy_frac : float
        Share of time at work, greater than 0 and up to 1, e.g. 0.25.

    Returns
    -------
    float
        Joules per output token.

    Notes
    -----
    idle power · (1 − busy) / busy / throughput: a fleet that works a share of the time draws idle
    power the rest, and the tokens pay for it.

    Examples
    --------
    >>> round(idle_j_per_token(400, 460, 0.25), 2)
    2.61
    """
    not_negative("idle_w_per_gpu", idle_w_per_gpu)
    positive("output_tokens_per_s_per_gpu", output_tokens_per_s_per_gpu)
    checked_busy(busy_frac)
    return idle_w_per_gpu * (1 - busy_frac) / busy_frac / output_tokens_per_s_per_gpu


def ladder_j(
    accelerators_j: Any,
    output_tokens_per_s_per_gpu: Any,
    tdp_w: Any,
    *,
    host_frac: Any,
    busy_frac: Any,
    idle_frac: Any,
    pue: Any,
) -> dict[str, Any]:
    """Joules per output token up to each rung, for numbers or arrays: the ladder's arithmetic.

    Parameters
    ----------
    accelerators_j : float or array
        Joules per output token of the accelerators, e.g. 1.1.
    output_tokens_per_s_per_gpu : float or array
        Throughput of an accelerator while at work, e.g. 460.
    tdp_w : float or array
        Thermal design power of an accelerator, e.g. 700.
    host_frac, idle_frac : float or array
        Power of the host's share at work, and of an accelerator without work, over TDP.
    busy_frac : float or array
        Share of time at work, e.g. 0.8.
    pue : float or array
        Site energy over IT energy, e.g. 1.2.

    Returns
    -------
    dict of str to float or array
        By rung; each includes those below it.

    Notes
    -----
    host = accelerators + host_frac · TDP / rate;
    idle capacity = host + (host_frac + idle_frac) · TDP · (1 − busy) / busy / rate;
    building = idle capacity · PUE.
    """
    rate, host_w = output_tokens_per_s_per_gpu, tdp_w * host_frac
    with_host = accelerators_j + host_w / rate
    waiting_w = (host_w + idle_frac * tdp_w) * (1 - busy_frac) / busy_frac
    with_idle = with_host + waiting_w / rate
    steps = (accelerators_j, with_host, with_idle, with_idle * pue)
    return dict(zip(RUNGS, steps, strict=True))


def ladder_ranges(
    point: OperatingPoint,
    *,
    pue: float | Range = 1.0,
    busy_frac: float | Range | None = None,
    host_frac: float | Range | None = None,
) -> dict[str, Range]:
    """The ladder's inputs as ranges; a number given here is certain.

    Where they are not given, the share of time at work and the host's share are those of
    ``data/energy/energy_inputs.csv``.
    """
    for value in _ends(pue):
        checked_pue(value)
    if busy_frac is not None:
        for value in _ends(busy_frac):
            checked_busy(value)
    if host_frac is not None:
        for value in _ends(host_frac):
            not_negative("host_frac", value, MOST_HOST_FRAC)
    return {
        "accelerators_j": point.range(),
        "host_frac": given("energy_inputs", "host_frac")
        if host_frac is None
        else _as_range(host_frac),
        "busy_frac": given("energy_inputs", "busy_frac")
        if busy_frac is None
        else _as_range(busy_frac),
        "idle_frac": idle_range(),
        "pue": _as_range(pue),
    }


def _ends(value: float | Range) -> tuple[float, ...]:
    return (value.low, value.high) if isinstance(value, Range) else (value,)


def _as_range(value: float | Range) -> Range:
    return value if isinstance(value, Range) else Range(value, value, value)


def _ladder(point: OperatingPoint) -> Callable[..., dict[str, Any]]:
    """The ladder of one deployment as a function of its uncertain inputs.

    ``accelerators_j`` moves the throughput, not the power: what takes longer spends more on host
    and idle capacity as well.
    """
    power_w = point.output_tokens_per_s_per_gpu * point.j_per_output_token

    def rungs(accelerators_j: Any, **inputs: Any) -> dict[str, Any]:
        return ladder_j(accelerators_j, power_w / accelerators_j, point.tdp_w, **inputs)

    return rungs


def boundary_frame(
    point: OperatingPoint,
    *,
    pue: float | Range = 1.0,
    busy_frac: float | Range | None = None,
    host_frac: float | Range | None = None,
    coverage_frac: float = 0.9,
) -> pd.DataFrame:
    """Joules per output token up to each rung of the ladder.

    Parameters
    ----------
    point : OperatingPoint
        An `Energy`.
    pue : float or Range
        Site energy over IT energy, e.g. 1.2.
    busy_frac : float or Range, optional
        Share of time at work, e.g. 0.8; by default the range of ``data/energy/energy_inputs.csv``.
    host_frac : float or Range, optional
        Power of the host's share over TDP, e.g. 0.44; by default the range of the same table.
    coverage_frac : float
        Share of the joint samples between ``low`` and ``high``.

    Returns
    -------
    DataFrame
        ``rung``, ``low``, ``typical`` (at the typical inputs), ``high``, the standard errors of
        both ends (``low_se``, ``high_se``: what other samples would change), and ``adds``: what
        the rung adds to the typical figure.
    """
    ranges = ladder_ranges(point, pue=pue, busy_frac=busy_frac, host_frac=host_frac)
    rungs = _ladder(point)
    samples = propagate(rungs, ranges, N_SAMPLES)[list(RUNGS)]
    typical = np.array([float(value) for value in rungs(**typical_of(ranges)).values()])
    spans = [interval(samples[rung], coverage_frac) for rung in RUNGS]
    frame = pd.DataFrame(
        {
            "rung": RUNGS,
            "low": np.minimum([span.low for span in spans], typical),
            "typical": typical,
            "high": np.maximum([span.high for span in spans], typical),
            "low_se": [span.low_se for span in spans],
            "high_se": [span.high_se for span in spans],
        }
    )
    return frame.assign(adds=frame["typical"].diff().fillna(frame["typical"]))


def boundary_tornado_frame(point: OperatingPoint, *, pue: float | Range = 1.0) -> pd.DataFrame:
    """Which input moves the site's joules per output token: `econ.uncertainty.tornado_frame`."""
    rungs = _ladder(point)
    return tornado_frame(
        lambda **inputs: rungs(**inputs)["building"], ladder_ranges(point, pue=pue)
    )


@dataclass(frozen=True, kw_only=True)
class DisclosedPrompt:
    """The energy of a prompt as its seller published it, for a mix of models of its own.

    Attributes
    ----------
    seller, prompt : str
        Who, and of which prompt.
    energy_wh : float
        Energy of one, e.g. 0.24.
    boundary : str
        What is counted.
    source, as_of, kind, note : str
        Key of the source, its date, and whether it is measured or a claim.
    """

    seller: str
    prompt: str
    energy_wh: float
    boundary: str
    source: str = ""
    as_of: str = ""
    kind: str = ""
    note: str = ""


def disclosed_prompt(seller: str) -> DisclosedPrompt:
    """The energy that a seller has published for a prompt.

    Parameters
    ----------
    seller : str
        E.g. ``"Google"``.

    Returns
    -------
    DisclosedPrompt
        Of the seller's own mix: it is no energy of a token, a turn or a task.

    Raises
    ------
    ValueError
        For a seller that has published none.

    Examples
    --------
    >>> disclosed_prompt("Anthropic")
    Traceback (most recent call last):
        ...
    ValueError: seller = 'Anthropic' publishes no energy of a prompt; Google, OpenAI do
    """
    rows = table("disclosed_prompts")
    matches = rows[rows["seller"].str.lower() == seller.lower()]
    if matches.empty:
        raise ValueError(
            f"seller = {seller!r} publishes no energy of a prompt; {', '.join(rows['seller'])} do"
        )
    return build(DisclosedPrompt, matches.iloc[0])
