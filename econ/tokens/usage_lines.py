"""From the records of a usage or cost export to lines: tokens by kind, per day, model and service.

Every token stands in one kind, whatever the export includes in what. Rows that failed, or that a
gateway's cache answered, are dropped and counted; a cell that is no number is named.
"""

from __future__ import annotations

import array
import bisect
import datetime
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from econ.catalog.reading import BadTable
from econ.catalog.units import DAY_S
from econ.tokens.clock import PER_S, epoch_unit
from econ.tokens.trace_columns import SHOWN
from econ.tokens.trace_log import FAILED
from econ.tokens.usage_columns import TOKEN_KINDS, Form

Currencies = Mapping[str, float]  # what each is worth in USD
Sums = defaultdict[str, float]
KINDS = ("fresh_input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
PROMPT_LIMITS = (  # prompt lengths at which some list changes its rates
    *(32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288),
)
CENT = 0.01  # of a currency
SERVICE_WORDS = {
    **dict.fromkeys(("", "none", "standard", "default", "auto", "on_demand", "ondemand", "message",
                     "messages", "false"), "standard"),
    **dict.fromkeys(("batch", "batches", "true"), "batch"),
    **dict.fromkeys(("flex", "flex_discount"), "flex"),
    **dict.fromkeys(("priority", "priority_on_demand", "fast"), "priority"),
}  # fmt: skip
NUMBER = re.compile(r"\$?([+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?|[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?\.?)")
BLANK = ("", "none", "null", "nan", "n/a")
# words of a text that say which kind of token is billed, the most specific first
KIND_WORDS = (
    (
        "cache_write_1h",
        re.compile(
            r"cache.*(write|creat).*(1.?h\b|hour)|(1.?h\b|hour).*cache.*(write|creat)|ephemeral_1h",
            re.I,
        ),
    ),
    ("cache_write", re.compile(r"cache.*(write|creat)|(write|creat).*cache|ephemeral_5m", re.I)),
    ("cache_read", re.compile(r"(cache|cchd).*(read|hit|in)|cached|cchd|cache.read", re.I)),
    ("output", re.compile(r"output|outp\b|completion|generated|reasoning|\bout\b", re.I)),
    ("fresh_input", re.compile(r"input|\binp\b|prompt|\bin\b", re.I)),
)
OTHER_PRICES = re.compile(r"audio|image|video|embed|realtime|speech|storage", re.I)
WORDS_OF_KINDS = re.compile(
    r"[\s,_:/-]*\b(un)?(cached?|cchd|input|inp|output|outp|completion|prompt|generated|reads?|"
    r"writes?|hits?|tokens?|usage|reasoning|creation)\b[\s,_:/-]*",
    re.I,
)
UNIT = re.compile(r"\s*([\d.,]*)\s*(k|m|thousands?|millions?)?\s*(?:of )?\s*tokens?\s*", re.I)
SCALE = {"k": 1e3, "t": 1e3, "m": 1e6}


class Key(NamedTuple):
    """What a line sums over."""

    day: str
    provider: str
    model: str
    service: str
    above_input_tokens: int  # prompts were longer than this


@dataclass
class Tally:
    """Lines so far, and what was left out."""

    name: str
    form: Form
    usd_per: Currencies
    sums: dict[Key, Sums] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    starts_s: float = math.inf
    ends_s: float = -math.inf
    n_rows: int = 0
    n_unknown_lengths: int = 0
    models: list[str] = field(default_factory=list)  # of single requests
    requests: dict[str, array.array[Any]] = field(
        default_factory=lambda: {
            c: array.array("d") for c in ("at_s", "input", "output", "read", "model")
        }
    )

    def add(self, n_row: int, record: dict[str, Any], columns: dict[str, str]) -> None:
        """Count one row."""
        self.n_rows += 1
        row = Row(self, n_row, record, columns)
        usd = row.usd()
        if not usd and row.text("status").lower() in FAILED:
            self.dropped["a failed call"] += 1
            return
        if not usd and row.text("cache_hit").lower() == "true":
            self.dropped["an answer from the gateway's cache"] += 1
            return
        tokens = row.tokens()
        if not any(tokens.values()) and usd is None:
            self.dropped["no tokens and no cost"] += 1
            return
        at_s = row.moment()
        line = self.sums.setdefault(row.key(at_s, tokens), defaultdict(float))
        for kind, n in tokens.items():
            line[kind] += n
        n_requests = 1.0 if self.form.is_single else row.count("n_requests")
        line["n_requests"] += n_requests or 0.0
        line["n_usd"] += usd is not None
        line["usd"] += usd or 0.0
        if self.form.is_single and tokens["output"] >= 1 and tokens["input"] >= 1:
            values = (at_s, tokens["input"], tokens["output"], tokens["cache_read"],
                      self._place_of(row.text("model")))  # fmt: skip
            for column, value in zip(self.requests.values(), values, strict=True):
                column.append(value)

    def _place_of(self, model: str) -> int:
        if model not in self.models:
            self.models.append(model)
        return self.models.index(model)


@dataclass
class Row:
    """One record of an export, read by our names."""

    tally: Tally
    n_row: int
    record: dict[str, Any]
    columns: dict[str, str]

    def text(self, target: str) -> str:
        """A cell without blanks around it; empty where it says nothing."""
        column = self.columns.get(target)
        cell = None if column is None else self.record.get(column)
        if cell is None or cell == "":
            return ""
        text = str(cell).strip()
        return "" if text.lower() in BLANK else text

    def refuse(self, target: str, what: str) -> BadTable:
        """An error that names the cell."""
        column, text = self.columns[target], self.text(target)
        excerpt = repr(text[:SHOWN]) + ("…" if len(text) > SHOWN else "")
        return BadTable(f"{self.tally.name} row {self.n_row}, column {column}: {excerpt} {what}")

    def number_of(self, target: str) -> float | None:
        """A cell as a number; None where it says nothing."""
        text = self.text(target)
        if not text:
            return None
        match = NUMBER.fullmatch(text)
        value = float(match.group(1).replace(",", "")) if match else math.nan
        if not math.isfinite(value):
            raise self.refuse(target, "is not a number")
        return value

    def count(self, target: str) -> float:
        """A count of tokens or requests, 0 where the cell says nothing."""
        if target not in self.columns:
            return 0.0
        value = self.number_of(target) or 0.0
        if value < 0 or value > 1e15:
            raise self.refuse(target, "is outside its range: 0 to 1e+15")
        return value

    def tokens(self) -> dict[str, float]:
        """Tokens by kind, each token in one; ``input`` and ``output`` are all of a side."""
        form = self.tally.form
        if form.is_cost:
            return self._billed_tokens()
        n = {target: self.count(target) for target in TOKEN_KINDS}
        stated, reasoning, output = n["input"], n["reasoning"], n["output"]
        cached = n["read"] + n["write"] + n["write_1h"]
        apart = not form.input_has_cache
        if form.name.startswith("Langfuse") and (cached or reasoning):
            apart = self._apart(stated + output, cached + reasoning)
            output += reasoning if apart else 0.0
        if apart:
            fresh = n["fresh"] if "fresh" in self.columns else stated
        elif (fresh := stated - cached) < 0:
            target = "read" if n["read"] else "write"
            raise self.refuse(target, f"is more than the input of {stated:,.0f} tokens")
        if reasoning > output:  # no part of the output can be more than it
            raise self.refuse("reasoning", f"is more than the output of {output:,.0f} tokens")
        return {
            "fresh_input": fresh,
            "cache_read": n["read"],
            "cache_write": n["write"],
            "cache_write_1h": n["write_1h"],
            "output": output,
            "reasoning": reasoning,
            "audio": n["audio_in"] + n["audio_out"],
            "input": fresh + cached,
        }

    def _apart(self, sides: float, parts: float) -> bool:
        """Whether cached and reasoning tokens are counted beside input and output, or in them."""
        total = self.count("total")
        if total not in (sides, sides + parts):
            where = f"{self.tally.name} row {self.n_row}"
            raise BadTable(
                f"{where}: the total of {total:,.0f} tokens is neither input and output "
                f"({sides:,.0f}) nor these with cached and reasoning tokens ({sides + parts:,.0f})"
            )
        return total == sides + parts

    def _billed_tokens(self) -> dict[str, float]:
        """Tokens of a row of costs: its quantity, under the kind that its text names."""
        tokens = dict.fromkeys((*KINDS, "audio", "input"), 0.0)
        kind = self.kind()
        for quantity, unit in (("quantity", "unit"), ("pricing_quantity", "pricing_unit")):
            match = UNIT.fullmatch(self.text(unit))
            if kind and match and (n := self.count(quantity)):
                times = float((match.group(1) or "1").replace(",", ""))
                times *= SCALE[match.group(2)[0].lower()] if match.group(2) else 1.0
                tokens[kind] = n * times
                break
        tokens["input"] = sum(tokens[k] for k in KINDS[:4])
        return tokens

    def kind(self) -> str:
        """The kind of token that a row of costs bills; empty where it bills something else."""
        charge = self.text("charge").lower()
        if charge not in ("", "usage"):
            return ""
        text = self.text("kind")
        if self.tally.form.name == "OpenAI costs":
            text = text.rpartition(",")[2]
        text = re.sub("uncached|no.cache", "", text, flags=re.I)
        if OTHER_PRICES.search(text):
            return ""
        return next((kind for kind, words in KIND_WORDS if words.search(text)), "")

    def model(self) -> str:
        """The model, from its column or from the text of what is billed; empty for other items."""
        if model := self.text("model"):
            return model
        if not self.tally.form.is_cost or not self.kind():
            return ""
        text = self.text("item")
        if self.tally.form.name == "OpenAI costs":
            return text.rpartition(",")[0].strip()
        return WORDS_OF_KINDS.sub(" ", text).strip()

    def usd(self) -> float | None:
        """What was billed, in USD; None where the row does not say."""
        value, own = self.number_of("usd"), self.number_of("byok_usd")
        if value is None and own is None:
            return None
        currency = (self.text("currency") or "USD").upper()
        if currency not in self.tally.usd_per:
            raise self.refuse(
                "currency", f"is not USD: say what it is worth with usd_per={{{currency!r}: …}}"
            )
        rate = self.tally.usd_per[currency] * (CENT if self.tally.form.is_cents else 1.0)
        return ((value or 0.0) + (own or 0.0)) * rate

    def moment(self) -> float:
        """Seconds from 1970; the span of the file grows with it."""
        start = self._seconds("day")
        end = self._seconds("end") if self.text("end") else start
        tally = self.tally
        if not tally.form.is_single and end <= start:
            end = start + DAY_S
        tally.starts_s, tally.ends_s = min(tally.starts_s, start), max(tally.ends_s, end)
        return start

    def _seconds(self, target: str) -> float:
        text = self.text(target)
        if not text:
            raise BadTable(f"{self.tally.name} row {self.n_row}: no day or time")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and (unit := epoch_unit(number)):
            return number / PER_S[unit]
        try:
            moment = datetime.datetime.fromisoformat(text.removesuffix(" UTC"))
        except ValueError:
            raise self.refuse(target, "is no day or moment: give ISO 8601") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.timestamp()

    def key(self, at_s: float, tokens: dict[str, float]) -> Key:
        """The line that the row belongs to."""
        day, model = _day(int(at_s // DAY_S)), self.model()
        if not model:
            model = f"({self.text('charge') or self.text('cost_type') or self.text('item')})"
            model = "(not stated)" if model == "()" else model
        provider = self.tally.form.provider or self.text("provider")
        service = self.text("service").lower()
        if self.text("batch").lower() in ("true", "1"):
            service = "batch"
        service = SERVICE_WORDS.get(service, service)
        return Key(day, provider, model, service, self._limit(tokens))

    def _limit(self, tokens: dict[str, float]) -> int:
        """The longest limit that the prompts exceed: stated, or from their mean length."""
        if window := self.text("window"):
            return _above(window) or 0
        n = 1.0 if self.tally.form.is_single else self.count("n_requests")
        if not n:
            self.tally.n_unknown_lengths += bool(tokens["input"])
            return 0
        place = bisect.bisect_left(PROMPT_LIMITS, tokens["input"] / n)
        return PROMPT_LIMITS[place - 1] if place else 0


@functools.lru_cache(maxsize=10_000)
def _day(n_days: int) -> str:
    """A day, as counted from 1970."""
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=n_days))


def _above(window: str) -> int:
    """The lower end of a range of prompt lengths.

    >>> _above("≤ 200k"), _above("0-200k"), _above("> 200k"), _above("200k-1M")
    (0, 0, 200000, 200000)
    """
    match = re.match(r"\s*(>|≥|above|over)?\s*(\d+)\s*([kKmM]?)\s*([-–+]|to)?", window)
    if match is None or not (match.group(1) or match.group(4)):
        return 0
    return int(match.group(2)) * {"": 1, "k": 1000, "m": 1_000_000}[match.group(3).lower()]


def check_rates(usd_per: Currencies) -> Currencies:
    """What currencies are worth in USD, with USD itself."""
    for currency, usd in usd_per.items():
        if not (isinstance(usd, int | float) and 0 < usd < 1e6):
            raise ValueError(f"usd_per[{currency!r}] = {usd!r} is outside its range: above 0")
    return {"USD": 1.0, **{c.upper(): float(v) for c, v in usd_per.items()}}
