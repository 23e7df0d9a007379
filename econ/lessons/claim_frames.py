"""Tables behind the claims lab: the limits and denominators that a claim is moved against.

>>> ceiling_frame("llama-2-70b", "h100-sxm", "bf16").round(1).iloc[[0, 3]].to_numpy().tolist()
[[1, 24.3, 'does not fit'], [8, 194.3, 'fits']]
"""

from __future__ import annotations

import pandas as pd

from econ.catalog import accelerator, catalog
from econ.catalog.guard import in_range, not_negative, positive
from econ.catalog.units import HOURS_PER_YEAR, KILO
from econ.latency.prediction import weight_bytes
from econ.tco import cost_usd_per_mtok

CHIP_COUNTS = (1, 2, 4, 8, 16)


def ceiling_tokens_per_s(model: str, chip: str, precision: str, n_gpu: int = 1) -> float:
    """The most tokens per second that one user can see: bandwidth over the bytes of all weights.

    No cache, no software, no link between the chips: nothing real is faster. For a mixture of
    experts, a token reads fewer weights; this limit does not hold there and is refused.
    """
    if catalog.model(model).is_moe:
        raise ValueError(
            f"model = {model!r} is outside its range: a dense model; a token of a mixture of "
            "experts does not read all weights"
        )
    bandwidth = accelerator(chip).memory_bandwidth_bytes_per_s
    return n_gpu * bandwidth / weight_bytes(model, precision)


def ceiling_frame(model: str, chip: str, precision: str) -> pd.DataFrame:
    """By number of chips: n_gpu, tokens_per_s, memory (``fits`` or ``does not fit``)."""
    memory, weights = accelerator(chip).memory_bytes, weight_bytes(model, precision)
    rows = [
        (
            n,
            ceiling_tokens_per_s(model, chip, precision, n),
            "fits" if n * memory > weights else "does not fit",
        )
        for n in CHIP_COUNTS
    ]
    return pd.DataFrame(rows, columns=["n_gpu", "tokens_per_s", "memory"])


def power_usd(
    power_w: float, electricity_usd_per_kwh: float, years: float, pue: float = 1.0
) -> float:
    """The electricity of a constant draw over some years.

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
    parts = {
        "purchase": capital_usd,
        "electricity": power_usd(power_w, electricity_usd_per_kwh, years, pue),
    }
    frame = pd.DataFrame({"part": list(parts), "usd": list(parts.values())})
    return frame.assign(share_frac=frame["usd"] / frame["usd"].sum())


def token_cost_frame(
    decode_tokens_per_s_per_gpu: float,
    prefill_tokens_per_s_per_gpu: float,
    cost_usd_per_gpu_hour: float,
    input_output_ratio: float,
    utilisation_frac: float,
) -> pd.DataFrame:
    """What a million output tokens pay for: part (decode, prefill, idle), cost_usd_per_mtok."""
    not_negative("input_output_ratio", input_output_ratio)
    decode = cost_usd_per_mtok(cost_usd_per_gpu_hour, decode_tokens_per_s_per_gpu)
    prefill = input_output_ratio * cost_usd_per_mtok(
        cost_usd_per_gpu_hour, prefill_tokens_per_s_per_gpu
    )
    busy = decode + prefill
    positive("utilisation_frac", utilisation_frac, 1.0)
    parts = {"writing": decode, "reading prompts": prefill, "idle": busy / utilisation_frac - busy}
    return pd.DataFrame({"part": list(parts), "cost_usd_per_mtok": list(parts.values())})


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
