"""Who sells a model's tokens, at which price today: sellers and services as `econ.tco.Api`.

Prices come from the price package in the environment (`econ.catalog.prices_now_frame`), from the
dated tables of this project where those list a seller alone or with the price of cached input that
the package lacks, and from a file or list of your own, which comes before all. A listing belongs
to a model where the names agree but for the seller's dress (organisation, number format, "turbo");
a thinking variant is never priced as its sibling.

>>> sold_as("Qwen/Qwen3-32B") == sold_as("qwen.qwen3-32b-v1:0")
True
>>> sold_as("Qwen/Qwen3-4B-Thinking-2507").is_thinking
True
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from econ.catalog.audit import is_stale
from econ.catalog.guard import unknown
from econ.catalog.names import maker_name
from econ.catalog.offers import offers_frame
from econ.catalog.price_days import prices_of_day
from econ.catalog.prices import SAVED_ON, Price, prices_frame
from econ.catalog.tables import table
from econ.tco.offers import Api

ACTIVE = re.compile(r"(?<=scout|erick)-17b(-\d+e)?")  # half the sellers of Llama 4 leave it out
NO_SHOPS = ("Cursor", "GitHub Copilot")  # sell seats, not tokens by the list
# words of a listing that name its format, speed or packaging, not another model
DRESS = frozenset(
    ["instruct", "chat", "it", "hf", "bf16", "fp16", "fp8", "fp4", "int8", "int4", "awq", "gptq",
     "turbo", "lite", "fast", "versatile", "instant", "tee", "maas", "meta", "quantized", "tput",
     "reference", "latest", "preview", "001", "002"]
)  # fmt: skip
# of those, what is the same model where its maker alone sells it: GPT-4 Turbo is not GPT-4
CLOSED_DRESS = frozenset(["chat", "latest", "preview", "maas", "001", "002"])
CLOSED = re.compile(
    r"gpt-(?!oss|neo|j)|chatgpt|o\d\b|claude|gemini|grok-[3-9]|(amazon-)?nova-|command-a"
)
THINKING = frozenset(["thinking", "reasoning"])
RELEASE = re.compile(r"\d{4}|20\d{6}")  # 2507; a snapshot's day: 20250514
DAY_DIGITS = 8
DAY = re.compile(r"-(20\d\d)-(\d\d)-(\d\d)")


@dataclass(frozen=True)
class SoldName:
    """A model's name as sold: what it is, whether it is the thinking variant, its release."""

    shape: str
    is_thinking: bool
    release: str

    def serves(self, wanted: SoldName) -> bool:
        """Whether a listing under this name is the model that is wanted."""
        same_release = wanted.release in ("", self.release) or (
            len(wanted.release) == DAY_DIGITS and not self.release  # the seller's current snapshot
        )
        return (
            self.shape == wanted.shape and self.is_thinking == wanted.is_thinking and same_release
        )


@functools.lru_cache(maxsize=8192)
def sold_as(name: str) -> SoldName:
    """A model's name without what a seller adds to it.

    Parameters
    ----------
    name : str
        A name of the catalogue, a Hugging Face id or a seller's listing.

    Examples
    --------
    >>> sold_as("accounts/fireworks/models/llama-v3p1-70b-instruct").shape
    'llama3170b'
    >>> sold_as("Qwen3-235B-A22B-Thinking-2507")
    SoldName(shape='qwen3235ba22b', is_thinking=True, release='2507')
    """
    words = _words(name)
    dress = CLOSED_DRESS if CLOSED.match("-".join(words)) else DRESS
    release = next((w for w in words[1:] if RELEASE.fullmatch(w)), "")
    left = [w for w in words if w not in dress | THINKING and w != release]
    shape = re.sub(r"[^a-z0-9]", "", "".join(left))
    return SoldName(shape, bool(THINKING & set(words)), release)


def _words(name: str) -> list[str]:
    """The words of a name as its maker writes it."""
    text = re.sub(r"(\d)p(\d)", r"\1.\2", re.sub(r"[\s_:]+", "-", maker_name(name)))
    text = ACTIVE.sub("", DAY.sub(r"-\1\2\3", text))
    return re.sub(r"-v(?=\d)", "-", text).split("-")


def _n_dressed_apart(name: str, other: str) -> int:
    """Words of dress that one of two names has and the other lacks."""
    return len((set(_words(name)) ^ set(_words(other))) & DRESS)


