"""Kinds of sessions: how many turns, how fast the prompt grows, how long tools and people take.

Five named loads ship as quantiles (`session_load("coding-agent")`); what was fitted to public
statistics and what is assumed stands beside each in ``data/tokens/session_loads.csv``. Drawn
sessions go into the simulator (`econ.serving.simulate_sessions`).

>>> drawn = session_load("support").draw(100, rate_per_s=0.1, seed=1)
>>> drawn.n_sessions, drawn.hit_frac > 0.5
(100, True)
>>> session_load("coding agent")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown session load 'coding agent'; nearest: coding-agent
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.guard import count, fraction, in_range, not_negative, positive
from econ.catalog.laws import normal_share
from econ.catalog.tables import remember, row_of, table
from econ.tokens.sessions import MAX_WAIT_S, Sessions, begins, checked

# what is drawn for each session, for each turn, and for each pause
QUANTITIES = ("requests", "tool_steps", "new_tokens", "answer_tokens", "tool_s", "think_s")
SPREAD_OF_STEPS = 0.35  # shape of the gamma shares in which requests divide a session's steps


@dataclass(frozen=True)
class Spread:
    """A distribution by its quantiles, joined by straight lines in log(1 + x).

    Parameters
    ----------
    share_frac : tuple of float
        At which quantiles, rising from 0 to 1.
    values : tuple of float
        What lies there, not falling, 0 or above.

    Examples
    --------
    >>> tool_s = Spread((0, 0.5, 0.9, 1), (0, 0.3, 13.6, 600))
    >>> tool_s.at([0.5, 0.9]).round(3).tolist(), round(tool_s.mean, 1)
    ([0.3, 13.6], 17.5)
    """

    share_frac: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("share_frac", "values"):
            object.__setattr__(self, name, tuple(float(v) for v in getattr(self, name)))
        rising = all(np.diff(self.share_frac) > 0) and all(np.diff(self.values) >= 0)
        ends = self.share_frac[:1] == (0.0,) and self.share_frac[-1:] == (1.0,)
        if not (rising and ends and len(self.values) == len(self.share_frac)):
            raise ValueError(
                f"values = {self.values} at quantiles {self.share_frac}: give as many, the "
                "quantiles rising from 0 to 1 and the values not falling"
            )
        in_range("values[0]", self.values[0], 0, 1e12)
        in_range("values[-1]", self.values[-1], 0, 1e12)

    def at(self, share_frac: float | NDArray[Any]) -> NDArray[np.float64]:
        """The values at given quantiles."""
        return np.asarray(np.expm1(np.interp(share_frac, self.share_frac, np.log1p(self.values))))

    @property
    def mean(self) -> float:
        """The exact mean: between neighbours it is Δx/Δln(1 + x) − 1."""
        x, log = np.array(self.values), np.log1p(self.values)
        flat = np.diff(log) < 1e-12
        middle = np.where(flat, x[:-1], np.diff(x) / np.where(flat, 1, np.diff(log)) - 1)
        return float((np.diff(self.share_frac) * middle).sum())


@dataclass(frozen=True, kw_only=True)
class SessionLoad:
    """A kind of session, as distributions.

    A session is a number of requests by a person; each is answered in steps, a call of the model
    and then a tool, until the last call answers. All that was written and read so far is sent with
    each call, behind instructions that all sessions share.

    Parameters
    ----------
    id, title : str
        Name and a few words.
    system_tokens : int
        Instructions and tool descriptions that all sessions begin with, e.g. 20,000.
    requests, tool_steps : Spread
        Requests of a session; calls in a session that follow a tool.
    rank_correlation : float
        Of these two (Spearman).
    new_tokens, answer_tokens : Spread
        What a call adds to the prompt, and what the model writes.
    tool_s, think_s : Spread
        From an answer until a tool's result or a person's next request is sent.
    context_limit_tokens, compact_to_tokens : int
        A prompt and answer beyond the limit are replaced by a summary of that length.
    agent_frac, n_agent_steps : float
        Share of tools that are agents of their own, and their mean number of calls; the caller
        waits for them. They share the instructions with everybody else.
    abandoned_frac : float
        Share of sessions that end before their last call, at a random one.
    patience_s : float
        How long a call waits in a queue before its session is given up; infinite for ever.
    solved_frac : float
        Share of completed sessions whose task is solved.
    failed_frac : float
        Share of calls that fail and are sent again.
    rate_per_s : float
        Sessions that begin per second.
    source : str
        Key of the source.

    Raises
    ------
    ValueError
        For a number outside its range.
    """

    id: str
    title: str = ""
    system_tokens: int
    requests: Spread
    tool_steps: Spread
    new_tokens: Spread
    answer_tokens: Spread
    tool_s: Spread
    think_s: Spread
    rank_correlation: float = 0.0
    context_limit_tokens: int = 200_000
    compact_to_tokens: int = 20_000
    agent_frac: float = 0.0
    n_agent_steps: float = 1.0
    abandoned_frac: float = 0.0
    patience_s: float = np.inf
    solved_frac: float = 1.0
    failed_frac: float = 0.0
    rate_per_s: float = 0.01
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("agent_frac", "abandoned_frac", "solved_frac"):
            fraction(name, getattr(self, name))
        in_range("failed_frac", self.failed_frac, 0, 0.9)
        in_range("rank_correlation", self.rank_correlation, -0.999, 0.999)
        positive("rate_per_s", self.rate_per_s, 1e6)
        in_range("n_agent_steps", self.n_agent_steps, 1, 1e4)
        if not self.patience_s > 0:
            not_negative("patience_s", self.patience_s)
        for name in ("system_tokens", "context_limit_tokens", "compact_to_tokens"):
            object.__setattr__(self, name, count(name, getattr(self, name), 0, 1e8))
        for name in QUANTITIES:
            if not isinstance(getattr(self, name), Spread):
                raise TypeError(f"{name} = {getattr(self, name)!r} is not a Spread")
        in_range("think_s", self.think_s.values[-1], 0, MAX_WAIT_S)
        in_range("tool_s", self.tool_s.values[-1], 0, MAX_WAIT_S)
        least = self.system_tokens + self.compact_to_tokens
        most = self.new_tokens.values[-1] + self.answer_tokens.values[-1]
        if least + most > self.context_limit_tokens:
            raise ValueError(
                f"context_limit_tokens = {self.context_limit_tokens:,} is outside its range: at "
                f"least {least + most:,.0f}, instructions, a summary and the longest call"
            )

    def replace(self, **changes: Any) -> SessionLoad:
        """The same load with some settings changed."""
        return dataclasses.replace(self, **changes)

    @property
    def mean_turns(self) -> float:
        """Calls of a session that is not given up, without those of its agents."""
        return self.requests.mean + self.tool_steps.mean

    def draw(self, n_sessions: int, *, rate_per_s: float | None = None, seed: int = 0) -> Sessions:
        """Draw sessions.

        Parameters
        ----------
        n_sessions : int
            E.g. 500.
        rate_per_s : float, optional
            Sessions that begin per second; the load's own by default. The same seed gives the same
            sessions at every rate.
        seed : int
            Of the random numbers.
        """
        rng, begins_s = begins(n_sessions, rate_per_s, self.rate_per_s, seed)
        n = len(begins_s)
        r = 2 * np.sin(np.pi * self.rank_correlation / 6)
        a = rng.standard_normal(n)
        b = r * a + np.sqrt(1 - r**2) * rng.standard_normal(n)
        n_requests = np.maximum(np.rint(self.requests.at(normal_share(a))), 1).astype(int)
        n_tools = np.rint(self.tool_steps.at(normal_share(b))).astype(int)
        given_up = rng.random(n) < self.abandoned_frac
        solved = (rng.random(n) < self.solved_frac) & ~given_up
        rows: list[Any] = []
        tree = _Tree([-1], [0])
        for k in range(n):
            shares = rng.gamma(SPREAD_OF_STEPS, 1.0, n_requests[k]) + 1e-9
            steps = 1 + rng.multinomial(n_tools[k], shares / shares.sum())
            total = int(steps.sum())
            if given_up[k]:
                total = int(rng.integers(1, total + 1))
            asks = np.zeros(int(steps.sum()), bool)
            asks[np.cumsum(steps)[:-1]] = True
            asks[0] = True
            rows.append(self._session(k, asks[:total], float(begins_s[k]), tree, rng, rows))
        return self._joined(rows, tree, solved, rng)

    def _session(
        self, k: int, asks: Any, begin_s: float, tree: _Tree, rng: Any, before: list[Any]
    ) -> Any:
        """The turns of one session as columns."""
        n, base = len(asks), before[-1].end if before else 0
        new = np.maximum(np.rint(self.new_tokens.at(rng.random(n))), 1).astype("int64")
        out = np.maximum(np.rint(self.answer_tokens.at(rng.random(n))), 1).astype("int64")
        u = rng.random(n)
        wait = np.where(asks, self.think_s.at(u), self.tool_s.at(u))
        wait[0] = 0.0
        prompt = np.empty(n, "int64")
        branch = np.empty(n, "int64")
        at, start = 0, self.system_tokens
        while at < n:
            size = start + np.cumsum(new[at:]) + np.concatenate([[0], np.cumsum(out[at:-1])])
            over = size + out[at:] > self.context_limit_tokens
            stop = at + (max(int(np.argmax(over)), 1) if over.any() else n - at)
            prompt[at:stop] = size[: stop - at]
            branch[at:stop] = tree.add(0 if self.system_tokens else -1, self.system_tokens)
            at, start = stop, self.system_tokens + self.compact_to_tokens
        part = _Turns(k, begin_s, base, branch, prompt, out, wait, np.where(asks, 0, 1))
        if self.agent_frac and n > 1:
            self._add_agents(part, ~asks, tree, rng)
        return part

    def _add_agents(self, part: _Turns, tools: Any, tree: _Tree, rng: Any) -> None:
        """Some tools are agents: chains of turns that the next turn waits for."""
        for i in np.flatnonzero(tools & (rng.random(len(tools)) < self.agent_frac)):
            m = int(rng.geometric(1 / self.n_agent_steps))
            new = np.maximum(np.rint(self.new_tokens.at(rng.random(m))), 1).astype("int64")
            out = np.maximum(np.rint(self.answer_tokens.at(rng.random(m))), 1).astype("int64")
            prompt = self.system_tokens + np.cumsum(new) + np.cumsum(out) - out
            fits = max(int((prompt + out <= self.context_limit_tokens).sum()), 1)
            wait = self.tool_s.at(rng.random(fits))
            own = tree.add(0 if self.system_tokens else -1, self.system_tokens)
            part.agents.append((int(i), own, prompt[:fits], out[:fits], wait))

    def _joined(self, parts: list[_Turns], tree: _Tree, solved: Any, rng: Any) -> Sessions:
        """All sessions in one table."""
        blocks, waits = [], []
        for part in parts:
            columns, wait_lists = part.columns()
            blocks.append(columns)
            waits += wait_lists
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        n = len(columns["session"])
        sizes = np.fromiter(map(len, waits), "int64", n)
        n_failures = np.zeros(n, "int64")
        if self.failed_frac:
            n_failures = rng.geometric(1 - self.failed_frac, n) - 1
        return checked(
            Sessions(
                **columns,
                waits_at=np.concatenate([[0], np.cumsum(sizes)]),
                waits_for=np.array([j for one in waits for j in one], "int64"),
                priority=np.zeros(n, "int64"),
                patience_s=np.full(n, float(self.patience_s)),
                n_failures=n_failures,
                branch_parent=np.array(tree.parent, "int64"),
                branch_from_tokens=np.array(tree.start, "int64"),
                solved=solved,
            ),
            self.id,
        )


@dataclass
class _Tree:
    parent: list[int]
    start: list[int]

    def add(self, parent: int, start: int) -> int:
        self.parent.append(parent)
        self.start.append(start)
        return len(self.parent) - 1


class _Turns:
    """The turns of a session, its agents apart until they are put in."""

    def __init__(self, k: int, begin_s: float, base: int, *columns: Any):
        self.k, self.begin_s, self.base = k, begin_s, base
        self.branch, self.prompt, self.out, self.wait, self.kind = columns
        self.agents: list[Any] = []

    @property
    def end(self) -> int:
        return self.base + len(self.branch) + sum(len(agent[2]) for agent in self.agents)

    def columns(self) -> tuple[dict[str, Any], list[list[int]]]:
        n, at = len(self.branch), self.base + len(self.branch)
        waits = [[self.base + i - 1] if i else [] for i in range(n)]
        parts = [(self.branch, self.prompt, self.out, self.wait, self.kind)]
        for i, own, prompt, out, wait in self.agents:
            m = len(prompt)
            waits[i] = [at + m - 1]  # the caller's next turn, once the last of these has ended
            waits += [[self.base + i - 1]] + [[at + j] for j in range(m - 1)]
            parts.append((np.full(m, own), prompt, out, wait, np.full(m, 2)))
            at += m
        names = ("branch", "input_tokens", "output_tokens", "wait_s", "kind")
        columns = {
            name: np.concatenate([part[j] for part in parts]) for j, name in enumerate(names)
        }
        size = len(columns["branch"])
        start_s = np.zeros(size)
        start_s[0] = self.begin_s
        return columns | {"session": np.full(size, self.k), "start_s": start_s}, waits


@remember
def session_load(id: str) -> SessionLoad:
    """A named kind of session.

    Parameters
    ----------
    id : str
        ``"coding-agent"``, ``"task-agent"``, ``"research-agent"``, ``"support"`` or ``"voice"``.

    Raises
    ------
    UnknownName
        For another name, with the nearest.
    """
    row, spreads = row_of("session_loads", id, "session load"), table("session_quantiles")
    spreads = spreads[spreads["load"] == id].sort_values(["quantity", "quantile"])
    parts: dict[str, Any] = {
        str(name): Spread(tuple(rows["quantile"]), tuple(rows["value"]))
        for name, rows in spreads.groupby("quantity")
    }
    numbers = ("rank_correlation", "agent_frac", "n_agent_steps", "abandoned_frac", "solved_frac",
               "failed_frac", "rate_per_s")  # fmt: skip
    parts |= {name: float(row[name]) for name in numbers}
    for name in ("system_tokens", "context_limit_tokens", "compact_to_tokens"):
        parts[name] = int(row[name])
    return SessionLoad(
        id=id,
        title=row.title,
        source=row.source,
        patience_s=float(row.patience_s) if pd.notna(row.patience_s) else np.inf,
        **parts,
    )


def session_loads_frame() -> pd.DataFrame:
    """The named kinds of sessions: means, what was fitted and what is assumed."""
    rows = table("session_loads")
    loads = [session_load(id) for id in rows.index]
    return rows.assign(
        mean_turns=[load.mean_turns for load in loads],
        mean_new_tokens=[load.new_tokens.mean for load in loads],
        mean_answer_tokens=[load.answer_tokens.mean for load in loads],
        mean_think_s=[load.think_s.mean for load in loads],
    )
