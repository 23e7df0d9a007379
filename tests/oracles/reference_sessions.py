"""The reference of sessions: one step, one token and one block at a time.

Written to be read and to be trusted, not to be fast; `econ.serving.session_engine` must equal it to
the picosecond. A cache is a dictionary of branches in order of last use, each a set of blocks; a
moment is `Fleet.moment`, and a step of a replica is `Server.start` and `Server.end`.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from dataclasses import dataclass, field
from unittest import mock

import numpy as np

from econ.serving import session_fields as fields
from econ.serving import session_run
from econ.serving.engine import FOREVER

ARRIVAL, LOADED, PATIENCE, LOOK, READY, DOWN, UP = range(7)


class Cache:
    """Blocks of branches, the least recently used branch first."""

    def __init__(self, n_blocks: int, ttl: int):
        self.n_blocks, self.ttl = n_blocks, ttl
        self.blocks: OrderedDict[int, set[int]] = OrderedDict()
        self.last: dict[int, int] = {}
        self.pinned: dict[int, int] = {}
        self.private = 0  # blocks of running turns that are no cache yet
        self.evicted = self.written = self.loaded = 0

    def used(self) -> int:
        return self.private + sum(len(blocks) for blocks in self.blocks.values())

    def alive(self, branch: int, now: int) -> bool:
        return branch in self.pinned or now - self.last.get(branch, -FOREVER) <= self.ttl

    def has(self, path, now: int) -> int:
        """Blocks from the beginning of a path (branch of each block) that are here."""
        for k, branch in enumerate(path):
            if k not in self.blocks.get(branch, ()) or not self.alive(branch, now):
                return k
        return len(path)

    def drop_expired(self, branches, now: int) -> None:
        for branch in branches:
            if branch in self.blocks and not self.alive(branch, now):
                self.evicted += len(self.blocks.pop(branch))

    def evict(self, n_free: int) -> None:
        while self.n_blocks - self.used() < n_free:
            loose = [b for b in self.blocks if b not in self.pinned]
            if not loose:
                return
            self.blocks[loose[0]].remove(max(self.blocks[loose[0]]))
            self.evicted += 1
            if not self.blocks[loose[0]]:
                del self.blocks[loose[0]]

    def touch(self, branches, now: int) -> None:
        """Children first, so that their parents are the more recent."""
        for branch in branches:
            if branch in self.blocks and branch not in self.pinned:
                self.blocks.move_to_end(branch)
                self.last[branch] = now


@dataclass
class Turn:
    """A turn on its way."""

    id: int
    status: str = "idle"
    replica: int = -1
    deps: int = 0
    asked: int = -1  # the latest time it asked
    first_asked: int = -1
    admitted: int = -1
    first: int = -1
    done: int = -1
    hbm: int = 0
    loaded: int = 0
    computed: int = 0
    attempts: int = 0
    unread: int = 0
    written: int = 0  # tokens of the answer
    private: int = 0
    ready: int = -1


@dataclass
class Server:
    """A replica: its state, queues by priority, what it reads and what it writes."""

    id: int
    state: str = "off"
    queues: list = field(default_factory=list)
    loading: list = field(default_factory=list)
    reading: list = field(default_factory=list)
    writing: list = field(default_factory=list)
    step: tuple | None = None  # (end, chunks, writers, duration without chunks)
    began: int = 0
    since: int = 0
    on_ps: int = 0
    read_ps: int = 0
    write_ps: int = 0

    def running(self) -> int:
        return len(self.loading) + len(self.reading) + len(self.writing)

    def waiting(self) -> int:
        return sum(t.status == "queued" for queue in self.queues for t in queue)

    def load(self) -> int:
        return self.running() + self.waiting()


class Fleet:
    """All replicas, and the events between them."""

    def __init__(self, inputs):
        self.i = inputs
        par = inputs.settings
        (self.cached, self.max_batch, self.budget, self.block, self.pre_base, self.pre_pair,
         self.n_rep, self.rule, self.slack, self.n_tiers, self.n_prio, *_) = par[:13]  # fmt: skip
        more = par[13:]
        k = self.n_tiers
        self.shared, self.latency, self.per_token = more[:k], more[k : 2 * k], more[2 * k :]
        names = ("branch", "prompt", "out", "wait", "deps", "next_at", "next_end", "priority",
                 "patience", "failures", "lot", "earliest")  # fmt: skip
        for name, column in zip(names, inputs.turns.T.tolist(), strict=True):
            setattr(self, name, column)
        self.follow = inputs.follow.tolist()
        self.parent, self.from_block = inputs.tree.T.tolist()
        self.turns = [Turn(i, deps=d) for i, d in enumerate(self.deps)]
        self.servers = [
            Server(r, "on" if r < inputs.n_on else "off", [[] for _ in range(self.n_prio)])
            for r in range(self.n_rep)
        ]
        self.caches = [Cache(int(s), int(t)) for s, t in zip(inputs.room, inputs.ttl, strict=True)]
        self.links = [[0] * self.n_rep for _ in range(k)]
        self.events: list[tuple[int, int, int]] = []
        self.limbo: list[Turn] = []
        self.round = 0
        for i in inputs.roots.tolist():
            self.at(self.earliest[i], ARRIVAL, i)
        if inputs.auto[4]:
            self.at(inputs.auto[4], LOOK, 0)
        for j, (_, at, _) in enumerate(inputs.outages.tolist()):
            self.at(at, DOWN, j)

    def at(self, time: int, kind: int, which: int) -> None:
        bisect.insort(self.events, (int(time), kind, int(which)))

    # content ---------------------------------------------------------------------------------

    def branches(self, i: int) -> list[int]:
        """From a turn's own branch to the root."""
        out, b = [], self.branch[i]
        while b >= 0:
            out.append(b)
            b = self.parent[b]
        return out

    def path(self, i: int, n_blocks: int) -> list[int]:
        """The branch that holds each block of a turn's content."""
        path: list[int] = []
        end = n_blocks
        for b in self.branches(i):
            path = [b] * (end - self.from_block[b]) + path
            end = self.from_block[b]
        return path

    def tier(self, k: int, r: int) -> Cache:
        return self.caches[self.n_rep * (k + 1) + (0 if self.shared[k] else r)]

    def own_caches(self, r: int) -> list[Cache]:
        return [self.caches[r]] + [
            self.tier(k, r) for k in range(self.n_tiers) if not self.shared[k]
        ]

    # time ------------------------------------------------------------------------------------

    def run(self) -> None:
        now = 0
        while any(t.status not in ("done", "dropped") for t in self.turns):
            ends = [s.step[0] for s in self.servers if s.step]
            now = min(ends + ([self.events[0][0]] if self.events else []))
            self.moment(now)
        for s in self.servers:
            self.switch(s, s.state, now)

    def moment(self, now: int) -> None:
        for s in self.servers:
            if s.step and s.step[0] == now:
                self.end(s, now)
        while self.events and self.events[0][0] == now:
            _, kind, which = self.events.pop(0)
            self.happen(kind, which, now)
        for s in self.servers:
            if s.step is None and s.state in ("on", "draining"):
                self.admit(s, now)
                self.start(s, now)
                if s.state == "draining" and s.load() == 0:
                    self.switch(s, "off", now)
                    self.empty(s)

    def happen(self, kind: int, which: int, now: int) -> None:
        if kind == ARRIVAL and self.turns[which].status == "idle":
            self.ask(self.turns[which], now)
        elif kind == LOADED:
            t = self.turns[which]
            if t.status == "loading" and t.ready == now:
                s = self.servers[t.replica]
                s.loading.remove(t)
                s.reading.append(t)
                t.status = "reading"
        elif kind == PATIENCE:
            t = self.turns[which]
            if t.status == "queued" and t.asked + self.patience[which] == now:
                self.drop(t)
        elif kind == LOOK:
            self.look(now)
        elif kind == READY:
            self.up(self.servers[which], now)
        elif kind == UP:
            self.up(self.servers[int(self.i.outages[which, 0])], now)
        elif kind == DOWN:
            s = self.servers[int(self.i.outages[which, 0])]
            if s.state in ("on", "draining"):
                self.fail(s, now)
                self.at(int(self.i.outages[which, 2]), UP, which)

    # asking ----------------------------------------------------------------------------------

    def ask(self, t: Turn, now: int) -> None:
        t.asked = now
        if t.first_asked < 0:
            t.first_asked = now
        t.status = "queued"
        if self.patience[t.id] < FOREVER:
            self.at(now + self.patience[t.id], PATIENCE, t.id)
        on = [s for s in self.servers if s.state == "on"]
        if not on:
            t.replica = -1
            self.limbo.append(t)
            return
        if self.rule <= 1:
            k = self.round if self.rule == 0 else self.lot[t.id]
            self.round += 1
            s = on[k % len(on)]
        else:
            least = min(s.load() for s in on)
            near = [s for s in on if s.load() <= least + self.slack]
            path = self.path(t.id, (self.prompt[t.id] - 1) // self.block)

            def longest(s: Server) -> int:
                if self.rule == 2:
                    return 0
                blocks = max(cache.has(path, now) for cache in self.own_caches(s.id))
                return blocks if 2 * blocks >= len(path) else 0

            s = min(near, key=lambda s: (-longest(s), s.load(), s.id))
        t.replica = s.id
        s.queues[self.priority[t.id]].append(t)

    def drop(self, t: Turn) -> None:
        t.status = "dropped"
        for j in self.follow[self.next_at[t.id] : self.next_end[t.id]]:
            if self.turns[j].status == "idle":
                self.drop(self.turns[j])

    def admit(self, s: Server, now: int) -> None:
        hbm = self.caches[s.id]
        while s.running() < self.max_batch:
            for queue in s.queues:
                queue[:] = [t for t in queue if t.status == "queued"]
            queue = next((q for q in s.queues if q), None)
            if queue is None:
                return
            t = queue[0]
            i, branches = t.id, self.branches(t.id)
            total = -(-(self.prompt[i] + self.out[i] - 1) // self.block)
            hbm.drop_expired(branches, now)
            path = self.path(i, total)
            mine = hbm.has(path, now)
            loose = sum(
                b not in hbm.pinned and not (k < total and path[k] == b)
                for b, blocks in hbm.blocks.items()
                for k in blocks
            )
            if total - mine > hbm.n_blocks - hbm.used() + loose:
                return
            queue.pop(0)
            for b in branches:
                hbm.pinned[b] = hbm.pinned.get(b, 0) + 1
            hbm.evict(total - mine)
            for b in branches:  # what else hangs on this path goes last
                tail = sorted(k for k in hbm.blocks.get(b, ()) if not (k < total and path[k] == b))
                while tail and hbm.pinned[b] == 1 and hbm.n_blocks - hbm.used() < total - mine:
                    hbm.blocks[b].remove(tail.pop())
                    hbm.evicted += 1
                if not hbm.blocks.get(b, True):
                    del hbm.blocks[b]
            hbm.private += total - mine
            t.private = total - mine
            most = (self.prompt[i] - 1) // self.block
            got = min(mine, most)
            t.hbm += got * self.block
            t.ready = now
            for k in range(self.n_tiers):
                cache, path = self.tier(k, s.id), self.path(i, most)
                blocks = cache.has(path, now)
                if blocks <= got:
                    continue
                tokens = (blocks - got) * self.block
                moved = max(now, self.links[k][s.id]) + tokens * self.per_token[k]
                at = max(moved + self.latency[k], now + 1)
                if at - now < self.recompute(got * self.block, tokens):
                    self.links[k][s.id] = moved
                    t.loaded += tokens
                    cache.loaded += blocks - got
                    got = blocks
                    t.ready = max(t.ready, at)
                    cache.touch(branches, now)
            t.unread = self.prompt[i] - got * self.block
            t.computed += t.unread
            t.attempts += 1
            t.admitted = now
            t.written = 0
            if t.ready > now:
                t.status = "loading"
                s.loading.append(t)
                self.at(t.ready, LOADED, i)
            else:
                t.status = "reading"
                s.reading.append(t)

    def recompute(self, before: int, tokens: int) -> int:
        """Chunk by chunk, alone."""
        time = 0
        while tokens:
            x = min(tokens, self.budget)
            time += int(self.i.cost[0][x]) + self.pre_base
            time += self.pre_pair * x * (2 * before + x)
            before, tokens = before + x, tokens - x
        return time

    # steps -----------------------------------------------------------------------------------

    def start(self, s: Server, now: int) -> None:
        if not s.reading and not s.writing:
            return
        linear, decode_base, decode_ctx = self.i.cost
        batch, left, chunks = len(s.writing), self.budget - len(s.writing), []
        for t in s.reading:
            if left:
                x = min(left, t.unread)
                chunks.append((t, x))
                left -= x
        tokens = batch + sum(x for _, x in chunks)
        alone = 0
        if batch:
            context = sum(self.prompt[t.id] + t.written for t in s.writing)
            alone = int(decode_base[batch]) + int(decode_ctx[batch]) * context
        time = max(alone + int(linear[tokens]), 1)
        if batch:
            alone = max(alone + int(linear[batch]), 1)
        if chunks:
            time += self.pre_base
            for t, x in chunks:
                time += self.pre_pair * x * (2 * (self.prompt[t.id] - t.unread) + x)
        s.step, s.began = (now + time, chunks, list(s.writing), alone), now

    def end(self, s: Server, now: int) -> None:
        _, chunks, writers, alone = s.step
        s.step = None
        s.write_ps += alone
        s.read_ps += now - s.began - alone
        for t in writers:
            t.written += 1
        for t in sorted((t for t in writers if t.written == self.out[t.id]), key=lambda t: t.id):
            s.writing.remove(t)
            self.complete(t, s, now)
        for t, x in chunks:
            t.unread -= x
            if t.unread:
                continue
            s.reading.remove(t)
            t.written = 1
            if t.first < 0:
                t.first = now
            if self.out[t.id] == 1:
                self.complete(t, s, now)
            else:
                t.status = "writing"
                s.writing.append(t)

    def complete(self, t: Turn, s: Server, now: int) -> None:
        i, branches, hbm = t.id, self.branches(t.id), self.caches[s.id]
        n_full = (self.prompt[i] + self.out[i] - 1) // self.block
        path = self.path(i, n_full)
        hbm.private -= t.private
        for k, b in enumerate(path):
            if self.cached:
                hbm.blocks.setdefault(b, set()).add(k)
        for b in branches:
            hbm.last[b] = now
            hbm.pinned[b] -= 1
            if not hbm.pinned[b]:
                del hbm.pinned[b]
        hbm.touch(branches, now)
        for k in range(self.n_tiers):
            cache = self.tier(k, s.id)
            cache.drop_expired(branches, now)
            for b in branches:  # not evicted while it is written
                cache.pinned[b] = 1
            lacking = [(k, b) for k, b in enumerate(path) if k not in cache.blocks.get(b, ())]
            cache.evict(len(lacking))
            for k_block, b in lacking[: max(cache.n_blocks - cache.used(), 0)]:
                cache.blocks.setdefault(b, set()).add(k_block)
                cache.written += 1
            cache.pinned.clear()
            cache.touch(branches, now)
        if self.failures[i]:
            self.failures[i] -= 1
            t.status = "idle"
            self.at(now + self.i.retry_ps, ARRIVAL, i)
            return
        t.status, t.done = "done", now
        for j in self.follow[self.next_at[i] : self.next_end[i]]:
            self.turns[j].deps -= 1
            if not self.turns[j].deps and self.turns[j].status == "idle":
                self.at(max(now + self.wait[j], self.earliest[j]), ARRIVAL, j)

    # replicas that come and go ---------------------------------------------------------------

    def switch(self, s: Server, state: str, now: int) -> None:
        if s.state in ("starting", "on", "draining"):
            s.on_ps += now - s.since
        s.state, s.since = state, now

    def empty(self, s: Server) -> None:
        for cache in self.own_caches(s.id):
            cache.blocks.clear()
            cache.last.clear()
            cache.pinned.clear()
            cache.private = 0

    def fail(self, s: Server, now: int) -> None:
        if s.step:
            s.read_ps += now - s.began
        self.switch(s, "failed", now)
        s.step = None
        lost = [t for q in s.queues for t in q if t.status == "queued"]
        lost += s.loading + s.reading + s.writing
        s.loading, s.reading, s.writing = [], [], []
        s.queues = [[] for _ in s.queues]
        for t in lost:
            t.status = "idle"
            self.at(now, ARRIVAL, t.id)
        self.empty(s)

    def up(self, s: Server, now: int) -> None:
        self.switch(s, "on", now)
        for t in self.limbo:
            if t.status == "queued":
                t.status = "idle"
                self.at(now, ARRIVAL, t.id)
        self.limbo = []

    def look(self, now: int) -> None:
        n_least, up, down, cold, interval = self.i.auto.tolist()
        by = {state: [s for s in self.servers if s.state == state]
              for state in ("on", "starting", "draining", "off")}  # fmt: skip
        waiting = sum(s.waiting() for s in self.servers)
        load = sum(s.load() for s in self.servers)
        n_soon = len(by["on"]) + len(by["starting"])
        self.at(now + interval, LOOK, 0)
        if waiting > up * n_soon:
            if by["draining"]:
                self.switch(by["draining"][-1], "on", now)
            elif by["off"]:
                self.switch(by["off"][0], "starting", now)
                self.at(now + cold, READY, by["off"][0].id)
        elif (
            len(by["on"]) > n_least
            and not by["starting"]
            and waiting == 0
            and load <= down * (len(by["on"]) - 1)
        ):
            self.switch(by["on"][-1], "draining", now)


def run_reference(inputs):
    """As `econ.serving.session_run.run`, token by token."""
    fleet = Fleet(inputs)
    fleet.run()
    turns = np.zeros((len(fleet.turns), fields.N_TURN), "int64")
    turns[:, fields.STATUS] = [
        fields.DONE if t.status == "done" else fields.DROPPED for t in fleet.turns
    ]
    for k, name in (
        (fields.ASKED, "first_asked"),
        (fields.ADMITTED, "admitted"),
        (fields.FIRST, "first"),
        (fields.ENDED, "done"),
        (fields.REPLICA, "replica"),
        (fields.HBM_READ, "hbm"),
        (fields.LOAD_READ, "loaded"),
        (fields.COMPUTED, "computed"),
        (fields.ATTEMPTS, "attempts"),
    ):
        turns[:, k] = [getattr(t, name) for t in fleet.turns]
    reps = np.zeros((fleet.n_rep, fields.N_REP), "int64")
    for r, s in enumerate(fleet.servers):
        reps[r, [fields.WRITE_PS, fields.READ_PS, fields.ON_PS]] = s.write_ps, s.read_ps, s.on_ps
    caches = np.zeros((len(fleet.caches), fields.N_CACHE), "int64")
    for c, one in enumerate(fleet.caches):
        caches[c, [fields.USED, fields.EVICTED, fields.WRITTEN, fields.READ]] = (
            one.used(), one.evicted, one.written, one.loaded,
        )  # fmt: skip
    held = np.zeros(len(fleet.parent), "int64")
    for one in fleet.caches[: fleet.n_rep]:
        for b, blocks in one.blocks.items():
            held[b] += len(blocks)
    return turns, reps, caches, held, False


def serve_reference(sessions, fleet, **more):
    """`econ.serving.serve_sessions` with this fields."""
    with mock.patch.dict(session_run.RUNNERS, reference=run_reference):
        return session_run.serve_sessions(sessions, fleet, "reference", **more)
