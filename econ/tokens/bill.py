"""What the tokens cost on a price list: conversations, agent loops, caching, reasoning, batch.

A chat model remembers nothing between calls: the whole history is sent again at every turn, so
the input of a conversation grows with the square of its length. Prompt caching does not change
how many tokens are read, only the rate at which the repeated part is billed.

>>> turns = conversation_tokens(3, user_tokens=50, assistant_tokens=200, system_tokens=100)
>>> turns["input_tokens"].tolist()
[150, 400, 650]
>>> turns["repeated_tokens"].tolist()          # of these, seen before
[0, 350, 600]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import count, not_negative, positive
from econ.catalog.prices import Price
from econ.catalog.units import MTOK, usd_per_token_from_usd_per_mtok

MAX_TURNS = 100_000
PARTS = ("fresh_input", "cache_read", "cache_write", "answer", "reasoning")


@dataclass(frozen=True, kw_only=True)
class TokenBill:
    """One bill, split by what was billed; every token stands in exactly one part."""

    fresh_input_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    answer_tokens: float
    reasoning_tokens: float
    fresh_input_usd: float
    cache_read_usd: float
    cache_write_usd: float
    answer_usd: float
    reasoning_usd: float

    @property
    def total_usd(self) -> float:
        """The sum of the parts."""
        return float(sum(getattr(self, f"{part}_usd") for part in PARTS))

    @property
    def input_tokens(self) -> float:
        """All input: fresh, read from the cache, written to it."""
        return self.fresh_input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def output_tokens(self) -> float:
        """All output: reasoning and answer."""
        return self.reasoning_tokens + self.answer_tokens

    @property
    def blended_usd_per_mtok(self) -> float:
        """Total divided by all tokens, input and output: one figure that depends on the mix."""
        return self.total_usd / (self.input_tokens + self.output_tokens) * MTOK

    def frame(self) -> pd.DataFrame:
        """One row per part: part, tokens, usd."""
        rows = [(p, getattr(self, f"{p}_tokens"), getattr(self, f"{p}_usd")) for p in PARTS]
        frame = pd.DataFrame(rows, columns=["part", "tokens", "usd"])
        return frame.assign(part=frame["part"].str.replace("_", " "))


def token_bill(
    price: Price,
    *,
    input_tokens: float,
    output_tokens: float,
    cache_read_tokens: float = 0,
    cache_write_tokens: float = 0,
    cache_write_1h_tokens: float = 0,
    reasoning_tokens: float = 0,
    n_requests: float = 1,
    service: str = "standard",
    batch: bool = False,
) -> TokenBill:
    """The list-price bill of one or many calls.

    Parameters
    ----------
    price : Price
        USD per million tokens, e.g. ``econ.catalog.price("gpt-4o-mini")``. A list without a cached
        rate bills cached input as fresh; one without a write rate bills writes as fresh.
    input_tokens, output_tokens : float
        All input and all output, e.g. 10,000 and 500.
    cache_read_tokens, cache_write_tokens, cache_write_1h_tokens : float
        Parts of the input: read from the provider's cache, written to it for its usual life
        (mostly 5 minutes), and written for an hour.
    reasoning_tokens : float
        Part of the output; billed like the rest.
    n_requests : float
        Calls that the tokens are the sum of. Some lists bill the whole of a call at upper rates
        if its prompt is long; the prompt is taken to be ``input_tokens / n_requests``.
    service : str
        ``"standard"``, ``"batch"``, ``"flex"`` or ``"priority"``.
    batch : bool
        The same as ``service="batch"``.

    Returns
    -------
    TokenBill
        Tokens and USD of each part; every token stands in exactly one.

    Raises
    ------
    ValueError
        For a negative number, parts that exceed their whole, a service without a price, or writes
        for an hour on a list that prices only the usual ones.

    Examples
    --------
    >>> from econ.catalog import Price, price
    >>> p = Price(model="m", input_usd_per_mtok=3, output_usd_per_mtok=15,
    ...           cached_input_usd_per_mtok=0.3)
    >>> bill = token_bill(p, input_tokens=10_000, cache_read_tokens=9_000, output_tokens=500)
    >>> round(bill.total_usd, 6)        # 1000 × $3 + 9000 × $0.30 + 500 × $15, per million
    0.0132
    >>> token_bill(price("gemini-3.1-pro-preview"), input_tokens=250_000, output_tokens=0).total_usd
    1.0
    """
    for name, value in [
        ("input_tokens", input_tokens),
        ("output_tokens", output_tokens),
        ("cache_read_tokens", cache_read_tokens),
        ("cache_write_tokens", cache_write_tokens),
        ("cache_write_1h_tokens", cache_write_1h_tokens),
        ("reasoning_tokens", reasoning_tokens),
    ]:
        not_negative(name, value, 1e15)
    positive("n_requests", n_requests, 1e15)
    cached = cache_read_tokens + cache_write_tokens + cache_write_1h_tokens
    if cached > input_tokens:
        raise ValueError(
            f"cache_read_tokens + cache_write_tokens = {cached} is outside its range: "
            f"0 to input_tokens = {input_tokens}"
        )
    if reasoning_tokens > output_tokens:
        raise ValueError(
            f"reasoning_tokens = {reasoning_tokens} is outside its range: "
            f"0 to output_tokens = {output_tokens}"
        )
    if batch and service not in ("standard", "batch"):
        raise ValueError(f"batch = True contradicts service = {service!r}")
    rates = price.rates(input_tokens / n_requests, "batch" if batch else service)
    hour, usual = rates.cache_write_1h_usd_per_mtok, rates.cache_write_usd_per_mtok
    if cache_write_1h_tokens and hour is None and usual is not None:
        raise ValueError(f"{price.model} lists no price of cache writes that last an hour")

    def usd(tokens: float, usd_per_mtok: float | None) -> float:
        rate = rates.input_usd_per_mtok if usd_per_mtok is None else usd_per_mtok
        return tokens * usd_per_token_from_usd_per_mtok(rate)

    fresh, answer = input_tokens - cached, output_tokens - reasoning_tokens
    return TokenBill(
        fresh_input_tokens=fresh,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens + cache_write_1h_tokens,
        answer_tokens=answer,
        reasoning_tokens=reasoning_tokens,
        fresh_input_usd=usd(fresh, rates.input_usd_per_mtok),
        cache_read_usd=usd(cache_read_tokens, rates.cached_input_usd_per_mtok),
        cache_write_usd=usd(cache_write_tokens, rates.cache_write_usd_per_mtok)
        + usd(cache_write_1h_tokens, rates.cache_write_1h_usd_per_mtok),
        answer_usd=usd(answer, rates.output_usd_per_mtok),
        reasoning_usd=usd(reasoning_tokens, rates.output_usd_per_mtok),
    )


def conversation_tokens(
    turns: int,
    user_tokens: float,
    assistant_tokens: float,
    system_tokens: float = 0,
    max_context_tokens: float | None = None,
) -> pd.DataFrame:
    """The tokens of each turn of a conversation whose history is sent again every time.

    Parameters
    ----------
    turns : int
        Messages of the user, e.g. 10.
    user_tokens, assistant_tokens : float
        Length of a message and of an answer, e.g. 50 and 200.
    system_tokens : float
        Length of the instructions, which are sent with every turn.
    max_context_tokens : float, optional
        Longest input and output together that the model takes.

    Returns
    -------
    DataFrame
        ``turn``, ``input_tokens``, ``repeated_tokens`` (the part of the input that the model has
        seen in an earlier turn: what a prompt cache can serve), ``output_tokens``,
        ``context_tokens`` (input and output).

    Raises
    ------
    ValueError
        For a negative number, or the first turn that exceeds ``max_context_tokens``.

    Notes
    -----
    Summed over n turns the input is ``n·system + user·n(n+1)/2 + assistant·n(n−1)/2``.
    """
    for name, value in [("user_tokens", user_tokens), ("system_tokens", system_tokens)]:
        not_negative(name, value, 1e9)
    return _growing(
        "turns", turns, system_tokens + user_tokens, user_tokens, assistant_tokens,
        max_context_tokens,
    )  # fmt: skip


def agent_loop_tokens(
    steps: int,
    *,
    system_tokens: float,
    task_tokens: float,
    step_output_tokens: float,
    tool_result_tokens: float,
    max_context_tokens: float | None = None,
) -> pd.DataFrame:
    """The tokens of each step of an agent that calls a tool and reads its result.

    Everything written and read so far is sent at every step: a conversation in which the tool plays
    the user after the first step.

    Parameters
    ----------
    steps : int
        Calls of the model, e.g. 40.
    system_tokens, task_tokens : float
        Instructions with tool descriptions, and the task, e.g. 8,000 and 500.
    step_output_tokens, tool_result_tokens : float
        What the model writes in a step and what a tool returns, e.g. 300 and 1,500.
    max_context_tokens : float, optional
        Longest input and output together that the model takes.

    Returns
    -------
    DataFrame
        Columns as in `conversation_tokens`.

    Raises
    ------
    ValueError
        For a negative number, or the first step that exceeds ``max_context_tokens``.

    Examples
    --------
    >>> loop = agent_loop_tokens(40, system_tokens=8_000, task_tokens=500,
    ...                          step_output_tokens=300, tool_result_tokens=1_500)
    >>> float(round(loop["input_tokens"].sum() / loop["output_tokens"].sum()))
    145.0
    """
    first = {"system_tokens": system_tokens, "task_tokens": task_tokens}
    for name, value in first.items():
        not_negative(name, value, 1e9)
    return _growing(
        "steps", steps, sum(first.values()), tool_result_tokens, step_output_tokens,
        max_context_tokens,
    )  # fmt: skip


def _growing(
    name: str, n: int, opening: float, added: float, written: float, limit: float | None
) -> pd.DataFrame:
    """Calls that each read all that came before: ``opening`` first, then ``added`` more."""
    n = count(name, n, 1, MAX_TURNS)
    for what, value in [("input added per turn", added), ("output per turn", written)]:
        not_negative(what, value, 1e9)
    turn = np.arange(1, n + 1)
    read = opening + (turn - 1) * (added + written)
    frame = pd.DataFrame(
        {
            "turn": turn,
            "input_tokens": read,
            "repeated_tokens": np.where(turn > 1, read - added, 0),
            "output_tokens": written,
            "context_tokens": read + written,
        }
    )
    if limit is not None and (over := frame["context_tokens"] > limit).any():
        first = frame[over].iloc[0]
        raise ValueError(
            f"turn {first.turn:.0f} needs a context of {first.context_tokens:,.0f} tokens; "
            f"max_context_tokens = {limit:,.0f}"
        )
    return frame


def turns_bill(turns: pd.DataFrame, price: Price, caching: bool = True) -> pd.DataFrame:
    """The bill of each turn of `conversation_tokens` or `agent_loop_tokens`, and its running sum.

    Parameters
    ----------
    turns : DataFrame
        What those functions return.
    price : Price
        USD per million tokens.
    caching : bool
        Whether the repeated part is read from the provider's cache and the new part written to it
        (at the write rate where the list has one); otherwise all input is fresh.

    Returns
    -------
    DataFrame
        ``turn``, ``input_usd``, ``output_usd``, ``usd``, ``total_usd``, ``caching``.
    """
    rows = []
    for turn in turns.itertuples():
        read = turn.repeated_tokens if caching else 0
        new = turn.input_tokens - read
        writes = new if caching and price.cache_write_usd_per_mtok is not None else 0
        bill = token_bill(
            price,
            input_tokens=turn.input_tokens,
            cache_read_tokens=read,
            cache_write_tokens=writes,
            output_tokens=turn.output_tokens,
        )
        usd = bill.total_usd
        rows.append((turn.turn, usd - bill.answer_usd, bill.answer_usd, usd))
    frame = pd.DataFrame(rows, columns=["turn", "input_usd", "output_usd", "usd"])
    return frame.assign(total_usd=frame["usd"].cumsum(), caching=caching)
