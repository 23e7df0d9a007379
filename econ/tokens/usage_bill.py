"""A bill in tokens and money: against the list, on another list, and as a load to be served.

`UsageBill` compares what was billed with the list, prices the same tokens elsewhere, and turns
them into a `Workload`: what you pay for now is what a machine of your own would have to serve.

>>> from econ.tokens.usage import read_usage
>>> log = b"date,model,requests,input_tokens,output_tokens\\n"
>>> log += b"2026-10-20,gpt-5.6-terra,900,2000000,500000\\n"
>>> bill = read_usage(log, name="usage.csv")
>>> bill.services().set_index("service")["usd"].to_dict()
{'standard': 10.0, 'batch': 5.0, 'flex': 5.0, 'priority': 20.0}
"""

from __future__ import annotations

import datetime
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from econ.catalog.guard import UnknownName, one_of, positive, unknown
from econ.catalog.prices import Price, price_now
from econ.catalog.units import DAY_S
from econ.tokens.bill import TokenBill, token_bill
from econ.tokens.usage_lines import KINDS, Key
from econ.tokens.workloads import QUANTILES, Workload, workload

OWN_SERVERS = ("hosted_vllm", "vllm", "ollama", "ollama_chat", "sglang", "tgi", "lm_studio",
               "llamafile", "xinference", "triton", "infinity", "local")  # fmt: skip
SUMS = ["n_requests", *(f"{kind}_tokens" for kind in KINDS), "billed_usd", "list_usd"]
COLUMNS = [*Key._fields, *SUMS, "reason"]
TOKEN_COLUMNS = [f"{kind}_tokens" for kind in KINDS if kind != "reasoning"]  # a part of the output


