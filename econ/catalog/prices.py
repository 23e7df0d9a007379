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
import functools
import importlib.metadata
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import pandas as pd

from econ.catalog.catalog import build
from econ.catalog.guard import fraction, not_negative, one_of, unknown
from econ.catalog.tables import data_dir, remember, table

SAVED = "catalog/prices_now.json"  # only where a build has written it
SAVED_ON = ", saved "  # after the release of the price package, before the day of that build
SERVICES = ("standard", "batch", "flex", "priority")
CACHE_TTL_S = 300.0  # the usual life of a seller's cache entry after its last use
RATES = ("input", "output", "cached_input", "cache_write", "cache_write_1h")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The rates of one service, for prompts longer than a limit.

    Parameters
    ----------
    service : str
        ``"standard"``, ``"batch"`` (answered within a day), ``"flex"`` (when there is room) or
        ``"priority"``.
    above_input_tokens : int
        The whole request is billed at these rates if its prompt is longer, e.g. 200,000.
    input_usd_per_mtok, output_usd_per_mtok : float
        USD per million tokens of fresh input and of output.
    cached_input_usd_per_mtok : float, optional
        For input read from the provider's cache; left out, it is billed as fresh.
    cache_write_usd_per_mtok, cache_write_1h_usd_per_mtok : float, optional
        For input written to the cache, for its usual life (mostly 5 minutes) and for an hour.
    """

    service: str = "standard"
    above_input_tokens: int = 0
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None

    def __post_init__(self) -> None:
        one_of("service", self.service, SERVICES)
        _check_numbers(self)

    def write_usd_per_mtok(self, ttl_s: float | None = CACHE_TTL_S) -> float:
        """What input costs that a cache is to hold for ``ttl_s``: as fresh where no rate is listed.

        >>> rates = price("claude-opus-4-8").rates()
        >>> rates.write_usd_per_mtok(300), rates.write_usd_per_mtok(3600)
        (6.25, 10.0)
        """
        usual, hour = self.cache_write_usd_per_mtok, self.cache_write_1h_usd_per_mtok
        longer = ttl_s is None or ttl_s > CACHE_TTL_S
        listed = hour if longer and hour is not None else usual
        return self.input_usd_per_mtok if listed is None else listed

    @property
    def read_usd_per_mtok(self) -> float:
        """What input costs that a cache holds: as fresh where no rate is listed."""
        listed = self.cached_input_usd_per_mtok
        return self.input_usd_per_mtok if listed is None else listed


@dataclass(frozen=True, kw_only=True)
class Price:
    """A list price, as published on a date.

    Parameters
    ----------
    model, provider : str
        As priced, and who sells it.
    input_usd_per_mtok, output_usd_per_mtok : float
        USD per million tokens of fresh input and of output, e.g. 0.15 and 0.60.
    cached_input_usd_per_mtok, cache_write_usd_per_mtok, cache_write_1h_usd_per_mtok : float, \
optional
        For input read from the provider's cache, and written to it where that is charged apart,
        for its usual life (mostly 5 minutes) and for an hour.
    batch_discount_frac : float, optional
        Discount of the batch interface, e.g. 0.5.
    other_rates : tuple of Rates
        Rates of long prompts and of other services, where they are listed.
    in_force_since : str
        First month in force.
    source : str
        Key of the source.

    Examples
    --------
    >>> long = price("gemini-3.1-pro-preview").rates(input_tokens=250_000)
    >>> long.above_input_tokens, long.input_usd_per_mtok
    (200000, 4.0)
    """

    model: str
    provider: str = ""
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    batch_discount_frac: float | None = None
    other_rates: tuple[Rates, ...] = ()
    in_force_since: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if self.batch_discount_frac is not None:
            fraction("batch_discount_frac", self.batch_discount_frac)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that the list has a price for."""
        listed = {"standard", *(r.service for r in self.other_rates)}
        if self.batch_discount_frac is not None:
            listed.add("batch")
        return tuple(s for s in SERVICES if s in listed)

    def rates(self, input_tokens: float = 0, service: str = "standard") -> Rates:
        """The rates of a request.

        Parameters
        ----------
        input_tokens : float
            Length of its prompt, cached tokens included: above a limit of the list the whole
            request is billed at the upper rates.
        service : str
            ``"standard"``, ``"batch"``, ``"flex"`` or ``"priority"``.

        Raises
        ------
        UnknownName
            For another service.
        ValueError
            For a service that the list has no price for.
        """
        one_of("service", service, SERVICES)
        fits = [self._usual] if service == "standard" else []
        fits += [r for r in self.other_rates if r.service == service]
        fits = [r for r in fits if r.above_input_tokens == 0 or input_tokens > r.above_input_tokens]
        if fits:
            return max(fits, key=lambda r: r.above_input_tokens)
        if service == "batch" and self.batch_discount_frac is not None:
            usual = self.rates(input_tokens)
            left = 1 - self.batch_discount_frac
            usd: dict[str, Any] = {n: getattr(usual, n) for n in _USD}
            usd = {n: v if v is None else v * left for n, v in usd.items()}
            return Rates(service="batch", above_input_tokens=usual.above_input_tokens, **usd)
        listed = ", ".join(self.services)
        what = "batch discount" if service == "batch" else f"price of {service}"
        raise ValueError(f"{self.model} lists no {what}; it lists {listed}")

    @functools.cached_property
    def _usual(self) -> Rates:
        return Rates(**{name: getattr(self, name) for name in _USD})


