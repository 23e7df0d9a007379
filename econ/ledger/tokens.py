"""Topic ``tokens``: pictures, caching, price lists."""

from __future__ import annotations

from econ.catalog import Price, price
from econ.catalog.units import KILO
from econ.ledger.recompute import recompute
from econ.tokens.bill import token_bill
from econ.tokens.count import image_tokens


@recompute("image_tokens")
def picture(width_px: float, height_px: float, scheme: str) -> float:
    """Tokens of a picture."""
    return image_tokens(width_px, height_px, scheme)


@recompute("image_tokens", "token_bill")
def thousand_pictures_usd(
    width_px: float, height_px: float, scheme: str, input_usd_per_mtok: float
) -> float:
    """The bill of a thousand pictures."""
    listed = Price(model="listed", input_usd_per_mtok=input_usd_per_mtok, output_usd_per_mtok=0.0)
    n = KILO * image_tokens(width_px, height_px, scheme)
    return token_bill(listed, input_tokens=n, output_tokens=0).total_usd


@recompute("token_bill")
def cached_input_factor(hit_frac: float, read_factor: float, write_factor: float) -> float:
    """Average input rate over the fresh rate at a hit share, on a list with these factors."""
    listed = Price(
        model="listed",
        input_usd_per_mtok=1.0,
        cached_input_usd_per_mtok=read_factor,
        cache_write_usd_per_mtok=write_factor,
        output_usd_per_mtok=0.0,
    )
    n = KILO
    cached = token_bill(
        listed,
        input_tokens=n,
        cache_read_tokens=n * hit_frac,
        cache_write_tokens=n * (1 - hit_frac),
        output_tokens=0,
    )
    return cached.total_usd / token_bill(listed, input_tokens=n, output_tokens=0).total_usd


@recompute()
def cached_discount(model: str, provider: str, on: str) -> float:
    """Discount of cached input on a dated price list."""
    listed = price(model, provider, on)
    return 1 - listed.cached_input_usd_per_mtok / listed.input_usd_per_mtok