def api_offers(
    model: str,
    *,
    own: Iterable[Price] = (),
    sellers: Sequence[str] | None = None,
    on: datetime.date | None = None,
) -> list[Api]:
    """Every seller and service of a model, in order of the seller's name.

    Parameters
    ----------
    model : str
        As it is sold, e.g. ``"Qwen/Qwen3-32B"``; organisation and dress do not matter.
    own : iterable of Price
        Quotes of your own; each comes before the lists of its ``provider``.
    sellers : sequence of str, optional
        Only these, e.g. ``["Groq"]``.
    on : datetime.date, optional
        The day whose prices count; today by default.

    Returns
    -------
    list of Api
        ``name`` is seller and service, ``price.in_force_since`` the day of the price.

    Raises
    ------
    UnknownName
        For a seller that does not list the model, with those that do.
    """
    day = on or datetime.datetime.now(datetime.UTC).date()
    wanted = sold_as(model)
    listed = [*_today(wanted, day), *_agreed(wanted, day), *_dated(wanted, day)]
    listed.sort(  # the release that is wanted first, then its own name, then rows that are complete
        key=lambda price: (
            sold_as(price.model).release != wanted.release,
            _n_dressed_apart(price.model, model) if CLOSED.match(maker_name(model)) else 0,
            price.cached_input_usd_per_mtok is None,
        )
    )
    offers: dict[str, Api] = {}
    spellings: dict[str, str] = {}  # a seller under two spellings is one
    for price in [*own, *listed]:
        seller = spellings.setdefault(_folded(price.provider), price.provider)
        for offer in _tiers(price, model) if seller == price.provider else ():
            offers.setdefault(offer.name, offer)
    if sellers is not None:
        known = sorted({offer.price.provider for offer in offers.values()})
        folded = {name.lower(): name for name in known}
        chosen = set()
        for seller in sellers:
            alike = [name for low, name in folded.items() if seller.lower() in low]  # "Azure"
            if seller.lower() not in folded and len(alike) != 1:
                raise unknown(f"seller of {model}", seller, known)
            chosen.add(folded.get(seller.lower(), alike[0]))
        offers = {name: o for name, o in offers.items() if o.price.provider in chosen}
    return sorted(offers.values(), key=lambda offer: offer.name.lower())


def _folded(seller: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r" ai( endpoints)?$", "", seller.lower()))


def _tiers(price: Price, model: str) -> list[Api]:
    return [
        Api(
            model=model, name=f"{price.provider}, {service}", price=price, service=service,
            source=price.source,
        )
        for service in price.services
    ]  # fmt: skip


@functools.lru_cache(maxsize=64)
def _today(wanted: SoldName, day: datetime.date) -> tuple[Price, ...]:
    """What the price package lists; nothing where it is not installed."""
    try:
        rows = prices_of_day(day, lambda name: sold_as(name).serves(wanted))
    except ImportError:
        return ()
    as_of = _read_on(str(rows[0]["source"]), day) if rows else ""
    return tuple(
        _price(row, as_of)
        for row in rows
        if row["provider"] not in NO_SHOPS and row["output_usd_per_mtok"] > 0
    )


def _read_on(source: str, day: datetime.date) -> str:
    """The day on which a release of the price package was read.

    Of a release that `sources` does not know, the day on which a build saved it, else the day asked
    for, which is the latest in any case.
    """
    release, _, saved_on = source.partition(SAVED_ON)
    known = table("sources").loc["genai-prices"]
    read_on = str(known["accessed"]) if release in known["text"] else saved_on
    return min(read_on or day.isoformat(), day.isoformat())


def _dated(wanted: SoldName, day: datetime.date) -> list[Price]:
    """The latest row of each seller in ``data/catalog/api_prices.csv`` that is still in force."""
    rows = prices_frame()
    rows = rows[[sold_as(name).serves(wanted) for name in rows["model"]]]
    rows = rows[rows["in_force_since"] <= day.isoformat()].sort_values("in_force_since")
    prices = []
    for row in rows.groupby(["provider", "model"]).tail(1).to_dict("records"):
        in_force = row["stale_after"] and not is_stale(str(row["stale_after"]), day.isoformat())
        if in_force:
            prices.append(_price(row, str(row["as_of"])))
    return prices


def _agreed(wanted: SoldName, day: datetime.date) -> list[Price]:
    """The latest row of each seller in ``data/catalog/offers.csv`` that is still in force."""
    rows = offers_frame(on=day.isoformat()).rename(columns={"seller": "provider"})
    rows["model"] = [
        name if variant in name else f"{name} {variant}"
        for name, variant in zip(rows["model"], rows["variant"], strict=True)
    ]
    serves = rows["model"].map(lambda name: sold_as(name).serves(wanted)).astype(bool)
    in_force = (rows["stale_after"] != "") & (rows["stale_after"] >= day.isoformat())
    latest = rows[serves & in_force].groupby(["provider", "model"]).tail(1)
    return [_price(row, str(row["as_of"])) for row in latest.to_dict("records")]


def _price(row: dict[str, object], as_of: str) -> Price:
    names = (
        "model", "provider", "input_usd_per_mtok", "output_usd_per_mtok",
        "cached_input_usd_per_mtok", "cache_write_usd_per_mtok", "cache_write_1h_usd_per_mtok",
        "batch_discount_frac", "source",
    )  # fmt: skip
    known = {name: row[name] for name in names if name in row and not pd.isna(row[name])}
    others = row.get("other_rates", ())
    return Price(**known, other_rates=others, in_force_since=as_of)  # type: ignore[arg-type]
