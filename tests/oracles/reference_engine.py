"""The reference engine: continuous batching, one step and one token at a time.

Written to be read and to be trusted, not to be fast; `econ.serving.engine` must equal it to
the picosecond. Every step of a replica is the same four lines, see `Server.step`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from unittest import mock

import numpy as np

from econ.serving import pools, simulate
from econ.serving.result import NEVER, RequestTimes


@dataclass
class Sequence:
    """A request on its way through a replica."""

    id: int
    arrival_ps: int
    prompt_tokens: int
    output_tokens: int
    cached_tokens: int  # prompt tokens that a prefix cache holds
    generated_tokens: int  # tokens produced so far; survives a preemption, the KV cache does not
    kv_came_along: bool  # prefilled elsewhere: joins the batch without a prefill
    prefilled_tokens: int = 0  # tokens of KV cache built by the prefill under way
    decoding: bool = False

    @property
    def prefill_size(self) -> int:
        """What a prefill has to build: the prompt and, after a preemption, what was generated."""
        return self.prompt_tokens + self.generated_tokens

    @property
    def stored(self) -> int:
        """Tokens in the KV cache while decoding: the newest one is stored by its own step."""
        return self.prompt_tokens + self.generated_tokens - 1


Chunks = list[tuple[Sequence, int, int]]  # (sequence, tokens before the chunk, tokens of it)


class Server:
    """One replica: a queue, what was preempted, and what runs (in order of arrival)."""

    def __init__(self, plan):
        self.plan = plan
        self.time = 0
        self.queue: deque[Sequence] = deque()
        self.preempted: list[Sequence] = []
        self.running: list[Sequence] = []
        self.finished: list[tuple[int, int]] = []  # (request, time)
        self.first: dict[int, int] = {}
        self.n_preempt: dict[int, int] = {}
        self.peak = 0

    def blocks(self, tokens: int) -> int:
        return -(-tokens // self.plan.block_tokens)

    def free(self) -> int:
        held = sum(self.blocks(s.stored if s.decoding else s.prefill_size) for s in self.running)
        return self.plan.n_blocks - held

    def growth(self) -> int:
        """Blocks that the decoding sequences will open in the next decode step."""
        return sum(s.decoding and s.stored % self.plan.block_tokens == 0 for s in self.running)

    def head(self) -> Sequence | None:
        if self.preempted:
            return self.preempted[-1]
        if self.queue and self.queue[0].arrival_ps <= self.time:
            return self.queue[0]
        return None

    def admit(self) -> Sequence:
        seq = self.preempted.pop() if self.preempted else self.queue.popleft()
        self.running.append(seq)
        return seq

    def advance(self, until_ps: int) -> None:
        """Take every step that starts before ``until``."""
        while self.time < until_ps:
            if not self.running and self.head() is None:
                if not self.queue:
                    return
                self.time = self.queue[0].arrival_ps
            else:
                self.step()

    def step(self) -> None:
        self.join_prefilled()
        preempted = self.make_room() if self.decodes_first() else False
        self.execute(self.choose_chunks(admit=not preempted))

    def join_prefilled(self) -> None:
        while (
            (seq := self.head()) is not None
            and seq.kv_came_along
            and len(self.running) < self.plan.max_batch
            and self.blocks(seq.stored + 1) + self.growth() <= self.free()
        ):
            self.admit()
            seq.kv_came_along = False
            seq.decoding = True

    def decodes_first(self) -> bool:
        """Chunked prefill keeps every decode going; else a prefill that fits goes first."""
        seq = self.head()
        can_prefill = (
            seq is not None
            and not seq.kv_came_along
            and len(self.running) < self.plan.max_batch
            and self.blocks(seq.prefill_size) <= self.free()
        )
        return self.plan.chunked or not can_prefill

    def make_room(self) -> bool:
        """Preempt the latest arrivals until the next decode step fits into KV memory."""
        any_preempted = False
        while self.growth() > self.free():
            seq = self.running.pop()
            seq.decoding, seq.prefilled_tokens = False, 0
            self.preempted.append(seq)
            self.n_preempt[seq.id] = self.n_preempt.get(seq.id, 0) + 1
            any_preempted = True
        return any_preempted

    def choose_chunks(self, admit: bool) -> Chunks:
        """The prefill part of the step: (sequence, tokens before the chunk, tokens of it)."""
        plan, chunks = self.plan, []
        left, reserved = plan.token_budget, 0
        if plan.chunked:
            left -= plan.tokens_per_sequence * sum(s.decoding for s in self.running)
            reserved = self.growth()
            for seq in self.running:
                if not seq.decoding and left > 0:
                    x = min(left, seq.prefill_size - seq.prefilled_tokens)
                    chunks.append((seq, seq.prefilled_tokens, x))
                    left -= x
        while admit and left > 0 and len(self.running) < plan.max_batch:
            seq = self.head()
            if seq is None or seq.kv_came_along:
                break
            if self.blocks(seq.prefill_size) > self.free() - reserved:
                break
            x = seq.prefill_size - seq.cached_tokens
            if plan.chunked:
                x = min(x, left)
            elif chunks and x > left:
                break  # a prompt longer than the budget is prefilled alone
            self.admit()
            seq.prefilled_tokens = seq.cached_tokens
            chunks.append((seq, seq.cached_tokens, x))
            left -= x
        return chunks

    def execute(self, chunks: Chunks) -> None:
        plan = self.plan
        self.peak = max(self.peak, len(self.running))
        decoding = [s for s in self.running if s.decoding]
        if chunks and not plan.chunked:
            decoding = []  # a prefill step stalls the decodes
        self.time += plan.cost.of(
            tokens=plan.tokens_per_sequence * len(decoding) + sum(x for _, _, x in chunks),
            n_decode=len(decoding),
            context_tokens=sum(s.stored + 1 for s in decoding),
            chunked=bool(chunks),
            n_pairs=sum(x * (2 * c + x) for _, c, x in chunks),
        )
        for seq in decoding:
            seq.generated_tokens += 1
        for seq, before, x in chunks:
            seq.prefilled_tokens = before + x
            if seq.prefilled_tokens == seq.prefill_size:
                seq.generated_tokens += 1  # the end of a prefill yields a token
                seq.decoding = True
                self.first.setdefault(seq.id, self.time)
        for seq in [
            s for s in self.running if s.decoding and s.generated_tokens == s.output_tokens
        ]:
            self.running.remove(seq)
            self.finished.append((seq.id, self.time))


def run_reference(plan, requests: list[Sequence], until_ps: int) -> list[Server]:
    """Route the requests, in order of arrival, and run every replica up to ``until``."""
    servers = [Server(plan) for _ in range(plan.n_replicas)]
    for k, seq in enumerate(requests):
        if plan.least_loaded:
            for server in servers:
                server.advance(min(seq.arrival_ps, until_ps))
            inside = [
                len(s.queue)
                + len(s.preempted)
                + len(s.running)
                + sum(at > seq.arrival_ps for _, at in s.finished)
                for s in servers
            ]
            chosen = servers[inside.index(min(inside))]
        else:
            chosen = servers[k % plan.n_replicas]
        chosen.queue.append(seq)
    for server in servers:
        server.advance(until_ps)
    return servers


def run_pool(plan, limits, requests, is_ready):
    """One pool, as `econ.serving.pools.RUNNERS` are called; the number of events is 0."""
    columns = zip(*requests, strict=True)
    sequences = [
        Sequence(i, int(a), int(p), int(o), int(c), int(is_ready), is_ready)
        for i, (a, p, o, c) in enumerate(columns)
    ]
    n = len(requests.arrival)
    first, done = np.full(n, NEVER), np.full(n, NEVER)
    n_preempt, peak = np.zeros(n, "int64"), 0
    for server in run_reference(plan, sequences, limits.until_ps):
        peak = max(peak, server.peak)
        first[list(server.first)] = list(server.first.values())
        for i, at in server.finished:
            done[i] = at
        for i, times in server.n_preempt.items():
            n_preempt[i] = times
    return pools.Times(first, done, n_preempt, 0, False, peak)


def simulate_reference(*requests, **more) -> RequestTimes:
    """`econ.serving.simulate` of arrays, with this engine."""
    with mock.patch.dict(pools.RUNNERS, reference=run_pool):
        return simulate(*requests, **more, engine="reference")
