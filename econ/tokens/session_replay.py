"""Sessions of one's own log, drawn again: at another rate, in another order, as many as wanted.

A log shows some sessions at one rate. A decision asks what a fleet does at other rates and whether
that was luck, so whole sessions are drawn from the log with replacement (a bootstrap), each with
its turns, pauses and tokens as they were, and begin at random.

>>> from econ.tokens.session_loads import session_load
>>> log = session_load("support").draw(50, seed=1)
>>> again = Replay(log).draw(200, rate_per_s=2.0, seed=3)
>>> again.n_sessions, abs(again.hit_frac / log.hit_frac - 1) < 0.05
(200, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.catalog.guard import shown
from econ.tokens.sessions import Sessions, Whole, begins, checked

NOBODY, SHARED = -1, -2
OF_TURNS = ("input_tokens", "output_tokens", "wait_s", "kind", "priority", "patience_s",
            "n_failures")  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """Sessions of a log, as a kind of session to draw from.

    What two sessions of the log share (instructions) all draws share; what one alone has, each of
    its copies has anew, as no two people hold the same conversation.

    Parameters
    ----------
    log : Sessions
        E.g. from `econ.tokens.read_sessions`.
    id : str
        What a table calls it.

    Raises
    ------
    ValueError
        Where a turn waits for one of another session, by its row.
    """

    log: Sessions
    id: str = "own log"

    def __post_init__(self) -> None:
        if not isinstance(self.log, Sessions):
            raise TypeError(f"log = {shown(self.log)} is not Sessions")
        turn = np.repeat(np.arange(self.log.n_turns), np.diff(self.log.waits_at).astype(np.intp))
        across = self.log.session[turn] != self.log.session[self.log.waits_for]
        if across.any():
            row = int(turn[int(np.argmax(across))])
            raise ValueError(
                f"sessions row {row + 1}, column waits_for: waits for a turn of another session: "
                "sessions cannot be drawn one by one"
            )

    @property
    def rate_per_s(self) -> float:
        """Sessions of the log that began per second; 1 where all began at once."""
        return begin_rate_per_s(self.log)

    def draw(self, n_sessions: int, *, rate_per_s: float | None = None, seed: int = 0) -> Sessions:
        """Draw sessions, as `SessionLoad.draw` does.

        Parameters
        ----------
        n_sessions : int
            E.g. 500.
        rate_per_s : float, optional
            Sessions that begin per second; the log's own by default. The same seed gives the same
            sessions at every rate.
        seed : int
            Of the random numbers.
        """
        rng, begins_s = begins(n_sessions, rate_per_s, self.rate_per_s, seed)
        n = len(begins_s)
        picks = rng.integers(0, self.log.n_sessions, n)
        log, owner = self.log, _owners(self.log)
        rows = np.argsort(log.session, kind="stable")
        at = np.searchsorted(log.session[rows], np.arange(log.n_sessions + 1))
        place = np.empty(log.n_turns, "int64")
        place[rows] = np.arange(log.n_turns) - at[log.session[rows]]
        own = np.argsort(owner, kind="stable")
        own_at = np.searchsorted(owner[own], np.arange(log.n_sessions + 1))
        shared = np.flatnonzero(owner == SHARED)
        new = np.full(log.n_branches + 1, -1)  # the last stands for no parent
        new[shared] = np.arange(len(shared))
        parent, start = [new[log.branch_parent[shared]]], [log.branch_from_tokens[shared]]
        turns, branch, waits, begin, n_turns, n_branches = [], [], [], [], 0, len(shared)
        for k, j in enumerate(picks.tolist()):
            own_rows, branches = rows[at[j] : at[j + 1]], own[own_at[j] : own_at[j + 1]]
            new[branches] = n_branches + np.arange(len(branches))
            parent.append(new[log.branch_parent[branches]])
            start.append(log.branch_from_tokens[branches])
            branch.append(new[log.branch[own_rows]])
            waits += [
                (place[log.waits_for[log.waits_at[i] : log.waits_at[i + 1]]] + n_turns).tolist()
                for i in own_rows.tolist()
            ]
            first_s = log.start_s[own_rows][np.diff(log.waits_at)[own_rows] == 0].min()
            begin.append(begins_s[k] + np.maximum(log.start_s[own_rows] - first_s, 0.0))
            turns.append(own_rows)
            n_turns, n_branches = n_turns + len(own_rows), n_branches + len(branches)
        all_rows = np.concatenate(turns)
        columns: dict[str, Any] = {name: getattr(log, name)[all_rows] for name in OF_TURNS}
        return checked(
            Sessions(
                session=np.repeat(np.arange(n), [len(own_rows) for own_rows in turns]),
                branch=np.concatenate(branch),
                start_s=np.concatenate(begin),
                waits_at=np.cumsum([0, *map(len, waits)]),
                waits_for=np.array([j for one in waits for j in one], "int64"),
                branch_parent=np.concatenate(parent).astype("int64"),
                branch_from_tokens=np.concatenate(start).astype("int64"),
                solved=log.solved[picks],
                **columns,
            ),
            self.id,
        )


def begin_rate_per_s(sessions: Sessions) -> float:
    """Sessions that began per second; 1 where all began at once.

    >>> from econ.tokens.session_loads import session_load
    >>> begin_rate_per_s(session_load("voice").draw(500, rate_per_s=2.0)) > 1.5
    True
    """
    span_s = float(np.ptp(sessions.start_s[np.diff(sessions.waits_at) == 0]))
    return sessions.n_sessions / span_s if span_s else 1.0


def _owners(log: Sessions) -> Whole:
    """The session of each branch, `SHARED` where several have it or what continues it."""
    owner = np.full(log.n_branches, NOBODY)
    for b, k in set(zip(log.branch.tolist(), log.session.tolist(), strict=True)):
        owner[b] = k if owner[b] in (NOBODY, k) else SHARED
    for b in range(log.n_branches - 1, -1, -1):
        if (up := int(log.branch_parent[b])) >= 0 and owner[b] != NOBODY:
            owner[up] = owner[b] if owner[up] in (NOBODY, owner[b]) else SHARED
    return owner
