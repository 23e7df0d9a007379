"""What people type: amounts, quotes, tests, growth, regions, files of prices; a file to edit.

>>> amount("40M"), amount("1.5k"), amount("2e6")
(40000000.0, 1500.0, 2000000.0)
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from econ.catalog import catalog
from econ.catalog.guard import one_of, unknown
from econ.catalog.prices import Price
from econ.catalog.ranges import Range
from econ.catalog.reading import read_rows
from econ.catalog.tables import table
from econ.decision.hours import rented_as
from econ.decision.menu import COMMITMENT_MONTHS
from econ.decision.regions import site_of, sites_by
from econ.decision.typed_units import factor
from econ.scenario import Scenario
from econ.terms import Slo
from econ.tokens.session_loads import session_loads_frame
from econ.tokens.session_traces import read_sessions
from econ.tokens.workloads import workloads_frame

# flags of `econ decide` that say what single requests are
OF_REQUESTS = ("tokens_per_day", "requests_per_s", "workload", "trace", "input_tokens",
               "output_tokens", "cached_frac")  # fmt: skip

THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
WORDS = {"thousand": "k", "million": "m", "mio": "m", "mn": "m", "billion": "b", "bn": "b",
         "trillion": "t", "tn": "t"}  # fmt: skip
PRICE_COLUMNS = (
    "provider", "input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok",
    "batch_discount_frac", "accelerator", "term", "usd_per_gpu_hour",
)  # fmt: skip


def amount(text: str) -> float:
    """A number as people type it: ``40M``, ``1.5k``, ``2e6``, ``40_000_000``, ``4,000``, ``.5``.

    A comma parts thousands and nothing else; ``40 million`` and ``2bn`` are read, too.
    """
    match = re.fullmatch(r"\$?(\.?[0-9][0-9_.,]*(?:e[+-]?\d+)?)\s*([a-z]*)", text.strip().lower())
    size = WORDS.get(match[2], match[2]) if match else None
    if match is None or size not in SIZES:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount: give a number such as 40M or 2e6")
    try:
        digits = THOUSANDS.sub("", match[1].replace("_", ""))
        return float(digits) * SIZES[size]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount") from None


def listed(text: str) -> list[str]:
    """Names with commas between them: ``H100,MI300X``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def named_numbers(flag: str, text: str, *forms: str) -> tuple[str, list[float]]:
    """``NAME=1/2``: the name, and as many numbers as one of the forms has.

    >>> named_numbers("--tier", "quick=0.5/0.02", "NAME=TTFT/ITL", "NAME=TTFT/ITL/USD")
    ('quick', [0.5, 0.02])
    """
    name, _, numbers = text.partition("=")
    try:
        values = [float(number.strip().lstrip("$")) for number in numbers.split("/")]
    except ValueError:
        values = []
    if not name.strip() or len(values) not in {form.count("/") + 1 for form in forms}:
        raise ValueError(f"{flag} {text!r}: give {' or '.join(forms)}")
    return name.strip(), values


def quoted_price(text: str) -> Price:
    """A seller's quote, ``SELLER=IN/OUT`` or ``SELLER=IN/OUT/CACHED``, in USD per Mtok.

    >>> quoted_price("Acme=0.1/0.4/0.02").cached_input_usd_per_mtok
    0.02
    """
    forms = "SELLER=IN/OUT", "SELLER=IN/OUT/CACHED"
    seller, (prompt, out, *cached) = named_numbers("--api-price", text, *forms)
    return Price(
        model="", provider=seller, input_usd_per_mtok=prompt, output_usd_per_mtok=out,
        cached_input_usd_per_mtok=cached[0] if cached else None, source="your quote",
    )  # fmt: skip


def speed_measured(text: str) -> tuple[str, tuple[float, float]]:
    """A test of a seller: ``SELLER=TOKENS_PER_S/TTFT_S``."""
    seller, (tokens_per_s, ttft_s) = named_numbers("--measured", text, "SELLER=TOKENS_PER_S/TTFT_S")
    return seller, (tokens_per_s, ttft_s)


