"""Today's list prices from the ``genai-prices`` package: many, but without a checked date.

The dated prices that lessons rest on are in ``data/api_prices.csv``; this table answers "what does
it cost now" as of the installed version of the package and changes with it. Nothing is downloaded.

>>> frame = prices_now_frame()
>>> set(frame["kind"])
{'list_price'}
"""

from __future__ import annotations

import datetime
import importlib.metadata
from dataclasses import asdict

import pandas as pd

from econ.catalog.catalog import Price


def prices_now_frame(on: datetime.datetime | None = None) -> pd.DataFrame:
    """Text models by provider in USD per million tokens, as priced at a moment (default: now).

    Where the price rises with the length of the prompt (``tiered``), the lowest tier stands.
    ``batch_discount_frac`` is the discount on output where a batch price is listed. Models without
    an input and an output price (embeddings, images, audio) are left out.
    Source: genai-prices (Pydantic, MIT); the version is in the column ``source``.
    Raises ``ImportError`` that names the extra to install.
    """
    try:
        from genai_prices import data_snapshot
    except ImportError:
        raise ImportError(
            "today's prices need genai-prices: pip install 'inference-economics[notebooks]'"
        ) from None
    moment = on or datetime.datetime.now(datetime.UTC)
    source = f"genai-prices {importlib.metadata.version('genai-prices')}"
    rows = []
    for seller in data_snapshot.get_snapshot().providers:
        for offer in seller.models:
            listed = offer.get_prices(moment)
            if listed.input_mtok is None or listed.output_mtok is None:
                continue
            batch = offer.get_prices(moment, {"processing": "batch"})
            price = Price(
                model=offer.id,
                provider=seller.name,
                input_usd_per_mtok=_lowest(listed.input_mtok),
                output_usd_per_mtok=_lowest(listed.output_mtok),
                cached_input_usd_per_mtok=_lowest(listed.cache_read_mtok),
                cache_write_usd_per_mtok=_lowest(listed.cache_write_mtok),
                batch_discount_frac=_discount(listed.output_mtok, batch.output_mtok),
                source=source,
            )
            tiered = hasattr(listed.input_mtok, "base") or hasattr(listed.output_mtok, "base")
            rows.append({**asdict(price), "tiered": tiered, "kind": "list_price"})
    return pd.DataFrame(rows).drop(columns="in_force_since")


def _lowest(price) -> float | None:
    return None if price is None else float(getattr(price, "base", price))


def _discount(listed, batch) -> float | None:
    if batch is None or batch is listed or not _lowest(listed):
        return None
    return round(1 - _lowest(batch) / _lowest(listed), 6)
