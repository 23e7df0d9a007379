"""Published claims, investigated: what the claim's own figures give, and what a buyer would ask.

A row of ``data/published/claims.csv`` holds two formulas on public functions
(`econ.ledger.recompute`): ``recomputed`` answers the claim on its own terms, ``asked`` answers the
question beside it. From the two numbers follows a verdict:

* ``wrong``: the recomputation differs from the claim by more than the source rounded away (or the
  claim lies above a physical ceiling);
* ``right``: it agrees, and so does the answer to the question;
* ``other``: it agrees, or cannot be repeated, but answers another question than the buyer's.

>>> case = claim("h100-110")
>>> case.verdict, round(case.recomputed, 1), case.asked
('wrong', 24.3, 5.0)
>>> claim("gb200-30x").verdict
'other'
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass

import pandas as pd

from econ import catalog
from econ.catalog import Accelerator, Model, table
from econ.catalog.guard import in_range, not_negative, one_of, positive
from econ.catalog.reading import BadTable
from econ.catalog.units import HOURS_PER_YEAR, KILO
from econ.latency.prediction import weight_bytes
from econ.ledger.recompute import evaluate, inputs_of, resolve

WORDS = ("right", "wrong", "other")
COLUMNS = ("id", "title", "claimed", "recomputed", "unit", "asked", "asked_unit", "verdict", "asks")
CHIP_COUNTS = (1, 2, 4, 8, 16)
Step = tuple[str, float, str]  # what, how much, in which unit


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim with our recomputation; ``asked`` answers ``question``, in ``asked_unit``."""

    id: str
    title: str
    text: str
    claimed: float
    unit: str
    question: str
    asks: str
    would_hold_if: str
    source: str
    recomputed: float
    asked: float
    asked_unit: str
    verdict: str
    steps: tuple[Step, ...]

    def steps_frame(self) -> pd.DataFrame:
        """The investigation, line by line: step, value, unit."""
        return pd.DataFrame(self.steps, columns=["step", "value", "unit"])


@functools.cache
def claim(id: str) -> Claim:
    """One claim, investigated.

    Parameters
    ----------
    id : str
        Its identifier in ``data/published/claims.csv``, e.g. ``"h100-110"``.

    Raises
    ------
    UnknownName
        For an unknown claim, with the nearest.
    BadTable
        For a row that cannot be computed.
    """
    rows = table("claims")
    row = rows.loc[one_of("claim", id, rows.index)]
    try:
        names = {"claimed": row.claimed, **resolve(inputs_of(rows["inputs"], id))}
        for name in ("recomputed", "asked"):
            formula = getattr(row, name)
            names[name] = float(evaluate(formula, names)) if formula else math.nan
        steps = tuple(
            (text, float(evaluate(formula, names)), unit)
            for text, formula, unit in json.loads(row.steps)
        )
    except Exception as error:  # whatever a formula can raise, the row is named
        raise BadTable(f"claims.csv row {id!r}: {error}") from error
    return Claim(
        id=id,
        title=row.title,
        text=row.claim,
        claimed=row.claimed,
        unit=row.unit,
        question=row.question,
        asks=row.asks,
        would_hold_if=row.would_hold_if,
        source=row.source,
        recomputed=names["recomputed"],
        asked=names["asked"],
        asked_unit=row.asked_unit,
        verdict=_verdict(row, names["recomputed"], names["asked"]),
        steps=steps,
    )


def _verdict(row: pd.Series, recomputed: float, answer: float) -> str:
    if row.upper_bound:
        return "right" if row.claimed <= recomputed else "wrong"

    def agrees(value: float) -> bool:
        return math.isclose(value, row.claimed, rel_tol=row.tolerance_frac)

    if math.isfinite(recomputed) and not agrees(recomputed):
        return "wrong"
    return "right" if row.asked_unit == row.unit and agrees(answer) else "other"


def claims_frame() -> pd.DataFrame:
    """All claims: id, title, claimed, recomputed and asked with their units, verdict, test."""
    cases = [claim(id) for id in table("claims").index]
    return pd.DataFrame([{name: getattr(case, name) for name in COLUMNS} for case in cases])


def sheet_frame() -> pd.DataFrame:
    """All claims for a reader who doubts: what was claimed, our verdict, and what would change it.

    Returns
    -------
    DataFrame
        ``claim``, ``verdict``, ``decided_by``, ``buyer_asks``, ``would_hold_if``, ``source``,
        ``as_of``.

    Examples
    --------
    >>> sheet_frame().set_index("claim").loc["545 % margin", "verdict"]
    'other'
    """
    cases, rows = [claim(id) for id in table("claims").index], table("claims")
    return pd.DataFrame(
        {
            "claim": [case.title for case in cases],
            "verdict": [case.verdict for case in cases],
            "decided_by": [case.asks for case in cases],
            "buyer_asks": [case.question for case in cases],
            "would_hold_if": [case.would_hold_if for case in cases],
            "source": [case.source for case in cases],
            "as_of": rows["as_of"].tolist(),
        }
    )