def worth_typed(options: argparse.Namespace) -> dict[str, Any]:
    """What was typed about value: a menu of models and tiers, shares of right answers, a floor."""
    tiers: dict[str, Slo] = {}
    worths: dict[str, float] = {}
    for text in options.tier:
        forms = "NAME=TTFT/ITL", "NAME=TTFT/ITL/USD"
        name, (ttft_s, tpot_s, *usd) = named_numbers("--tier", text, *forms)
        share = {} if options.attainment is None else {"attainment_frac": options.attainment}
        tiers[name] = Slo(ttft_s=ttft_s, tpot_s=tpot_s, **share)
        worths |= {name: usd[0]} if usd else {}
    worth = options.value_per_answer
    if worths and worth is not None:
        worths = {name: worths.get(name, worth) for name in tiers}
    shares = [named_numbers("--right", text, "MODEL=SHARE") for text in options.right]
    right = {name: share for name, (share,) in shares}
    is_menu = len(options.model or ()) > 1
    return {
        "value_usd_per_answer": worths or worth,
        "models": options.model if is_menu else None,
        "tiers": tiers or None,
        "right_frac": right or None,
        "floor_frac": options.quality_floor,
    }


def sessions_typed(options: argparse.Namespace) -> dict[str, Any]:
    """Sessions in the place of requests: a kind by its name, or a log with ids."""
    name = options.sessions
    if name is None:
        if options.sessions_per_s is not None:
            raise ValueError("--sessions-per-s belongs to --sessions: name them")
        return {}
    for flag in OF_REQUESTS:
        if getattr(options, flag) is not None:
            raise ValueError(
                f"--{flag.replace('_', '-')} is of single requests; sessions have calls of their "
                "own: leave it out, --sessions-per-s says how many begin"
            )
    kinds = session_loads_frame()["id"].tolist()
    if name not in kinds and not Path(name).exists():
        raise unknown("kind of session, or log,", name, kinds)
    load = name if name in kinds else read_sessions(name, unit=options.unit)
    return {"sessions": load, "sessions_per_s": options.sessions_per_s}


def growth(text: str) -> float | Range:
    """A factor a year, ``1.5``, or low, typical, high: ``1,1.5,3``."""
    try:
        numbers = [factor(number) for number in text.split(",")]
        if len(numbers) == 1:
            return numbers[0]
        low, typical, high = numbers
        return Range(low, typical, high, "× a year")
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: give 1.5, or 1,1.5,3 ({error})") from None


def read_quotes(path: str | Path) -> tuple[list[Price], dict[str, float]]:
    """Quotes of a CSV file: rows of sellers of tokens, and of accelerator-hours by term.

    Columns are those of `PRICE_COLUMNS`; a row has either ``provider`` with rates per million
    tokens, or ``accelerator``, ``term`` (empty for by the hour) and ``usd_per_gpu_hour``.
    """
    header, rows = read_rows(path)
    for name in header:
        one_of(f"column of {Path(path).name}", name, PRICE_COLUMNS)
    prices, rents = [], {}
    for number, cells in enumerate(rows, start=1):
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
        try:
            if "accelerator" in row:
                term = row.get("term", "on-demand")
                key = row["accelerator"] if term == "on-demand" else f"{row['accelerator']}:{term}"
                rents[key] = float(row["usd_per_gpu_hour"])
            else:
                rates = {n: float(row[n]) for n in PRICE_COLUMNS[1:5] if n in row}
                prices.append(
                    Price(model="", provider=row["provider"], source=Path(path).name, **rates)  # type: ignore[arg-type]
                )
        except KeyError as error:
            raise ValueError(f"{Path(path).name} row {number}: no {error.args[0]}") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{Path(path).name} row {number}: {error}") from None
    return prices, rents