@dataclass(frozen=True)
class UsageBill:
    """Tokens and money of a usage export.

    Parameters
    ----------
    lines : DataFrame
        One row per day, provider, model, service and length of prompt (``above_input_tokens``):
        ``n_requests``, tokens by kind (each token in one; ``reasoning_tokens`` are a part of
        ``output_tokens``), ``billed_usd`` (missing where the export does not say), ``list_usd``
        (the same tokens at that day's list price) and ``reason`` where there is none.
    requests : DataFrame
        Single requests where the export has them: arrival_s, input_tokens, output_tokens,
        cached_tokens, model.
    period_s : float
        From the first moment to the last.
    read : dict
        What was understood: file, format, rows, what was dropped and why.
    """

    lines: pd.DataFrame
    requests: pd.DataFrame
    period_s: float
    read: dict[str, Any]

    @property
    def billed_usd(self) -> float:
        """What was billed; NaN where no row says."""
        return float(self.lines["billed_usd"].sum(min_count=1))

    @property
    def list_usd(self) -> float:
        """The tokens at list prices, where there is one."""
        return float(self.lines["list_usd"].sum())

    @property
    def paid_usd(self) -> float:
        """What was billed, and the list price of a model and day without a bill."""
        sums = self.by("day", "model")
        return float(sums["billed_usd"].fillna(sums["list_usd"]).sum())

    @property
    def usd_per_day(self) -> float:
        """`paid_usd` per day of the period."""
        return self.paid_usd / self.period_s * DAY_S

    @property
    def tokens_per_day(self) -> float:
        """All tokens, input and output, per day of the period."""
        return float(self.lines[TOKEN_COLUMNS].to_numpy().sum()) / self.period_s * DAY_S

    @property
    def models(self) -> tuple[str, ...]:
        """Models with tokens, those of most tokens first."""
        sums = self.by("model")[TOKEN_COLUMNS].sum(axis=1)
        return tuple(map(str, sums[sums > 0].sort_values(ascending=False).index))

    def frame(self) -> pd.DataFrame:
        """The lines."""
        return self.lines

    def row(self) -> dict[str, Any]:
        """The bill in one row."""
        sums: dict[str, Any] = self.lines[SUMS[:-2]].sum().to_dict()
        return sums | {
            "billed_usd": self.billed_usd,
            "list_usd": self.list_usd,
            "period_s": self.period_s,
            "usd_per_day": self.usd_per_day,
            "tokens_per_day": self.tokens_per_day,
        }

    def by(self, *names: str) -> pd.DataFrame:
        """Sums by ``"model"``, ``"day"``, ``"service"``, ``"provider"`` or several of them."""
        for name in names:
            one_of("part of a bill", name, Key._fields)
        return self.lines.groupby(list(names))[SUMS].sum(min_count=1)

    def kinds(self) -> pd.DataFrame:
        """Tokens and list price by kind: fresh input, cache read and write, answer, reasoning."""
        frames = [bill.frame() for line in self._lines() if (bill := list_bill(line)[0])]
        if not frames:
            return pd.DataFrame(columns=["part", "tokens", "usd"])
        return pd.concat(frames).groupby("part", sort=False, as_index=False).sum()

    def usd_on(self, price: Price, *, service: str = "standard", model: str | None = None) -> float:
        """What the tokens, or those of one model, cost on another list or as another service.

        Parameters
        ----------
        price : Price
            The list.
        service : str
            ``"standard"``, ``"batch"``, ``"flex"`` or ``"priority"``.
        model : str, optional
            One of `models`; all by default.
        """
        return sum(
            _bill_of(line, price, service).total_usd
            for line in self._lines()
            if self._known(model) in (None, line.model)
        )

    def services(self) -> pd.DataFrame:
        """Each model's tokens at each service of its list: model, service, usd, usd_per_day."""
        rows = []
        last = {line.model: line for line in self._lines()}
        for model in self.models:
            listed = _price_of(last[model])[0]
            if listed is None:
                continue
            for service in listed.services:
                usd = self.usd_on(listed, service=service, model=model)
                rows.append((model, service, usd, usd / self.period_s * DAY_S))
        return pd.DataFrame(rows, columns=["model", "service", "usd", "usd_per_day"])

    def workload(
        self,
        model: str | None = None,
        *,
        like: str | None = None,
        requests_per_day: float | None = None,
        id: str = "bill",
    ) -> Workload:
        """What was paid for, as what a service is asked for.

        Parameters
        ----------
        model : str, optional
            One of `models`; all together by default.
        like : str, optional
            A named workload whose spread of lengths and burstiness are taken, e.g. ``"chat"``, for
            an export of sums, which gives only means. Left out, all requests have the mean lengths.
        requests_per_day : float, optional
            For an export that does not count requests.
        id : str
            Name of the workload.

        Returns
        -------
        Workload
            Rate, lengths, cached share and share of reasoning.

        Raises
        ------
        ValueError
            For a model that the bill does not have, or an export without a number of requests.

        Examples
        --------
        >>> from econ.tokens.usage import read_usage
        >>> log = b"date,model,requests,input_tokens,output_tokens\\n"
        >>> log += b"2026-03-01,m,86400,86400000,8640000\\n"
        >>> asked = read_usage(log, name="usage.csv").workload()
        >>> asked.rate_per_s, asked.mean_input_tokens, asked.mean_output_tokens
        (1.0, 1000.0, 100.0)
        """
        lines = self.lines[[self._known(model) in (None, name) for name in self.lines["model"]]]
        sums = lines[SUMS[:-2]].sum()
        input_tokens = float(sums[TOKEN_COLUMNS[:-1]].sum())
        output_tokens = float(sums["output_tokens"])
        shares: dict[str, Any] = {
            "cached_frac": float(sums["cache_read_tokens"]) / max(input_tokens, 1.0),
            "reasoning_frac": float(sums["reasoning_tokens"]) / max(output_tokens, 1.0),
        }
        title = f"{self.read['file']}{f', {model}' if model else ''}"
        single = self.requests
        single = single[single["model"] == model] if model is not None else single
        if len(single) > 2 and like is None and requests_per_day is None:
            from_log = Workload.from_trace(single.drop(columns="model"), id, title)
            return replace(from_log, **shares)
        n = float(sums["n_requests"])
        if requests_per_day is not None:
            n = positive("requests_per_day", requests_per_day) * self.period_s / DAY_S
        if not n or not input_tokens or not output_tokens:
            raise ValueError(
                f"{self.read['file']}: no number of requests, or no tokens of both sides: give "
                "requests_per_day, or an export that counts them"
            )
        means = max(input_tokens / n, 1.0), max(output_tokens / n, 1.0)
        shape = Workload(
            id=id,
            input_quantile_tokens=(1.0,) * len(QUANTILES),
            output_quantile_tokens=(1.0,) * len(QUANTILES),
        )
        shape = workload(like) if like is not None else shape
        return replace(
            shape,
            id=id,
            title=title + (f", spread of {like}" if like else ", mean lengths"),
            arrival="gamma",
            rate_per_s=n / self.period_s,
            input_quantile_tokens=_scaled(
                shape.input_quantile_tokens, means[0] / shape.mean_input_tokens
            ),
            output_quantile_tokens=_scaled(
                shape.output_quantile_tokens, means[1] / shape.mean_output_tokens
            ),
            **shares,
        )

    def describe(self) -> str:
        """What was understood, in a sentence."""
        read, sums, n = self.read, self.lines[SUMS[:-2]].sum(), len(self.models)
        text = (
            f"{read['file']}: {read['format']}, {read['rows']:,} rows, {self.period_s / DAY_S:.3g}"
        )
        text += f" days; {n} model{'' if n == 1 else 's'}"
        if n:
            text += (
                f", {sums[TOKEN_COLUMNS[:-1]].sum():,.0f} input tokens "
                f"({sums['cache_read_tokens']:,.0f} from a cache) and "
                f"{sums['output_tokens']:,.0f} output tokens"
            )
        else:
            text += " with tokens: give the usage export of the same days too"
        billed = self.billed_usd
        text += "; no cost stated" if math.isnan(billed) else f"; ${billed:,.4g} billed"
        text += f", ${self.list_usd:,.4g} at list prices" if n else ""
        if reasons := sorted(set(self.lines["reason"]) - {""}):
            text += f" ({'; '.join(reasons[:4])}{'; …' if len(reasons) > 4 else ''})"
        if read["dropped"]:
            dropped = ", ".join(f"{n:,} with {why}" for why, n in read["dropped"].items())
            text += f"; dropped: {dropped}"
        if read["unknown_lengths"]:
            text += "; prompt lengths are not stated: rates of short prompts"
        return text

    def _known(self, model: str | None) -> str | None:
        if model is not None and model not in self.models:
            raise unknown("model of the bill", model, self.models)
        return model

    def _lines(self) -> Iterator[Any]:
        yield from self.lines.itertuples(index=False)


