"""Sessions of your own: logs with session ids, or with the hashes of prefix blocks.

Two kinds of log say what prompts share. One names the session of each call; there, a prompt
continues the one before it unless it is shorter. The other lists for each prompt the ids of its
blocks, where an id stands for a block and all before it (Mooncake, llm-d, vLLM's block hashes);
there, prompts share what their ids share, across sessions as well.

>>> log = b'''session_id,arrival_s,input_tokens,output_tokens
... a,0,1000,50
... a,9,1200,60
... '''
>>> read_sessions(log, name="log.csv").known_tokens().tolist()
[0, 1049]

Sessions of one's own log, drawn again: at another rate, in another order, as many as wanted.

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

from econ.catalog.documents import read_documents
from econ.catalog.guard import count, shown, unknown
from econ.catalog.reading import BadTable, Source, read_rows
from econ.tokens.clock import UNITS
from econ.tokens.sessions import Sessions, Whole, begins, checked
from econ.tokens.trace_columns import OPTIONAL, columns_of

SESSION = ("session_id", "session", "conversation_id", "chat_id", "trace_id")
HASHES = ("hash_ids", "block_hashes", "prefix_hashes")
WAIT = ("wait_s", "gap_s", "think_s")
ENDINGS = (".csv", ".json", ".jsonl", ".ndjson")
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def read_sessions(
    source: Source,
    *,
    name: str | None = None,
    unit: str | None = None,
    block_tokens: int = 512,
) -> Sessions:
    """Sessions from a log.

    Parameters
    ----------
    source : path or bytes
        CSV, JSON or JSON lines: an arrival, input and output tokens (under the names that
        `read_trace` knows), and ``session_id`` or ``hash_ids``. With ``wait_s``, a call comes so
        long after the answer before it; without, at the moment that the log says, but not before
        that answer.
    name : str, optional
        Name of an upload: its ending says its kind.
    unit : str, optional
        Of the clock: s, ms, us or ns; by default milliseconds beside hashes (as Mooncake writes
        them), else as the column's name ends, else seconds.
    block_tokens : int
        Tokens of a hashed block, e.g. 512.

    Raises
    ------
    ValueError
        With the first row and column that break a rule: a clock that runs back, ids that
        contradict the length of their prompt or each other, more tokens from a cache than the
        prompt has.

    Examples
    --------
    >>> row = '{"timestamp": 0, "input_length": 1200, "output_length": 9, "hash_ids": [1, 2, %d]}'
    >>> log = "\\n".join([row % 3, row % 4]).encode()
    >>> read_sessions(log, name="log.jsonl").known_tokens().tolist()
    [0, 1024]
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of arrivals", unit, UNITS)
    block = count("block_tokens", block_tokens, 1, 1e6)
    title = name or (str(source) if not isinstance(source, bytes) else "log")
    rows = _records(source, name)
    names = list(rows[0])
    columns = columns_of(names, title, {})
    lacking = [c for c in ("arrival_s", "input_tokens", "output_tokens") if c not in columns]
    session = next((c for c in SESSION if c in names), None)
    hashes = next((c for c in HASHES if c in names), None)
    if lacking or not (session or hashes):
        need = ", ".join(lacking) or "session_id or hash_ids"
        raise BadTable(f"{title}: no column {need}; it has {', '.join(map(str, names))}")
    if unit is None:
        clock = columns["arrival_s"].lower()
        ends = next((u for u in ("ms", "us", "ns") if clock.endswith(u)), "s")
        unit = "ms" if hashes else ends
    arrival = _numbers(rows, columns["arrival_s"], title) * SECONDS[unit]
    arrival -= arrival[0]
    if (back := np.diff(arrival) < 0).any():
        row = int(np.argmax(back)) + 2
        raise BadTable(
            f"{title} row {row}, column {columns['arrival_s']}: comes before the row above"
        )
    prompt = _numbers(rows, columns["input_tokens"], title).astype("int64")
    out = _numbers(rows, columns["output_tokens"], title).astype("int64")
    if OPTIONAL in columns:
        cached = _numbers(rows, columns[OPTIONAL], title)
        if (odd := (cached < 0) | (cached > prompt)).any():
            row = int(np.argmax(odd))
            raise BadTable(
                f"{title} row {row + 1}, column {columns[OPTIONAL]}: {cached[row]:,.0f} tokens "
                f"from a cache contradict a prompt of {prompt[row]:,}"
            )
    ids = [str(row[session]) for row in rows] if session else [str(i) for i in range(len(rows))]
    code = {id: k for k, id in enumerate(dict.fromkeys(ids))}
    number = np.array([code[id] for id in ids], "int64")
    if hashes:
        branch, parent, start = _by_hashes([r[hashes] for r in rows], prompt, block, title)
    else:
        branch, parent, start = _by_session(number, prompt, out)
    before = _turn_before(number)
    wait_s, start_s = np.zeros(len(rows)), arrival
    if wait := next((c for c in WAIT if c in names), None):
        wait_s = np.where(before >= 0, _numbers(rows, wait, title), 0.0)
        start_s = np.where(before >= 0, 0.0, arrival)
    return Sessions.of(
        session=number, branch=branch, input_tokens=prompt, output_tokens=out, wait_s=wait_s,
        start_s=start_s, waits_for=[[b] if b >= 0 else [] for b in before.tolist()],
        branch_parent=parent, branch_from_tokens=start, name=title,
    )  # fmt: skip