# -- limits and denominators that a claim is moved against --------------------------------------
def ceiling_tokens_per_s(
    model: Model | str, accelerator: Accelerator | str, precision: str, n_gpu: int = 1
) -> float:
    """The most tokens per second that one user can see: bandwidth over the bytes of all weights.

    No cache, no software, no link between accelerators: nothing real is faster.

    Parameters
    ----------
    model : Model or str
        A dense model, e.g. ``"llama-2-70b"``.
    accelerator : Accelerator or str
        E.g. ``"h100-sxm"``.
    precision : str
        Format of the weights, e.g. ``"bf16"``.
    n_gpu : int
        Accelerators that share the weights.

    Raises
    ------
    ValueError
        For a mixture of experts, whose token reads fewer weights than all.

    Examples
    --------
    >>> round(ceiling_tokens_per_s("llama-2-70b", "h100-sxm", "bf16"), 1)
    24.3
    """
    net, chip = catalog.model(model), catalog.accelerator(accelerator)
    if net.is_moe:
        raise ValueError(
            f"model = {net.id!r} is outside its range: a dense model; a token of a mixture of "
            "experts does not read all weights"
        )
    return n_gpu * chip.memory_bandwidth_bytes_per_s / weight_bytes(net, precision)


def ceiling_frame(
    model: Model | str, accelerator: Accelerator | str, precision: str
) -> pd.DataFrame:
    """By number of accelerators: n_gpu, tokens_per_s, memory (``fits`` or ``does not fit``).

    >>> frame = ceiling_frame("llama-2-70b", "h100-sxm", "bf16").round(1)
    >>> frame.iloc[[0, 3]].to_numpy().tolist()
    [[1, 24.3, 'does not fit'], [8, 194.3, 'fits']]
    """
    frame = pd.DataFrame({"n_gpu": CHIP_COUNTS})
    memory_bytes = frame["n_gpu"] * catalog.accelerator(accelerator).memory_bytes
    fits = memory_bytes > weight_bytes(catalog.model(model), precision)
    return frame.assign(
        tokens_per_s=frame["n_gpu"] * ceiling_tokens_per_s(model, accelerator, precision),
        memory=fits.map({True: "fits", False: "does not fit"}),
    )


def power_usd(
    power_w: float, electricity_usd_per_kwh: float, years: float, pue: float = 1.0
) -> float:
    """The electricity of a constant draw over some years, in USD.

    Parameters
    ----------
    power_w : float
        E.g. 500 for a card.
    electricity_usd_per_kwh : float
        E.g. 0.10.
    years : float
        E.g. 10.
    pue : float
        Energy of the site over that of the machine, e.g. 1.2.

    Examples
    --------
    >>> power_usd(500, 0.10, 10)
    4380.0
    """
    not_negative("power_w", power_w)
    not_negative("electricity_usd_per_kwh", electricity_usd_per_kwh)
    positive("years", years)
    in_range("pue", pue, 1.0, 10.0)
    return power_w * pue / KILO * HOURS_PER_YEAR * years * electricity_usd_per_kwh


def power_frame(
    capital_usd: float, power_w: float, electricity_usd_per_kwh: float, years: float, pue: float
) -> pd.DataFrame:
    """Purchase and electricity of one accelerator: part, usd, share_frac."""
    positive("capital_usd", capital_usd)
    electricity = power_usd(power_w, electricity_usd_per_kwh, years, pue)
    frame = pd.DataFrame(
        {"part": ["purchase", "electricity"], "usd": [float(capital_usd), electricity]}
    )
    return frame.assign(share_frac=frame["usd"] / frame["usd"].sum())


def power_grid_frame(
    prices_usd: tuple[float, ...],
    tariffs_usd_per_kwh: tuple[float, ...],
    power_w: float,
    years: float,
    pue: float,
) -> pd.DataFrame:
    """Electricity's share over prices and tariffs: price_usd, tariff_usd_per_kwh, share_frac."""
    rows = [
        (price, tariff, power_frame(price, power_w, tariff, years, pue)["share_frac"].iloc[1])
        for tariff in tariffs_usd_per_kwh
        for price in prices_usd
    ]
    return pd.DataFrame(rows, columns=["price_usd", "tariff_usd_per_kwh", "share_frac"])