def list_bill(line: Any) -> tuple[TokenBill | None, str]:
    """The tokens of a line at its list price, or why there is none."""
    if not (line.fresh_input_tokens + line.cache_read_tokens + line.output_tokens
            + line.cache_write_tokens + line.cache_write_1h_tokens):  # fmt: skip
        return None, ""
    if getattr(line, "audio_tokens", 0):
        return None, f"{line.model}: audio tokens have a price of their own"
    listed, reason = _price_of(line)
    if listed is None:
        return None, reason
    try:
        return _bill_of(line, listed, line.service), ""
    except ValueError as error:
        return None, str(error)


def _price_of(line: Any) -> tuple[Price | None, str]:
    return _listed(line.model, line.provider, line.day)


@functools.lru_cache(maxsize=20_000)
def _listed(model: str, provider: str, day: str) -> tuple[Price | None, str]:
    """The list price of a day, or why there is none."""
    if provider.lower() in OWN_SERVERS:
        return None, f"{model}: served by yourself ({provider})"
    try:
        return price_now(model, provider, datetime.datetime.fromisoformat(f"{day}T12:00:00Z")), ""
    except UnknownName:
        return None, f"{model}: no list price{f' at {provider}' if provider else ''}"


def _bill_of(line: Any, listed: Price, service: str) -> TokenBill:
    """A line on a list; its prompts are as long as its limit says."""
    input_tokens = sum(getattr(line, column) for column in TOKEN_COLUMNS[:-1])
    return token_bill(
        listed,
        input_tokens=input_tokens,
        output_tokens=line.output_tokens,
        cache_read_tokens=line.cache_read_tokens,
        cache_write_tokens=line.cache_write_tokens,
        cache_write_1h_tokens=line.cache_write_1h_tokens,
        reasoning_tokens=line.reasoning_tokens,
        n_requests=max(input_tokens, 1.0) / (line.above_input_tokens + 1),
        service=service,
    )


def _scaled(lengths: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(max(length * factor, 1.0) for length in lengths)