def _records(source: Source, name: str | None) -> list[dict[str, Any]]:
    title = name or (str(source) if not isinstance(source, bytes) else "log.jsonl")
    if title.lower().endswith(".csv"):
        head, cells = read_rows(source, name)
        rows = [dict(zip(head, row, strict=True)) for row in cells]
    else:
        rows = read_documents(source, name, ENDINGS)
        rows = rows[0] if len(rows) == 1 and isinstance(rows[0], list) else rows
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadTable(f"{title}: holds no rows that are records")
    return rows


def _numbers(rows: list[dict[str, Any]], column: str, title: str) -> Any:
    values = np.empty(len(rows))
    for i, row in enumerate(rows):
        cell = row.get(column)
        try:
            values[i] = float(cell)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            values[i] = np.nan
        if isinstance(cell, bool) or not np.isfinite(values[i]):
            raise BadTable(f"{title} row {i + 1}, column {column}: {cell!r} is no finite number")
    return values


def _turn_before(session: Any) -> Any:
    """The turn of the same session before each, or −1."""
    last: dict[int, int] = {}
    before = np.full(len(session), -1)
    for i, k in enumerate(session.tolist()):
        before[i] = last.get(k, -1)
        last[k] = i
    return before


def _by_session(session: Any, prompt: Any, out: Any) -> tuple[list[int], list[int], list[int]]:
    """A branch a session; a prompt shorter than what it would continue begins another."""
    parent: list[int] = []
    branch: list[int] = []
    current: dict[int, tuple[int, int]] = {}  # session -> its branch, and how long that is
    for k, p, o in zip(session.tolist(), prompt.tolist(), out.tolist(), strict=True):
        own, size = current.get(k, (-1, 0))
        if own < 0 or p < size:
            own = len(parent)
            parent.append(-1)
        branch.append(own)
        current[k] = own, p + o
    return branch, parent, [0] * len(parent)


def _by_hashes(
    lists: list[Any], prompt: Any, block: int, title: str
) -> tuple[list[int], list[int], list[int]]:
    """A branch a prompt, from the last block that an earlier one had."""
    owner: dict[Any, tuple[int, int]] = {}  # id -> branch that brought it, its place in the prompt
    ahead: dict[Any, Any] = {}  # id -> the id before it
    parent: list[int] = []
    start: list[int] = []
    for row, (ids, tokens) in enumerate(zip(lists, prompt.tolist(), strict=True)):
        where = f"{title} row {row + 1}, column hash_ids"
        if not isinstance(ids, list) or len(ids) != -(-tokens // block):
            size = len(ids) if isinstance(ids, list) else 0
            raise BadTable(
                f"{where}: {size} ids contradict a prompt of {tokens:,} tokens in blocks of {block}"
            )
        for place, id in enumerate(ids):
            last = ids[place - 1] if place else None
            if id in ahead and (ahead[id] != last or owner[id][1] != place):
                raise BadTable(f"{where}: id {id!r} follows {last!r} here and {ahead[id]!r} before")
        known = 0
        while known < min(len(ids), (tokens - 1) // block) and ids[known] in owner:
            known += 1
        own = len(parent)
        parent.append(owner[ids[known - 1]][0] if known else -1)
        start.append(known * block)
        for place, id in enumerate(ids):
            if id not in owner:
                owner[id], ahead[id] = (own, place), ids[place - 1] if place else None
    return list(range(len(parent))), parent, start


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
