"""How sure is it that a seller of tokens keeps an SLO? Evidence of speed, dated like a price.

Three kinds, the best first: what you measured at the seller yourself; what is known of this seller
(``data/catalog/seller_speeds.csv``); and, where nothing is, how sellers of open models do in
general (``data/catalog/host_speeds.csv``), which is a wide band and says so.

>>> from econ.terms import Slo
>>> loose, tight = keeps_slo("nscale", Slo()), keeps_slo("nscale", Slo(tpot_s=0.01))
>>> 0.4 < loose.p_keeps_slo < 0.6, tight.p_keeps_slo < 0.2
(True, True)
>>> 0.9 < keeps_slo("nscale", Slo(), measured={"nscale": (80.0, 0.4)}).p_keeps_slo < 1.0
True
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from econ.catalog.guard import one_of, positive
from econ.catalog.tables import remember, table
from econ.decision.offers import sold_as
from econ.plan.surest import Z90, chance_of
from econ.terms import Slo

UNPUBLISHED = "speed of this seller unknown: sellers of open models in general"
ANOTHER = "not on this model"  # where a seller's word is about another one
REPEATS = "median-{}-more-than-a-week"  # of one machine, in `repeated_runs`
MOST_OF_ONE_TEST = 0.99  # one day is not every day
Tests = Mapping[str, tuple[float, float]]  # seller -> tokens per second, TTFT in seconds


@dataclass(frozen=True)
class Speed:
    """P(a seller keeps the SLO), and what it rests on."""

    p_keeps_slo: float
    evidence: str


def keeps_slo(seller: str, slo: Slo, measured: Tests | None = None, model: str = "") -> Speed:
    """The probability that a seller keeps an SLO, by the best evidence there is.

    Parameters
    ----------
    seller : str
        E.g. ``"Groq"``; a marketplace that names its host counts as that host.
    slo : Slo
        Limits on TTFT and time per token, for a share of the requests.
    measured : mapping of str to (float, float), optional
        Your own test by seller: tokens per second and TTFT in seconds that the SLO's share of
        requests kept, e.g. ``{"Groq": (300.0, 0.4)}``.
    model : str
        As it is sold; a seller's word about another one is said to be that.

    Notes
    -----
    The shares of sellers that keep each limit are taken as having one cause: the lesser counts
    (over the 67 models of the table 0.49 keep 1 s and 0.05 s together, 0.52 and 0.78 each). A
    seller's own figure moves the band of speeds to it and leaves its shape.

    One test is one day. Runs of the same machine more than a week apart differ, in nine cases of
    ten, by no more than ``p90_frac`` of ``data/latency/repeated_runs.csv``: so far the days of a
    seller differ at least, and P(SLO) after a test is the chance that another day keeps each limit.
    """
    least_tokens_per_s = 1 / slo.tpot_s
    for name, (tokens_per_s, ttft_s) in (measured or {}).items():
        positive(f"tokens_per_s measured at {name}", tokens_per_s)
        positive(f"ttft_s measured at {name}", ttft_s)
        if _same(name, seller):
            room = {"tpot_s": tokens_per_s / least_tokens_per_s, "ttft_s": slo.ttft_s / ttft_s}
            p_frac = min(another_day(name, ratio) for name, ratio in room.items())
            words = (
                f"your test: {tokens_per_s:g} tokens/s, TTFT {ttft_s:g} s; other days may differ"
            )
            return Speed(min(p_frac, MOST_OF_ONE_TEST), words)
    share, speed, wait = _hosts()
    evidence = UNPUBLISHED
    scale = 1.0
    for row in table("seller_speeds").itertuples():
        if _same(row.seller, seller):
            scale = row.tokens_per_s / float(np.interp(0.5, share, speed))
            evidence = (
                f"{row.tokens_per_s:,.0f} tokens/s on {row.model} by the seller's word of "
                f"{row.as_of}"
                + (
                    f", {ANOTHER}"
                    if model and not sold_as(model).serves(sold_as(row.model))
                    else ""
                )
                + "; TTFT unknown: sellers in general"
            )
    fast = 1 - np.interp(np.log(least_tokens_per_s / scale), np.log(speed), share, 0.0, 1.0)
    soon = np.interp(np.log(slo.ttft_s), np.log(wait), share, 0.0, 1.0)
    return Speed(float(min(fast, soon)), evidence)


def another_day(metric: str, room_ratio: float) -> float:
    """P(another day keeps a limit) that a test kept with so many times to spare.

    >>> another_day("tpot_s", 1.0), another_day("tpot_s", 1.3) > 0.9
    (0.5, True)
    """
    one_of("metric", metric, ("tpot_s", "ttft_s"))
    positive("room_ratio", room_ratio)
    p90_frac = float(table("repeated_runs").at[REPEATS.format(metric), "p90_frac"])
    sd = math.log1p(p90_frac) / Z90
    return chance_of(math.log(room_ratio) / sd)


@remember
def _hosts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = table("host_speeds")
    columns = ("share_frac", "least_tokens_per_s", "p95_ttft_s")
    share, speed, wait = (rows[name].to_numpy("float64") for name in columns)
    return share, speed, wait


def _same(name: str, seller: str) -> bool:
    """Whether two names are one seller: ``HuggingFace (cerebras)`` is Cerebras."""
    words = set(re.findall(r"[a-z0-9]+", seller.lower()))
    return set(re.findall(r"[a-z0-9]+", name.lower())) <= words
