"""Sessions: turns that wait for each other, over content that grows from a common beginning.

A turn is one call of a model. It sends a *prompt* and gets an answer; what it sends begins with
something that was there before. Content is a tree of branches: a branch continues its parent from
a token on, and grows with each turn that asks on it. So two prompts share what their branches
share, whatever the words are.

>>> s = Sessions.of(session=[0, 0], branch=[0, 0], input_tokens=[1000, 1500],
...                 output_tokens=[200, 300], wait_s=[0.0, 5.0], waits_for=[[], [0]],
...                 branch_parent=[-1], branch_from_tokens=[0])
>>> s.n_turns, round(s.hit_frac, 2)               # 1200 of 2500 tokens were there before
(2, 0.48)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from econ.catalog.guard import count, positive, shown
from econ.tokens.traces import MAX_TOKENS

Whole = NDArray[np.int64]
Lists = Sequence[Sequence[int]]
KINDS = ("user", "tool", "agent")  # what starts a turn: a person, a tool's result, another agent
MAX_WAIT_S = 2e6


@dataclass(frozen=True, eq=False, repr=False)
class Sessions:
    """Turns in columns; a position from 0 is a turn's name.

    Attributes
    ----------
    session : array of int
        Which session a turn belongs to.
    branch : array of int
        On which branch of the content it asks.
    input_tokens, output_tokens : array of int
        Its whole prompt, history included, and its answer.
    wait_s : array of float
        From the end of what it waits for until it asks: a tool's time, a person's.
    start_s : array of float
        It does not ask before; of a first turn, when the session begins.
    waits_at, waits_for : array of int
        Turn i waits for ``waits_for[waits_at[i]:waits_at[i + 1]]``.
    kind : array of int
        Position in `KINDS`.
    priority : array of int
        0 goes first.
    patience_s : array of float
        How long it waits in a queue before its session is given up; infinite for ever.
    n_failures : array of int
        Calls that fail, each after it was answered, before the one that counts.
    branch_parent, branch_from_tokens : array of int
        Of each branch: what it continues (−1 for nothing) and from which token on.
    solved : array of bool
        Whether each session's task is solved when all its turns are done.
    """

    session: Whole
    branch: Whole
    input_tokens: Whole
    output_tokens: Whole
    wait_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    waits_at: Whole
    waits_for: Whole
    kind: Whole
    priority: Whole
    patience_s: NDArray[np.float64]
    n_failures: Whole
    branch_parent: Whole
    branch_from_tokens: Whole
    solved: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"Sessions({self.n_sessions:,} sessions, {self.n_turns:,} turns)"

    @classmethod
    def of(
        cls,
        *,
        session: ArrayLike,
        branch: ArrayLike,
        input_tokens: ArrayLike,
        output_tokens: ArrayLike,
        wait_s: ArrayLike,
        waits_for: Lists | None = None,
        branch_parent: ArrayLike,
        branch_from_tokens: ArrayLike,
        start_s: ArrayLike | None = None,
        kind: ArrayLike | None = None,
        priority: ArrayLike | None = None,
        patience_s: ArrayLike | None = None,
        n_failures: ArrayLike | None = None,
        solved: ArrayLike | None = None,
        name: str = "sessions",
    ) -> Sessions:
        """Checked sessions from lists; ``waits_for`` holds a list of turns for each turn.

        Raises
        ------
        ValueError
            With the first row that breaks a rule, and which.
        """
        n = np.size(session)
        lists: Any = [[] for _ in range(n)] if waits_for is None else waits_for
        sizes = np.array([len(one) for one in lists], "int64")
        flat = [j for one in lists for j in one]

        def column(values: Any, default: Any, kind: str) -> Any:
            return np.full(n, default, kind) if values is None else np.asarray(values, kind)

        def whole(column: str, values: Any) -> Whole:
            values = np.zeros(n) if values is None else values
            return _whole(name, column, values, -MAX_TOKENS, MAX_TOKENS, of="")

        n_sessions = int(np.max(whole("session", session))) + 1 if n else 0
        return checked(
            cls(
                session=whole("session", session),
                branch=whole("branch", branch),
                input_tokens=_whole(name, "input_tokens", input_tokens),
                output_tokens=_whole(name, "output_tokens", output_tokens),
                wait_s=np.asarray(wait_s, "float64"),
                start_s=column(start_s, 0.0, "float64"),
                waits_at=np.concatenate([[0], np.cumsum(sizes)]).astype("int64"),
                waits_for=np.asarray(flat, "int64"),
                kind=whole("kind", kind),
                priority=whole("priority", priority),
                patience_s=column(patience_s, np.inf, "float64"),
                n_failures=whole("n_failures", n_failures),
                branch_parent=whole("branch_parent", branch_parent),
                branch_from_tokens=whole("branch_from_tokens", branch_from_tokens),
                solved=np.ones(n_sessions, bool) if solved is None else np.asarray(solved, bool),
            ),
            name,
        )

    @classmethod
    def from_turns(cls, turns: pd.DataFrame, wait_s: float = 0.0) -> Sessions:
        """One session of the turns of `conversation_tokens` or `agent_loop_tokens`.

        Parameters
        ----------
        turns : DataFrame
            What those functions return.
        wait_s : float
            Between an answer and the next turn, e.g. 5.

        Examples
        --------
        >>> from econ.tokens.bill import conversation_tokens
        >>> talk = conversation_tokens(3, user_tokens=50, assistant_tokens=200, system_tokens=100)
        >>> Sessions.from_turns(talk).known_tokens().tolist()  # an answer's last token has no KV
        [0, 349, 599]
        """
        n = len(turns)
        return cls.of(
            session=[0] * n,
            branch=[0] * n,
            input_tokens=turns["input_tokens"],
            output_tokens=turns["output_tokens"],
            wait_s=np.where(np.arange(n) > 0, wait_s, 0.0),
            waits_for=[[k - 1] if k else [] for k in range(n)],
            branch_parent=[-1],
            branch_from_tokens=[0],
        )

    @property
    def n_turns(self) -> int:
        """Calls of the model, retries left out."""
        return len(self.session)

    @property
    def n_sessions(self) -> int:
        """Sessions."""
        return len(self.solved)

    @property
    def n_branches(self) -> int:
        """Branches of the content."""
        return len(self.branch_parent)

    def known_tokens(self, block_tokens: int = 1) -> Whole:
        """Tokens of each prompt that earlier turns, in the order given, had sent or received.

        What a cache without limits serves where turns end in that order: whole blocks, and at most
        all but one token of a prompt. The last token of an answer is never computed, so not known.
        """
        parent = self.branch_parent.tolist()
        start = (self.branch_from_tokens // block_tokens).tolist()
        most = ((self.input_tokens - 1) // block_tokens).tolist()
        ends = ((self.input_tokens + self.output_tokens - 1) // block_tokens).tolist()
        reach = list(start)  # how far each branch is known
        out = np.zeros(self.n_turns, "int64")
        for i, b in enumerate(self.branch.tolist()):
            known, end, x = min(reach[b], most[i]), start[b], parent[b]
            while x >= 0:
                if reach[x] < end:
                    known = reach[x]
                end, x = start[x], parent[x]
            out[i] = known
            x, end = b, ends[i]
            while x >= 0:
                reach[x] = max(reach[x], end)
                end, x = start[x], parent[x]
        return out * block_tokens

    @property
    def hit_frac(self) -> float:
        """Share of the input that a cache without limits serves: the closed form."""
        return float(self.known_tokens().sum() / self.input_tokens.sum())

    def part(self, n_sessions: int) -> Sessions:
        """The first sessions; branches are kept."""
        rows = np.flatnonzero(self.session < n_sessions)
        if not (np.diff(rows) == 1).all() or (len(rows) and rows[0] != 0):
            raise ValueError("the turns of the first sessions do not stand first")
        n = len(rows)
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        for f in ("branch_parent", "branch_from_tokens"):
            del values[f]
        ends = int(self.waits_at[n])
        cuts = {"waits_at": n + 1, "waits_for": ends, "solved": n_sessions}
        return Sessions(
            **{name: column[: cuts.get(name, n)] for name, column in values.items()},
            branch_parent=self.branch_parent,
            branch_from_tokens=self.branch_from_tokens,
        )

    def frame(self) -> pd.DataFrame:
        """One row a turn."""
        names = ("session", "branch", "input_tokens", "output_tokens", "wait_s", "start_s")
        frame = pd.DataFrame({name: getattr(self, name) for name in names})
        known = self.known_tokens()
        return frame.assign(known_tokens=known, kind=np.array(KINDS)[self.kind])


def begins(
    n_sessions: int, rate_per_s: float | None, own_per_s: float, seed: int
) -> tuple[np.random.Generator, NDArray[np.float64]]:
    """Random numbers, and when so many sessions begin: the same sessions at every rate.

    >>> begins(2, 2.0, 1.0, seed=1)[1] * 2 == begins(2, None, 1.0, seed=1)[1]
    array([ True,  True])
    """
    n = count("n_sessions", n_sessions, 1, 10_000_000)
    rng = np.random.default_rng(count("seed", seed, 0))
    rate = own_per_s if rate_per_s is None else positive("rate_per_s", rate_per_s, 1e6)
    return rng, np.cumsum(rng.exponential(1.0, n)) / rate


def _whole(
    name: str,
    column: str,
    values: Any,
    low: int = 1,
    high: int = MAX_TOKENS,
    of: str = "of tokens ",
) -> Whole:
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name}: {column} = {shown(values)} is outside its range: numbers")
    bad = ~np.isfinite(array) | (array < low) | (array > high) | (array != np.floor(array))
    _refuse(name, bad, column, array, f"is no whole number {of}from {low:,} to {high:,}")
    return np.asarray(array, "int64")


def _refuse(name: str, bad: Any, column: str, values: Any, what: str) -> None:
    if np.any(bad):
        row = int(np.argmax(bad))
        raise ValueError(f"{name} row {row + 1}, column {column}: {values[row]} {what}")


def checked(s: Sessions, name: str = "sessions") -> Sessions:
    """The sessions themselves, or an error that names the first row that breaks a rule."""
    n = s.n_turns
    if not n:
        raise ValueError(f"{name}: holds no turns")
    for f in fields(s):
        size = {"waits_at": n + 1, "waits_for": len(s.waits_for), "solved": s.n_sessions}.get(
            f.name
        )
        if f.name.startswith("branch_"):
            size = s.n_branches
        column = getattr(s, f.name)
        if column.ndim != 1 or len(column) != (n if size is None else size):
            raise ValueError(
                f"{name}: column {f.name} holds {column.size} entries, not {size or n}"
            )
    for column in ("wait_s", "start_s", "patience_s"):
        values = getattr(s, column)
        low = values <= 0 if column == "patience_s" else values < 0
        high = np.isnan(values) | ((values > MAX_WAIT_S) & (column != "patience_s"))
        least = "above 0" if column == "patience_s" else f"0 to {MAX_WAIT_S:,.0f}"
        _refuse(name, low | high, column, values, f"is outside its range: {least} seconds")
    for column, most in (
        ("session", s.n_sessions - 1),
        ("branch", s.n_branches - 1),
        ("kind", len(KINDS) - 1),
        ("priority", 7),
        ("n_failures", 1000),
    ):
        values = getattr(s, column)
        _refuse(name, (values < 0) | (values > most), column, values, f"is not from 0 to {most}")
    _check_order(s, name)
    _check_branches(s, name)
    return s


def _check_order(s: Sessions, name: str) -> None:
    """No turn may wait for itself, straight or through others."""
    n = s.n_turns
    turn = np.repeat(np.arange(n), np.diff(s.waits_at).astype(np.intp))
    _refuse(
        name, (s.waits_for < 0) | (s.waits_for >= n), "waits_for", s.waits_for, "is no row of it"
    )
    if (s.waits_for < turn).all():
        return
    left = np.diff(s.waits_at).copy()
    order = np.argsort(s.waits_for, kind="stable")
    at = np.searchsorted(s.waits_for[order], np.arange(n + 1))
    free = list(np.flatnonzero(left == 0))
    while free:
        i = free.pop()
        for j in order[at[i] : at[i + 1]]:
            left[turn[j]] -= 1
            if left[turn[j]] == 0:
                free.append(turn[j])
    _refuse(
        name, left > 0, "waits_for", np.arange(n) + 1, "waits for itself through others: a cycle"
    )


def _check_branches(s: Sessions, name: str) -> None:
    """A branch starts inside its parent; a prompt is not shorter than what it continues."""
    parent, start = s.branch_parent, s.branch_from_tokens
    bad = (parent >= np.arange(s.n_branches)) | (parent < -1)
    _refuse(f"{name}, branches", bad, "branch_parent", parent, "does not come before it")
    bad = np.where(parent < 0, start != 0, start < start[np.maximum(parent, 0)])
    _refuse(f"{name}, branches", bad, "branch_from_tokens", start, "lies before its parent begins")
    shared = start[s.branch]
    _refuse(
        name, s.input_tokens <= shared, "input_tokens", s.input_tokens,
        "is no longer than the prefix that its branch shares with another",
    )  # fmt: skip
    order = np.lexsort((np.arange(s.n_turns), s.branch))
    same = s.branch[order][1:] == s.branch[order][:-1]
    before = (s.input_tokens + s.output_tokens)[order][:-1]
    short = np.zeros(s.n_turns, bool)
    short[order[1:]] = same & (s.input_tokens[order][1:] < before)
    _refuse(
        name, short, "input_tokens", s.input_tokens,
        "is shorter than the prompt and answer that it continues",
    )  # fmt: skip
