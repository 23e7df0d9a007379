"""List prices per million tokens: dated ones from ``data/catalog/api_prices.csv``, and today's.

Today's come from the ``genai-prices`` package: many, but without a checked date. They answer "what
does it cost now" as of the installed version and change with it. Nothing is downloaded.

>>> price("gpt-4o-mini").output_usd_per_mtok
0.6
>>> set(prices_now_frame()["kind"])
{'list_price'}
"""

from __future__ import annotations

import datetime
import importlib.metadata
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from econ.catalog.catalog import build
from econ.catalog.guard import fraction, not_negative, unknown
from econ.catalog.tables import table


@dataclass(frozen=True, kw_only=True)
class Price:
    """A list price, as published on a date.

    Parameters
    ----------
    model, provider : str
        As priced, and who sells it.
    input_usd_per_mtok, output_usd_per_mtok : float
        USD per million tokens of fresh input and of output, e.g. 0.15 and 0.60.
    cached_input_usd_per_mtok, cache_write_usd_per_mtok : float, optional
        For input read from the provider's cache, and written to it where that is charged apart.
    batch_discount_frac : float, optional
        Discount of the batch interface, e.g. 0.5.
    in_force_since : str
        First month in force.
    source : str
        Key of the source.
    """

    model: str
    provider: str = ""
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    batch_discount_frac: float | None = None
    in_force_since: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.type != "str":
                not_negative(field.name, value)
        if self.batch_discount_frac is not None:
            fraction("batch_discount_frac", self.batch_discount_frac)


def price(model: str, provider: str | None = None, on: str | None = None) -> Price:
    """The list price of a model on a date.

    Parameters
    ----------
    model : str
        As it is priced, e.g. ``"gpt-4o-mini"``.
    provider : str, optional
        Who sells it; needed where several do.
    on : str, optional
        ``YYYY-MM`` or ``YYYY-MM-DD``; the latest row by default. Where only snapshots of a price
        exist, the row starts at the latest month it can have begun.

    Returns
    -------
    Price
        USD per million tokens.

    Raises
    ------
    UnknownName
        For an unknown model or provider, with the nearest.
    ValueError
        For a model of several providers, a date before the first price, or no date.

    Examples
    --------
    >>> price("gpt-3-davinci", on="2022-08").input_usd_per_mtok
    60.0
    """
    if on is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])(-\d\d)?", on):
        raise ValueError(f"on = {on!r} is outside its range: a date as YYYY-MM or YYYY-MM-DD")
    rows = table("api_prices")
    if model not in set(rows["model"]):
        raise unknown("priced model", model, rows["model"].unique())
    rows = rows[rows["model"] == model]
    sellers = rows["provider"].unique()
    if provider is not None and provider not in sellers:
        raise unknown(f"provider of {model}", provider, sellers)
    if provider is None and len(sellers) > 1:
        raise ValueError(f"{model} is sold by {', '.join(sellers)}: name a provider")
    rows = rows[rows["provider"] == (provider or sellers[0])].sort_values("in_force_since")
    if on is not None:
        early = rows["in_force_since"].iloc[0]
        rows = rows[rows["in_force_since"] <= on]
        if rows.empty:
            raise ValueError(f"no price of {model} before {early}; asked for {on}")
    return build(Price, rows.iloc[-1])


def prices_frame() -> pd.DataFrame:
    """All dated list prices, one row each."""
    return table("api_prices")


def prices_now_frame(on: datetime.datetime | None = None) -> pd.DataFrame:
    """Text models by provider in USD per million tokens, as priced at a moment.

    Parameters
    ----------
    on : datetime, optional
        The moment; now by default.

    Returns
    -------
    DataFrame
        Columns of `Price`, with ``tiered`` where the price rises with the length of the prompt (the
        lowest tier stands) and ``kind``. ``batch_discount_frac`` is the discount on output where a
        batch price is listed. Models without an input and an output price are left out.

    Raises
    ------
    ImportError
        Without genai-prices, with what to install.

    References
    ----------
    genai-prices (Pydantic, MIT); its version is in the column ``source``.
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


def _lowest(price: Any) -> Any:
    return None if price is None else float(getattr(price, "base", price))


def _discount(listed: Any, batch: Any) -> float | None:
    if batch is None or batch is listed or not _lowest(listed):
        return None
    return float(round(1 - _lowest(batch) / _lowest(listed), 6))