_USD = tuple(f"{name}_usd_per_mtok" for name in RATES)


def _check_numbers(rates: Rates | Price) -> None:
    for field in fields(rates):
        value = getattr(rates, field.name)
        if value is not None and field.type not in ("str", "tuple[Rates, ...]"):
            not_negative(field.name, value)


@remember
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
    one_of("priced model", model, rows["model"].unique())
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
    latest = rows.iloc[-1]
    others = table("api_rates")
    others = others[
        (others["model"] == model)
        & (others["provider"] == latest["provider"])
        & (others["in_force_since"] == latest["in_force_since"])
    ]
    return _with_rates(build(Price, latest), [build(Rates, row) for _, row in others.iterrows()])


def _with_rates(listed: Price, rates: Sequence[Rates]) -> Price:
    """A price with the rates of long prompts and other services."""
    plain = [r for r in rates if r.service == "standard" and not r.above_input_tokens]
    if plain:
        listed = replace(listed, cache_write_1h_usd_per_mtok=plain[0].cache_write_1h_usd_per_mtok)
    return replace(listed, other_rates=tuple(r for r in rates if r not in plain))


def prices_frame() -> pd.DataFrame:
    """All dated list prices, one row each."""
    return table("api_prices")


def prices_now_frame(
    on: datetime.datetime | None = None, named: Callable[[str], bool] | None = None
) -> pd.DataFrame:
    """Text models by provider in USD per million tokens, as priced at a moment.

    Parameters
    ----------
    on : datetime, optional
        The moment; now by default.
    named : callable, optional
        Says of a model's name on a list whether it is wanted; by default all are.

    Returns
    -------
    DataFrame
        Columns of `Price`, with ``tiered`` where the price rises with the length of the prompt (the
        lowest tier stands; ``other_rates`` has the others) and ``kind``. ``batch_discount_frac`` is
        the discount on output where a batch price is listed. Models without an input and an output
        price are left out.

    Raises
    ------
    ImportError
        Without genai-prices (and without a saved list), with what to install.

    References
    ----------
    genai-prices (Pydantic, MIT); its version is in the column ``source``.
    """
    moment = on or datetime.datetime.now(datetime.UTC)
    try:
        sellers = _snapshot().providers
    except ImportError:
        if (saved := _saved(named)) is None:
            raise
        return saved
    rows = []
    for seller in sellers:
        for offer in seller.models:
            if named is not None and not named(offer.id):
                continue
            if (listed := _listed(seller, offer, moment)) is None:
                continue
            tiered = any(
                r.service == "standard" and r.above_input_tokens for r in listed.other_rates
            )
            row = asdict(listed) | {"other_rates": listed.other_rates}
            rows.append(row | {"tiered": tiered, "kind": "list_price"})
    return _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = [f.name for f in fields(Price)] + ["tiered", "kind"]
    return pd.DataFrame(rows, columns=columns).drop(columns="in_force_since")


def prices_now_json(on: datetime.datetime | None = None) -> str:
    """`prices_now_frame` as JSON for a place where the price package cannot be installed.

    A build for such a place (a browser) writes it to `SAVED` in the tables' folder; without the
    package `prices_now_frame` reads it, whatever the moment: ``source`` says of which day it is.

    Parameters
    ----------
    on : datetime, optional
        The moment; now by default.

    Returns
    -------
    str
        One object a price; rates that are not listed are left out.

    Examples
    --------
    >>> prices_now_json().startswith('[{"model":')
    True
    """
    moment = on or datetime.datetime.now(datetime.UTC)
    frame = prices_now_frame(moment)
    return rows_json(frame.assign(source=frame["source"] + f"{SAVED_ON}{moment:%Y-%m-%d}"))


def rows_json(frame: pd.DataFrame) -> str:
    """Rows of `prices_now_frame` as JSON; rates that are not listed are left out."""
    rows = frame.to_dict("records")
    for row in rows:
        row["other_rates"] = [_without_gaps(asdict(rates)) for rates in row["other_rates"]]
    return json.dumps([_without_gaps(row) for row in rows])


def rows_of(text: str, named: Callable[[str], bool] | None = None) -> list[dict[str, Any]]:
    """The rows that `rows_json` wrote, of the models whose names are wanted."""
    rows = [row for row in json.loads(text) if not named or named(row["model"])]
    for row in rows:
        row["other_rates"] = tuple(Rates(**rates) for rates in row["other_rates"])
    return rows