def placed(scenario: Scenario, region: str) -> Scenario:
    """The scenario at a site of the catalogue, or at that of a cloud's region.

    A region for which rents are listed and whose place is unknown leaves the site.
    """
    if region in set(table("rent_offers")["region"]):
        site = sites_by("region").get(region)
        return scenario if site is None else scenario.with_(site=site)
    return scenario.with_(site=site_of(region))


def accelerators_named(names: Sequence[str] | None) -> list[str] | None:
    """Identifiers of accelerators as people write them, so that an unknown one is said at once."""
    return None if names is None else [catalog.accelerator(name).id for name in names]


def rents_typed(pairs: Sequence[str]) -> dict[str, float]:
    """``H100=2.5``, ``H100:reserved=1.9``."""
    typed = (named_numbers("--price", pair, "ACCELERATOR=USD_PER_HOUR") for pair in pairs)
    return {name: usd for name, (usd,) in typed}


def commented_scenario() -> str:
    """A file to edit: one flag of ``econ decide`` a line, each with what it is."""
    names = ", ".join(workloads_frame().index)
    return f"""\
# A service, for `econ decide service.toml`. Lines that begin with # are comments: take the mark
# away to set one. Each name is a flag of the command line, which comes before this file.
name = "A service"
model = "Qwen/Qwen3-32B"          # a catalogue name, a Hugging Face id, or a config.json

# -- the load: tokens or requests
tokens_per_day = "40M"            # input and output together
# requests_per_s = 0.34
workload = "chat"                 # lengths and burstiness: {names}
# input_tokens = 1000             # every prompt of this length instead
# output_tokens = 200
# cached_frac = 0.0               # share of the prompts that a prefix cache holds
# peak_factor = 1.5               # busiest hour over the mean
# growth_per_year = "1,1.5,3"     # factor a year: low, typical, high
# utilisation_frac = 1.0          # share of the hours in which the load comes

# -- what is promised
ttft = 1.0                        # seconds to the first token
itl = 0.05                        # seconds per token after it
attainment = 0.95                 # share of requests within both
# deadline_h = 24                 # or: work that may wait so many hours

# -- what it is worth
# value_per_answer = 0.01         # USD of an answer that is right and in time
# right = ["Qwen/Qwen3-32B=0.7"]  # share of right answers to your task
# quality_floor = 0.6
# tier = ["quick=0.5/0.02/0.02", "easy=2/0.05/0.01"]   # NAME=TTFT/ITL/USD

# -- what may be used
# accelerator = "H100,MI300X"     # default: all with a price
# term = "{",".join(COMMITMENT_MONTHS)}"
# no_api = true                   # an own fine-tune that nobody sells
# on_premises = true              # data must stay: only own machines
# region = "us-east-1"            # a site of the catalogue, or a cloud's region
# price = ["H100=2.50", "H100:reserved=1.90"]     # your rents, USD per GPU-hour
# api_price = ["Acme=0.10/0.40/0.02"]             # your quotes, USD per Mtok: in/out/cached
# measured = ["Acme=80/0.4"]                      # your tests: tokens per second / TTFT in s
horizon_years = 3
"""


def check_used(rents: Iterable[str], accelerators: Sequence[str]) -> None:
    """Raise for the price of an accelerator that is not among those looked at.

    >>> check_used(["H200"], ["h100-sxm"])
    Traceback (most recent call last):
        ...
    ValueError: price of H200: it is not among the accelerators (h100-sxm); add it or leave it out
    """
    looked_at = set(map(rented_as, accelerators))
    for name in rents:
        accelerator = name.partition(":")[0]
        if accelerator not in accelerators and catalog.accelerator(accelerator).id not in looked_at:
            raise ValueError(
                f"price of {name}: it is not among the accelerators ({', '.join(accelerators)}); "
                "add it or leave it out"
            )
