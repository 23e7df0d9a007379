"""A seller's side: what the same answers, turns and tasks cost at an API, by the life of its cache.

A seller's cache has no limit but a lifetime. Of sessions the share that it serves comes out of the
pauses of people and tools (`seller_times`); of single requests that share a beginning, out of the
gaps between them.

>>> from econ.scenario import Scenario
>>> s = Scenario.default().with_(cached_frac=0.5, rate_per_s=1 / 300)
>>> often = seller_side(s.with_(rate_per_s=1.0), "claude-haiku-4-5")
>>> often.cached_frac > seller_side(s, "claude-haiku-4-5").cached_frac
True
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog import Price
from econ.catalog import price as list_price
from econ.catalog.guard import UnknownName, count, fraction, not_negative, positive
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.units import usd_per_token_from_usd_per_mtok
from econ.energy import disclosed_prompt
from econ.scenario import Scenario
from econ.serving import Fleet, Replica, StepCost, serve_sessions
from econ.serving.cost import PS_PER_S
from econ.serving.engine import FOREVER
from econ.serving.session_run import SessionTimes
from econ.serving.session_service import N_SESSIONS, drawn
from econ.station import require_certain
from econ.tco import Api
from econ.tokens import Replay, SessionLoad, Sessions, Workload, session_load
from econ.tokens.tasks import Task

API_TPOT_S = 0.015
API_TTFT_S = 1.5
LARGEST_BATCH, LARGEST_STEP = 20_000, 200_000  # of a seller: nothing waits
LIKENESS = 1.25  # how far turns and lengths of the same kind of session differ by luck


@dataclass(frozen=True, kw_only=True, eq=False)
class ApiBill:
    """What a seller asks for sessions, turn by turn.

    Attributes
    ----------
    read_usd, new_usd, output_usd : array of float
        Of each turn: input read from the seller's cache, other input, output.
    session_usd : array of float
        The sum of each session.
    turn_s : array of float
        Seconds of each turn at the pace that was assumed.
    hit_frac, user_hit_frac, tool_hit_frac : float
        Share of input tokens read from the cache; of turns that a person or a tool starts.
    """

    read_usd: NDArray[np.float64]
    new_usd: NDArray[np.float64]
    output_usd: NDArray[np.float64]
    session_usd: NDArray[np.float64]
    turn_s: NDArray[np.float64]
    hit_frac: float
    user_hit_frac: float
    tool_hit_frac: float

    @property
    def total_usd(self) -> float:
        """Of all sessions."""
        return float(self.session_usd.sum())

    @property
    def share_frac(self) -> tuple[float, ...]:
        """Shares of the bill: cached input, new input, output."""
        return tuple(self.shares())

    def shares(self) -> pd.Series:
        """Of the bill: cached input, new input, output."""
        parts = {
            "cached input": self.read_usd,
            "new input": self.new_usd,
            "output": self.output_usd,
        }
        usd = pd.Series({name: float(part.sum()) for name, part in parts.items()})
        return usd / self.total_usd


def api_bill(
    sessions: Sessions,
    price: Price | str,
    *,
    ttl_s: float | None = CACHE_TTL_S,
    tpot_s: float = API_TPOT_S,
    ttft_s: float = API_TTFT_S,
    service: str = "standard",
) -> ApiBill:
    """The bill of sessions at a seller whose cache keeps everything for a while.

    Parameters
    ----------
    sessions : Sessions
        The turns.
    price : Price or str
        A list price or the name of its model. Input that is not read from the cache is billed at
        the write rate where the list has one (that of an hour where ``ttl_s`` is above 300).
    ttl_s : float, optional
        Life of an entry after its last use, e.g. 300; None for ever.
    tpot_s, ttft_s : float
        Pace of the seller's answers, which decides when the next turn asks: assumed, as no list
        states it.
    service : str
        ``"standard"``, ``"flex"`` or ``"priority"``; of a batch no turn could wait for the last.

    Raises
    ------
    ValueError
        For sessions that last longer than can be simulated, by the first such turn.

    Notes
    -----
    The same engine serves both: here a replica without limits, whose entries live ``ttl_s``.

    Examples
    --------
    >>> drawn = session_load("support").draw(50, seed=1)
    >>> short, long = (api_bill(drawn, "gpt-4o-mini", ttl_s=t) for t in (60, 3600))
    >>> short.hit_frac < long.hit_frac, short.total_usd > long.total_usd
    (True, True)
    """
    if service == "batch":
        raise ValueError("service = 'batch': a turn waits for the answer before it")
    listed = list_price(price) if isinstance(price, str) else price
    times = seller_times(sessions, ttl_s=ttl_s, tpot_s=tpot_s, ttft_s=ttft_s)
    parts = np.zeros((3, sessions.n_turns))
    limits = sorted({0.0, *(float(r.above_input_tokens) for r in listed.other_rates)})
    for limit in limits:  # the upper rates take the place of the lower ones
        rows = sessions.input_tokens > limit
        rates = listed.rates(input_tokens=limit + 1, service=service)
        written = sessions.output_tokens * times.n_attempts
        for k, (tokens, usd_per_mtok) in enumerate(
            (
                (times.hbm_tokens, rates.read_usd_per_mtok),
                (times.computed_tokens, rates.write_usd_per_mtok(ttl_s)),
                (written, rates.output_usd_per_mtok),
            )
        ):
            parts[k, rows] = tokens[rows] * usd_per_token_from_usd_per_mtok(usd_per_mtok)
    kinds = times.hit_by_kind()
    session_usd = np.zeros(sessions.n_sessions)
    np.add.at(session_usd, sessions.session, parts.sum(axis=0))
    return ApiBill(
        read_usd=parts[0],
        new_usd=parts[1],
        output_usd=parts[2],
        session_usd=session_usd,
        turn_s=times.e2e_s + ttft_s,
        hit_frac=times.hit_frac,
        user_hit_frac=float(kinds.get("user", np.nan)),
        tool_hit_frac=float(kinds.get("tool", np.nan)),
    )


def seller_times(
    sessions: Sessions,
    *,
    ttl_s: float | None = CACHE_TTL_S,
    tpot_s: float = API_TPOT_S,
    ttft_s: float = API_TTFT_S,
) -> SessionTimes:
    """Sessions at a seller who has room for all, and whose cache entries live so long.

    Parameters and errors as in `api_bill`.

    Examples
    --------
    >>> seller_times(session_load("support").draw(50, seed=1)).hit_frac > 0.5
    True
    """
    positive("tpot_s", tpot_s, 10)
    not_negative("ttft_s", ttft_s, 1000)
    n_tokens = int((sessions.input_tokens + sessions.output_tokens).sum())
    seller = Replica(
        cost=StepCost.affine(base_s=tpot_s),
        kv_tokens=min(2 * n_tokens + 1, 10**12),
        block_tokens=1,
        max_batch=LARGEST_BATCH,
        token_budget=LARGEST_STEP,
    )
    follows = np.diff(sessions.waits_at) > 0
    question = dataclasses.replace(
        sessions,
        patience_s=np.full(sessions.n_turns, np.inf),
        wait_s=sessions.wait_s + ttft_s * follows,  # nobody waits for anybody else's prompt
    )
    times = serve_sessions(question, Fleet(replica=seller, ttl_s=ttl_s))
    if not times.done.all():
        row = int(np.argmin(times.done))
        raise ValueError(
            f"turn {row}: comes later than the {FOREVER / PS_PER_S:,.0f} s that can be simulated; "
            "let the sessions begin closer together, or shorten the waits"
        )
    return times


@functools.lru_cache(maxsize=32)
def typical_bill(
    load: str, price: str, n: int = 1000, seed: int = 1, ttl_s: float | None = CACHE_TTL_S
) -> ApiBill:
    """`api_bill` of a named kind of session, computed once.

    Parameters
    ----------
    load, price : str
        A name of `econ.tokens.session_load`, and of a priced model.
    n, seed : int
        Sessions to draw, at most 10,000, and how.
    ttl_s : float, optional
        As in `api_bill`.

    Examples
    --------
    >>> typical_bill("voice", "gpt-4o-mini", n=50).hit_frac > 0.9
    True
    """
    n = count("n", n, 1, 10_000)
    return api_bill(session_load(load).draw(n, seed=seed), price, ttl_s=ttl_s)


def percentile_usd(bill: ApiBill, share_frac: float) -> float:
    """USD that this share of the sessions costs at most, e.g. 0.5 or 0.99.

    >>> bill = typical_bill("voice", "gpt-4o-mini", n=50)
    >>> percentile_usd(bill, 0.5) < percentile_usd(bill, 0.99)
    True
    """
    return float(np.quantile(bill.session_usd, fraction("share_frac", share_frac)))


@dataclass(frozen=True, kw_only=True)
class SellerSide:
    """An answer of a service at a seller, by its list.

    Attributes
    ----------
    seller, model, service : str
        Who, what and in which tier.
    ttl_s : float, optional
        Life of an entry in its cache.
    cached_frac : float
        Share of input that the cache serves.
    usd_per_answer : float
        List price of a mean answer, or of a turn.
    energy : str
        What the seller says of joules, in words: of this answer nothing.
    task : Task, optional
        The workload's.
    """

    seller: str
    model: str
    service: str
    ttl_s: float | None
    cached_frac: float
    usd_per_answer: float
    energy: str
    task: Task | None = None

    def figures(self) -> dict[str, float]:
        """USD per turn, session and finished task; empty where the calls are no turns."""
        return self.task.figures(usd=self.usd_per_answer) if self.task else {}


def seller_side(
    s: Scenario,
    price: Price | str,
    *,
    service: str = "standard",
    ttl_s: float | None = CACHE_TTL_S,
    sessions: SessionLoad | Replay | Sessions | str | None = None,
) -> SellerSide:
    """What an answer of a scenario's workload costs at a seller.

    Parameters
    ----------
    s : Scenario
        Its workload alone counts: lengths, rate, cached share or task.
    price : Price or str
        A list price or the name of its model, e.g. ``"gpt-5-mini"``.
    service : str
        ``"standard"``, ``"batch"``, ``"flex"`` or ``"priority"``.
    ttl_s : float, optional
        Life of an entry in the seller's cache after its last use, e.g. 300 or 3600; None for ever.
    sessions : SessionLoad, Replay, Sessions or str, optional
        What the turns of a task come from; by default the kind that the task names.

    Raises
    ------
    ValueError
        For turns of sessions that are not at hand or are not these, a batch of turns, and a service
        that the list does not price.

    Notes
    -----
    Single requests: ``cached_frac`` of the input is a beginning that all share. A request finds it
    where the gap before was shorter than ``ttl_s`` (`econ.tokens.Workload.alive_frac`), and writes
    it anew, at the rate for that life, where not.

    Examples
    --------
    >>> chat = Scenario.default().with_(cached_frac=0.5)
    >>> slow, fast = (seller_side(chat, "gpt-5", service=x) for x in ("flex", "priority"))
    >>> fast.usd_per_answer / slow.usd_per_answer
    4.0
    """
    require_certain("seller_side", s)
    listed = list_price(price) if isinstance(price, str) else price
    load = s.workload
    if load.task is None and sessions is None:
        cached, written = cache_shares(load, ttl_s)
        usd = Api(model=listed.model, price=listed, service=service).usd_per_request(
            load.mean_input_tokens,
            load.mean_output_tokens,
            cached,
            written_frac=written,
            ttl_s=ttl_s,
        )
    else:
        turns = _turns(s, sessions)
        bill = api_bill(turns, listed, ttl_s=ttl_s, service=service)
        cached, usd = bill.hit_frac, bill.total_usd / turns.n_turns
    return SellerSide(
        seller=listed.provider,
        model=listed.model,
        service=service,
        ttl_s=ttl_s,
        cached_frac=cached,
        usd_per_answer=usd,
        energy=_energy_words(listed.provider),
        task=load.task,
    )


def cache_shares(
    load: Workload, ttl_s: float | None, *, are_turns: bool = False
) -> tuple[float, float]:
    """Shares of the input that a seller's cache serves, and that are written to it.

    Parameters
    ----------
    load : Workload
        Its ``cached_frac`` is a beginning that all requests share; of turns it is what their
        seller's cache served.
    ttl_s : float, optional
        Life of an entry after its last use.
    are_turns : bool
        What is new in a turn is written, since the next one reads it.

    Examples
    --------
    >>> from econ.scenario import Scenario
    >>> cache_shares(Scenario.default().with_(cached_frac=0.25).workload, None)
    (0.25, 0.0)
    """
    cached = float(load.cached_frac)
    if are_turns:
        return cached, 1 - cached
    hit_frac = cached * load.alive_frac(ttl_s)
    return hit_frac, cached - hit_frac


def _turns(s: Scenario, load: SessionLoad | Replay | Sessions | str | None) -> Sessions:
    """The sessions of a task's turns, refused where they are others than the workload's."""
    task = s.workload.task
    if task is None:
        raise ValueError("sessions: the workload is of single requests: leave them out")
    if load is None:
        try:
            load = session_load(task.load)
        except UnknownName:
            raise ValueError(
                f"task.load = {task.load!r} is no kind of session of the catalogue, and what a "
                "seller's cache serves follows from its sessions: give sessions"
            ) from None
    turns, _ = drawn(load, N_SESSIONS, None)
    for name, theirs, ours in (
        ("input tokens", float(turns.input_tokens.mean()), s.workload.mean_input_tokens),
        ("turns a session", turns.n_turns / turns.n_sessions, float(task.n_turns)),
    ):
        if not 1 / LIKENESS <= theirs / ours <= LIKENESS:
            raise ValueError(
                f"sessions have {theirs:,.0f} {name} and the workload's calls {ours:,.0f}: these "
                "are other sessions; give those that the calls come from"
            )
    return turns


def _energy_words(seller: str) -> str:
    try:
        figure = disclosed_prompt(seller)
    except ValueError as error:
        return str(error)
    kind = figure.kind.replace("_", " ")
    return (
        f"{seller} publishes nothing of these tokens; {figure.prompt[0].lower()}"
        f"{figure.prompt[1:]} "
        f"takes {figure.energy_wh:g} Wh ({kind}, {figure.as_of}; counted: {figure.boundary})"
    )