def _without_gaps(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if not (pd.api.types.is_scalar(value) and pd.isna(value))
    }


def _saved(named: Callable[[str], bool] | None) -> pd.DataFrame | None:
    """The prices that a build wrote beside the tables, if it did."""
    file = data_dir() / SAVED
    if not file.exists():
        return None
    return _frame(rows_of(file.read_text(encoding="utf-8"), named))


def price_now(model: str, provider: str = "", on: datetime.datetime | None = None) -> Price:
    """The price of a model under the name that a bill or a gateway writes, at a moment.

    Parameters
    ----------
    model : str
        E.g. ``"gpt-5-mini-2025-08-07"``, ``"openai/gpt-5-mini"``.
    provider : str
        Who sells it, e.g. ``"OpenAI"``; empty: read from the model's name.
    on : datetime, optional
        The moment; now by default.

    Returns
    -------
    Price
        Of the price package, with long prompts and other services; where that has none, or is not
        installed, of the dated table.

    Raises
    ------
    UnknownName
        For a model that neither prices.

    Examples
    --------
    >>> price_now("gpt-5-mini-2025-08-07").input_usd_per_mtok
    0.25
    """
    names = [model]
    while "/" in names[-1]:  # a gateway writes its own name, or the maker's, before the model's
        names.append(names[-1].partition("/")[2])
    moment = on or datetime.datetime.now(datetime.UTC)
    try:
        snapshot = _snapshot()
    except ImportError:
        snapshot = None
    sellers = [provider] if provider else ["", *(n.partition("/")[0] for n in names[:-1])]
    for seller in sellers if snapshot else ():
        for name in names:
            try:
                listing = snapshot.find_provider_model(name, None, seller or None, None)
            except LookupError:
                continue
            if (listed := _listed(listing[0], listing[1], moment)) is not None:
                return listed
    day = moment.strftime("%Y-%m-%d")
    for name in map(str.lower, names):
        plain = re.sub(r"-(20\d\d-?\d\d-?\d\d|latest)$", "", name)
        for known in (name, plain):
            rows = table("api_prices")
            rows = rows[rows["model"] == known]
            if provider:
                rows = rows[rows["provider"].str.lower() == provider.lower()]
            if len(sold_by := set(rows["provider"])) == 1:
                return price(known, sold_by.pop(), on=day)
    raise unknown("priced model", model, table("api_prices")["model"].unique())


def _snapshot() -> Any:
    try:
        from genai_prices import data_snapshot
    except ImportError:
        raise ImportError(
            "today's prices need genai-prices: pip install 'inference-economics[notebooks]'"
        ) from None
    return data_snapshot.get_snapshot()


# how genai-prices asks for a service
CONTEXTS = {
    "standard": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
PACKAGE_NAMES = {"cached_input": "cache_read"}  # its names of our rates, where they differ


def _listed(seller: Any, offer: Any, moment: datetime.datetime) -> Price | None:
    """One offer of genai-prices with all its services; None without an input and output price."""
    usual = offer.get_prices(moment)
    if usual.input_mtok is None or usual.output_mtok is None:
        return None
    rates: list[Rates] = []
    for service, context in CONTEXTS.items():
        listed = offer.get_prices(moment, context)
        if service == "standard" or any(
            getattr(listed, _package_name(r)) != getattr(usual, _package_name(r)) for r in RATES
        ):
            rates += _rates(listed, service)
    base = rates.pop(0)
    batch = next((r for r in rates if r.service == "batch" and not r.above_input_tokens), None)
    share = batch.output_usd_per_mtok / base.output_usd_per_mtok if batch else 1.0
    return Price(
        model=offer.id,
        provider=seller.name,
        **{name: getattr(base, name) for name in _USD},
        batch_discount_frac=round(1 - share, 6) if batch and share <= 1 else None,
        other_rates=tuple(rates),
        source=package_source(),
    )


def _rates(listed: Any, service: str) -> list[Rates]:
    """The rates of a service, one for each length of prompt at which they change."""
    by_rate = {rate: getattr(listed, _package_name(rate)) for rate in RATES}
    starts = {t.start for value in by_rate.values() for t in getattr(value, "tiers", ())}
    return [
        Rates(
            service=service,
            above_input_tokens=start,
            **{f"{rate}_usd_per_mtok": _at(value, start) for rate, value in by_rate.items()},
        )
        for start in (0, *sorted(starts))
    ]


@functools.cache
def package_source() -> str:
    """The price package and its version."""
    return f"genai-prices {importlib.metadata.version('genai-prices')}"


def _package_name(rate: str) -> str:
    return f"{PACKAGE_NAMES.get(rate, rate)}_mtok"


def _at(value: Any, start: int) -> Any:
    """A price of the package at a length of prompt: its last tier that starts no later."""
    if value is None:
        return None
    past = [t.price for t in getattr(value, "tiers", ()) if t.start <= start]
    return float(past[-1] if past else getattr(value, "base", value))
